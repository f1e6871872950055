"""An encoder compiled for CPUs: made, tried beside the one that it was made of, and kept as an encoder of its own."""

import hashlib
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lexel.encoders import Encoder, EncoderError
from lexel.encoders.encoder import read_encoder
from lexel.encoders.model import Model, copy_encoder, load_model
from lexel.encoders.openvino_export import export_openvino, quantize_openvino
from lexel.encoders.runtime.device import available_cores
from lexel.pipeline.atomic import replacing_folder
from lexel.pipeline.encode.compiled_network import SAME, SHAPES, difference
from lexel.pipeline.encode.precision_check import low_precision_if_equal
from lexel.pipeline.encode.prepare import PreparedItem, prepare
from lexel.pipeline.encode.workers import threads
from lexel.pipeline.errors import ConfigError, SourceError
from lexel.pipeline.iterators import batched
from lexel.pipeline.progress import QUIET, Progress
from lexel.pipeline.scenes import draw, scene
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.source import Source
from lexel.pipeline.train import output_folder

# NNCF's own advice is 300 pictures to find the ranges by; those that the two encoders are compared on are others.
SHOWN, _COMPARED = 300, 96
_BATCH = 16


@dataclass(frozen=True)
class CompiledComparison:
    """A compiled encoder beside the one that it was made of, on `pictures` pictures.

    The least and the mean cosine of their vectors, and the milliseconds of one core that each takes for a picture.
    """

    encoder: Encoder
    pictures: int
    least: float
    mean: float
    before: float
    after: float


def compile_encoder(
    encoder: Encoder, out: Path, *, source: Source | None = None, int8: bool = False, progress: Progress = QUIET
) -> CompiledComparison:
    """Write `encoder`, its picture side compiled by OpenVINO, to the new folder `out`.

    With `int8` in 8 bits, the ranges of its numbers found by pictures of `source`. The two are compared on other
    pictures of it, or on drawn scenes. Raises ConfigError where int8 has no source, or where vectors in float32 do
    not agree for every shape of picture; SourceError where no picture can be read; EncoderError without OpenVINO.
    """
    if encoder.compiled:
        raise ConfigError(f"{encoder.ref} is compiled already; compile the encoder that it was made of.")
    if int8 and source is None:
        raise ConfigError("Eight bits need pictures like yours to find the ranges of numbers by: add --pictures.")
    output_folder.check(out)
    with replacing_folder(out) as new:
        model = load_model(copy_encoder(encoder, new, device="cpu"), device="cpu")
        export_openvino(new, model)
        _write_down(new, encoder, "float32")
        after = load_model(read_encoder(new), device="cpu")
        _check_every_shape(model, after, encoder.ref)
        shown, compared = _pictures(model, source, SHOWN if int8 else 0, progress)
        if int8:
            quantize_openvino(new, model, shown)
            _write_down(new, encoder, "int8")
            after = load_model(read_encoder(new), device="cpu")
        found = _compared(model, after, compared)
        if not int8 and not found["least"] >= SAME:
            raise _differs(f"cosine {found['least']:.4f}", encoder.ref)
    return CompiledComparison(read_encoder(out), len(compared), **found)


def _check_every_shape(before: Model, after: Model, ref: str) -> None:
    """Raise ConfigError unless both models give the same vectors for images of every shape."""
    try:
        how = difference(before, after)
    except EncoderError as error:
        raise ConfigError(f"{error}; keep {ref}.") from error
    if how:
        raise _differs(how, ref)


def _differs(how: str, ref: str) -> ConfigError:
    return ConfigError(f"The compiled network's vectors are others ({how}); keep {ref}.")


def _write_down(place: Path, encoder: Encoder, precision: str) -> None:
    config = json.loads((place / "lexel.json").read_text(encoding="utf-8"))
    # Features in 8 bits are others: words learned of the one kind do not fit the other.
    own = hashlib.blake2b((place / "image.bin").read_bytes(), digest_size=8).hexdigest()
    config |= {"compiled": precision, "features": encoder.features_id if precision == "float32" else own}
    (place / "lexel.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def _pictures(
    model: Model, source: Source | None, count: int, progress: Progress
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Pixels of `count` pictures to find ranges by, and of others to compare on; of few, the same ones."""
    if source is None:
        return [], [model.pixels(draw(scene(seed), size=SHAPES[0])) for seed in range(_COMPARED)]
    chosen = _sample(source.items(), count + _COMPARED)
    progress.plan(total=len(chosen), done=0)
    found: list[torch.Tensor] = []
    with threads(available_cores()) as pool:
        for outcome in pool.map(lambda item: prepare(model, item, least=model.min_input_side), chosen):
            good = isinstance(outcome, PreparedItem) and outcome.pixels is not None
            progress.advance(encoded=int(good), failed=int(not good))
            if isinstance(outcome, PreparedItem) and outcome.pixels is not None:
                found.append(outcome.pixels)
    if not found:
        raise SourceError(f"None of the pictures in {source.place} can be read.")
    return found[:count], found[count:] or found[:_COMPARED]


def _sample(items: Iterator[Item], count: int) -> list[Item]:
    """So many items of a list of any length, all as likely, the same ones each time."""
    dice, found = random.Random(0), list[Item]()
    for number, item in enumerate(items):
        if number < count:
            found.append(item)
        elif (place := dice.randrange(number + 1)) < count:
            found[place] = item
    dice.shuffle(found)
    return found


def _compared(before: Model, after: Model, pictures: list[torch.Tensor]) -> dict[str, float]:
    exact = _encoded(before, pictures)
    cosines = (exact * _encoded(after, pictures)).sum(axis=1)
    models = {"before": low_precision_if_equal(before), "after": low_precision_if_equal(after)}
    # In turns, so that what else the machine does meets both.
    rounds = [{name: _core_seconds(model, pictures) for name, model in models.items()} for _ in range(3)]
    each = {name: 1e3 * min(one[name] for one in rounds) for name in models}
    return {"least": float(cosines.min()), "mean": float(cosines.mean())} | each


def _encoded(model: Model, pictures: list[torch.Tensor]) -> "np.typing.NDArray[np.float32]":
    return np.concatenate([model.images(torch.stack(some)).vectors for some in batched(pictures, _BATCH)])


def _core_seconds(model: Model, pictures: list[torch.Tensor]) -> float:
    """What a picture's forward pass takes of one core."""
    batch = torch.stack(pictures[:_BATCH])

    def work() -> float:
        with torch.inference_mode():
            model.features(batch)
            began = time.perf_counter()
            model.features(batch)
        return (time.perf_counter() - began) / len(batch)

    with threads(1) as pool:
        return pool.submit(work).result()
