"""What a load has done."""

from dataclasses import dataclass
from pathlib import Path

from lexel.pipeline.load.live.replaced import Replaced


@dataclass(frozen=True)
class LoadReport:
    """The counts of a load."""

    index: str  # the concrete index behind the alias
    documents: int
    sent: int  # in this run
    rejected: int  # of the items, by OpenSearch for what is in them
    missing: int = 0  # still to come from other parts; the alias changes over when there are none
    unfinished: tuple[str, ...] = ()  # indices of other loads of the same name, which may be on their way
    source: str = ""  # what the documents are of
    replaced: Replaced | None = None  # what the index showed before
    rejects: tuple[Path, ...] = ()  # the files that say why documents were rejected
    removed: int = 0  # documents of items that are gone, from the index as it was
