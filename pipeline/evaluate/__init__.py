"""Evaluation of an encoder's retrieval effectiveness on a live OpenSearch.

Read in the order of data flow: encoded_items.py and evaluation_set.py (the collection, encoded once and cached),
queries/ (queries and relevance judgments), temporary_index.py, retrieve.py (ranking by OpenSearch), metrics.py and
significance.py, word_truth.py, report.py, export/ (files for other tools), compare.py (two reports), term_budget.py;
run.py puts them together.
"""
