"""Sources as people have them, made by chance: each file a document, a failure or said; each caption on its own."""

import os
import random
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import orjson
from PIL import ImageCms
from support.collections.accounts import wrongs
from support.collections.random_collection import KINDS, MadeCollection, random_folder, random_table
from support.indices import contents
from support.jobs import failures, run
from support.making import jpeg, picture, random_encoder, saved
from support.web.file_server import file_server

from lexel.encoders.encoder import Encoder
from lexel.pipeline.encode.workers import NO_NUMBER
from lexel.pipeline.errors import LexelError
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.sources.source import open_source
from soak.ground import Ground, Tried

Kind = Callable[[Ground, random.Random, Path, Encoder], list[str]]


def soak(ground: Ground) -> Iterator[Tried]:
    encoder = random_encoder(ground.place("sources") / "encoder")
    for what, (kind, whole) in TRIED.items():
        times, wrong = ground.times(whole), list[str]()
        for number in range(times):
            with tempfile.TemporaryDirectory(dir=ground.folder) as place:
                wrong += kind(ground, ground.dice(f"{what}-{number}"), Path(place), encoder)[:1]
        yield Tried(what, times, len(wrong), "; ".join(wrong)[:300])


def collections(_: Ground, chance: random.Random, place: Path, encoder: Encoder) -> list[str]:
    """A folder, table or tar."""
    made = chance.choice(list(KINDS.values()))(chance, place)
    return _accounted(made, place / "out", encoder)


def tar_names(_: Ground, chance: random.Random, place: Path, encoder: Encoder) -> list[str]:
    """A tar whose names have dots, with texts apart from their pictures."""
    return _accounted(KINDS["tar"](chance, place), place / "out", encoder)


def faulty_tables(_: Ground, chance: random.Random, place: Path, encoder: Encoder) -> list[str]:
    """A table with bytes changed, cut out or put in: a sentence that names it, or as many items as are listed."""
    table = random_table(chance, place).source
    content = bytearray(table.read_bytes())
    for _ in range(chance.choice((1, 1, 3, 10))):
        at = chance.randrange(len(content) or 1)
        content[at : at + chance.choice((0, 1, 20))] = chance.randbytes(chance.choice((0, 1, 4)))
    table.write_bytes(content)
    try:
        report = run(table, place / "out", encoder)
        listed = sum(1 for _ in open_source(table).items())
    except LexelError as error:
        said = str(error)
        named = table.name in said or "nothing to encode" in said or "could be read" in said
        return [] if named and "\n" not in said else [said[:200]]
    return [] if report.items == report.encoded + report.failed == listed else [f"{listed} listed, {report}"]


def profiles(_: Ground, chance: random.Random, place: Path, encoder: Encoder) -> list[str]:
    """Pictures with colour profiles, whole, broken and of another kind of colour: all are seen, or fail alone."""
    folder = place / "folder"
    folder.mkdir()
    whole = ImageCms.ImageCmsProfile(ImageCms.createProfile(chance.choice(("sRGB", "LAB", "XYZ")))).tobytes()
    for number in range(4):
        profile = bytearray(whole)
        for _ in range(chance.choice((0, 1, 20))):
            profile[chance.randrange(len(profile))] = chance.randrange(256)
        image = picture(number).convert(chance.choice(("RGB", "L", "CMYK")))
        (folder / f"{number}.jpg").write_bytes(saved(image, "JPEG", {"icc_profile": bytes(profile)}))
    report = run(folder, place / "out", encoder)
    return [] if report.items == 4 == report.encoded + report.failed else [str(report)]


def no_numbers(_: Ground, chance: random.Random, place: Path, __: Encoder) -> list[str]:
    """A network that gives NaN for some pictures or all: those are failures that say so."""
    bad = random_encoder(place / "encoder", seed=chance.randrange(100))
    _poison(next(bad.folder.glob("*.safetensors")), chance)
    made = random_folder(chance, place)
    if not any(one.good for one in made.pictures.values()):
        return []
    report = run(made.source, place / "out", bad)
    reasons = failures(place / "out")
    wanted = {uri for uri, one in made.pictures.items() if one.good}
    wrong = [uri for uri in wanted & reasons.keys() if reasons[uri] != NO_NUMBER]
    lost = report.items != report.encoded + report.failed or report.items != len(made.pictures)
    return [f"{report} {wrong}"] if wrong or lost else []


