"""Sources: a folder, a manifest or WebDataset tars, listed lazily as items."""
