"""Images and texts to unit vectors and weighted words. Knows nothing of OpenSearch."""

from lexel.encoders.encoder import Encoder
from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.registry import open_encoder
from lexel.encoders.vocabulary.vocabulary import Vocabulary

__all__ = ["Encoder", "EncoderError", "Vocabulary", "open_encoder"]
