"""OpenSearch Dashboards: index_facts.py finds what its saved objects say of an index, saved_objects.py imports them,
run.py does both. The objects' templates are in `lexel.mappings.dashboard_pack`.
"""
