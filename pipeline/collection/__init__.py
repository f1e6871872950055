"""Facts that need the whole collection: near-duplicates and the map."""
