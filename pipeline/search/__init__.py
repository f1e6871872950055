"""Searching: encodes a request, sends it as OpenSearch query DSL, and returns results with the parts of their scores.

Read run.py (`search_index`) with request.py, query_syntax.py and filters.py, then encode_query.py (term weights and
vector), feedback/ (queries moved by items to be like and unlike), query_dsl.py and neural_dsl.py (query bodies),
index.py (the index and its encoder), index_reader.py and snapshots.py (one state for all pages), results.py and
browse.py (listing without a query).
"""
