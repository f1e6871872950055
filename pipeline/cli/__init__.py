"""The `lexel` command line.

Read main.py (the table of commands), options.py and learning_options.py (shared options), config_file.py (`--config`),
commands/ (one module per command) and views/ (terminal output). Nothing outside this folder imports it.
"""
