"""Encoders: images and texts to unit vectors and weighted terms. Nothing here imports OpenSearch.

Read encoder.py (an encoder's folder) first, then registry.py (encoders by name), vocabulary/ and terms.py (terms and
their weights), image/ and text/ (the networks), towers.py (both into one space), heads/ (features to term weights),
model.py (an encoder loaded and run), pair.py (untrained encoders), captioner.py, card.py (facts for a listing),
openvino_export.py and runtime/ (devices, checkpoints).
"""

from lexel.encoders.encoder import Encoder
from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.registry import open_encoder
from lexel.encoders.vocabulary.vocabulary import Vocabulary

__all__ = ["Encoder", "EncoderError", "Vocabulary", "open_encoder"]
