"""Training data: splits, features that are encoded once, batches."""
