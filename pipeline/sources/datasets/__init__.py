"""Folders of public data sets and of tools that fetch them, read as they are downloaded; formats.py lists them."""
