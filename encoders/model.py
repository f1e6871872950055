"""An encoder at work: batches of pixels or texts in, unit vectors and weighted words out."""

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
from safetensors.torch import load_file, save_file
from torch import nn

from lexel.encoders.encoder import FORMAT, Encoder, read_encoder
from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.heads.head import AnyHead, ExpandHead, ZeroShotHead, head
from lexel.encoders.image.backbones import TransformersBackbone
from lexel.encoders.image.preprocess import Picture
from lexel.encoders.runtime.device import resolve_device
from lexel.encoders.runtime.hf_checkpoints import BROKEN, first_line
from lexel.encoders.runtime.malloc import keep_freed_memory
from lexel.encoders.runtime.openvino_network import OpenVinoNetwork
from lexel.encoders.runtime.precision import fast, is_faster
from lexel.encoders.terms import importance, prune, quantise
from lexel.encoders.text.text_models import TransformersText
from lexel.encoders.towers import DualTower, PairTower, tower
from lexel.encoders.vocabulary.vocabulary import Vocabulary

# Checkpoints of `transformers` are saved in their own form beside our weights; these are the modules that hold them.
_CHECKPOINTS = (TransformersBackbone, TransformersText, DualTower)


@dataclass(frozen=True)
class Encoded:
    """B items: unit vectors [B, D], the head's input [B, F] where it is not the vector itself, and weighted terms."""

    vectors: npt.NDArray[np.float32]
    features: npt.NDArray[np.float16] | None
    terms: list[dict[str, float]]


class Model:
    """The networks of one encoder on one device: "cuda" computes in bfloat16, "cpu" in float32, channels last.

    With `low_precision` a CPU that multiplies bfloat16 faster does so too: twice as fast and good enough to learn from.
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
    ) -> None:
        if head.terms != len(vocabulary):
            raise EncoderError(
                f"The head weighs {head.terms} terms, its vocabulary has {len(vocabulary)}: they are of two encoders."
            )
        self.device = resolve_device(device)
        if self.device.type == "cpu":
            keep_freed_memory()
        # The last dimension in memory is the channel: vector instructions then run over it (twice the speed on a CPU,
        # tensor cores on a GPU).
        self.tower = tower.eval().to(self.device).to(memory_format=torch.channels_last)
        self.head = head.eval().to(self.device)
        self.vocabulary, self.keep, self.low_precision = vocabulary, keep, low_precision
        self._compiled = compiled

    def in_low_precision(self) -> "Model":
        """The same networks, computing in bfloat16; itself where that changes nothing."""
        if self.low_precision or self.device.type != "cpu" or not is_faster(self.device):
            return self
        other = copy.copy(self)
        other.low_precision = True
        return other

    @property
    def dim(self) -> int:
        """The length of a vector."""
        return self.tower.dim

    @property
    def feature_dim(self) -> int | None:
        """The length of the head's input, or None where that is the vector itself."""
        return self.tower.feature_dim

    @cached_property
    def _worth(self) -> npt.NDArray[np.float32]:
        if isinstance(self.head, ExpandHead):  # its queries hold more than captions do
            return _array(self.head.worth)
        return importance(self.vocabulary.document_frequency)

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB picture to [3, H, W], bytes or numbers (see `Preprocess`); safe on worker threads."""
        return self.tower.pixels(image)

    @cached_property
    def blank(self) -> torch.Tensor:
        """An empty picture's pixels [3, H, W]: those of every picture have their shape."""
        return self.pixels(Image.new("RGB", (64, 64)))

    @property
    def min_input_side(self) -> int:
        """How many pixels a picture's shorter side needs: with more its networks would see no more of it.

        They look at it shrunk to less than half of that.
        """
        return 5 * max(self.blank.shape[-2:]) // 2

    def images(self, pixels: torch.Tensor) -> Encoded:
        """Pixels [B, 3, H, W] to vectors, features and terms."""
        with torch.inference_mode():
            features = self.features(pixels)
        if self.feature_dim is None:
            return self.of_features(_array(features))
        # Rounded before anything is made of them, so that the same comes of them when they are read from a shard.
        own = features.float().cpu().numpy().astype(np.float16)
        return replace(self.of_features(own), features=own)

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        """The forward pass: pixels [B, 3, H, W] to features [B, F], or to vectors where these are all."""
        with self.precision():
            if self._compiled:
                return self._compiled(batch)
            there = batch.to(self.device, non_blocking=True, memory_format=torch.channels_last)
            return self.tower.images(there)[0]

    def of_features(self, features: npt.NDArray[Any]) -> Encoded:
        """Features [B, F], as `Encoded` has them (the vectors, where it has none), to what `images` makes of them."""
        with torch.inference_mode():
            rows = torch.from_numpy(np.ascontiguousarray(features, dtype=np.float32)).to(self.device)
            return Encoded(_array(self.tower.image_vectors(rows)), None, self._prune(self.head(rows)))

    def texts(self, texts: Sequence[str]) -> Encoded:
        """Sentences as items: unit vectors, and the words that they ask for as a query.

        Of n words each weighs 1 / sqrt(n), or the longest caption would win whatever the picture.
        """
        vectors = self.text_vectors(texts)
        return Encoded(vectors, None, self.items_of(texts, vectors))

    def items_of(self, texts: Sequence[str], vectors: npt.NDArray[np.float32] | None = None) -> list[dict[str, float]]:
        """The terms of `texts` as items; their vectors [B, D] are worked out where they are needed and not given."""
        if isinstance(self.head, ExpandHead):
            return self._asked(texts, self.text_vectors(texts) if vectors is None else vectors)
        asked = self._asked(texts, None)
        weights = [quantise([n / sum(words.values()) ** 0.5 for n in words.values()]) for words in asked]
        return [dict(zip(words, map(float, own), strict=True)) for words, own in zip(asked, weights, strict=True)]

    def queries(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """What each text asks for in terms: its own words with weight 1 a time, or what its head makes of them."""
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

    def _prune(self, weights: torch.Tensor) -> list[dict[str, float]]:
        return prune(_array(weights), self._worth, self.vocabulary.terms, keep=self.keep)

    def precision(self) -> AbstractContextManager[Any]:
        """What its towers' large products are computed in."""
        return fast(self.device) if self.device.type == "cuda" or self.low_precision else nullcontext()

    def save(self, folder: Path, *, name: str, card: str = "", features: str | None = None) -> Encoder:
        """Write the encoder to `folder` (made if it is not there), matrices in half precision, and read it back.

        `features` is the `features_id` of the encoder whose features its head was trained on.
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
        save_file(
            {key: _half(value) for key, value in _own(self.tower, self.head).items()}, folder / "lexel.safetensors"
        )
        # safetensors keeps its files from all other users, who may well share the rest of the folder.
        (folder / "lexel.safetensors").chmod((folder / "lexel.json").stat().st_mode & 0o777)
        return read_encoder(folder)


def load_model(encoder: Encoder, *, device: str = "auto") -> Model:
    """Load the networks of `encoder` onto `device`: "cuda", "cpu", or "auto" for the first of these that there is.

    Raises EncoderError where a file is missing or does not fit.
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
            _fill(built_tower, built_head, load_file(encoder.folder / "lexel.safetensors"))
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
    )


