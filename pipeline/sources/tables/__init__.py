"""Tables with a row per picture or per caption: manifest.py makes items of their rows."""
