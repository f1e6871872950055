"""An encoder as a folder: what it is called, what words it knows, what it is made of. Nothing here loads torch.

lexel.json          name, tower, head, terms kept per item
lexel.safetensors   the weights that are the encoder's own
vocabulary.json     terms, forms, document frequencies
calibration.json    the weight of the vector in hybrid queries; may change without changing what is encoded
image/ text/ dual/  checkpoints of `transformers`, where it is built on them
image.xml, .bin     its picture side, where it was compiled (see `compiled`)
README.md           the model card
training/           how it was trained, where it was
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from safetensors import safe_open

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.terms import Floats, importance
from lexel.encoders.vocabulary.vocabulary import Vocabulary

FORMAT = 1
# A picture as a query is cut to this many terms.
QUERY_TERMS = 128
_HASHED = {".json", ".safetensors", ".txt", ".bin", ".xml", ".model"}
# What lexel.json and vocabulary.json mean is hashed, not how they are written.
_NOT_HASHED = ("calibration.json", "lexel.json", "vocabulary.json", "training/")


@dataclass(frozen=True)
class Encoder:
    """An encoder that is not loaded yet. `ref` is what a person calls it: a name, a folder or a hub name."""

    ref: str
    folder: Path
    config: Mapping[str, Any]
    vocabulary: Vocabulary
    identity: str | None = None  # a fingerprint in the place of its own, see `for_features`
    low_precision: bool = False  # whether its networks compute in bfloat16 wherever that is faster

    @property
    def name(self) -> str:
        """Its own name, e.g. "lexel-tiny"."""
        return str(self.config["name"])

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over everything that decides what it encodes to, and not over what it is called.

        Reads every file: about a second a gigabyte.
        """
        if self.identity:
            return self.identity
        decisive = {key: value for key, value in self.config.items() if key not in {"name", "features"}}
        return _digest([decisive, self.vocabulary.hash], _hashed_files(self.folder, self.folder))

    @cached_property
    def features_id(self) -> str:
        """16 hexadecimal digits that name what makes the features: the same for encoders that differ in words only.

        Training writes down whose features it learned from; else it is a digest of the image side.
        """
        if "features" in self.config:
            return str(self.config["features"])
        tower = self.config["tower"]
        if tower["kind"] == "dual":
            return _digest("dual", _hashed_files(self.folder / tower["checkpoint"], self.folder / tower["checkpoint"]))
        files = _hashed_files(self.folder / "image", self.folder)
        return _digest(tower["image"], files, _tensors(self.folder / "lexel.safetensors", prefix="tower.image."))

    def for_features(self) -> "Encoder":
        """The same encoder identified by its image side alone, so that encoders with equal features share their shards.

        It computes in low precision: training blurs features far more.
        """
        return replace(self, identity=self.features_id, low_precision=True)

    @property
    def expands(self) -> bool:
        """Whether a text query asks for more than its own words, so that it needs the networks."""
        return bool(self.config["head"].get("kind") == "expand")

    @property
    def compiled(self) -> str | None:
        """The precision, "float32" or "int8", that its picture side was compiled in; None where torch computes it."""
        return self.config.get("compiled")

    def query(self, text: str) -> dict[str, float]:
        """The weighted terms of a text query: its words, each as often as it stands there."""
        return {term: float(n) for term, n in self.vocabulary.count(text).items()}

    def picture_query(self, terms: Mapping[str, float]) -> dict[str, float]:
        """What a picture with these `terms` asks for: those of them that contribute most."""
        index = self.vocabulary.index
        ranked = sorted(terms.items(), key=lambda pair: -pair[1] * self._worth[index[pair[0]]])
        return dict(ranked[:QUERY_TERMS])

    @cached_property
    def _worth(self) -> Floats:
        return importance(self.vocabulary.document_frequency)

    def vector_weight(self, side: str) -> float:
        """What one unit of cosine is worth beside the terms in a hybrid query whose query is a "text" or an "image"."""
        # Not calibrated: a cosine of 1 weighs as much as a handful of sure terms.
        return float(self._calibrated("vector_weight", side) or 10.0)

    def cutoff(self, side: str, mode: str) -> float:
        """The score under which results of a "text" or "image" are noise. Raises EncoderError where none is known."""
        found = self._calibrated("cutoff", side) or {}
        if not isinstance(found, dict) or mode not in found:
            raise EncoderError(f"{self.ref} has no cut-off for {mode} queries by {side}; `lexel tune` finds one.")
        return float(found[mode])

    def _calibrated(self, what: str, side: str) -> Any:
        path = self.folder / "calibration.json"
        try:
            table = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            found = table.get(what, {}).get(side)
            return float(found) if what == "vector_weight" and found is not None else found
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise EncoderError(f"{path} cannot be read ({error}); calibrate again, or remove it.") from error


def _hashed_files(folder: Path, root: Path) -> Iterator[bytes]:
    """The name below `root` and the digest of each file in `folder` that decides what is encoded."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix in _HASHED and not name.startswith(_NOT_HASHED) and path.is_file():
            yield name.encode()
            with path.open("rb") as file:
                yield hashlib.file_digest(file, "blake2b").digest()


def _tensors(path: Path, *, prefix: str) -> Iterator[bytes]:
    """The name and the content of each tensor in a safetensors file whose name begins with `prefix`."""
    if path.is_file():
        with safe_open(path, framework="numpy") as file:
            for name in sorted(key for key in file.keys() if key.startswith(prefix)):  # noqa: SIM118 - it is no dict
                yield name.encode()
                yield file.get_tensor(name).tobytes()


def _digest(about: object, *parts: Iterator[bytes]) -> str:
    digest = hashlib.blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=8)
    for part in parts:
        for piece in part:
            digest.update(piece)
    return digest.hexdigest()


def read_encoder(folder: Path, *, ref: str | None = None) -> Encoder:
    """Read the encoder saved in `folder`. Raises EncoderError where it is none, or of another format."""
    try:
        config = json.loads((folder / "lexel.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(f"{folder} is not a lexel encoder: its lexel.json cannot be read ({error}).") from error
    if not isinstance(config, dict) or not {"format", "name", "tower", "head"} <= config.keys():
        raise EncoderError(f"{folder} is not a lexel encoder: its lexel.json lacks a format, name, tower or head.")
    if config["format"] != FORMAT:
        raise EncoderError(f"{folder} has encoder format {config['format']!r}; this lexel reads format {FORMAT}.")
    return Encoder(ref or str(folder.resolve()), folder, config, Vocabulary.load(folder / "vocabulary.json"))
