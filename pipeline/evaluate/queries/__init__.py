"""Queries and relevance judgments: directions.py (captions, images, labels) and short_queries.py (noun phrases)."""
