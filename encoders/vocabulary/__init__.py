"""The vocabulary: word forms to terms.

Read tokenize.py (text to words), stop_words.py, lemmas.py (a word's dictionary form), vocabulary.py (terms and their
forms, built from captions) and aliases.py (files by which people edit them).
"""

from lexel.encoders.vocabulary.tokenize import words
from lexel.encoders.vocabulary.vocabulary import Vocabulary

__all__ = ["Vocabulary", "words"]
