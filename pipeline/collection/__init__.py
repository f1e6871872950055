"""What needs the whole collection: near-duplicate group and map position of a document, and the mean vector.

Read near_duplicates.py, tsne_map.py and fields.py, which gives both for each document, and mean_vector.py.
"""
