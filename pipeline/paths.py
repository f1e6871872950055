"""The default data folder."""

import hashlib
import os
from pathlib import Path, PurePath

import platformdirs


def data_folder() -> Path:
    """LEXEL_HOME if it is set, else the user's data folder as the operating system defines it."""
    chosen = os.environ.get("LEXEL_HOME")
    return Path(chosen).expanduser().resolve() if chosen else platformdirs.user_data_path("lexel")


def index_shards_folder(index: str, source: str, fingerprint: str) -> Path:
    """The folder of the shards behind `index`: one for each index, source and encoder."""
    return data_folder() / "shards" / f"{index}-{_digest(source)}-{fingerprint[:8]}"


def training_folder(source: str) -> Path:
    """The folder of what is encoded for training: one for each collection, whatever head or vocabulary is trained."""
    return data_folder() / "train" / f"{PurePath(source).stem}-{_digest(source)}"


def _digest(path: str) -> str:
    return hashlib.blake2b(path.encode(), digest_size=4).hexdigest()
