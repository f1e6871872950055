"""Heads: image features to a weight >= 0 on each term of the vocabulary. One head a file.

Read lexicon.py (the default), expand.py (also expands queries), word_classifier.py (logistic regression),
region_labels.py (max over regions), zero_shot.py and labels.py (no training), head.py (any of them from a config).
"""

from lexel.encoders.heads.expand import ExpandHead
from lexel.encoders.heads.head import AnyHead, Head, head
from lexel.encoders.heads.labels import LabelsHead
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.heads.region_labels import RegionHead
from lexel.encoders.heads.word_classifier import WordClassifierHead
from lexel.encoders.heads.zero_shot import ZeroShotHead

__all__ = [
    "AnyHead",
    "ExpandHead",
    "Head",
    "LabelsHead",
    "LexiconHead",
    "RegionHead",
    "WordClassifierHead",
    "ZeroShotHead",
    "head",
]
