"""The same job on a Ray cluster, a worker of which is killed on the way, beside one process: the same items."""

import hashlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.clock import Spent, children, spending
from bench.figure import Figure, absent
from bench.pictures import many, pictures
from lexel.encoders import open_encoder
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.ray_cluster import encode_on_ray
from lexel.pipeline.encode.run import encode_source
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.shards.part import Part
from lexel.pipeline.sources.source import Source, open_source

_WORKERS = 3
_SHARD = 64
# What of a row does not depend on the batch that it was encoded in, as the last bits of its numbers do.
_COMPARED = ("id", "uri", "metadata", "width", "height", "thumbnail", "phash", "content", "described")


def run(quick: bool) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="lexel-bench-") as name:
        folder = Path(name)
        files, what = pictures(folder, quick=quick)
        source = many(files, folder / "pictures", 200 if quick else 24 * _SHARD)
        opened = open_source(source)
        alone = _parts(opened, folder / "alone", 1)
        wanted = _digests(folder / "alone")
        yield Figure("one process", alone.rate, "images/s", note=f"lexel-tiny, {alone.items:,} links to {what}")
        parts = _parts(opened, folder / "parts", 4)
        note = "--part 1/4 to 4/4 one after another, models loaded each time; their speeds add up on four machines"
        yield Figure("four parts", parts.rate, "images/s", note=note)
        yield _differing("four parts: items that differ", wanted, folder / "parts")
        try:
            yield from _ray(source, folder / "ray", wanted)
        except ConfigError as error:
            yield absent("Ray", "images/s", str(error))


def _parts(source: Source, out: Path, of: int) -> Spent:
    with spending(0) as spent:
        for index in range(of):
            report = encode_source(
                source,
                out,
                encoder=open_encoder("lexel-tiny"),
                part=Part(index, of),
                options=EncodeOptions(shard_size=_SHARD),
            )
            spent.items += report.items
    return spent


def _ray(source: Path, out: Path, wanted: dict[str, bytes]) -> Iterator[Figure]:
    killed: list[int] = []
    killer = threading.Thread(target=lambda: killed.append(kill_one(out)))
    killer.start()
    with _cluster(), spending(sum(1 for _ in source.iterdir())) as spent:
        encode_on_ray(source, out, encoder="lexel-tiny", options=EncodeOptions(workers=1, shard_size=_SHARD))
    killer.join()
    note = f"{_WORKERS} workers on this machine, with their start; one killed at its first shards, begun again"
    yield Figure("Ray", spent.rate, "images/s", note=note)
    yield Figure("Ray: workers killed", float(sum(map(bool, killed))), "", wanted=">= 1")
    yield _differing("Ray: items that differ", wanted, out)


def _cluster() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise ConfigError("Ray is not installed; `pip install 'lexel[ray]'` brings it.") from error
    return ray.init(
        address="local", num_cpus=_WORKERS, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
    )


def _digests(out: Path) -> dict[str, bytes]:
    """The items of a folder, each by a hash of its row."""
    rows = (row for shard in finished_shards(out) for row in shard.table(_COMPARED).to_pylist())
    return {row["id"]: hashlib.blake2b(repr(row).encode()).digest() for row in rows}


def _differing(name: str, wanted: dict[str, bytes], out: Path) -> Figure:
    found = _digests(out)
    differ = sum(found.get(item) != wanted.get(item) for item in found.keys() | wanted.keys())
    return Figure(name, float(differ), "items", wanted="<= 0", note=f"of {len(wanted)}")


def kill_one(out: Path) -> int:
    """Kill a worker in the middle of its part, and say which; 0 where none was found in time."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        time.sleep(0.005)
        if out.is_dir() and finished_shards(out) and (busy := _workers()):
            os.kill(busy[0], signal.SIGKILL)
            return busy[0]
    return 0


def _workers() -> list[int]:
    """The processes that compute a part: grandchildren of this one, named by Ray after what they do."""
    return [pid for raylet in children(os.getpid()) for pid in children(raylet) if _name(pid).startswith("ray::part")]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""
