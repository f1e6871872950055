"""The routes of the API: search.py, explain.py, images.py (single items), collection.py (indices, terms, example
queries) and health.py (health check and metrics).
"""
