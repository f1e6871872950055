"""Whatever folders, tables and tars hold: items listed are documents and failures, and the rest is said."""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opensearchpy import OpenSearch
from support.collections.accounts import stored, wrongs
from support.collections.random_collection import KINDS, random_folder
from support.indices import contents
from support.making import random_encoder

from lexel.encoders.encoder import Encoder
from lexel.pipeline.load.run import load_shards


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.mark.parametrize("kind", KINDS)
@given(chance=st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_file_is_a_document_a_failure_or_said(kind: str, encoder: Encoder, chance: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = KINDS[kind](chance, Path(folder))
        good = any(one.good for one in made.pictures.values())
        if good:  # where nothing can be read the job says so and ends
            assert wrongs(made, Path(folder) / "out", encoder) == []


def test_the_index_holds_the_same(
    client: OpenSearch, index_name: Callable[[str], str], encoder: Encoder, tmp_path: Path
) -> None:
    made = random_folder(random.Random(12), tmp_path)
    assert sum(one.good for one in made.pictures.values()) > 2
    assert wrongs(made, tmp_path / "out", encoder) == []
    name = index_name("whole")
    assert load_shards(tmp_path / "out", index=name, client=client).documents == len(made.ids())
    there = contents(client, name)
    assert {id_: document["uri"] for id_, document in there.items()} == {
        id_: document["uri"] for id_, document in stored(tmp_path / "out").items()
    }


def test_what_is_lost_is_seen(encoder: Encoder, tmp_path: Path) -> None:
    made = random_folder(random.Random(12), tmp_path)
    first = next(uri for uri, one in made.pictures.items() if one.good)
    (made.source / first).unlink()
    assert wrongs(made, tmp_path / "out", encoder)
