"""Document fields that need the whole collection: near-duplicate group and map position.

Read near_duplicates.py, tsne_map.py and fields.py, which gives both for each document.
"""
