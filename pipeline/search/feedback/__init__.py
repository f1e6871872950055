"""Relevance feedback: queries that move towards items which they should find more of, and away from others.

Read rocchio.py.
"""
