"""Hashes that identify a training, so that a saved state is resumed only by the same one."""

import hashlib
import json

from torch import nn

from lexel.encoders.towers import PairTower
from lexel.pipeline.train.artifacts import training_id
from lexel.pipeline.train.head_factory import AnyTower


def digest(*about: object) -> str:
    """16 hexadecimal digits of a hash over `about` as JSON."""
    return hashlib.blake2b(json.dumps(about, default=str).encode(), digest_size=8).hexdigest()


def weights(*modules: nn.Module) -> str:
    """16 hexadecimal digits of a hash over names and values of all tensors of `modules`."""
    hashed = hashlib.blake2b(digest_size=8)
    for name, value in (pair for module in modules for pair in module.state_dict().items()):
        hashed.update(name.encode())
        hashed.update(value.detach().cpu().contiguous().numpy().tobytes())
    return hashed.hexdigest()


def origin(tower: AnyTower) -> str:
    """A hash of the initial projections and the text side; the image side is identified by its features elsewhere."""
    projections = (tower.image_projection, tower.text_projection) if isinstance(tower, PairTower) else ()
    return training_id.digest(training_id.weights(*projections), text_origin(tower))


def text_origin(tower: AnyTower) -> str:
    """A hash of the text side's weights."""
    reading = tower.text if isinstance(tower, PairTower) else tower
    assert isinstance(reading, nn.Module)
    return training_id.weights(reading)
