"""Where a CPU computes in bfloat16, it is because the vectors agree."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.jobs import rows, run, vectors
from support.making import photo_folder, random_encoder

from lexel.encoders.model import load_model
from lexel.encoders.runtime.precision import is_faster
from lexel.pipeline.encode import precision_check
from lexel.pipeline.encode.precision_check import AGREES, low_precision_if_equal

CPU = torch.device("cpu")


@pytest.mark.skipif(not is_faster(CPU), reason="this CPU has no instructions for bfloat16")
def test_vectors_in_bfloat16_agree_and_exact_ones_are_float32(tmp_path: Path) -> None:
    encoder, photos = random_encoder(tmp_path / "encoder"), photo_folder(tmp_path / "photos", count=6)
    run(photos, tmp_path / "rough", encoder)
    run(photos, tmp_path / "exact", encoder, exact=True)
    rough, exact = (vectors(rows(tmp_path / name)) for name in ("rough", "exact"))
    assert not np.array_equal(rough, exact)
    assert (rough * exact).sum(axis=1).min() >= AGREES


@pytest.mark.skipif(not is_faster(CPU), reason="this CPU has no instructions for bfloat16")
def test_an_encoder_whose_vectors_would_differ_stays_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(random_encoder(tmp_path), device="cpu")
    assert low_precision_if_equal(model) is not model
    monkeypatch.setattr(precision_check, "_DRAWN_AGREE", 1.01)
    assert low_precision_if_equal(model) is model
