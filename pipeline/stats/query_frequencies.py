"""How often queries contain each term: by the vocabulary's own captions, or counted on given texts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.errors import ShardError, SourceError
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.sources.source import open_source
from lexel.pipeline.stats.counts import Floats, Ints, entries


@dataclass(frozen=True)
class QueryFrequencies:
    """`share` [V] is the share of queries with each term; `unknown` that of queries without any; `by` names them."""

    share: Floats
    by: str
    queries: int = 0  # their number; 0 if `share` is the vocabulary's document frequency
    unknown: float = 0.0


def query_frequencies(vocabulary: Vocabulary, queries: str | None = None) -> QueryFrequencies:
    """The query frequencies in `queries`, a manifest with captions, a text file or a shard folder.

    Texts, and the captions of image shards, are counted without expansion; shards of captions have the terms that the
    encoder gave them. Without `queries`, the vocabulary's document frequencies are taken. Raises SourceError if there
    is no text, ShardError if the shards have another vocabulary.
    """
    if queries is None:
        shares = np.array(vocabulary.document_frequency, np.float64)
        return QueryFrequencies(shares, "the captions that the vocabulary was made of")
    if (Path(queries).expanduser() / "job.json").is_file():
        return _of_shards(vocabulary, Path(queries).expanduser())
    texts = (item.text or "" for item in open_source(queries, captions=True).items())
    return _of_texts(vocabulary, texts, queries)


def _of_shards(vocabulary: Vocabulary, folder: Path) -> QueryFrequencies:
    opened = ShardFolder.open(folder)
    if not opened.job.captions:
        return _of_texts(vocabulary, _captions(opened), str(folder))
    if opened.vocabulary.hash != vocabulary.hash:
        raise ShardError(
            f"{folder} has the words of another vocabulary; give texts, or encode them with the same encoder."
        )
    held, number, empty = np.zeros(len(vocabulary), np.int64), 0, 0
    terms = pa.array(vocabulary.terms, pa.string())
    for batch in opened.batches(columns=["terms"], size=4096):
        lengths, found, _ = entries(batch.column("terms"), terms)
        held += np.bincount(found[found >= 0], minlength=len(held))
        number, empty = number + len(lengths), empty + int((lengths == 0).sum())
    return _asked(held, number, empty, str(folder))


def _captions(folder: ShardFolder) -> Iterator[str]:
    for batch in folder.batches(columns=["captions"], size=4096):
        for captions in batch.column("captions").to_pylist():
            yield from captions or []


def _of_texts(vocabulary: Vocabulary, texts: Iterable[str], name: str) -> QueryFrequencies:
    held, number, empty = np.zeros(len(vocabulary), np.int64), 0, 0
    for text in texts:
        found = [vocabulary.index[term] for term in vocabulary.count(text)]
        held[found] += 1
        number, empty = number + 1, empty + (not found)
    return _asked(held, number, empty, name)


def _asked(held: Ints, number: int, empty: int, name: str) -> QueryFrequencies:
    if not number:
        raise SourceError(
            f"{name} holds no captions to count as queries; give a manifest with captions or a text file."
        )
    return QueryFrequencies(held / number, f"{number:,} queries of {name}", number, empty / number)
