"""OpenSearch Dashboards: facts of an index, and the import of its saved objects."""
