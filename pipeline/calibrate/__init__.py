"""Calibration: the weight of the vector in hybrid queries, and score cut-offs."""
