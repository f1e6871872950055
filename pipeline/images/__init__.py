"""Images: bytes to RGB pixels, and previews of them (thumbnail and perceptual hash).

Read decode.py (decoding in this process) with colour_profile.py, large_jpeg.py, deep_grey.py, heic.py and
camera_raw.py; perceptual_hash.py and preview.py; decoder_process.py (the program that decodes in a child process) and
decoder_pool.py (a pool of such processes).

Imports nothing, so that the child process starts fast.
"""
