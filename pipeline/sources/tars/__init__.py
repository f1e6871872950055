"""Tars: webdataset.py lists their pictures, tar_sample.py joins texts to them, tar_members.py reads the files."""
