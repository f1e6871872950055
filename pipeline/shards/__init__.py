"""Shards: encoded items as Parquet files, and the job that a folder of them belongs to."""
