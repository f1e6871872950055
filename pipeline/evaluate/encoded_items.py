"""Encoded items read from shards into memory, and copies of shards with fewer terms per item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lexel.encoders.term_weights import importance, prune
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.errors import SourceError
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.job import write_job, write_vocabulary
from lexel.pipeline.shards.shard import write_shard

Terms = Mapping[str, float]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class EncodedItems:
    """N encoded items in the order of their source, without repeated ids; vectors are [N, D]."""

    ids: Sequence[str]
    uris: Sequence[str]
    texts: Sequence[str | None]
    labels: Sequence[str | None]
    terms: Sequence[Terms]
    vectors: Floats

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def mean_terms(self) -> float:
        """The mean number of terms per item."""
        return float(np.mean([len(terms) for terms in self.terms]))


def read(folder: Path) -> EncodedItems:
    """The items of a shard folder. Raises SourceError if it has none."""
    columns = ["id", "uri", "text", "label", "terms", "vector"]
    batches = list(ShardFolder.open(folder).batches(columns=columns, size=8192))
    if not sum(batch.num_rows for batch in batches):
        raise SourceError(f"None of the items could be encoded; see {folder / 'failures.parquet'}.")
    table = pa.Table.from_batches(batches)
    # Rows with the same id are one document in the index.
    first = sorted({id_: i for i, id_ in reversed(list(enumerate(table["id"].to_pylist())))}.values())
    table = table.take(first)
    vectors = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return EncodedItems(
        ids=table["id"].to_pylist(),
        uris=table["uri"].to_pylist(),
        texts=table["text"].to_pylist(),
        labels=table["label"].to_pylist(),
        terms=[dict(pairs) for pairs in table["terms"].to_pylist()],
        vectors=vectors.reshape(len(first), -1).astype(np.float32, copy=False),
    )


def cut(folder: Path, out: Path, *, keep: int) -> Path:
    """Copy the shards in `folder` to `out` with at most `keep` terms per item, chosen by `prune`; return `out`.

    The result is as if the encoder had kept only that many.
    """
    opened = ShardFolder.open(folder)
    out.mkdir(parents=True, exist_ok=True)
    write_vocabulary(out, opened.vocabulary)
    write_job(out, opened.job)
    for shard in opened.shards:
        table = shard.table()
        kept = _kept(table["terms"].to_pylist(), opened.vocabulary, keep)
        place = table.schema.get_field_index("terms")
        column = pa.array([list(terms.items()) for terms in kept], table.schema.field("terms").type)
        shortened = table.set_column(place, "terms", column)
        write_shard(out, shard.number, shortened, listing=f"{shard.listing()}-{keep}", failures=shard.failures())
    return out


def _kept(rows: Sequence[Sequence[tuple[str, float]]], vocabulary: Vocabulary, keep: int) -> list[dict[str, float]]:
    worth = importance(vocabulary.document_frequency)
    kept: list[dict[str, float]] = []
    for start in range(0, len(rows), 256):
        some = rows[start : start + 256]
        weights = np.zeros((len(some), len(vocabulary)), np.float32)
        for row, pairs in zip(weights, some, strict=True):
            for term, weight in pairs:
                row[vocabulary.index[term]] = weight
        chosen = prune(weights, worth, vocabulary.terms, keep=keep)
        # In the order in which the encoder stored them.
        kept += [{t: own[t] for t, _ in pairs if t in own} for own, pairs in zip(chosen, some, strict=True)]
    return kept
