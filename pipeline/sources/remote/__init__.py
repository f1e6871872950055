"""Pictures that are elsewhere: https://, s3://, gs:// and what else fsspec reads, with the extra `remote`.

Read remote_path.py (a place), file_systems.py (fsspec, with retries and a limit of time), remote_file.py (a tar read
in pieces), remote_copy.py (a table, fetched once) and read_ahead.py (pictures fetched before they are decoded).
"""
