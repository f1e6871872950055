"""Which of a source's pictures are taken, by patterns of their names."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Selection:
    """Patterns such as "*.png", "drafts" or "2023/*", of a picture's uri, of its name or of a folder on its way.

    With `include`, only what matches one of these is taken, and never what matches one of `exclude`.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

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


def _matches(patterns: tuple[str, ...], names: list[str]) -> bool:
    plain = [pattern.rstrip("/").removeprefix("./").removeprefix("**/") for pattern in patterns]
    return any(fnmatchcase(name, pattern) for pattern in plain for name in names)


def _names(uri: str) -> Iterator[str]:
    """The uri, the folders on its way, and the last parts of all these."""
    parts = uri.split("/")
    yield from parts
    for end in range(2, len(parts) + 1):
        yield "/".join(parts[:end])
