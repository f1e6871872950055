"""Evaluations as files for other tools: trec_files.py for TREC's, workbench.py for OpenSearch's own."""
