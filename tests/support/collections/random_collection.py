"""Collections that chance makes, as folders, tables and tars, with what has to come of each of their files."""

import csv
import io
import json
import random
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
from support.making import jpeg, picture, saved

from lexel.pipeline.sources.item import Item

# What people's names are made of; a number makes each name one of its own.
_PARTS = (
    *("IMG_", "a", "é", "日本 ", "#", "%20", "'", ",", ";", "|", "\t", "=", "x.y.", "2024.05."),
    *("Ä-", "(1) ", "\\", '"'),
)
_FOLDERS = ("", "", "in/", "in/deep/", "a.b/", "ß 1/")
_OTHERS = ("film{}.MOV", "draft{}.ai", "notes{}", "table{}.xlsx")


@dataclass(frozen=True)
class MadePicture:
    """A picture: its path, its bytes (None: there is no such file), whether they are a picture, and its captions."""

    path: str
    content: bytes | None
    good: bool
    captions: tuple[str, ...]


@dataclass(frozen=True)
class MadeCollection:
    """Where a collection lies, its pictures by their uri, and how many other files have to be said to be skipped."""

    source: Path | str
    pictures: dict[str, MadePicture]
    others: int = 0

    def ids(self) -> dict[str, str]:
        """The id of each good picture by its uri: another one's bytes would give another id."""
        good = {uri: one for uri, one in self.pictures.items() if one.good}
        return {uri: Item(uri).identify(one.content or b"") for uri, one in good.items()}


def random_pictures(chance: random.Random, *, missing: bool) -> list[MadePicture]:
    """A few pictures with names as people give them; some are broken, empty, copies of one another, or `missing`."""
    found = list[MadePicture]()
    for number in range(chance.randint(1, 7)):
        name = "".join(chance.choice(_PARTS) for _ in range(chance.randint(0, 3)))
        path = f"{chance.choice(_FOLDERS)}{name}{number}{chance.choice(('.jpg', '.JPG', '.png'))}"
        kind = chance.choice(("good", "good", "good", "copy", "broken", "empty", *(["missing"] if missing else [])))
        content = {
            "good": saved(picture(number), "PNG") if path.endswith("png") else jpeg(number),
            "copy": jpeg(99),
            "broken": jpeg(number)[:150],
            "empty": b"",
            "missing": None,
        }[kind]
        captions = tuple(f"caption {k} of {number}" for k in range(chance.randint(0, 3)))
        found.append(MadePicture(path, content, kind in {"good", "copy"}, captions))
    return found


def _put(folder: Path, pictures: Sequence[MadePicture]) -> None:
    for one in pictures:
        if one.content is not None:
            (folder / one.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / one.path).write_bytes(one.content)


def random_folder(chance: random.Random, place: Path) -> MadeCollection:
    """A folder, with texts beside pictures, links to nothing, hidden files, and files of other kinds."""
    pictures = [
        MadePicture(one.path, one.content, one.good, one.captions[:1])
        for one in random_pictures(chance, missing=chance.random() < 0.5)
    ]
    folder = place / "folder"
    folder.mkdir()
    _put(folder, pictures)
    for one in pictures:
        path = folder / one.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if one.content is None:
            path.symlink_to(folder / "nothing-of-this-name")
        if one.captions:
            as_json = chance.random() < 0.5
            text = json.dumps({"caption": one.captions[0]}) if as_json else one.captions[0]
            path.with_name(f"{path.name.rpartition('.')[0]}.{'json' if as_json else 'txt'}").write_text(text)
    others = [chance.choice(_OTHERS).format(n) for n in range(chance.randint(0, 3))]
    for name in others:
        (folder / name).write_bytes(b"x")
    (folder / ".hidden.jpg").write_bytes(jpeg())
    return MadeCollection(folder, {one.path: one for one in pictures}, len(others))


def random_table(chance: random.Random, place: Path) -> MadeCollection:
    """A table whose rows, one for each caption, stand in any order."""
    pictures = random_pictures(chance, missing=True)
    _put(place, pictures)
    rows = [(one, caption) for one in pictures for caption in one.captions or ("",)]
    chance.shuffle(rows)
    rows += rows[: chance.randint(0, 2)]  # said twice
    kind = chance.choice(("csv", "tsv", "jsonl", "parquet"))
    table = place / f"table.{kind}"
    _write(table, [{"image": one.path, "caption": caption, "n": n} for n, (one, caption) in enumerate(rows)])
    told = {one.path: tuple(dict.fromkeys(c for o, c in rows if o.path == one.path and c)) for one in pictures}
    return MadeCollection(
        table, {one.path: MadePicture(one.path, one.content, one.good, told[one.path]) for one in pictures}
    )


def _write(table: Path, rows: list[dict[str, object]]) -> None:
    if table.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), table)
    elif table.suffix == ".jsonl":
        table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        with table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if table.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)


def random_tar(chance: random.Random, place: Path) -> MadeCollection:
    """A tar with a text for each picture, all members in any order, and files of other kinds."""
    ending = chance.choice(("tar", "tar.gz"))
    kind = chance.choice(("txt", "json"))
    pictures = [
        MadePicture(one.path, one.content, one.good, (f"caption of {n}",))
        for n, one in enumerate(random_pictures(chance, missing=False))
    ]
    members = [(one.path, one.content or b"") for one in pictures]
    for one in pictures:
        path = PurePosixPath(one.path)
        text = json.dumps({"caption": one.captions[0]}) if kind == "json" else one.captions[0]
        members.append((str(path.with_name(f"{path.name.rpartition('.')[0]}.{kind}")), text.encode()))
    others = [(chance.choice(_OTHERS).format(f"{n} of none"), b"x") for n in range(chance.randint(0, 2))]
    members += others
    if chance.random() < 0.7:
        chance.shuffle(members)
    tar = place / f"some.{ending}"
    with tarfile.open(tar, "w:gz" if ending == "tar.gz" else "w") as file:
        for name, content in members:
            about = tarfile.TarInfo(name)
            about.size = len(content)
            file.addfile(about, io.BytesIO(content))
    return MadeCollection(tar, {f"{tar.name}/{one.path}": one for one in pictures}, len(others))


KINDS: dict[str, Callable[[random.Random, Path], MadeCollection]] = {
    "folder": random_folder,
    "table": random_table,
    "tar": random_tar,
}
