"""Files that are no pictures, or mean harm, and thousands that a fuzzer breaks: each one's own failure, and soon."""

import random
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from lexel.pipeline.images import decoder_pool
from lexel.pipeline.images.decode import BadImageError
from lexel.pipeline.images.decoder_process import MAX_MEMORY
from soak.bad import KINDS, mutants, seeds
from soak.ground import Ground, Tried

SECONDS = 3.0  # in place of a minute, so that many can be tried
# On a busy machine, from the deadline until the process has gone.
GRACE = 5.0


@dataclass
class Seen:
    """What came of pictures; `lost` are those after which something was wrong."""

    reasons: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    slowest: float = 0.0
    memory: int = 0  # bytes, the most that a decoder has ever held

    def __str__(self) -> str:
        worst = f"longest {self.slowest:.1f} s, most memory {self.memory / 1e6:,.0f} MB"
        return ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common()) + f"; {worst}"


def soak(ground: Ground) -> Iterator[Tried]:
    seen = look(KINDS[name]() for name in KINDS)
    yield Tried(f"kinds of bad files, {SECONDS:g} s each at most", len(KINDS), len(seen.lost), str(seen))
    whole = seeds()
    kinds = len({name.split("-")[0] for name in whole})
    count = ground.times(60_000)
    seen = look(islice(mutants(ground.dice("mutants"), list(whole.values())), count))
    yield Tried(f"broken files by a fuzzer, of {kinds} formats", count, len(seen.lost), str(seen))


def look(contents: Iterable[bytes]) -> Seen:
    """Decode each; lost is what was neither a picture nor a reason, or took too long, or too much memory."""
    seen = Seen()
    for content in contents:
        began = time.monotonic()
        try:
            image = decoder_pool.decode(content, seconds=SECONDS).image
            reason = "pictures" if image.mode == "RGB" and min(image.size) > 0 else "?"
        except BadImageError as error:
            reason = str(error).partition(":")[0]
        took, held = time.monotonic() - began, _memory()
        seen.reasons[reason] += 1
        seen.slowest, seen.memory = max(seen.slowest, took), max(seen.memory, held)
        if reason == "?" or took > SECONDS + GRACE or held > MAX_MEMORY:
            seen.lost.append(f"{reason} after {took:.1f} s and {held:,} bytes: {content[:40]!r}")
    return seen


def _memory() -> int:
    """The most that the decoder that answered last has held, where the system says so."""
    try:
        text = Path(f"/proc/{decoder_pool._idle[-1].process.pid}/status").read_text()
    except (IndexError, OSError):
        return 0
    return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) * 1024  # type: ignore[index]


def some(chance: random.Random, count: int) -> list[bytes]:
    """A few broken files."""
    return list(islice(mutants(chance, list(seeds().values())), count))
