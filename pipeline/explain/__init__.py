"""Explaining scores: their parts, a comparison of two items, and the smallest edit of a query that swaps them.

Read score_parts.py (`explain_item`), comparison.py (`compare_items`) and counterfactual.py.
"""
