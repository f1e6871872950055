"""What is taken of a source: which pictures, by patterns of their names, and whether folders are labels."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.tars.tar_members import is_tar


@dataclass(frozen=True)
class Selection:
    """Patterns such as "*.png", "drafts" or "2023/*", of a picture's uri, of its name or of a folder on its way.

    With `include`, only what matches one of these is taken, and never what matches one of `exclude`. With
    `labels_from_folders` the folder that a picture lies in is its label, where it has none of its own.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    labels_from_folders: bool = False

    def of(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items that are taken."""
        if self == EVERYTHING:
            yield from items
            return
        for item in items:
            if self.takes(item.uri) or (item.unlisted and self.may_take(item.uri)):
                yield _labelled(item) if self.labels_from_folders else item

    def takes(self, uri: str) -> bool:
        """Whether a picture is taken."""
        if not (self.include or self.exclude):
            return True
        names = list(_names(uri))
        return (not self.include or _matches(self.include, names)) and not _matches(self.exclude, names)

    def may_take(self, folder: str) -> bool:
        """Whether there may be something in a folder or tar that is taken."""
        return not _matches(self.exclude, list(_names(folder)))


# All that there is.
EVERYTHING = Selection()


def _labelled(item: Item) -> Item:
    folders = PurePosixPath(item.uri.partition("://")[2].partition("/")[2] or item.uri).parts[:-1]
    # Names within a table are those of rows.
    if item.text is not None or item.label is not None or any(name.endswith(".parquet") for name in folders):
        return item
    own = folders[-1] if folders else ""
    return item if own in {"", "..", "/"} or is_tar(own) else replace(item, label=own)


def _matches(patterns: tuple[str, ...], names: list[str]) -> bool:
    plain = [pattern.rstrip("/").removeprefix("./").removeprefix("**/") for pattern in patterns]
    return any(fnmatchcase(name, pattern) for pattern in plain for name in names)


def _names(uri: str) -> Iterator[str]:
    """The uri, the folders on its way, and the last parts of all these."""
    parts = uri.split("/")
    yield from parts
    for end in range(2, len(parts) + 1):
        yield "/".join(parts[:end])
