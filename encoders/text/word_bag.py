"""The text model of lexel-tiny: whole words with learned importance, and a short convolution for their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from lexel.encoders.vocabulary.tokenize import words


@dataclass(frozen=True)
class BagConfig:
    """`words` are lower-case forms as `vocabulary.words` finds them; a word and the output have `width` numbers."""

    words: tuple[str, ...]
    width: int = 192
    longest: int = 40  # words read of a text

    def __post_init__(self) -> None:
        if not self.words or len(set(self.words)) != len(self.words) or min(self.width, self.longest) < 1:
            raise ValueError("BagConfig needs a list of different words, a width and a length of at least 1.")


class WordBag(nn.Module):
    """Texts to features (B, width). Unknown words are skipped; without a known word it is the feature of no words."""

    def __init__(self, config: BagConfig) -> None:
        super().__init__()
        self.config = config
        self.row = {word: i + 1 for i, word in enumerate(config.words)}  # row 0 pads
        self.vectors = nn.Embedding(len(config.words) + 1, config.width, padding_idx=0)
        self.importance = nn.Embedding(len(config.words) + 1, 1)
        nn.init.normal_(self.vectors.weight, std=0.5)
        nn.init.zeros_(self.importance.weight)
        self.order = nn.Conv1d(config.width, config.width, 3, padding=1)
        self.mix = nn.Sequential(
            nn.LayerNorm(config.width),
            nn.Linear(config.width, 2 * config.width),
            nn.GELU(),
            nn.Linear(2 * config.width, config.width),
        )

    def rows(self, texts: Sequence[str]) -> Tensor:
        """The rows of the texts' known words, (B, L) int64, 0 where a text has ended."""
        found = [[self.row[w] for w in words(text) if w in self.row][: self.config.longest] for text in texts]
        table = torch.zeros(len(found), max([1, *map(len, found)]), dtype=torch.int64)
        for i, row in enumerate(found):
            table[i, : len(row)] = torch.tensor(row, dtype=torch.int64)
        return table.to(self.vectors.weight.device)

    def pooled(self, rows: Tensor) -> Tensor:
        """Rows (B, L) to features (B, width)."""
        there = (rows > 0).unsqueeze(-1)
        vectors = self.vectors(rows) * there
        ordered = nn.functional.gelu(self.order(vectors.transpose(1, 2)).transpose(1, 2))
        # A softmax over the known words; the clamp keeps a text without any at zero instead of 0 / 0.
        share = torch.exp(self.importance(rows).clamp(-8, 8)) * there
        mean = ((vectors + ordered) * share).sum(1) / share.sum(1).clamp_min(1e-6)
        return cast(Tensor, mean + self.mix(mean))

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Texts to features (B, width)."""
        return self.pooled(self.rows(texts))
