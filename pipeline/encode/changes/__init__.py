"""What has changed since a source was encoded.

`survey` lists it, `source_comparison` compares each item with the ledger, `copying` makes rows of those whose bytes are
known, and `settle` the ledger of what there is then.
"""
