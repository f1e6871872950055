"""Text models: sentences to pooled features."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import nn

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.runtime.hf_checkpoints import (
    BROKEN,
    first_line,
    locate,
    longest_text,
    network,
    quiet,
    tokenizer,
    words_read,
)
from lexel.encoders.runtime.packaged_weights import MINILM, PackagedWeights
from lexel.encoders.text.gru import GruConfig, GruText
from lexel.encoders.text.word_bag import BagConfig, WordBag
from lexel.encoders.text.word_vectors import WordTable, WordVectors
from lexel.encoders.vocabulary.tokenize import words_within

Pooling = Literal["mean", "sum", "cls"]


class TextModel(Protocol):
    """The text side of a PairTower."""

    @property
    def dim(self) -> int:
        """The dimension of a feature vector."""

    @property
    def learned(self) -> bool:
        """Whether training changes it; if not, the features of a sentence are computed once and cached."""

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """B sentences to features [B, dim]."""

    def heard(self, text: str) -> int:
        """How many of the text's words, as spaces part them, it reads; the rest of a long text is ignored."""

    def config(self) -> dict[str, Any]:
        """The JSON table from which `text_model` builds it again."""

    def save(self, folder: Path) -> None:
        """Write the files that are not part of lexel.safetensors."""


class TransformersText(nn.Module):
    """A `transformers` text model, its token states pooled; `checkpoint` is a folder, a hub name or packaged weights.

    Of packaged weights nothing is stored with an encoder.
    `pooling` is "mean" over tokens, as most sentence-transformers models have it, "cls" for the first token's state
    (both in Reimers and Gurevych, EMNLP 2019, section 3), or "sum", whose norm grows with the text. Raises EncoderError
    if the checkpoint holds no text encoder.
    """

    learned = False

    def __init__(self, checkpoint: str | Path | PackagedWeights, *, pooling: Pooling = "mean") -> None:
        super().__init__()
        self.pooling = pooling
        self._package = checkpoint if isinstance(checkpoint, PackagedWeights) else None
        folder = checkpoint.path().parent if isinstance(checkpoint, PackagedWeights) else locate(checkpoint)
        self.net, self.tokenizer = network(folder), tokenizer(folder)
        # A caption is a sentence or two; more than 256 tokens would only cost time.
        self._longest = longest_text(self.tokenizer, self.net, at_most=256)
        try:
            with torch.inference_mode():
                self.dim = int(self(["a word"]).shape[1])
        except BROKEN as error:
            kind = type(self.net).__name__
            raise EncoderError(
                f"{folder} holds a {kind}, which makes no features of texts alone ({first_line(error)})."
            ) from error

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        """B sentences to [B, dim]."""
        inputs = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=self._longest, return_tensors="pt"
        ).to(self.net.device)
        states: torch.Tensor = self.net(**inputs).last_hidden_state
        mask: torch.Tensor = inputs["attention_mask"][:, :, None].to(states.dtype)
        if self.pooling == "cls":
            # The first token that is not padding: a tokenizer may pad on the left.
            return states[torch.arange(len(states)), mask[:, :, 0].argmax(1)]
        total = (states * mask).sum(1)
        return total if self.pooling == "sum" else total / mask.sum(1).clamp(min=1)

    def heard(self, text: str) -> int:
        """How many words are within the longest text that the network reads."""
        return words_read(self.tokenizer, text, longest=self._longest)

    def config(self) -> dict[str, Any]:
        """The pooling; the rest is in the checkpoint's own files, or in the package that is named."""
        package = {"package": self._package.module, "weights": self._package.sha256} if self._package else {}
        return {"kind": "transformers", "pooling": self.pooling, **package}

    def save(self, folder: Path) -> None:
        """Write the checkpoint to `folder`/text, unless it is in a package."""
        if self._package:
            return
        with quiet():
            self.net.save_pretrained(folder / "text")
            self.tokenizer.save_pretrained(folder / "text")


class BagText(nn.Module):
    """The text model of lexel-tiny; its word list is saved as words.txt, one word a line."""

    learned = True

    def __init__(self, config: BagConfig) -> None:
        super().__init__()
        self.net, self.dim = WordBag(config), config.width

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        """B sentences to [B, dim]."""
        features: torch.Tensor = self.net(texts)
        return features

    def heard(self, text: str) -> int:
        """How many words there are before the first known one that it does not read."""
        return words_within(text, self.net.config.longest, known=self.net.row)

    def config(self) -> dict[str, Any]:
        """The model's shape; the words are in words.txt."""
        return {"kind": "bag", "width": self.net.config.width, "longest": self.net.config.longest}

    def save(self, folder: Path) -> None:
        """Write words.txt."""
        (folder / "words.txt").write_text("".join(f"{word}\n" for word in self.net.config.words), encoding="utf-8")


def packaged_text(package: str) -> PackagedWeights:
    """The weights in the package `package`. Raises EncoderError if lexel knows no text model in it."""
    if package != MINILM.module:
        raise EncoderError(f"lexel knows no text model in a package {package!r}; {MINILM.module} holds one.")
    return MINILM


def text_model(config: Mapping[str, Any], folder: Path) -> TextModel:
    """Build a text model from its `config` table and its files in `folder`. Raises EncoderError for an unknown kind."""
    match config:
        case {"kind": "transformers", "package": package, "weights": sha256, "pooling": pooling}:
            return TransformersText(packaged_text(package).named(sha256), pooling=pooling)
        case {"kind": "transformers"}:
            # Encoders of the first version have no "pooling" key.
            return TransformersText(folder / "text", pooling=config.get("pooling", "mean"))
        case {"kind": "bag", "width": width, "longest": longest}:
            return BagText(BagConfig(_words(folder), width=width, longest=longest))
        case {"kind": "gru", "embedding": embedding, "width": width, "longest": longest}:
            return GruText(GruConfig(_words(folder), embedding=embedding, width=width, longest=longest))
        case {"kind": "words", "dim": dim, "pooling": pooling}:
            known = _words(folder)
            return WordVectors(WordTable(known, torch.zeros(len(known), dim)), pooling=pooling)
    raise EncoderError(
        f"This lexel does not know the text model {config.get('kind')!r}; the encoder may need a newer one."
    )


def _words(folder: Path) -> tuple[str, ...]:
    return tuple((folder / "words.txt").read_text(encoding="utf-8").split())
