"""Sources: folders, tables, WebDataset tars, caption files and text files, listed lazily as items.

Read item.py (an image or a text), picture_folder.py, tables/ (CSV, TSV, JSONL, Parquet), tars/, caption_files/ and
source.py, whose `open_source` chooses among them. What is left out is kept in listing_notes.py, and said at the end.
"""
