"""Backdrops of the drawn scenes: terrain.py (hills, trees, grass) for shores.py, roads.py and places.py."""