def _poison(path: Path, chance: random.Random) -> None:
    """NaN among the weights of a file of safetensors."""
    content = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", content[:8])
    tensors = {name: about for name, about in orjson.loads(content[8 : 8 + length]).items() if name != "__metadata__"}
    floats = [about for about in tensors.values() if about["dtype"] == "F32"]
    start, end = chance.choice(floats)["data_offsets"]
    place = 8 + length + start + 4 * chance.randrange((end - start) // 4)
    content[place : place + 4] = struct.pack("<f", float("nan"))
    path.write_bytes(content)


def unreadable_folders(_: Ground, chance: random.Random, place: Path, encoder: Encoder) -> list[str]:
    """A folder that may not be entered is a failure of its own, and all other pictures are there."""
    made = random_folder(chance, place)
    for number in range(2):
        (made.source / f"locked {number}").mkdir()
        (made.source / f"locked {number}" / "a.jpg").write_bytes(jpeg())
    if not any(one.good for one in made.pictures.values()):
        return []
    with _closed("locked"):
        report = run(made.source, place / "out", encoder)
    said = failures(place / "out")
    locked = {uri for uri in said if uri.startswith("locked")}
    good = report.encoded == len(made.ids()) and report.items == len(made.pictures) + 2
    return [] if good and locked == {"locked 0", "locked 1"} else [f"{report} {said}"]


@contextmanager
def _closed(start: str) -> Iterator[None]:
    whole = os.scandir

    def scandir(path: "os.PathLike[str]") -> object:
        if Path(path).name.startswith(start):
            raise PermissionError(13, "Permission denied")
        return whole(path)

    with mock.patch.object(os, "scandir", scandir):
        yield


def long_metadata(ground: Ground, chance: random.Random, place: Path, encoder: Encoder) -> list[str]:
    """Long values, many and odd columns: a document for each picture, in a real index."""
    rows = []
    for number in range(6):
        (place / f"{number}.jpg").write_bytes(jpeg(number))
        about = {f"{chance.choice(_ODD)}{n}": _value(chance) for n in range(chance.choice((1, 20, 2000)))}
        rows.append({"image": f"{number}.jpg", **about, "label": "l" * chance.choice((1, 40_000))})
    table = place / "table.jsonl"
    table.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    run(table, place / "out", encoder)
    index = f"sources-long-{chance.randrange(10**9)}"
    load_shards(place / "out", index=index, client=ground.client)
    there = sorted(str(one["uri"]) for one in contents(ground.client, index).values())
    ground.client.indices.delete(index=f"{index}-*")
    return [] if there == [f"{n}.jpg" for n in range(6)] else [str(there)]


_ODD = ("a", "a.b", ".", "..x", "_id", " ", "é", "*", "a\\", "\u0000x", "year")


def _value(chance: random.Random) -> object:
    return chance.choice(
        (1, 2.5, True, None, "NA", "x" * chance.choice((1, 300, 36_000)), "2020-01-01", [1] * 800, {"a": {"b": [None]}})
    )


def elsewhere(_: Ground, chance: random.Random, place: Path, encoder: Encoder) -> list[str]:
    """A table on a web server that now and then is busy or cuts what it sends: all the same."""
    made = random_table(chance, place)
    if not any(one.good for one in made.pictures.values()):
        return []
    with file_server() as web:
        for path in [path for path in place.rglob("*") if path.is_file()]:
            name = path.relative_to(place).as_posix()
            web.files[name] = path.read_bytes()
            if chance.random() < 0.3:
                (web.fails if chance.random() < 0.5 else web.cut)[name] = chance.randint(1, 2)
        there = MadeCollection(f"{web.url}/{made.source.name}", made.pictures, made.others)
        return wrongs(there, place / "out", encoder)


def _accounted(made: MadeCollection, out: Path, encoder: Encoder) -> list[str]:
    """What is wrong; a job of which nothing at all can be read says so, and is not asked here."""
    return wrongs(made, out, encoder) if any(one.good for one in made.pictures.values()) else []


TRIED: Mapping[str, tuple[Kind, int]] = {
    "folders, tables and tars with odd names, copies, broken files": (collections, 80),
    "tars whose names have dots, texts apart": (tar_names, 40),
    "tables with bytes changed, cut out or put in": (faulty_tables, 100),
    "colour profiles, whole and broken": (profiles, 40),
    "networks with NaN among their weights": (no_numbers, 20),
    "folders that may not be entered": (unreadable_folders, 20),
    "long, many and odd metadata, loaded": (long_metadata, 8),
    "tables on a web server that is busy or cuts its answers": (elsewhere, 20),
}
