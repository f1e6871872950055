"""Where a CPU computes in bfloat16, it is because the vectors agree."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.jobs import rows, run, vectors
from support.making import photo_folder, random_encoder

from lexel.encoders.model import load_model
from lexel.encoders.runtime import precision
from lexel.pipeline.encode import precision_check
from lexel.pipeline.encode.precision_check import AGREES, low_precision_if_equal

CPU = torch.device("cpu")
HAS = pytest.mark.skipif(not precision._cpu_has_bfloat16(), reason="this CPU has no instructions for bfloat16")


@pytest.fixture
def _faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU whose instructions for bfloat16 pay, whatever this one is."""
    monkeypatch.setattr(precision, "_cpu_is_faster", lambda: True)


@HAS
@pytest.mark.usefixtures("_faster")
def test_vectors_in_bfloat16_agree_and_exact_ones_are_float32(tmp_path: Path) -> None:
    encoder, photos = random_encoder(tmp_path / "encoder"), photo_folder(tmp_path / "photos", count=6)
    run(photos, tmp_path / "rough", encoder)
    run(photos, tmp_path / "exact", encoder, exact=True)
    rough, exact = (vectors(rows(tmp_path / name)) for name in ("rough", "exact"))
    assert not np.array_equal(rough, exact)
    assert (rough * exact).sum(axis=1).min() >= AGREES


@HAS
@pytest.mark.usefixtures("_faster")
def test_an_encoder_whose_vectors_would_differ_stays_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(random_encoder(tmp_path), device="cpu")
    assert low_precision_if_equal(model) is not model
    monkeypatch.setattr(precision_check, "_DRAWN_AGREE", 1.01)
    assert low_precision_if_equal(model) is model


@HAS
@pytest.mark.parametrize(("rough", "faster"), [(0.4, True), (0.9, False), (2.0, False)])
def test_bfloat16_is_for_cpus_that_are_faster_by_it(
    rough: float, faster: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some have its instructions, and multiply half as fast by them."""
    monkeypatch.setattr(precision, "_best_time", {torch.float32: 1.0, torch.bfloat16: rough}.__getitem__)
    precision._cpu_is_faster.cache_clear()
    try:
        assert precision.is_faster(CPU) == faster
    finally:
        precision._cpu_is_faster.cache_clear()


def test_the_time_of_a_product_is_measured() -> None:
    assert 0 < precision._best_time(torch.float32) < 60
