"""True captions of a scene: phrases.py (tables of phrases) and sentences.py (sentences made of them)."""
