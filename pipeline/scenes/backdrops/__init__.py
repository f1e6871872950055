"""Backdrops: terrain, shores, roads and places."""
