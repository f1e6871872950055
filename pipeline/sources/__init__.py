"""Sources: folders, manifests, WebDataset tars and text files, listed lazily as items.

Read item.py (an image or a text), manifest.py (CSV, TSV, JSONL, Parquet), webdataset.py (tars) and source.py, whose
`open_source` chooses among them.
"""
