"""Searching: a request to query DSL to results; `run` is its entry."""
