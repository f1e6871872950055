"""Statistics of a collection's terms and a report on their health.

Read counts.py (counts over shards), query_frequencies.py (how often queries contain each term), health_report.py
(figures and warnings), run.py (all of it for a shard folder) and plot.py.
"""
