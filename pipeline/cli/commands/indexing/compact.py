"""`lexel compact`."""

from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.views.console import say, short


def compact(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder of shards, from `lexel encode`.")],
) -> None:
    """Write shards anew without the rows of items that are gone or were changed.

    `lexel sync` does it by itself from time to time. Nothing is encoded, and no index changes.

    Example: lexel compact shards
    """
    from lexel.pipeline.shards.compact import compact_shards

    report = compact_shards(out)
    dead = f"{report.dead:,} dead row{'s' * (report.dead != 1)} removed"
    say(f"{dead}; there were {report.shards:,} shards, and now {report.now:,}: {short(out.resolve())}")
