"""The text model of lexel-tiny: word embeddings, a convolution over neighbours, and pooling by learned importance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from lexel.encoders.vocabulary.tokenize import words


@dataclass(frozen=True)
class BagConfig:
    """`words` are lower-case, as `vocabulary.words` tokenizes them; embeddings and output have `width` dimensions."""

    words: tuple[str, ...]
    width: int = 192
    longest: int = 40  # words per text; the rest is ignored

    def __post_init__(self) -> None:
        if not self.words or len(set(self.words)) != len(self.words) or min(self.width, self.longest) < 1:
            raise ValueError("BagConfig needs a list of different words, a width and a length of at least 1.")


class WordBag(nn.Module):
    """Texts to features (B, width). Unknown words are skipped; texts without a known word share one feature vector."""

    def __init__(self, config: BagConfig) -> None:
        super().__init__()
        self.config = config
        self.row = {word: i + 1 for i, word in enumerate(config.words)}  # row 0 is padding
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
        """The embedding rows of the texts' known words, int64 (B, L) padded with 0."""
        found = [[self.row[w] for w in words(text) if w in self.row][: self.config.longest] for text in texts]
        table = torch.zeros(len(found), max([1, *map(len, found)]), dtype=torch.int64)
        for i, row in enumerate(found):
            table[i, : len(row)] = torch.tensor(row, dtype=torch.int64)
        return table.to(self.vectors.weight.device)

    def pooled(self, rows: Tensor) -> Tensor:
        """Rows (B, L) to features (B, width)."""
        mask = (rows > 0).unsqueeze(-1)
        vectors = self.vectors(rows) * mask
        ordered = nn.functional.gelu(self.order(vectors.transpose(1, 2)).transpose(1, 2))
        # A softmax over the known words; clamp_min avoids 0 / 0 for a text without any.
        share = torch.exp(self.importance(rows).clamp(-8, 8)) * mask
        mean = ((vectors + ordered) * share).sum(1) / share.sum(1).clamp_min(1e-6)
        return cast(Tensor, mean + self.mix(mean))

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Texts to features (B, width)."""
        return self.pooled(self.rows(texts))
