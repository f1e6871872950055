"""An encoder's folder: its configuration, vocabulary, calibration and fingerprint. Nothing here loads torch.

lexel.json          name, tower, head, terms kept per item
lexel.safetensors   weights that are not part of a `transformers` checkpoint
vocabulary.json     terms, word forms, document frequencies
likely.npy          how likely each term is to be said, by its weight, if that is known; not part of the fingerprint
near_words.npz      everyday words without a term, and the terms nearest to them; not part of the fingerprint
calibration.json    vector weight of hybrid queries and cut-offs; not part of the fingerprint
image/ text/ dual/  `transformers` checkpoints, if it is built on any
image.xml, .bin     the image side compiled by OpenVINO, if it was (`Encoder.compiled`)
README.md           the model card
training/           records of its training, if it was trained here
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.term_weights import Floats, added, importance
from lexel.encoders.vocabulary.near_words import NEAR_WORDS, NearWords
from lexel.encoders.vocabulary.tokenize import words
from lexel.encoders.vocabulary.vocabulary import Vocabulary

FORMAT = 1
# The file of what decides the order of an image's terms, but neither the terms nor their weights.
LIKELY = "likely.npy"
# Terms kept of an image that is used as a query.
QUERY_TERMS = 128
_HASHED = {".json", ".safetensors", ".txt", ".bin", ".xml", ".model"}
# The two JSON files are hashed by their parsed content, so that their formatting does not matter.
_NOT_HASHED = ("calibration.json", "lexel.json", "vocabulary.json", "training/")


@dataclass(frozen=True)
class Encoder:
    """An encoder whose networks are not loaded. `ref` is how it was asked for: a name, a folder or a hub name."""

    ref: str
    folder: Path
    config: Mapping[str, Any]
    vocabulary: Vocabulary
    identity: str | None = None  # replaces the computed fingerprint; set by `for_features`
    low_precision: bool = False  # compute in bfloat16 where the hardware is faster at it

    @property
    def name(self) -> str:
        """The name in lexel.json, e.g. "lexel-tiny"."""
        return str(self.config["name"])

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits: a hash of everything that affects its output. The name is not part of it.

        Reads every file: about one second per gigabyte.
        """
        if self.identity:
            return self.identity
        decisive = {key: value for key, value in self.config.items() if key not in {"name", "features"}}
        return _digest([decisive, self.vocabulary.hash], _hashed_files(self.folder, self.folder))

    @cached_property
    def features_id(self) -> str:
        """16 hexadecimal digits that identify the image features: encoders that differ only in their terms share it.

        Taken from lexel.json if training stored it there, else a hash of the image side.
        """
        if "features" in self.config:
            return str(self.config["features"])
        tower = self.config["tower"]
        if tower["kind"] == "dual":
            return _digest("dual", _hashed_files(self.folder / tower["checkpoint"], self.folder / tower["checkpoint"]))
        files = _hashed_files(self.folder / "image", self.folder)
        return _digest(tower["image"], files, _tensors(self.folder / "lexel.safetensors", prefix="tower.image."))

    def for_features(self) -> "Encoder":
        """This encoder with `features_id` as fingerprint, so that encoders with equal features share cached shards.

        It computes in bfloat16 where that is faster, which is precise enough for training.
        """
        return replace(self, identity=self.features_id, low_precision=True)

    @property
    def expands(self) -> bool:
        """Whether text queries are expanded by the head; if not, encoding a text query needs no network."""
        return bool(self.config["head"].get("kind") == "expand")

    @property
    def compiled(self) -> str | None:
        """The precision its image side was compiled in, "float32" or "int8"; None if it runs in torch."""
        return self.config.get("compiled")

    def query(self, text: str) -> dict[str, float]:
        """A text query's term weights without expansion: how often each term occurs in `text`, and for its words that
        have none the weight of the nearest term.
        """
        found = {term: float(n) for term, n in self.vocabulary.count(text).items()}
        return added(found, *self.near(text).values())

    def near(self, text: str) -> dict[str, dict[str, float]]:
        """The words of `text` that have no term and are asked by the nearest one, each with that and its weight.

        A word that stands there twice weighs twice.
        """
        unknown = () if self.expands else self.vocabulary.unknown(text)
        asked = {word: self.near_words.asked(word) for word in unknown}
        if not any(asked.values()):
            return {}
        times = Counter(words(text))
        return {word: {t: times[word] * w for t, w in own.items()} for word, own in asked.items() if own}

    @cached_property
    def near_words(self) -> NearWords:
        """Everyday words without a term, and the terms nearest to them. Raises EncoderError if their file is broken."""
        return NearWords.load(self.folder / NEAR_WORDS)

    def picture_query(self, terms: Mapping[str, float]) -> dict[str, float]:
        """The query for an image with these `terms`: the QUERY_TERMS of them with the largest weight x `importance`."""
        index = self.vocabulary.index
        ranked = sorted(terms.items(), key=lambda pair: -pair[1] * self._worth[index[pair[0]]])
        return dict(ranked[:QUERY_TERMS])

    @cached_property
    def _worth(self) -> Floats:
        return importance(self.vocabulary.document_frequency)

    def vector_weight(self, side: str) -> float:
        """The factor of the cosine in a hybrid score, for queries of a `side`, "text" or "image"."""
        # If not calibrated: a cosine of 1 counts about as much as a handful of strong terms.
        return float(self._calibrated("vector_weight", side) or 10.0)

    def cutoff(self, side: str, mode: str) -> float:
        """The score below which results are noise, for queries of a `side` ("text" or "image") in a search `mode`.

        Raises EncoderError if it is not calibrated.
        """
        found = self._calibrated("cutoff", side) or {}
        if not isinstance(found, dict) or mode not in found:
            raise EncoderError(f"{self.ref} has no cut-off for {mode} queries by {side}; `lexel tune` finds one.")
        # The file has OpenSearch's scores, in which the vector's part is weight x (1 + cosine).
        constant = {"vector": 1.0, "hybrid": self.vector_weight(side)}
        return float(found[mode]) - constant.get(mode, 0.0)

    def least_cosine(self, side: str) -> float | None:
        """The cosine below which an item that shares no word with a query of this `side` is noise; None if it is not
        calibrated.
        """
        found: float | None = self._calibrated("least_cosine", side)
        return found

    def likely(self) -> Floats | None:
        """How likely people are to say each term, [2, V] (see `prune`); None if it does not know.

        Raises EncoderError if its file is broken.
        """
        path = self.folder / LIKELY
        if not path.is_file():
            return None
        try:
            found: Floats = np.load(path, allow_pickle=False).astype(np.float32)
        except (OSError, ValueError, EOFError) as error:
            raise EncoderError(f"{path} cannot be read ({error}); remove it, or get it anew.") from error
        if found.shape != (2, len(self.vocabulary)):
            raise EncoderError(f"{path} is of another vocabulary; remove it, or get it anew.")
        return found

    def _calibrated(self, what: str, side: str) -> Any:
        path = self.folder / "calibration.json"
        try:
            table = _table(path, path.stat().st_mtime_ns) if path.exists() else {}
            found = table.get(what, {}).get(side)
            return float(found) if what != "cutoff" and found is not None else found
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise EncoderError(f"{path} cannot be read ({error}); calibrate again, or remove it.") from error


