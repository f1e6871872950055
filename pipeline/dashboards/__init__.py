"""OpenSearch Dashboards: index_facts.py finds what its saved objects say of an index, dashboards_client.py talks to it,
saved_objects.py imports them, run.py does all of it. The objects' templates are in `lexel.mappings.dashboard_pack`.
"""
