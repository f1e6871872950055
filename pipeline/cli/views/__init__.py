"""Terminal output: console.py (streams, verbosity), job_progress.py (bars), and a module per kind of result."""
