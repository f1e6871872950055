"""Folders of pictures, here or elsewhere: picture_folder.py makes items of what folder_entries.py lists."""