def copy_encoder(encoder: Encoder, folder: Path, *, device: str = "auto") -> Encoder:
    """The same encoder in `folder`, which is new; a checkpoint as it comes from a hub becomes one of ours first."""
    if not (encoder.folder / "lexel.json").is_file():
        return load_model(encoder, device=device).save(folder, name=encoder.name)
    shutil.copytree(encoder.folder, folder, dirs_exist_ok=True)
    return read_encoder(folder)


def _own(built_tower: nn.Module, built_head: nn.Module) -> dict[str, torch.Tensor]:
    """The tensors that belong in lexel.safetensors: all but those of the checkpoints."""
    both = nn.ModuleDict({"tower": built_tower, "head": built_head})
    foreign = tuple(f"{path}." for path, module in both.named_modules() if isinstance(module, _CHECKPOINTS))
    return {key: value for key, value in both.state_dict().items() if not key.startswith(foreign)}


def _fill(built_tower: nn.Module, built_head: nn.Module, saved: dict[str, torch.Tensor]) -> None:
    own = _own(built_tower, built_head)
    if own.keys() != saved.keys():
        raise ValueError(
            f"lexel.safetensors lacks or exceeds what lexel.json describes ({sorted(own.keys() ^ saved.keys())[:3]})."
        )
    for key, value in own.items():
        if value.shape != saved[key].shape:  # copy_ would stretch a shorter tensor to fit
            raise ValueError(f"lexel.safetensors has another shape of {key} than lexel.json describes.")
        value.copy_(saved[key])


def _half(value: torch.Tensor) -> torch.Tensor:
    # Vectors (biases, running variances) are small on disk and can be too small or too large for half precision.
    half = value.dim() > 1 and value.dtype == torch.float32
    return (value.half() if half else value).contiguous().cpu()


def _array(values: torch.Tensor) -> npt.NDArray[np.float32]:
    return values.float().cpu().numpy()
