"""The vocabulary: word forms to terms."""

from lexel.encoders.vocabulary.tokenize import words
from lexel.encoders.vocabulary.vocabulary import Vocabulary

__all__ = ["Vocabulary", "words"]
