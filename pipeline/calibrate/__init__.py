"""Calibration of an encoder on judged queries: the vector weight of hybrid queries, and score cut-offs.

Read hybrid_weight.py and cutoff.py (the arithmetic), run.py (both for an encoder and a collection) and
calibration_file.py (storing them with the encoder).
"""
