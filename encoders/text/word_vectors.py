"""Static word vectors (GloVe, word2vec) as a text model: the mean or the sum of a sentence's word vectors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.vocabulary.tokenize import words

Pooling = Literal["mean", "sum"]


@dataclass(frozen=True)
class WordTable:
    """`words` are lower-case, as `vocabulary.words` tokenizes them; `vectors` [N, D] float32 has a row for each."""

    words: tuple[str, ...]
    vectors: torch.Tensor

    def __post_init__(self) -> None:
        if not self.words or self.vectors.dim() != 2 or len(self.words) != len(self.vectors):
            raise EncoderError("The word vectors are broken: there must be words, and a vector for each of them.")


class WordVectors(nn.Module):
    """Texts to the mean or the sum of their known words' vectors, which are not trained.

    The norm of the sum grows with the text. A text without a known word gives the zero vector.
    """

    learned = False

    def __init__(self, table: WordTable, *, pooling: Pooling = "mean") -> None:
        super().__init__()
        self.words, self.pooling, self.dim = table.words, pooling, table.vectors.shape[1]
        self.row = {word: i for i, word in enumerate(table.words)}
        self.vectors: torch.Tensor
        self.register_buffer("vectors", table.vectors)

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        """B sentences to features [B, dim]."""
        rows = [[self.row[w] for w in words(text) if w in self.row] for text in texts]
        device = self.vectors.device
        ends = np.cumsum([0, *map(len, rows)])[:-1]
        flat = torch.tensor([i for row in rows for i in row], dtype=torch.int64, device=device)
        return nn.functional.embedding_bag(flat, self.vectors, torch.from_numpy(ends).to(device), mode=self.pooling)

    def heard(self, text: str) -> int:
        """The number of its words, as spaces part them: all are read."""
        return len(text.split())

    def config(self) -> dict[str, Any]:
        """The dimension and the pooling; the words are in words.txt, the vectors in lexel.safetensors."""
        return {"kind": "words", "dim": self.dim, "pooling": self.pooling}

    def save(self, folder: Path) -> None:
        """Write words.txt, one word a line."""
        (folder / "words.txt").write_text("".join(f"{word}\n" for word in self.words), encoding="utf-8")


def read_table(path: Path) -> WordTable:
    """Read word vectors: lines of `word v1 v2 ...`, or a .safetensors file with one matrix, words.txt beside it.

    Only entries that the tokenizer returns as one word are kept, in lower case; if a word occurs in several casings,
    the lower-case one is taken, else the first. Raises EncoderError if the file cannot be read as word vectors.
    """
    try:
        pairs = list(_tensor_rows(path) if path.suffix == ".safetensors" else _lines(path))
    except (OSError, UnicodeDecodeError, ValueError, SafetensorError) as error:
        raise EncoderError(f"{path} holds no word vectors that can be read ({error}).") from error
    cased: dict[str, Any] = {}
    for word, row in pairs:
        cased.setdefault(word.lower(), row)  # files are sorted by frequency: the first casing is the commonest
    kept = {word: row for word, row in (cased | dict(pairs)).items() if words(word) == [word]}
    if not kept:
        raise EncoderError(f"{path} holds no word vectors; a line is a word and its numbers, with spaces between.")
    return WordTable(tuple(kept), torch.from_numpy(np.stack(list(kept.values()))))


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    """The words and vectors of a text file; the header of word2vec's format, a line of two counts, is skipped."""
    width = 0
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, 1):
            parts = line.rstrip().split(" ")
            if number == 1 and len(parts) == 2:
                continue
            width = width or len(parts) - 1
            # GloVe has a few words that contain spaces, so the last `width` parts are the numbers.
            word = " ".join(parts[:-width]) if width else ""
            if not word:
                raise ValueError(f"line {number} is no word with its numbers")
            if words(word) == [word.lower()]:
                yield word, _numbers(parts[-width:], number)


def _numbers(values: list[str], number: int) -> Any:
    try:
        return np.array(values, dtype=np.float32)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error


def _tensor_rows(path: Path) -> Iterator[tuple[str, Any]]:
    listed = (path.parent / "words.txt").read_text(encoding="utf-8").split()
    with safe_open(path, framework="numpy") as file:
        names = list(file.keys())
        if len(names) != 1:
            raise ValueError(f"it has {len(names)} tensors instead of one")
        yield from zip(listed, file.get_tensor(names[0]).astype(np.float32), strict=True)
