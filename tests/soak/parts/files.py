"""Half-written and foreign files among the shards, another encoder, odd clocks and locales, Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from support.indices import contents as documents
from support.making import contents as files
from support.making import photo_folder, random_encoder
from support.synthetic import collection

from lexel.pipeline.errors import LexelError
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.shards.shard import shard_name
from soak.ground import Ground, Tried
from soak.processes import begin, end, whole

SHARD = shard_name(1)


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("id,uri\n1,2\n")


def _foreign(path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2]}), path)


def _rotten(path: Path) -> None:
    """One bit in the middle of the data turns, and the footer is whole."""
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def _another_encoder(path: Path) -> None:
    table = pq.read_table(path)
    about = {**(table.schema.metadata or {}), b"lexel.listing": b"f" * 16 + b"-digest"}
    pq.write_table(table.replace_schema_metadata(about), path)


def _another_width(path: Path) -> None:
    table = pq.read_table(path)
    narrow = pa.FixedSizeListArray.from_arrays(pa.array([0.0] * 8 * len(table), pa.float32()), 8)
    changed = table.set_column(table.schema.get_field_index("vector"), "vector", narrow)
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


HARMS: tuple[Callable[[Path], None], ...] = (
    _half, _empty, _text, _foreign, _rotten, _another_encoder, _another_width, _folder,
)  # fmt: skip

# LD_PRELOAD of libfaketime would do the same to C; what lexel itself asks is Python's clock.
CLOCK = "import time; real = time.time; time.time = lambda: real() - real() % 1 + {offset}\n"
WORLDS: Mapping[str, tuple[dict[str, str], str]] = {
    "LC_ALL=C": ({"LC_ALL": "C"}, ""),
    "LC_ALL=tr_TR.UTF-8": ({"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}, ""),
    "ASCII output": ({"PYTHONIOENCODING": "ascii"}, ""),
    "Latin-1 output": ({"PYTHONIOENCODING": "latin-1"}, ""),
    "TZ=Pacific/Kiritimati": ({"TZ": "Pacific/Kiritimati"}, ""),
    "TZ that is none": ({"TZ": "Nowhere/At_All"}, ""),
    "the year 1970": ({}, CLOCK.format(offset="(5 - real())")),
    "the year 2100": ({}, CLOCK.format(offset="4102444800 - real()")),
    "a clock that runs backwards": ({}, "import time; t = iter(range(10**9, 0, -1)); time.time = lambda: next(t)\n"),
    "no HOME": ({"HOME": "/nonexistent"}, ""),
}


def soak(ground: Ground) -> Iterator[Tried]:
    lost = [harm.__name__ for harm in HARMS if not refused(ground, harm)]
    yield Tried("shards that are half, foreign, rotten, another's", len(HARMS), len(lost), ", ".join(lost))
    source, encoder, wanted = reference(ground)
    lost = [name for name in WORLDS if odd(ground, source, encoder, wanted, name)]
    yield Tried("odd locales, time zones and clocks", len(WORLDS), len(lost), ", ".join(lost))
    times = ground.times(4)
    wrong = sum(bool(stopped(ground, i)) for i in range(times))
    yield Tried("Ctrl-C in encode and load: one line, exit 130, goes on", 2 * times, wrong)


def refused(ground: Ground, harm: Callable[[Path], None]) -> bool:
    """Whether a load says in one sentence that a shard is broken, and leaves the index as it was."""
    index = f"files-{harm.__name__.strip('_').replace('_', '-')}"
    items = collection(ground.place("files") / "shards", count=300)
    load_shards(collection(ground.place("files") / "before", count=20).folder, index=index, client=ground.client)
    harm(items.folder / SHARD)
    try:
        load_shards(items.folder, index=index, client=ground.client)
    except LexelError as error:
        said = str(error)
        return SHARD in said and "\n" not in said and "encode" in said and len(documents(ground.client, index)) == 20
    return False


def reference(ground: Ground) -> tuple[Path, Path, dict[str, bytes]]:
    """Pictures with names in many letters, an encoder, and what it makes of them."""
    place = ground.place("worlds")
    source, encoder = photo_folder(place / "photos", count=6), random_encoder(place / "encoder")
    for i, name in enumerate(("Iğdır.jpg", "straße.jpg", "写真.jpg", "İI.jpg")):
        (source / f"{i:03d}.jpg").rename(source / name)
    said = run(ground, source, encoder.folder, place / "out", {}, "")
    assert said.returncode == 0, said.stderr
    return source, encoder.folder, files(place / "out")


def run(
    ground: Ground, source: Path, encoder: Path, out: Path, environment: Mapping[str, str], first: str
) -> "subprocess.CompletedProcess[bytes]":
    """`lexel encode` in an environment of its own, after some code."""
    words = ["encode", str(source), str(out), "--encoder", str(encoder), "--device", "cpu", "--workers", "2"]
    code = first + "import torch; torch.set_num_threads(1)\nfrom lexel.pipeline.cli.main import main; main()"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, env=kept | dict(environment), capture_output=True, check=False)


def odd(ground: Ground, source: Path, encoder: Path, wanted: dict[str, bytes], name: str) -> str:
    """What goes wrong in an odd world, in words; the same bytes should come of it."""
    environment, first = WORLDS[name]
    out = ground.place("odd") / "out"
    answer = run(ground, source, encoder, out, environment, first)
    if answer.returncode != 0:
        return answer.stderr.decode(errors="replace")[-300:]
    return "" if files(out) == wanted else "other bytes"


def stopped(ground: Ground, number: int) -> str:
    """Ctrl-C in the middle of an encode and of a load, and the same commands again; what went wrong, in words."""
    chance, place = ground.dice(f"stopped-{number}"), ground.place("stopped")
    source, encoder = photo_folder(place / "photos", count=80, size=(500, 400)), random_encoder(place / "encoder")
    options = ["--encoder", str(encoder.folder), "--shard-size", "4", "--batch-size", "3", "--device", "cpu"]
    encode = ["encode", str(source), str(place / "out"), *options, "--workers", "2"]
    whole(begin([*encode[:2], str(place / "wanted"), *encode[3:]], place / "said"), place / "said")
    items = collection(place / "shards", count=3000, seed=number)
    loading = ["load", str(items.folder), "--index", f"stopped-{ground.seed}-{number}"]
    for words in (encode, loading):
        said = place / f"said-{words[0]}"
        process = begin(words, said, ground.node.url)
        while not said.exists():  # until then the process is not the command yet, and hears nothing
            time.sleep(0.01)
        if end(process, chance.uniform(0.3, 1.5), signal.SIGINT):
            text = " ".join(said.read_text().split())
            # In its first moment it says nothing, because nothing is begun.
            if process.exitcode != 130 or (text and "same command to resume" not in text) or "Traceback" in text:
                return f"exit code {process.exitcode}: {text[-300:]}"
        whole(begin(words, said, ground.node.url), said)
    if files(place / "out") != files(place / "wanted"):
        return "other shards"
    return "" if set(documents(ground.client, loading[-1])) == set(items.ids) else "other documents"
