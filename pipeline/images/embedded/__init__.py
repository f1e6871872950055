"""What is written in a picture's file beside its pixels: by the camera in EXIF, by people in XMP and IPTC.

Read picture_facts.py (the fixed fields, from all three), then exif_tags.py, xmp_packet.py, iptc_records.py and
tag_text.py (text of any encoding and length as text that can be stored).
"""
