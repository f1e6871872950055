"""`lexel serve`: search over HTTP, and a web page for it.

Read run.py (options and startup), listen.py (the socket), app.py (routes and middleware put together),
index_registry.py (the served indices), schema.py and request_parsing.py (requests), routes/, encode_batch.py,
image_files.py, error_responses.py, middleware.py (token, rate and size limits) and request_metrics.py. page/ has the
web page.

torch is loaded only when a query needs an encoder's networks.
"""
