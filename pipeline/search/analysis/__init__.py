"""How OpenSearch reads a text by an index's own analyzers: which term each word has, and which it is asked by."""
