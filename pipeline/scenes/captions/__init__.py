"""True captions of a scene."""
