"""Tables with a row per picture or per caption: manifest.py makes items of the rows that table_rows.py reads.

table_columns.py knows what columns are called, scattered_rows.py finds rows of one picture that are not neighbours.
"""
