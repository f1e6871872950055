"""What listing a source leaves out, or cannot make sense of: said at the end of the job."""

import os
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path

# More sentences than these tell nobody more.
_MOST = 20


@dataclass
class ListingNotes:
    """What the last listing of a source left out: files by their ending, folders by their name, and warnings."""

    skipped: Counter[str] = field(default_factory=Counter)
    folders: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    unsaid: int = 0

    def clear(self) -> None:
        """Begin anew, with a new listing."""
        self.skipped, self.folders, self.warnings, self.unsaid = Counter(), Counter(), [], 0

    def skip(self, name: str) -> None:
        """A file of a kind that is not read."""
        base = name.rpartition("/")[2]
        stem, dot, ending = base.rpartition(".")
        self.skipped[f".{ending.lower()}" if dot and stem else "without an ending"] += 1

    def skip_others(self, folder: Path, known: Container[str]) -> None:
        """The files and folders in `folder` that are not `known`; hidden ones are nobody's."""
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name in known or entry.name.startswith("."):
                continue
            if entry.is_dir():
                self.folders[entry.name] += 1
            else:
                self.skip(entry.name)

    def leave(self, what: str, count: int) -> None:
        """So many of something else, in words."""
        self.skipped[what] += count

    def warn(self, sentence: str) -> None:
        """Something that a person should look at."""
        if len(self.warnings) < _MOST:
            self.warnings.append(sentence)
        else:
            self.unsaid += 1

    def sentences(self) -> Iterator[str]:
        """All of it, for people: "Skipped: 3 .mp4, 1 .psd"."""
        parts = [f"{count:,} {ending}" for ending, count in self.skipped.most_common()]
        parts += [f"{count:,} folder{'s' * (count > 1)} {name}" for name, count in self.folders.most_common()]
        if parts:
            yield f"Skipped: {', '.join(parts)}"
        yield from self.warnings
        if self.unsaid:
            yield f"{self.unsaid:,} more warnings of this kind."
