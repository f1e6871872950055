"""Loading: sends the items of shards to OpenSearch: all to a new index, or what differs to one that is there.

Read load_plan.py, documents/ (row to document, and the state that it is in) and bulk.py (bulk requests with retries).
run.py (`load_shards`) makes a new index with reconcile.py (counts), rejects_file.py, alias.py (the switch, and
clean-up) and search_templates.py; ray_loaders.py runs the parts of a load on Ray. update.py (`update_index`) changes
an index in place, by index_states.py (what differs) and in_place.py.
"""
