"""The ledger on disk: ledger.parquet, or one file a part of a job (ledger-1-of-4.parquet), written whole and last."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lexel.pipeline.errors import ShardError
from lexel.pipeline.shards.ledger import SCHEMA, Bools, Ledger
from lexel.pipeline.shards.part import WHOLE, Part
from lexel.pipeline.shards.shard import write_parquet

_ABOUT = b"lexel.ledger"
_NAME = re.compile(r"ledger(-(\d+)-of-(\d+))?\.parquet")


def ledger_name(part: Part) -> str:
    """The name of the file of a part's ledger."""
    return "ledger.parquet" if part.whole else f"ledger-{part.index % part.of}-of-{part.of}.parquet"


def read_ledger(folder: Path, part: Part = WHOLE) -> Ledger | None:
    """What the ledgers in `folder` say of the items of `part`; None if there are none.

    Where two speak of an item, as after a job in parts, the later one holds good. Raises ShardError for a broken one.
    """
    found = list(_ledgers(folder))
    if not found:
        return None
    tables = [
        _of_part(one.where(_valid(one, [other for other in found if other.generation > one.generation])), part).entries
        for one in found
    ]
    listings = {number: listing for one in found for number, listing in one.listings.items()}
    generation = max(one.generation for one in found)
    entries = pa.concat_tables(tables).combine_chunks()
    return Ledger(entries, listings, generation, part.index % part.of, part.of, joined=len(found) > 1)


def write_ledger(folder: Path, ledger: Ledger) -> None:
    """Write a part's ledger, and remove those of which nothing holds good any more."""
    part = Part(ledger.index, ledger.of)
    about = {
        "generation": ledger.generation,
        "index": ledger.index,
        "of": ledger.of,
        "listings": sorted(ledger.listings.items()),
    }
    table = ledger.entries.replace_schema_metadata({_ABOUT: json.dumps(about).encode()})
    write_parquet(folder / ledger_name(part), table)
    together = [folder / ledger_name(Part(index, part.of)) for index in range(part.of)]
    oldest = min(map(_generation, together))
    for path in folder.glob("ledger*.parquet"):
        if path not in together and _NAME.fullmatch(path.name) and _generation(path) < oldest:
            path.unlink(missing_ok=True)


def _generation(path: Path) -> int:
    """The generation of a ledger; -1 where there is none."""
    try:
        return int(json.loads(pq.read_metadata(path).metadata[_ABOUT])["generation"])
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        return -1


def _ledgers(folder: Path) -> Iterator[Ledger]:
    for path in sorted(folder.glob("ledger*.parquet")):
        if _NAME.fullmatch(path.name):
            with suppress(FileNotFoundError):  # another part has just ended, and removed it
                yield _read(path)


def _read(path: Path) -> Ledger:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read()
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise ShardError(f"{path} is broken; delete it and give the same command again.") from error
    about = json.loads((table.schema.metadata or {}).get(_ABOUT, b"{}"))
    if not about or table.schema.names != SCHEMA.names:
        raise ShardError(f"{path} is not a ledger of this lexel; delete it and give the same command again.")
    plain = table.replace_schema_metadata(None).cast(SCHEMA)
    return Ledger(plain, dict(map(tuple, about["listings"])), about["generation"], about["index"], about["of"])


def _valid(ledger: Ledger, later: Sequence[Ledger]) -> Bools:
    """Which entries no later ledger speaks of."""
    kept = np.ones(len(ledger), bool)
    for other in later:
        part = Part(other.index, other.of)
        kept &= ~np.fromiter((part.has(uri) for uri in ledger.entries["uri"].to_pylist()), bool, len(ledger))
    return kept


def _of_part(ledger: Ledger, part: Part) -> Ledger:
    if part.whole or (ledger.index, ledger.of) == (part.index % part.of, part.of):
        return ledger
    mine = np.fromiter((part.has(uri) for uri in ledger.entries["uri"].to_pylist()), bool, len(ledger))
    return replace(ledger.where(mine), index=part.index % part.of, of=part.of)
