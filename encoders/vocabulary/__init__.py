"""The vocabulary: word forms to terms."""

from lexel.encoders.vocabulary.vocabulary import Vocabulary, words

__all__ = ["Vocabulary", "words"]
