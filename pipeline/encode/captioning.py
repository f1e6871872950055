"""Generates captions of images into a CSV file, which `lexel train` and `lexel encode` read; can be resumed."""

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
    """The counts of a captioning job, over this and earlier runs."""

    pictures: int
    captioned: int
    failed: int
    new: int  # pictures captioned or failed in this run


def failures_of(out: Path) -> Path:
    """The file that lists the images which failed: captions.csv -> captions.failures.csv."""
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
    """Append a row (image, caption) to the CSV file `out` for each caption, up to `count` for each image.

    Existing rows are kept. Image paths are relative to the folder of `out`, or absolute if the image is not below it.
    `retry` tries failed images again. Raises SourceError if the source has no images or is a tar, ConfigError if `out`
    is another kind of file.
    """
    _check(source, out)
    good, bad = _Table(out, "caption"), _Table(failures_of(out), "reason")
    if retry:
        bad.path.unlink(missing_ok=True)
    names = {_name(item, source, out) for item in source.items()}
    if not names:
        raise SourceError(f"There is nothing to caption in {source.place}: no pictures were found.")
    todo = names - good.images() - bad.images()
    progress.plan(total=len(names), done=len(names) - len(todo))
    with ThreadPoolExecutor(workers or max(1, os.cpu_count() or 1)) as pool:
        try:
            outcomes = prefetch(pool, partial(_pixels, captioner), _todo(source, out, todo), depth=4 * batch_size)
            for batch in batched(outcomes, batch_size):
                captions, failures = _captions(captioner, batch, count)
                # Failures are written first: a run killed in between then repeats the batch of the others.
                bad.append(failures)
                good.append(captions)
                progress.advance(encoded=len(batch) - len(failures), failed=len(failures))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return Captioned(len(names), len(names & good.images()), len(names & bad.images()), len(todo))


def _check(source: Source, out: Path) -> None:
    if out.suffix.lower() != ".csv":
        raise ConfigError(f"{out} is not a CSV file: give a name that ends in .csv.")
    if source.captions:
        raise SourceError(f"{source.place} contains texts; only images can be captioned.")
    if is_tar(source.place.name):
        raise SourceError(f"{source.name} is a tar, and a table cannot refer to images inside it; unpack it first.")


def _todo(source: Source, out: Path, todo: set[str]) -> Iterator[tuple[str, Item]]:
    """The items that are left, each once, with their names in the table."""
    left = set(todo)
    for item in source.items():
        if (name := _name(item, source, out)) in left:
            left.remove(name)
            yield name, item


def _name(item: Item, source: Source, out: Path) -> str:
    """The path of an image as written in the table, so that a manifest in the same folder finds it."""
    path, folder = Path(os.path.normpath(_path(item, source))), out.expanduser().resolve().parent
    return readable(path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path))


def _path(item: Item, source: Source) -> Path:
    # A manifest may contain "~" for the home folder.
    return source.root / (os.path.expanduser(item.uri) if source.name else item.uri)


def _pixels(captioner: Captioner, named: tuple[str, Item]) -> tuple[str, torch.Tensor | Failure]:
    """An image's name with its pixels, or with the reason why it cannot be read."""
    name, item = named
    if any(is_tar(folder.name) for folder in Path(item.uri).parents):
        return name, Failure(None, item.uri, "inside a tar, to which a table cannot refer; unpack it first")
    found = prepare(captioner, item)
    if isinstance(found, PreparedItem):
        return name, found.pixels if found.pixels is not None else Failure(None, item.uri, "a text, not an image")
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
    failures += [
        (name, "the network generated no caption") for name, some in zip(names, texts, strict=True) if not some
    ]
    return [(name, text) for name, some in zip(names, texts, strict=True) for text in some], failures


@dataclass(frozen=True)
class _Table:
    """A CSV file with the columns image and `column`; rows are only appended."""

    path: Path
    column: str

    def images(self) -> set[str]:
        """The images that have a row. Raises ConfigError if the file is not such a table."""
        if self.path.exists():
            self._mend()
        return {row[0] for row in self._rows()} if self.path.exists() else set()

    def append(self, rows: Sequence[tuple[str, str]]) -> None:
        """Add rows: after a crash all of them are in the file or none, except after a power cut (see `_mend`)."""
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
        """Remove an incomplete last row, left by a power cut, and the other rows of its image, which is done again."""
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
