"""The text side of VSE++: word embeddings and a GRU over them, trained on captions alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from lexel.encoders.vocabulary.tokenize import words, words_within


@dataclass(frozen=True)
class GruConfig:
    """`words` are lower-case, as `vocabulary.words` tokenizes them. The default widths are VSE++'s."""

    words: tuple[str, ...]
    embedding: int = 300
    width: int = 1024
    longest: int = 64  # words per text; the rest is ignored

    def __post_init__(self) -> None:
        if not self.words or len(set(self.words)) != len(self.words):
            raise ValueError("GruConfig needs a list of different words.")
        if min(self.embedding, self.width, self.longest) < 1:
            raise ValueError("GruConfig needs widths and a length of at least 1.")


class GruText(nn.Module):
    """Texts to the last hidden state of a one-layer, unidirectional GRU (VSE++, Faghri et al., BMVC 2018).

    As in VSE++, all unknown words share one embedding. An empty text is read as one unknown word.
    """

    learned = True

    def __init__(self, config: GruConfig) -> None:
        super().__init__()
        self.shape, self.dim = config, config.width
        self.row = {word: i + 2 for i, word in enumerate(config.words)}  # row 0 is padding, row 1 any unknown word
        self.vectors = nn.Embedding(len(config.words) + 2, config.embedding, padding_idx=0)
        nn.init.uniform_(self.vectors.weight, -0.1, 0.1)  # as in the authors' code
        self.gru = nn.GRU(config.embedding, config.width, batch_first=True)

    def rows(self, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """The embedding rows of the texts' words, int64 [B, L] padded with 0, and the number of words [B]."""
        found = [[self.row.get(w, 1) for w in words(text)][: self.shape.longest] or [1] for text in texts]
        lengths = torch.tensor([len(row) for row in found])
        table = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in found], batch_first=True)
        return table.to(self.vectors.weight.device), lengths

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        """B sentences to features [B, dim]."""
        rows, lengths = self.rows(texts)
        read = pack_padded_sequence(self.vectors(rows), lengths, batch_first=True, enforce_sorted=False)
        last: torch.Tensor = self.gru(read)[1][0]
        return last

    def heard(self, text: str) -> int:
        """How many of the text's words, as spaces part them, it reads."""
        return words_within(text, self.shape.longest)

    def config(self) -> dict[str, Any]:
        """The network's shape; the words are in words.txt."""
        shape = self.shape
        return {"kind": "gru", "embedding": shape.embedding, "width": shape.width, "longest": shape.longest}

    def save(self, folder: Path) -> None:
        """Write words.txt, one word a line."""
        (folder / "words.txt").write_text("".join(f"{word}\n" for word in self.shape.words), encoding="utf-8")
