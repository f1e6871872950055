"""Pictures to a table of captions, which `lexel train` and `lexel encode` read. The same command again goes on."""

import csv
import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from lexel.encoders.captioner import Captioner, seed_of
from lexel.pipeline.atomic import write_atomically
from lexel.pipeline.encode.prepare import PreparedItem, prepare
from lexel.pipeline.errors import ConfigError, SourceError
from lexel.pipeline.iterators import batched, prefetch
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.shards.shard import Failure
from lexel.pipeline.sources.item import Item, readable
from lexel.pipeline.sources.source import Source
from lexel.pipeline.sources.tars.tar_members import is_tar


@dataclass(frozen=True)
class Captioned:
    """What a job found and did; the counts are over this and earlier runs."""

    pictures: int
    captioned: int
    failed: int
    new: int  # pictures captioned or failed in this run


def failures_of(out: Path) -> Path:
    """Where the pictures are listed that could not be captioned: captions.csv -> captions.failures.csv."""
    return out.with_suffix(".failures.csv")


def caption_source(
    source: Source,
    out: Path,
    *,
    captioner: Captioner,
    count: int = 1,
    batch_size: int = 16,
    workers: int | None = None,
    retry: bool = False,
    progress: Progress = QUIET,
) -> Captioned:
    """Append a row (image, caption) to the CSV file `out` for each of up to `count` captions of each picture.

    Rows that are there are kept. A picture is named relative to the folder of `out`, or absolutely where it is not
    below it. `retry` tries those again that failed. Raises SourceError for a source without pictures that a table can
    name, ConfigError where `out` is another kind of file.
    """
    _check(source, out)
    good, bad = _Table(out, "caption"), _Table(failures_of(out), "reason")
    if retry:
        bad.path.unlink(missing_ok=True)
    names = {_name(item, source, out) for item in source.items()}
    if not names:
        raise SourceError(f"There is nothing to caption in {source.root / source.name}: no pictures were found.")
    todo = names - good.images() - bad.images()
    progress.plan(total=len(names), done=len(names) - len(todo))
    with ThreadPoolExecutor(workers or max(1, os.cpu_count() or 1)) as pool:
        try:
            outcomes = prefetch(pool, partial(_look, captioner), _todo(source, out, todo), depth=4 * batch_size)
            for batch in batched(outcomes, batch_size):
                captions, failures = _captions(captioner, batch, count)
                # The failures first: a run that is killed in between then makes the same batch of the others again.
                bad.append(failures)
                good.append(captions)
                progress.advance(encoded=len(batch) - len(failures), failed=len(failures))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return Captioned(len(names), len(names & good.images()), len(names & bad.images()), len(todo))


def _check(source: Source, out: Path) -> None:
    if out.suffix.lower() != ".csv":
        raise ConfigError(f"{out} should be a table of captions: give a name that ends in .csv.")
    if source.captions:
        raise SourceError(f"{source.root / source.name} holds texts; captions are made for pictures.")
    if is_tar(source.root / source.name):
        raise SourceError(f"{source.name} is a tar, and a table cannot name what is inside; unpack it first.")


def _todo(source: Source, out: Path, todo: set[str]) -> Iterator[tuple[str, Item]]:
    """The items to caption, each once, with their names."""
    left = set(todo)
    for item in source.items():
        if (name := _name(item, source, out)) in left:
            left.remove(name)
            yield name, item


def _name(item: Item, source: Source, out: Path) -> str:
    """What the table calls a picture, so that a manifest beside it finds it."""
    path, folder = Path(os.path.normpath(_path(item, source))), out.expanduser().resolve().parent
    return readable(path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path))


def _path(item: Item, source: Source) -> Path:
    # In a manifest, "~" is a person's home.
    return source.root / (os.path.expanduser(item.uri) if source.name else item.uri)


def _look(captioner: Captioner, named: tuple[str, Item]) -> tuple[str, torch.Tensor | Failure]:
    """A picture's name and its pixels, or why it has none."""
    name, item = named
    if any(map(is_tar, Path(item.uri).parents)):
        return name, Failure(None, item.uri, "inside a tar, where a table cannot point to; unpack it first")
    found = prepare(captioner, item)
    if isinstance(found, PreparedItem):
        return name, found.pixels if found.pixels is not None else Failure(None, item.uri, "a text, not a picture")
    return name, found


def _captions(
    captioner: Captioner, batch: Sequence[tuple[str, torch.Tensor | Failure]], count: int
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The rows of a batch: (image, caption) and (image, reason)."""
    good = [(name, found) for name, found in batch if not isinstance(found, Failure)]
    failures = [(name, found.reason) for name, found in batch if isinstance(found, Failure)]
    if not good:
        return [], failures
    names = [name for name, _ in good]
    try:
        texts = captioner.captions(torch.stack([pixels for _, pixels in good]), count=count, seed=seed_of(names))
    except torch.OutOfMemoryError as error:
        raise ConfigError(f"{len(good)} pictures at once are too many for this GPU; lower --batch-size.") from error
    failures += [(name, "the network says nothing of it") for name, some in zip(names, texts, strict=True) if not some]
    return [(name, text) for name, some in zip(names, texts, strict=True) for text in some], failures


@dataclass(frozen=True)
class _Table:
    """A CSV file with the columns image and `column`, which only grows."""

    path: Path
    column: str

    def images(self) -> set[str]:
        """The images that have a row. Raises ConfigError where the file is something else."""
        if self.path.exists():
            self._mend()
        return {row[0] for row in self._rows()} if self.path.exists() else set()

    def append(self, rows: Sequence[tuple[str, str]]) -> None:
        """Add rows so that after a crash all of them are there or none, but for a power cut (see `_mend`)."""
        if not rows:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            content = _csv(rows) if before else _csv([("image", self.column), *rows])
            try:
                while content:  # without a buffer, less than all may be written
                    content = content[file.write(content) :]
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise

    def _rows(self) -> list[list[str]]:
        try:
            with self.path.open(newline="", encoding="utf-8") as file:
                header, *rows = list(csv.reader(file)) or [[]]
        except (ValueError, csv.Error):
            header = []
        if header != ["image", self.column] or not all(len(row) == 2 for row in rows):
            raise ConfigError(f"{self.path} is not a table that this command made; give another name.")
        return rows

    def _mend(self) -> None:
        """Take away what a power cut left of a row, and with it the other rows of that picture, which is done again."""
        content, header = self.path.read_bytes(), ["image", self.column]
        if content.endswith(b"\n"):
            return
        rows = list(csv.reader(io.StringIO(content.decode("utf-8", "ignore"), newline="")))
        if _csv([("image", self.column)]).startswith(content):
            self.path.unlink()
        elif rows[:1] == [header]:
            kept = [(row[0], row[1]) for row in rows[1:-1] if row[0] != rows[-1][0]]
            write_atomically(self.path, _csv([("image", self.column), *kept]))


def _csv(rows: Sequence[tuple[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
