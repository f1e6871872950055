"""Loading: sends the items of shards to a new OpenSearch index, and switches an alias to it when it is complete.

Read run.py (`load_shards`) with load_options.py, then documents.py (row to document), bulk.py (bulk requests with
retries), rejects_file.py, reconcile.py (counts), alias.py (the switch, and clean-up) and search_templates.py.
ray_loaders.py runs the parts of a load on Ray.
"""
