"""Memory and time of encode and load from 10,000 items on: what grows with a collection, and by how much an item."""

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from bench.figure import Figure
from bench.node import own_node, seconds
from bench.parts.crowd import Crowd

# Two sizes, ten times apart where that takes minutes: what is in memory for each item shows in their difference.
_PICTURES, _TEXTS, _LISTED, _LOADED = (2_000, 8_000), (10_000, 200_000), (10_000, 1_000_000), (10_000, 100_000)
_MEGABYTE = 2**20

# Programs that run in a process of their own, and say at the end what memory they had at most.
_PEAK = """
def peak():
    try:  # what a process is told of itself otherwise begins with what its parent had
        lines = open("/proc/self/status").read().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    except FileNotFoundError:
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
"""
_WATCHED = f"""{_PEAK}
import sys
from lexel.pipeline.cli.main import main
sys.argv = ["lexel", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("PEAK", peak())
"""
# The listing of a source, which an encode reads before and while it encodes; no picture is read.
_LISTING = f"""{_PEAK}
import sys
from pathlib import Path
from lexel.pipeline.sources.source import open_source
found = sum(1 for item in open_source(Path(sys.argv[1])).items())
print("PEAK", peak())
"""


def run(quick: bool) -> Iterator[Figure]:
    with TemporaryDirectory(prefix="lexel-bench-") as place:
        yield from _listed(Path(place), (50, 500) if quick else _LISTED)
        yield from _encoded(Path(place), (20, 100) if quick else _PICTURES)
        yield from _captioned(Path(place), (20, 200) if quick else _TEXTS)
        yield from _loaded(Path(place), (100, 1_000) if quick else _LOADED)


def _listed(place: Path, counts: Sequence[int]) -> Iterator[Figure]:
    """A tar of very small pictures, listed as `encode` does before and while it encodes."""

    def work(count: int) -> int:
        return peak([sys.executable, "-c", _LISTING, str(_tar(place / f"listed-{count}.tar", count, side=8))])

    yield from _grown("list a tar", counts, work)


def _encoded(place: Path, counts: Sequence[int]) -> Iterator[Figure]:
    def work(count: int) -> int:
        tar = _tar(place / f"encoded-{count}.tar", count, side=64)
        return peak(command("encode", str(tar), str(place / f"encoded-{count}"), "--encoder", "lexel-tiny"))

    yield from _grown("lexel encode", counts, work)


def _captioned(place: Path, counts: Sequence[int]) -> Iterator[Figure]:
    """Texts go the same way as pictures and are encoded much faster, so that more of them show what grows."""

    def work(count: int) -> int:
        lines = place / f"texts-{count}.txt"
        lines.write_text("".join(f"two dogs run in the snow beside house {i}\n" for i in range(count)))
        return peak(command("encode", str(lines), str(place / f"texts-{count}"), "--encoder", "lexel-tiny"))

    yield from _grown("lexel encode, texts", counts, work)


def _loaded(place: Path, counts: Sequence[int]) -> Iterator[Figure]:
    with own_node(heap="2g") as (node, _):

        def work(count: int) -> int:
            folder = Crowd(count, dim=64).write(place / f"loaded-{count}")
            return peak(command("load", str(folder), "--index", "grown"), OPENSEARCH_URL=node.url)

        yield from _grown("lexel load", counts, work)


def _grown(name: str, counts: Sequence[int], work: Callable[[int], int]) -> Iterator[Figure]:
    peaks, times = list[int](), list[float]()
    for count in counts:
        times.append(seconds(lambda count=count: peaks.append(work(count))))  # type: ignore[misc]
        yield Figure(f"{name}: {count:,} items", peaks[-1] / _MEGABYTE, "MB at most", note=f"in {times[-1]:.0f} s")
    few, many = counts[0], counts[-1]
    by = (peaks[-1] - peaks[0]) / (many - few)
    yield Figure(f"{name}: an item more", by, "bytes of memory", note=f"from {few:,} to {many:,} items")
    each, first = (times[-1] - times[0]) / (many - few), times[0] / few
    note = f"of what one of the first {few:,} took, start included; linear or better is 1 or less"
    yield Figure(f"{name}: time of an item more", each * 1e6, "us", first * 1e6, each / first, "<= 1.2", note)


def peak(words: Sequence[str], **more: str) -> int:
    """The most memory that the command had, in bytes."""
    done = subprocess.run(words, check=False, capture_output=True, text=True, env=os.environ | more)
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip()[-300:])
    return int(next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("PEAK")))


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", _WATCHED, *words]


def _tar(path: Path, count: int, *, side: int) -> Path:
    """A tar of `count` small JPEGs, of which a hundred are different."""
    dice = np.random.default_rng(0)
    pictures = [_jpeg(dice.integers(0, 256, (side, side, 3), dtype=np.uint8)) for _ in range(100)]
    with tarfile.open(path, "w") as tar:
        for i in range(count):
            member = tarfile.TarInfo(f"{i:08d}.jpg")
            member.size = len(pictures[i % 100])
            tar.addfile(member, io.BytesIO(pictures[i % 100]))
            tar.members.clear()  # type: ignore[attr-defined]
    return path


def _jpeg(pixels: "np.typing.NDArray[np.uint8]") -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=80)
    return content.getvalue()
