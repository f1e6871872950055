"""The OpenSearch cluster: address, client, retries, what it can do and what its errors mean."""
