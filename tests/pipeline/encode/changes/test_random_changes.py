"""Any sequence of changes, kills and parts ends in what a fresh encode gives."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.encoding.changing_collection import Collection, aged, assert_same_items
from support.jobs import run
from support.making import picture, random_encoder, saved

from lexel.encoders.encoder import Encoder
from lexel.pipeline.images.decode import decode

# Pictures of equal lengths too, and what is none.
_CONTENTS = [saved(picture(seed, (24, 20 + seed % 2)), "BMP") for seed in range(8)] + [b"bad", b"worse"]
_NAMES = ["a.bmp", "b.bmp", "in/a.bmp", "in/c.bmp", "in/d.bmp", "of/a.bmp"]

_name, _content = st.sampled_from(_NAMES), st.integers(0, len(_CONTENTS) - 1)
_step = st.one_of(
    st.tuples(st.just("write"), _name, _content),
    st.tuples(st.just("write"), _name, _content),
    st.tuples(st.just("move"), _name, _name),
    st.tuples(st.just("copy"), _name, _name),
    st.tuples(st.just("remove"), _name, st.just(0)),
    st.tuples(st.just("describe"), _name, st.integers(0, 2)),
    st.tuples(st.just("move folder"), st.just("in"), st.sampled_from(["of", "zz"])),
    st.tuples(st.just("lose ledger"), _name, st.just(0)),
    st.tuples(st.just("old ledger"), _name, st.just(0)),
    st.tuples(st.just("encode"), st.sampled_from(["0/1", "0/1", "0/2", "1/2"]), st.just(0)),
)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


def _do(made: Collection, kind: str, name: str, other: str | int) -> None:
    path = made.source / name
    kept = made.out.with_name("kept")
    if kind == "write" and isinstance(other, int):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(_CONTENTS[other])
    elif kind in {"move", "copy"} and path.exists() and name != other:
        (made.source / str(other)).parent.mkdir(exist_ok=True)
        (os.replace if kind == "move" else shutil.copy2)(path, made.source / str(other))
    elif kind == "remove":
        path.unlink(missing_ok=True)
    elif kind == "describe" and path.exists():
        path.with_suffix(".txt").write_text(["", "a dog", "a cat"][int(other)])
    elif kind == "move folder" and path.exists() and not (made.source / str(other)).exists():
        path.rename(made.source / str(other))
    elif kind == "lose ledger":
        for ledger in made.out.glob("ledger*"):
            ledger.unlink()
    elif kind == "old ledger" and (kept / "ledger.parquet").exists() and made.out.exists():
        for ledger in made.out.glob("ledger*"):
            ledger.unlink()
        shutil.copy(kept / "ledger.parquet", made.out)
    elif kind == "encode":
        kept.mkdir(exist_ok=True)
        if (made.out / "ledger.parquet").exists():
            shutil.copy(made.out / "ledger.parquet", kept)
        made.encode(part=name)


# Its own time: each example encodes some four times.
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(_step, min_size=4, max_size=16))
def test_any_changes_end_in_what_a_fresh_encode_gives(
    encoder: Encoder, steps: list[tuple[str, str, str | int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lexel.pipeline.encode.prepare.decode", decode)  # in this process
    with TemporaryDirectory() as folder:
        made = Collection(Path(folder) / "photos", Path(folder) / "out", encoder, options={"shard_size": 2})
        made.source.mkdir()
        for seed, name in enumerate(("first.bmp", "second.bmp")):  # so that there is always something
            (made.source / name).write_bytes(_CONTENTS[seed])
        for step in steps:
            _do(made, *step)
        made.encode()
        run(made.source, Path(folder) / "fresh", encoder, exact=True)
        assert_same_items(made.out, Path(folder) / "fresh")
        aged(made.source)
        made.encode()
        assert not made.encode().any
        assert_same_items(made.out, Path(folder) / "fresh")
