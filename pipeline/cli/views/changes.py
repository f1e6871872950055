"""What has changed in a collection, for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lexel.pipeline.cli.views.console import out

if TYPE_CHECKING:
    from lexel.pipeline.encode.changes.survey import ChangeCounts, Survey

_NAMES = {
    "new": "new",
    "changed": "changed",
    "moved": "moved or copied",
    "relisted": "with other captions or metadata",
    "gone": "gone",
    "retried": "tried again",
    "unreachable": "out of reach and kept",
}


def changes_in_words(counts: "ChangeCounts") -> str:
    """What has changed, as "1 new, 3 moved or copied, 1 gone"."""
    parts = [f"{count:,} {name}" for key, name in _NAMES.items() if (count := getattr(counts, key))]
    return ", ".join(parts) or "nothing has changed"


def show_plan(found: "Survey") -> None:
    """Print what a sync would do, with the names of the first few items of each kind."""
    out.print(f"{found.comparison.items:,} items: {changes_in_words(found.counts)}", soft_wrap=True, markup=False)
    for line in _examples(found):
        out.print(line, soft_wrap=True, markup=False)


def _examples(found: "Survey") -> Iterator[str]:
    from lexel.pipeline.load.live.replaced import LOSS

    for kind, uris in found.examples.items():
        more = getattr(found.counts, kind.value) - len(uris)
        yield f"  {_NAMES[kind.value]}: {', '.join(uris)}{f' and {more:,} more' if more > 0 else ''}"
    if found.counts.gone > LOSS * np.count_nonzero(found.ledger.live):
        yield "  More than a tenth would be gone, which a sync does with --allow-shrink only."
    if found.lost:
        more = found.counts.gone - len(found.lost)
        yield f"  gone: {', '.join(found.lost)}{f' and {more:,} more' if more > 0 else ''}"
