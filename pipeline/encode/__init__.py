"""Encoding: a source's items to shards, on one machine or a Ray cluster; `run` is its entry."""
