"""A loaded encoder: batches of pixels or texts in, unit vectors and weighted terms out."""

import copy
import json
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from lexel.encoders.encoder import FORMAT, LIKELY, Encoder, read_encoder
from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.heads.expand import ExpandHead
from lexel.encoders.heads.head import AnyHead, head
from lexel.encoders.heads.zero_shot import ZeroShotHead
from lexel.encoders.image.preprocess import Picture
from lexel.encoders.runtime.device import resolve_device
from lexel.encoders.runtime.hf_checkpoints import BROKEN, first_line
from lexel.encoders.runtime.malloc import keep_freed_memory
from lexel.encoders.runtime.openvino_network import OpenVinoNetwork
from lexel.encoders.runtime.precision import fast, is_faster
from lexel.encoders.term_weights import importance, prune, quantise
from lexel.encoders.towers import DualTower, PairTower, tower
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.encoders.weights_file import WEIGHTS, read_weights, write_weights


@dataclass(frozen=True)
class Encoded:
    """B items: unit vectors [B, D], the head's input [B, F] (None if that is the vector), and term weights.

    An item of which the networks gave a weight that is no number has no number in its vector either.
    """

    vectors: npt.NDArray[np.float32]
    features: npt.NDArray[np.float16] | None
    terms: list[dict[str, float]]


