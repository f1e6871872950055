"""Text models: sentences -> pooled features."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from lexel.encoders.bag import BagConfig, WordBag
from lexel.encoders.errors import EncoderError


class TextModel(Protocol):
    """What a pair tower asks of its text side."""

    dim: int

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """B sentences to features [B, dim]."""

    def config(self) -> dict[str, Any]:
        """What `text_model` needs to build it again."""

    def save(self, folder: Path) -> None:
        """Write what does not belong in the encoder's own weights file."""


class TransformersText(nn.Module):
    """A `transformers` text model, its token states averaged (as sentence-transformers does); `checkpoint` is a folder or a hub name."""

    def __init__(self, checkpoint: str | Path) -> None:
        from transformers import AutoModel, AutoTokenizer

        super().__init__()
        self.tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        self.net = AutoModel.from_pretrained(checkpoint, dtype=torch.float32).eval()
        self.dim = int(self.net.config.hidden_size)

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        inputs = self.tokenizer(list(texts), padding=True, truncation=True, max_length=256, return_tensors="pt").to(
            self.net.device
        )
        states: torch.Tensor = self.net(**inputs).last_hidden_state
        mask = inputs["attention_mask"][:, :, None].to(states.dtype)
        return (states * mask).sum(1) / mask.sum(1).clamp(min=1)

    def config(self) -> dict[str, Any]:
        return {"kind": "transformers"}

    def save(self, folder: Path) -> None:
        self.net.save_pretrained(folder / "text")
        self.tokenizer.save_pretrained(folder / "text")


class BagText(nn.Module):
    """The project's own small text model over whole words (`lexel-tiny`); its word list is a file of its own, one word a line."""

    def __init__(self, config: BagConfig) -> None:
        super().__init__()
        self.net, self.dim = WordBag(config), config.width

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        features: torch.Tensor = self.net(texts)
        return features

    def config(self) -> dict[str, Any]:
        return {"kind": "bag", "width": self.net.config.width, "longest": self.net.config.longest}

    def save(self, folder: Path) -> None:
        (folder / "words.txt").write_text("".join(f"{word}\n" for word in self.net.config.words), encoding="utf-8")


def text_model(config: Mapping[str, Any], folder: Path) -> TextModel:
    """Build what `TextModel.config` described; its own files are in `folder`. Raises EncoderError for an unknown kind."""
    match config:
        case {"kind": "transformers"}:
            return TransformersText(folder / "text")
        case {"kind": "bag", "width": width, "longest": longest}:
            words = tuple((folder / "words.txt").read_text(encoding="utf-8").split())
            return BagText(BagConfig(words, width=width, longest=longest))
    raise EncoderError(
        f"This lexel does not know the text model {config.get('kind')!r}; the encoder may need a newer one."
    )
