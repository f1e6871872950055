"""Training data: splits.py (train and val), image_features.py and text_features.py (computed once), training_set.py
(features and captions in batches), standardize.py, image_batches.py and augment.py (pixels, for end-to-end training).
"""
