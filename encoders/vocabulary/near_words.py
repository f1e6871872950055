"""Everyday words that a vocabulary does not have, and its terms that are nearest in meaning.

A query's word that has no term is asked by the nearest one, where that is near enough; of what is not, the nearest are
only offered. The table is made with a text encoder (see `pipeline/train/artifacts/word_neighbours.py`), so that a query
needs none. Nearness is the cosine of two words, in steps of 1 / 128, which every field of the index holds exactly.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.term_weights import FREQUENCY_SCALE
from lexel.encoders.vocabulary.tokenize import without_clitic

# The file of the table in an encoder's folder, and in one of shards, whose index has it in its analyzer.
NEAR_WORDS = "near_words.npz"


@dataclass(frozen=True)
class NearWords:
    """For each word its terms with their nearness, the nearest first; those of at least `least` are asked."""

    terms_of: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)
    least: float = 1.0

    def asked(self, word: str) -> dict[str, float]:
        """The term that `word` is asked by, with its weight in the query, which is its nearness; nothing if none is
        near enough.
        """
        term, near = next(iter(self.terms_of.get(without_clitic(word), {}).items()), ("", 0.0))
        return {term: near} if term and near >= self.least else {}

    def offered(self, word: str) -> tuple[str, ...]:
        """The terms nearest to `word`, near enough or not."""
        return tuple(self.terms_of.get(without_clitic(word), ()))

    def all_asked(self) -> dict[str, tuple[str, float]]:
        """Each word that is asked by a term, with that and its weight."""
        found = {word: self.asked(word) for word in self.terms_of}
        return {word: next(iter(asked.items())) for word, asked in found.items() if asked}

    def among(self, terms: Collection[str], forms: Collection[str]) -> "NearWords":
        """The table for another vocabulary: without words that are `forms` of it, and without what is none of its
        `terms`.
        """
        kept = set(terms)
        left = {
            word: {term: near for term, near in own.items() if term in kept}
            for word, own in self.terms_of.items()
            if word not in forms
        }
        return NearWords({word: own for word, own in left.items() if own}, self.least)

    def save(self, path: Path) -> None:
        """Write the table to `path`, compressed."""
        terms = sorted({term for own in self.terms_of.values() for term in own})
        place = {term: number for number, term in enumerate(terms)}
        most = max((len(own) for own in self.terms_of.values()), default=0)
        numbers = np.zeros((len(self.terms_of), most), np.uint16)
        near = np.zeros((len(self.terms_of), most), np.uint8)
        for row, own in enumerate(self.terms_of.values()):
            numbers[row, : len(own)] = [place[term] for term in own]
            near[row, : len(own)] = np.rint([value * FREQUENCY_SCALE for value in own.values()])
        np.savez_compressed(
            path,
            words=_packed(self.terms_of),
            terms=_packed(terms),
            # By columns, since those of one column are alike.
            numbers=np.ascontiguousarray(numbers.T),
            near=np.ascontiguousarray(near.T),
            least=np.float32(self.least),
        )

    @classmethod
    def load(cls, path: Path) -> "NearWords":
        """Read a file written by `save`; an empty table if there is none. Raises EncoderError if it is broken."""
        if not path.is_file():
            return cls()
        try:
            with np.load(path, allow_pickle=False) as table:
                words, terms = _unpacked(table["words"]), _unpacked(table["terms"])
                numbers, near = table["numbers"].T.tolist(), (table["near"].T / FREQUENCY_SCALE).tolist()
                least = float(table["least"])
            rows = {
                word: {terms[number]: value for number, value in zip(own, values, strict=True) if value}
                for word, own, values in zip(words, numbers, near, strict=True)
            }
        except (OSError, ValueError, KeyError, IndexError, EOFError, BadZipFile) as error:
            raise EncoderError(f"{path} cannot be read ({error}); remove it, or get it anew.") from error
        return cls(rows, least)


def _packed(words: Collection[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("\n".join(words).encode(), np.uint8)


def _unpacked(letters: npt.NDArray[np.uint8]) -> list[str]:
    return letters.tobytes().decode().split("\n") if letters.size else []
