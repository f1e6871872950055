"""Caption files of public data sets, read as they are downloaded; formats.py lists them."""
