"""Where OpenVINO is installed, a job of many pictures compiles its network once, if the vectors agree."""

import os
from pathlib import Path

import pytest
from support.jobs import rows, run, vectors
from support.making import photo_folder, random_encoder

from lexel.encoders import Encoder
from lexel.encoders.model import load_model
from lexel.encoders.runtime import packaged_weights
from lexel.pipeline.encode import compiled_network
from lexel.pipeline.encode.compiled_network import compiled_if_equal
from lexel.pipeline.encode.precision_check import AGREES

pytest.importorskip("openvino", reason="OpenVINO is not installed; pip install 'lexel[openvino]'")


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Encoder:
    """An encoder, and a cache in which nothing is compiled yet."""
    monkeypatch.setenv("LEXEL_HOME", str(tmp_path / "home"))
    return random_encoder(tmp_path / "encoder")


def test_many_pictures_are_encoded_by_a_compiled_network_with_the_same_vectors(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_network, "_WORTH", 6)
    photos = photo_folder(tmp_path / "photos", count=6)
    assert "OpenVINO" in run(photos, tmp_path / "compiled", encoder).computes
    assert run(photos, tmp_path / "exact", encoder, exact=True).computes == "torch in float32"
    compiled, exact = (vectors(rows(tmp_path / name)) for name in ("compiled", "exact"))
    assert (compiled * exact).sum(axis=1).min() >= AGREES


def test_few_pictures_use_what_is_compiled_and_wait_for_nothing_else(encoder: Encoder) -> None:
    model = load_model(encoder, device="cpu")
    assert compiled_if_equal(model, encoder, pictures=3) is model
    assert compiled_if_equal(model, encoder, pictures=10_000).compiled
    assert compiled_if_equal(model, encoder, pictures=3).compiled


def test_a_network_whose_vectors_would_differ_is_not_used_nor_tried_again(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_network, "SAME", 1.01)
    model, made = load_model(encoder, device="cpu"), list[Path]()
    export = compiled_network.export_openvino
    monkeypatch.setattr(compiled_network, "export_openvino", lambda new, own: (made.append(new), export(new, own)))
    for _ in range(2):
        assert compiled_if_equal(model, encoder, pictures=10_000) is model
    assert len(made) == 1


def test_what_a_killed_compilation_left_is_removed_and_one_at_work_is_not(encoder: Encoder) -> None:
    cache = packaged_weights.cache_folder() / "compiled"
    left, at_work = cache / ".making-left", cache / ".making-now"
    for folder in (left, at_work):
        folder.mkdir(parents=True)
    os.utime(left, (0, 0))
    assert compiled_if_equal(load_model(encoder, device="cpu"), encoder, pictures=10_000).compiled
    assert not left.exists()
    assert at_work.exists()


def test_without_openvino_torch_computes(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_network, "openvino_version", lambda: None)
    model = load_model(encoder, device="cpu")
    assert compiled_if_equal(model, encoder, pictures=10_000) is model


def test_a_cache_that_cannot_be_written_to_costs_no_job(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("No space left on device")

    monkeypatch.setattr(compiled_network, "export_openvino", full)
    model = load_model(encoder, device="cpu")
    assert compiled_if_equal(model, encoder, pictures=10_000) is model
