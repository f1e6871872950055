"""What tells one training from another, so that a stopped one goes on as itself only."""

import hashlib
import json

from torch import nn


def digest(*about: object) -> str:
    """16 hexadecimal digits over what `about` is as JSON."""
    return hashlib.blake2b(json.dumps(about, default=str).encode(), digest_size=8).hexdigest()


def weights(*modules: nn.Module) -> str:
    """16 hexadecimal digits over the names and the numbers of all tensors of `modules`."""
    hashed = hashlib.blake2b(digest_size=8)
    for name, value in (pair for module in modules for pair in module.state_dict().items()):
        hashed.update(name.encode())
        hashed.update(value.detach().cpu().contiguous().numpy().tobytes())
    return hashed.hexdigest()