@lru_cache(64)
def _table(path: Path, _changed: int) -> dict[str, Any]:
    """The file as it was changed then: it is asked for with every query, and `lexel tune` may write another."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _hashed_files(folder: Path, root: Path) -> Iterator[bytes]:
    """The path relative to `root` and the digest of each file in `folder` that affects what is encoded."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix in _HASHED and not name.startswith(_NOT_HASHED) and path.is_file():
            yield name.encode()
            with path.open("rb") as file:
                yield hashlib.file_digest(file, "blake2b").digest()


def _tensors(path: Path, *, prefix: str) -> Iterator[bytes]:
    """Name and bytes of each tensor in a safetensors file whose name begins with `prefix`."""
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
    """Read the encoder saved in `folder`. Raises EncoderError if there is none, or if its format is not FORMAT."""
    try:
        config = json.loads((folder / "lexel.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(f"{folder} is not a lexel encoder: its lexel.json cannot be read ({error}).") from error
    if not isinstance(config, dict) or not {"format", "name", "tower", "head"} <= config.keys():
        raise EncoderError(f"{folder} is not a lexel encoder: its lexel.json lacks a format, name, tower or head.")
    if config["format"] != FORMAT:
        raise EncoderError(f"{folder} has encoder format {config['format']!r}; this lexel reads format {FORMAT}.")
    return Encoder(ref or str(folder.resolve()), folder, config, Vocabulary.load(folder / "vocabulary.json"))
