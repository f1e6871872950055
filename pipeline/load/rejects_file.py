"""The file that says which documents OpenSearch rejected, and why; each part of a load has its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from lexel.pipeline.atomic import write_atomically
from lexel.pipeline.load.bulk import Rejected
from lexel.pipeline.shards.part import Part


@dataclass(frozen=True)
class RejectsFile:
    """rejected-INDEX.jsonl in `folder`, or rejected-INDEX-i-of-n.jsonl for a part.

    Its lines name the index `target`, so that what an earlier load left out is told apart.
    """

    folder: Path
    index: str
    target: str
    part: Part

    @property
    def path(self) -> Path:
        """The file of this part."""
        return self._of(self.part)

    def write(self, rejected: Sequence[Rejected]) -> None:
        """Write what this part's documents were rejected for; no file is left where none were."""
        if not rejected:
            self.path.unlink(missing_ok=True)
            return
        lines = [
            orjson.dumps(
                {
                    "id": one.id,
                    "reason": one.reason,
                    "document": one.document.decode(),
                    "of_content": one.of_content,
                    "target": self.target,
                }
            )
            for one in rejected
        ]
        write_atomically(self.path, b"\n".join(lines) + b"\n")

    def of_all_parts(self) -> tuple[list[Rejected], tuple[Path, ...]]:
        """What the parts left out of `target` for its content, each document once, and the files that say so."""
        found, paths = dict[str, Rejected](), list[Path]()
        for path in (self._of(Part(index, self.part.of)) for index in range(1, self.part.of + 1)):
            if rejected := [one for one in self._read(path) if one.of_content]:
                found |= {one.id: one for one in rejected}
                paths.append(path)
        return list(found.values()), tuple(paths)

    def _of(self, part: Part) -> Path:
        share = f"-{part.ordinal}-of-{part.of}" if part.of > 1 else ""
        return self.folder / f"rejected-{self.index}{share}.jsonl"

    def _read(self, path: Path) -> Iterator[Rejected]:
        """The file's lines, without those of an earlier target, or of an older version, which named none."""
        try:
            lines = path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        for row in map(orjson.loads, lines):
            if row.get("target") == self.target:
                yield Rejected(row["id"], row["reason"], row["document"].encode(), row["of_content"])
