"""Explanations: a score taken apart, two items compared, the smallest edit that swaps them."""
