"""New words for old shards: what comes out is, to the byte, what encoding afresh with the new encoder writes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import small_checkpoints
from support.commands import lexel
from support.jobs import failures, marks, rows, run, uris, vectors
from support.making import FORMS, TERMS, contents, photo_folder, random_encoder

from lexel.encoders import open_encoder
from lexel.encoders.encoder import Encoder
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.model import Model, load_model
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.encode import reterm as reterming
from lexel.pipeline.encode.reterm import default_output
from lexel.pipeline.encode.run import EncodeReport
from lexel.pipeline.errors import ShardError
from lexel.pipeline.scenes import write
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.shards.job import read_job
from lexel.pipeline.shards.shard import write_shard


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def new(old: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """The images of `old`; another vocabulary, head, projection and budget."""
    words = ("bird", *TERMS[:5])
    known = Vocabulary(words, {f: t for f, t in FORMS.items() if t in words} | {"bird": "bird"}, (0.2,) * 6)
    model = load_model(old, device="cpu")
    torch.manual_seed(7)
    head = LexiconHead(features=24, terms=len(words))
    torch.nn.init.normal_(head.logits.weight, std=2.0)
    tower: Any = model.tower
    torch.nn.init.normal_(tower.image_projection.weight)
    return Model(tower, head, known, keep=4, device="cpu").save(
        tmp_path_factory.mktemp("new"), name="new words / of old"
    )


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("stranger"), seed=1)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """10 pictures, three shards of four."""
    return photo_folder(tmp_path / "photos", count=10)


def reterm(folder: Path, out: Path, encoder: Encoder, **options: Any) -> EncodeReport:
    return reterming.reterm_shards(folder, out, encoder=encoder, batch_size=3, device="cpu", **options)


def test_the_result_is_that_of_encoding_afresh(photos: Path, tmp_path: Path, old: Encoder, new: Encoder) -> None:
    assert old.features_id == new.features_id
    run(photos, tmp_path / "old", old)
    before = contents(tmp_path / "old")
    assert reterm(tmp_path / "old", tmp_path / "out", new) == EncodeReport(items=10, encoded=10, failed=0, new=10)
    run(photos, tmp_path / "fresh", new)
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")
    assert contents(tmp_path / "old") == before
    assert {term for row in rows(tmp_path / "out") for term, _ in row["terms"]} <= set(new.vocabulary.terms)
    assert not np.allclose(vectors(rows(tmp_path / "old")), vectors(rows(tmp_path / "out")), atol=0.1)


def test_either_command_goes_on_with_it(photos: Path, tmp_path: Path, old: Encoder, new: Encoder) -> None:
    run(photos, tmp_path / "old", old)
    reterm(tmp_path / "old", tmp_path / "out", new)
    before = marks(tmp_path / "out")
    assert run(photos, tmp_path / "out", new).new == 0
    assert reterm(tmp_path / "old", tmp_path / "out", new) == EncodeReport(items=10, encoded=10, failed=0, new=0)
    assert marks(tmp_path / "out") == before


def test_what_a_killed_run_left_is_gone_on_with(photos: Path, tmp_path: Path, old: Encoder, new: Encoder) -> None:
    run(photos, tmp_path / "old", old)
    reterm(tmp_path / "old", tmp_path / "out", new)
    wanted, before = contents(tmp_path / "out"), marks(tmp_path / "out")
    (tmp_path / "out" / "shard-00001.parquet").unlink()
    (tmp_path / "out" / ".shard-00001.parquet.0123abcd.tmp").write_bytes(b"half")
    path = tmp_path / "out" / "shard-00002.parquet"
    path.write_bytes(path.read_bytes()[:-10])
    assert reterm(tmp_path / "old", tmp_path / "out", new).new == 6
    assert contents(tmp_path / "out") == wanted
    assert marks(tmp_path / "out")[0] == before[0]


def test_shards_that_came_later_follow(photos: Path, tmp_path: Path, old: Encoder, new: Encoder) -> None:
    run(photos, tmp_path / "old", old, part="2/2")
    first = len(uris(tmp_path / "old"))
    assert reterm(tmp_path / "old", tmp_path / "out", new).items == first
    run(photos, tmp_path / "old", old, part="1/2")
    again = reterm(tmp_path / "old", tmp_path / "out", new)
    assert again == EncodeReport(items=10, encoded=10, failed=0, new=10 - first)
    assert uris(tmp_path / "out") == uris(tmp_path / "old")


def test_failures_are_carried_over(photos: Path, tmp_path: Path, old: Encoder, new: Encoder) -> None:
    (photos / "002.jpg").write_bytes(b"bad")
    (photos / "009.jpg").write_bytes(b"")
    run(photos, tmp_path / "old", old)
    assert reterm(tmp_path / "old", tmp_path / "out", new) == EncodeReport(items=10, encoded=8, failed=2, new=8)
    run(photos, tmp_path / "fresh", new)
    assert failures(tmp_path / "out") == failures(tmp_path / "fresh") == failures(tmp_path / "old")
    found, wanted = rows(tmp_path / "out"), rows(tmp_path / "fresh")
    assert [row["id"] for row in found] == [row["id"] for row in wanted]
    # Not to the last bit: what failed leaves batches of another length.
    assert np.allclose(vectors(found), vectors(wanted), atol=1e-6)
    for mine, other in zip(found, wanted, strict=True):
        assert dict(mine["terms"]) == pytest.approx(dict(other["terms"]), rel=2**-8)
    assert run(photos, tmp_path / "out", new).new == 0


def test_texts_are_encoded_from_their_words_by_any_encoder(tmp_path: Path, old: Encoder, stranger: Encoder) -> None:
    (tmp_path / "texts.txt").write_text("two dogs in the snow\na cat\na red boat\nthe man\nnothing\n")
    run(tmp_path / "texts.txt", tmp_path / "old", old)
    assert reterm(tmp_path / "old", tmp_path / "out", stranger).encoded == 5
    run(tmp_path / "texts.txt", tmp_path / "fresh", stranger)
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_heads_that_read_the_vector_read_it_from_the_shards(photos: Path, tmp_path: Path) -> None:
    """A bare dual encoder keeps no features but its vectors; a folder of its own gives it another vocabulary."""
    plain = open_encoder(str(small_checkpoints.save("clip", tmp_path / "clip")))
    run(photos, tmp_path / "old", plain)
    assert read_job(tmp_path / "old").feature_dim is None
    known = Vocabulary(("dog", "snow"), {"dog": "dog", "snow": "snow"}, (0.2, 0.1))
    few = replace(plain, vocabulary=known, config={**plain.config, "name": "few"})
    assert (few.features_id, few.fingerprint == plain.fingerprint) == (plain.features_id, False)
    reterm(tmp_path / "old", tmp_path / "out", few)
    run(photos, tmp_path / "fresh", few)
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_the_shipped_encoder_makes_the_same_of_drawn_scenes_again(tmp_path: Path) -> None:
    tiny = open_encoder()
    model = load_model(tiny, device="cpu")
    trained: Any = model.head
    other = LexiconHead(features=trained.logits.in_features, terms=trained.terms)
    other.load_state_dict({name: 0.9 * value for name, value in trained.state_dict().items()})
    weaker = Model(model.tower, other, tiny.vocabulary, keep=20, device="cpu").save(tmp_path / "weaker", name="weaker")
    write(tmp_path / "drawn", count=6)
    run(tmp_path / "drawn/scenes.jsonl", tmp_path / "old", tiny)
    reterm(tmp_path / "old", tmp_path / "out", weaker)
    run(tmp_path / "drawn/scenes.jsonl", tmp_path / "fresh", weaker)
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")
    assert max(len(row["terms"]) for row in rows(tmp_path / "out")) == 20


def test_features_of_another_encoder_are_refused(photos: Path, tmp_path: Path, old: Encoder, stranger: Encoder) -> None:
    run(photos, tmp_path / "old", old)
    with pytest.raises(ShardError, match=r"random-1 cannot use the features in .*, which were made by random-0"):
        reterm(tmp_path / "old", tmp_path / "out", stranger)
    assert not (tmp_path / "out").exists()


def test_shards_from_before_features_had_a_name_are_for_their_own_encoder(
    photos: Path, tmp_path: Path, old: Encoder, new: Encoder
) -> None:
    run(photos, tmp_path / "old", old)
    about = json.loads((tmp_path / "old/job.json").read_text())
    del about["features_id"]
    (tmp_path / "old/job.json").write_text(json.dumps(about))
    with pytest.raises(ShardError, match="cannot use the features"):
        reterm(tmp_path / "old", tmp_path / "out", new)
    reterm(tmp_path / "old", tmp_path / "out", old)
    assert rows(tmp_path / "out") == rows(tmp_path / "old")


def test_a_folder_that_cannot_be_taken_is_one_sentence(
    photos: Path, tmp_path: Path, old: Encoder, new: Encoder, stranger: Encoder
) -> None:
    with pytest.raises(ShardError, match="holds no shards"):
        reterm(tmp_path, tmp_path / "out", new)
    run(photos, tmp_path / "old", old)
    with pytest.raises(ShardError, match="would be overwritten"):
        reterm(tmp_path / "old", tmp_path / "photos/../old", new)
    run(photos, tmp_path / "theirs", stranger)
    with pytest.raises(ShardError, match="holds shards of the encoder random-1"):
        reterm(tmp_path / "old", tmp_path / "theirs", new)
    shard = finished_shards(tmp_path / "old")[1]
    write_shard(tmp_path / "old", 1, shard.table(), listing="another", failures=[])
    with pytest.raises(ShardError, match="does not belong here"):
        reterm(tmp_path / "old", tmp_path / "out", new)
    for one in finished_shards(tmp_path / "old"):
        one.path.unlink()
    with pytest.raises(ShardError, match="no finished shards yet"):
        reterm(tmp_path / "old", tmp_path / "out", new)


def test_the_command_writes_beside_the_shards(photos: Path, tmp_path: Path, old: Encoder, new: Encoder) -> None:
    (photos / "002.jpg").write_bytes(b"bad")
    run(photos, tmp_path / "old", old)
    assert default_output(tmp_path / "old", new) == tmp_path / "old-new-words-of-old"
    answer = lexel("reterm", str(tmp_path / "old"), "--encoder", str(new.folder), "--device", "cpu")
    assert answer.returncode == 0, answer.stderr
    assert "9 items have the words of new words / of old" in answer.stdout
    assert "1 had failed" in answer.stdout
    assert uris(tmp_path / "old-new-words-of-old") == uris(tmp_path / "old")
    again = lexel("reterm", str(tmp_path / "old"), "--encoder", str(new.folder), "--device", "cpu")
    assert "(10 by earlier runs)" in again.stdout
