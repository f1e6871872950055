"""The connection to an OpenSearch cluster.

Read client.py (address, login, client), json_serializer.py, retry.py (requests that are repeated), error_messages.py
(the client's errors as sentences) and capabilities.py (plugins, the embedded node).
"""
