"""An encoder compiled for CPUs: the same vectors, or nearly the same in 8 bits, in an encoder like any other."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from support import small_checkpoints
from support.jobs import rows, run, vectors
from support.making import photo_folder, picture, random_encoder

from lexel.encoders import Encoder, EncoderError, open_encoder, openvino_export
from lexel.encoders.model import copy_encoder, load_model
from lexel.encoders.runtime import openvino_network
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.precision_check import AGREES
from lexel.pipeline.encode.run import encode_source
from lexel.pipeline.errors import ConfigError, SourceError
from lexel.pipeline.scenes import write
from lexel.pipeline.sources.source import Source, open_source
from lexel.pipeline.train.compile import compile_encoder
from lexel.pipeline.train.starting_encoder import open_starting_encoder
from lexel.pipeline.train.training_options import TrainOptions

pytest.importorskip("openvino", reason="OpenVINO is not installed; pip install 'lexel[openvino]'")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """lexel-tiny, compiled."""
    return compile_encoder(open_encoder(), tmp_path_factory.mktemp("compiled") / "tiny").encoder


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Pictures to compare on where the usual drawn scenes would only take longer."""
    return open_source(photo_folder(tmp_path_factory.mktemp("few"), count=4))


def test_a_compiled_encoder_says_the_same(tiny: Encoder) -> None:
    before, after = load_model(open_encoder(), device="cpu"), load_model(tiny, device="cpu")
    pixels = torch.stack([before.pixels(picture(seed, (200, 150))) for seed in range(5)])
    for batch in (pixels, pixels[:1]):  # whatever their number
        expected, found = before.images(batch), after.images(batch)
        assert (expected.vectors * found.vectors).sum(axis=1).min() > 0.9999
        assert expected.features is not None
        assert found.features is not None
        assert np.allclose(found.features, expected.features, atol=5e-3)
        for one, other in zip(expected.terms, found.terms, strict=True):
            assert len(one.keys() & other.keys()) >= 0.9 * len(one)
    assert after.queries(["two dogs"]) == before.queries(["two dogs"])


def test_the_first_inference_is_one_threads_alone(tiny: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenVINO's binding waits for itself forever where two threads make the first at once."""
    import openvino

    net, infer = openvino_network.OpenVinoNetwork(tiny.folder), openvino.InferRequest.infer
    lock, begun, most = threading.Lock(), list[int](), list[int]()

    def slow(request: object, *given: object, **more: object) -> object:
        with lock:
            begun.append(1)
            before = len(begun)
        if before == 1:
            time.sleep(0.3)
            most.append(len(begun))
        return infer(request, *given, **more)

    monkeypatch.setattr(openvino.InferRequest, "infer", slow)
    pixels = load_model(open_encoder(), device="cpu").pixels(picture(1, (64, 64)))[None]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(net, [pixels] * 4))
    assert most == [1]
    assert all(torch.equal(one, found[0]) for one in found)


def test_it_is_an_encoder_of_its_own_with_the_same_features(tiny: Encoder) -> None:
    assert tiny.compiled == "float32"
    assert tiny.fingerprint != open_encoder().fingerprint
    assert tiny.features_id == open_encoder().features_id
    assert tiny.vector_weight("text") == open_encoder().vector_weight("text")


def test_a_job_gives_the_same_shards_whoever_computes_them(tiny: Encoder, tmp_path: Path) -> None:
    photos = photo_folder(tmp_path / "photos", count=70, size=(120, 90))
    for name, workers in (("one", 1), ("three", 3)):
        encode_source(
            open_source(photos), tmp_path / name, encoder=tiny, options=EncodeOptions(workers=workers, shard_size=35)
        )
    one, three = (vectors(rows(tmp_path / name)) for name in ("one", "three"))
    assert np.array_equal(one, three)
    run(photos, tmp_path / "torch", open_encoder(), exact=True)
    assert (one * vectors(rows(tmp_path / "torch"))).sum(axis=1).min() >= AGREES


def test_eight_bits_are_near_and_their_features_are_others(tmp_path: Path) -> None:
    write(tmp_path / "scenes", count=40)
    source = open_source(tmp_path / "scenes" / "scenes.jsonl")
    found = compile_encoder(open_encoder(), tmp_path / "int8", source=source, int8=True)
    assert found.pictures == 40
    assert 0.9 < found.least <= found.mean < 0.99999
    assert found.encoder.compiled == "int8"
    assert found.encoder.features_id != open_encoder().features_id


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_a_checkpoint_of_transformers(kind: str, few: Source, tmp_path: Path) -> None:
    checkpoint = open_encoder(str(small_checkpoints.save(kind, tmp_path / kind)))
    found = compile_encoder(checkpoint, tmp_path / "compiled", source=few)
    assert found.least >= AGREES
    assert (
        load_model(found.encoder, device="cpu").texts(["a dog"]).vectors.shape[1]
        == load_model(checkpoint, device="cpu").dim
    )


# None of them is a size that compile_encoder itself compares.
SIZES = [(96, 96), (700, 300), (300, 700), (1000, 120), (40, 400), (1500, 1000)]


