"""Running an encoding job in a test, and what came out of it."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from lexel.encoders.encoder import Encoder
from lexel.pipeline.encode import run as job
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.run import EncodeReport
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.shards.part import Part
from lexel.pipeline.sources.source import Source, open_source

SHARD = 4


def run(
    source: Path | Source,
    out: Path,
    encoder: Encoder,
    *,
    part: str = "0/1",
    batch_size: int = 3,
    shard_size: int = SHARD,
    captions: bool = False,
    retry: bool = False,
    exact: bool = False,
    progress: Progress = QUIET,
) -> EncodeReport:
    return job.encode_source(
        source if isinstance(source, Source) else open_source(source, captions=captions),
        out,
        encoder=encoder,
        part=Part.parse(part),
        options=EncodeOptions(
            batch_size=batch_size, device="cpu", workers=2, shard_size=shard_size, retry=retry, exact=exact
        ),
        progress=progress,
    )


def rows(out: Path) -> list[dict[str, Any]]:
    return [row for shard in finished_shards(out) for row in shard.table().to_pylist()]


def vectors(found: list[dict[str, Any]]) -> npt.NDArray[np.float32]:
    return np.array([row["vector"] for row in found], np.float32)


def uris(out: Path) -> list[str]:
    return [row["uri"] for row in rows(out)]


def failures(out: Path) -> dict[str, str]:
    path = out / "failures.parquet"
    return {row["uri"]: row["reason"] for row in pq.read_table(path).to_pylist()} if path.exists() else {}


def marks(out: Path) -> dict[int, int]:
    """Each shard's number and inode, which changes when it is written again."""
    return {shard.number: shard.path.stat().st_ino for shard in finished_shards(out)}