class Model:
    """The networks of one encoder on one device: bfloat16 on a GPU, float32 on a CPU, channels last.

    How `likely` [2, V] people are to say a term, by its weight, decides which come first (see `prune`).

    With `low_precision` a CPU with bfloat16 instructions uses them too, about twice as fast and precise enough for
    training.
    """

    def __init__(
        self,
        tower: DualTower | PairTower,
        head: AnyHead,
        vocabulary: Vocabulary,
        *,
        keep: int = 128,
        device: str = "auto",
        low_precision: bool = False,
        compiled: OpenVinoNetwork | None = None,
        likely: npt.NDArray[np.float32] | None = None,
    ) -> None:
        if head.terms != len(vocabulary):
            raise EncoderError(
                f"The head weighs {head.terms} terms, its vocabulary has {len(vocabulary)}: they are of two encoders."
            )
        self.device = resolve_device(device)
        if self.device.type == "cpu":
            keep_freed_memory()
        # Channels last is twice as fast on a CPU and lets a GPU use its tensor cores.
        self.tower = tower.eval().to(self.device).to(memory_format=torch.channels_last)
        self.head = head.eval().to(self.device)
        self.vocabulary, self.keep, self.low_precision = vocabulary, keep, low_precision
        self._compiled, self.likely = compiled, likely

    def in_low_precision(self) -> "Model":
        """The same networks computing in bfloat16; this model itself if that changes nothing on its device."""
        if self.low_precision or self.device.type != "cpu" or not is_faster(self.device):
            return self
        other = copy.copy(self)
        other.low_precision = True
        return other

    def in_float32(self) -> "Model":
        """The same networks computing in float32 on a CPU."""
        other = copy.copy(self)
        other.low_precision = False
        return other

    def with_network(self, compiled: OpenVinoNetwork) -> "Model":
        """The same model, whose features are computed by `compiled`."""
        other = copy.copy(self)
        other._compiled = compiled
        return other

    @property
    def computes(self) -> str:
        """What its picture side runs in, in words."""
        low = self.low_precision or self.device.type == "cuda"
        return f"{'OpenVINO' if self.compiled else 'torch'} in {'bfloat16' if low else 'float32'}"

    @property
    def compiled(self) -> bool:
        """Whether its picture side runs in OpenVINO and not in torch."""
        return self._compiled is not None

    @property
    def dim(self) -> int:
        """The dimension D of a vector."""
        return self.tower.dim

    @property
    def feature_dim(self) -> int | None:
        """The dimension F of the head's input, or None if that is the vector itself."""
        return self.tower.feature_dim

    @cached_property
    def _worth(self) -> npt.NDArray[np.float32]:
        if isinstance(self.head, ExpandHead):  # its queries are expanded, so captions' frequencies do not describe them
            return _array(self.head.worth)
        return importance(self.vocabulary.document_frequency)

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB image to [3, H, W], uint8 or float32 (see `Preprocess`); thread-safe."""
        return self.tower.pixels(image)

    @cached_property
    def blank(self) -> torch.Tensor:
        """The pixels [3, H, W] of a black image; every image's pixels have this shape."""
        return self.pixels(Image.new("RGB", (64, 64)))

    @property
    def min_input_side(self) -> int:
        """The shorter side in pixels above which a larger image makes no difference: 2.5 times the network's input."""
        return 5 * max(self.blank.shape[-2:]) // 2

    def images(self, pixels: torch.Tensor) -> Encoded:
        """Pixels [B, 3, H, W] to vectors, features and terms."""
        with torch.inference_mode():
            features = self.features(pixels)
        if self.feature_dim is None:
            return self.of_features(_array(features))
        # Rounded to float16 first, so that features read back from a shard give exactly the same vectors and terms.
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and so no number
            own = features.float().cpu().numpy().astype(np.float16)
        return replace(self.of_features(own), features=own)

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        """The forward pass: pixels [B, 3, H, W] to features [B, F], or to vectors [B, D] if these are the features."""
        with self.precision():
            if self._compiled:
                return self._compiled(batch)
            moved = batch.to(self.device, non_blocking=True, memory_format=torch.channels_last)
            return self.tower.images(moved)[0]

    def of_features(self, features: npt.NDArray[Any]) -> Encoded:
        """Stored features [B, F] (or vectors [B, D], if these are the features) to the result of `images`."""
        with torch.inference_mode():
            rows = torch.from_numpy(np.ascontiguousarray(features, dtype=np.float32)).to(self.device)
            vectors, weights = _array(self.tower.image_vectors(rows)), _array(self.head(rows))
        wrong = ~np.isfinite(weights).all(axis=1)
        vectors[wrong] = np.nan
        weights[wrong] = 0.0
        terms = prune(weights, self._worth, self.vocabulary.terms, keep=self.keep, likely=self.likely)
        return Encoded(vectors, None, terms)

    def texts(self, texts: Sequence[str]) -> Encoded:
        """Encode sentences as items to retrieve: unit vectors and the term weights of `items_of`."""
        vectors = self.text_vectors(texts)
        return Encoded(vectors, None, self.items_of(texts, vectors))

    def items_of(self, texts: Sequence[str], vectors: npt.NDArray[np.float32] | None = None) -> list[dict[str, float]]:
        """The term weights of `texts` as items to retrieve: 1 / sqrt(n) for each of n words, or the head's expansion.

        Without 1 / sqrt(n) the longest caption would win for every image. `vectors` [B, D], if given, are not computed.
        """
        if isinstance(self.head, ExpandHead):
            return self._asked(texts, self.text_vectors(texts) if vectors is None else vectors)
        asked = self._asked(texts, None)
        weights = [quantise([n / sum(words.values()) ** 0.5 for n in words.values()]) for words in asked]
        return [dict(zip(words, map(float, own), strict=True)) for words, own in zip(asked, weights, strict=True)]

    def queries(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """The term weights of `texts` as queries: the count of each term, or the head's expansion."""
        return self._asked(texts, self.text_vectors(texts) if isinstance(self.head, ExpandHead) else None)

    def _asked(self, texts: Sequence[str], vectors: npt.NDArray[np.float32] | None) -> list[dict[str, float]]:
        counts = [self.vocabulary.count(text) for text in texts]
        if not isinstance(self.head, ExpandHead) or vectors is None:
            return [{term: float(n) for term, n in words.items()} for words in counts]
        own = torch.zeros(len(counts), len(self.vocabulary))
        for row, words in zip(own, counts, strict=True):
            for term, n in words.items():
                row[self.vocabulary.index[term]] = n
        with torch.inference_mode():
            weights = self.head.expand(torch.from_numpy(vectors).to(self.device), own.to(self.device))
        worth = _array(self.head.query_worth)
        return prune(_array(weights), worth, self.vocabulary.terms, keep=self.head.query_keep)

    def text_vectors(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Sentences to unit vectors [B, D]."""
        with torch.inference_mode(), self.precision():
            return _array(self.tower.texts(texts))

    def heard(self, text: str) -> int:
        """How many of the text's words, as spaces part them, its vector is made of: the first ones of a long text."""
        return self.tower.heard(text)

    def precision(self) -> AbstractContextManager[Any]:
        """The context in which the towers run: bfloat16 autocast, or none."""
        return fast(self.device) if self.device.type == "cuda" or self.low_precision else nullcontext()

    def save(self, folder: Path, *, name: str, card: str = "", features: str | None = None) -> Encoder:
        """Write the encoder to `folder`, creating it if necessary, with matrices in float16, and read it back.

        `features` is the `features_id` of the encoder on whose features the head was trained.
        """
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "format": FORMAT,
            "name": name,
            "keep": self.keep,
            "tower": self.tower.config(),
            "head": self.head.config(),
        } | ({"features": features} if features else {})
        (folder / "lexel.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(card or f"# {name}\n", encoding="utf-8")
        self.vocabulary.save(folder / "vocabulary.json")
        self.tower.save(folder)
        write_weights(folder / WEIGHTS, self.tower, self.head)
        if self.likely is not None:
            np.save(folder / LIKELY, self.likely)
        # safetensors makes its files readable by their owner only; give this one the permissions of the others.
        (folder / WEIGHTS).chmod((folder / "lexel.json").stat().st_mode & 0o777)
        return read_encoder(folder)


def load_model(encoder: Encoder, *, device: str = "auto") -> Model:
    """Load the networks of `encoder` onto `device`: "cuda", "cpu", or "auto" for a GPU if there is one.

    Raises EncoderError if a file is missing or does not match lexel.json.
    """
    if resolve_device(device).type == "cpu":
        keep_freed_memory()
    elif encoder.compiled:
        raise EncoderError(f"{encoder.ref} was compiled for CPUs; add --device cpu, or take what it was compiled from.")
    try:
        built_tower = tower(encoder.config["tower"], encoder.folder)
        if encoder.config["head"] == {"kind": "zeroshot"}:
            built_head: AnyHead = ZeroShotHead.of(built_tower, encoder.vocabulary)
        else:
            built_head = head(encoder.config["head"])
            read_weights(encoder.folder / WEIGHTS, built_tower, built_head)
    except BROKEN as error:
        raise EncoderError(f"The encoder {encoder.ref} cannot be loaded: {first_line(error)}") from error
    keep = encoder.config.get("keep", 128)
    compiled = OpenVinoNetwork(encoder.folder) if encoder.compiled else None
    return Model(
        built_tower,
        built_head,
        encoder.vocabulary,
        keep=keep,
        device=device,
        low_precision=encoder.low_precision,
        compiled=compiled,
        likely=encoder.likely(),
    )


def copy_encoder(encoder: Encoder, folder: Path, *, device: str = "auto") -> Encoder:
    """Copy `encoder` into the new `folder`; a bare `transformers` checkpoint is saved as a lexel encoder."""
    if not (encoder.folder / "lexel.json").is_file():
        return load_model(encoder, device=device).save(folder, name=encoder.name)
    shutil.copytree(encoder.folder, folder, dirs_exist_ok=True)
    return read_encoder(folder)


def _array(values: torch.Tensor) -> npt.NDArray[np.float32]:
    return values.float().cpu().numpy()