@pytest.fixture(scope="module")
def any_shape(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """A checkpoint that keeps a picture's shape, and reads it among the pixels."""
    return open_encoder(str(small_checkpoints.save("siglip2", tmp_path_factory.mktemp("siglip2"))))


def test_a_network_that_sees_shapes_is_right_for_each_or_refused(
    any_shape: Encoder, few: Source, tmp_path: Path
) -> None:
    # Recent versions of `transformers` resize position embeddings by traceable arithmetic, older ones in a loop.
    try:
        compiled = compile_encoder(any_shape, tmp_path / "compiled", source=few).encoder
    except (EncoderError, ConfigError):
        assert not (tmp_path / "compiled").exists()
        return
    before, after = load_model(any_shape, device="cpu"), load_model(compiled, device="cpu")
    pixels = torch.stack([before.pixels(picture(seed, size)) for seed, size in enumerate(SIZES)])
    for batch in (pixels, pixels[3:4], pixels[1:5]):
        assert (before.images(batch).vectors * after.images(batch).vectors).sum(axis=1).min() > 0.99999


@pytest.mark.parametrize("int8", [False, True])
def test_a_network_that_is_right_for_one_shape_alone_is_refused(
    any_shape: Encoder, int8: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Stands for a trace that holds for one shape only: every picture is taken for one of 640 x 480.
    usual = load_model(any_shape, device="cpu").pixels(picture(0, (640, 480)))[0, :1, -2:]
    forward = openvino_export._Features.forward

    def frozen(self: openvino_export._Features, pixels: torch.Tensor) -> torch.Tensor:
        return forward(self, torch.cat([pixels[..., :-2], usual.expand(*pixels.shape[:-1], 2)], dim=-1))

    monkeypatch.setattr(openvino_export._Features, "forward", frozen)
    photos = open_source(photo_folder(tmp_path / "photos", count=2, size=(640, 480)))
    with pytest.raises(ConfigError, match=r"vectors are others \(cosine .* for a picture of 480 x 640 pixels\)"):
        compile_encoder(any_shape, tmp_path / "compiled", source=photos, int8=int8)
    assert not (tmp_path / "compiled").exists()


def test_a_network_for_one_number_of_pictures_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = openvino_export._Features.forward

    def two(self: openvino_export._Features, pixels: torch.Tensor) -> torch.Tensor:
        return torch.cat([forward(self, pixels[i : i + 1]) for i in range(2)])

    monkeypatch.setattr(openvino_export._Features, "forward", two)
    with pytest.raises(ConfigError, match=r"The compiled network .*; keep "):
        compile_encoder(random_encoder(tmp_path / "encoder"), tmp_path / "compiled")
    assert not (tmp_path / "compiled").exists()


def test_what_cannot_be_done_is_one_sentence(tiny: Encoder, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is compiled already; compile the encoder that it was made of"):
        compile_encoder(tiny, tmp_path / "twice")
    with pytest.raises(ConfigError, match=r"add --pictures"):
        compile_encoder(open_encoder(), tmp_path / "int8", int8=True)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.jpg").write_bytes(b"bad")
    with pytest.raises(SourceError, match=r"None of the pictures in .* can be read"):
        compile_encoder(open_encoder(), tmp_path / "int8", source=open_source(tmp_path / "bad"), int8=True)
    with pytest.raises(ConfigError, match=r"is compiled; train the encoder that it was made of"):
        open_starting_encoder(str(tiny.folder), folder=tmp_path, captions=[], options=TrainOptions())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(ConfigError, match=r"is there already and holds no encoder"):
        compile_encoder(open_encoder(), tmp_path / "mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "mine"]


def test_a_network_whose_vectors_differ_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lexel.pipeline.train.compile.SAME", 1.01)
    with pytest.raises(ConfigError, match=r"The compiled network's vectors are others"):
        compile_encoder(random_encoder(tmp_path / "encoder"), tmp_path / "compiled")
    assert not (tmp_path / "compiled").exists()


def test_a_broken_network_is_one_sentence(tiny: Encoder, tmp_path: Path) -> None:
    broken = copy_encoder(tiny, tmp_path / "broken")
    (broken.folder / openvino_network.FILE).write_text("<net/>")
    with pytest.raises(EncoderError, match=r"image\.xml cannot be read"):
        load_model(broken, device="cpu")


def test_without_openvino_it_says_what_to_install(tiny: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(EncoderError, match=r"pip install 'lexel\[openvino\]'"):
        load_model(tiny, device="cpu")


def test_openvino_counts_nothing_for_its_makers(tmp_path: Path) -> None:
    # It counts by this package, which stands here for the real one and writes down that it was asked.
    (tmp_path / "openvino_telemetry.py").write_text(f"open({str(tmp_path / 'asked')!r}, 'w').close()")
    write(tmp_path / "scenes", count=4)
    command = ["compile", "lexel-tiny", str(tmp_path / "int8"), "--int8", "--pictures", str(tmp_path / "scenes")]
    answer = subprocess.run(
        [sys.executable, "-c", "from lexel.pipeline.cli.main import main; main()", *command],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert answer.returncode == 0, answer.stderr
    assert "ms of a core a picture" in answer.stdout
    assert len(answer.stdout.splitlines()) == 1
    assert not (tmp_path / "asked").exists()
