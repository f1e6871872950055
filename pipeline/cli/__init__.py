"""The command line. `main` is the table of commands; nothing below imports from here."""
