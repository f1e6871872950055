"""The picture side of a model in OpenVINO, where that is installed: made once, compared, and kept for the next job."""

import shutil
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from lexel.encoders.encoder import Encoder
from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.model import Model
from lexel.encoders.openvino_export import export_openvino
from lexel.encoders.runtime.hf_checkpoints import first_line
from lexel.encoders.runtime.openvino_network import FILE, OpenVinoNetwork, openvino_version
from lexel.encoders.runtime.packaged_weights import cache_folder
from lexel.pipeline.scenes import draw, scene

# The lowest cosine accepted in float32, where rounding takes less than 0.000001 off. A network traced for one image
# shape can still reach 0.9998 on others.
SAME = 0.99999
# A trace may hold only for the image shape, image size or batch size it was made with, so the comparison varies all
# three: batches of three and of one.
SHAPES = ((640, 480), (480, 640), (900, 150), (150, 900), (256, 256), (64, 48), (1600, 1200))
# Making it takes as long as it saves on so many pictures.
_WORTH = 500
# The folders that networks are made in. None is at work for so many seconds.
_MAKING, _LONG = ".making-", 86_400
# Beside networks that are not as their encoder's.
_DIFFERS = "differs"


def compiled_if_equal(model: Model, encoder: Encoder, *, pictures: int) -> Model:
    """`model` with its picture side compiled, if OpenVINO is installed and the vectors agree; else `model` itself.

    For few pictures only where it has been compiled before.
    """
    version = openvino_version()
    if version is None or model.device.type != "cpu" or model.compiled:
        return model
    place = cache_folder() / "compiled" / f"{encoder.features_id}-{version}"
    try:
        if not place.exists():
            if pictures < _WORTH:
                return model
            _make(model, place)
        return model if (place / _DIFFERS).exists() else model.with_network(OpenVinoNetwork(place))
    # Such a network cannot be converted, or the cache cannot be written to: OpenVINO says so by a RuntimeError.
    except (EncoderError, OSError, RuntimeError):
        return model


def _make(model: Model, place: Path) -> None:
    """Write the compiled network to `place`, or that it is another."""
    place.parent.mkdir(parents=True, exist_ok=True)
    for left in place.parent.glob(f"{_MAKING}*"):  # of a process that was killed
        with suppress(OSError):  # another one has removed it
            if time.time() - left.stat().st_mtime > _LONG:
                shutil.rmtree(left, ignore_errors=True)
    # Each in a folder of its own, since several processes may begin at once.
    with TemporaryDirectory(prefix=_MAKING, dir=place.parent, ignore_cleanup_errors=True) as temporary:
        new = Path(temporary) / place.name
        new.mkdir()
        try:
            exact = model.in_float32()
            export_openvino(new, exact)
            why = difference(exact, exact.with_network(OpenVinoNetwork(new)))
        except EncoderError as error:
            why = str(error)
        if why:
            (new / _DIFFERS).write_text(why, encoding="utf-8")
            for path in (new / FILE, (new / FILE).with_suffix(".bin")):
                path.unlink(missing_ok=True)
        with suppress(OSError):  # another process was first
            new.rename(place)


def difference(before: Model, after: Model) -> str | None:
    """How the vectors of two models differ on images of every shape, in words; None if they do not.

    Both compute in float32, so that the outcome does not depend on the processor. Raises EncoderError where one fails.
    """
    pixels = [before.pixels(draw(scene(seed), size=size)) for seed, size in enumerate(SHAPES)]
    for first in range(0, len(pixels), 3):
        batch, sizes = torch.stack(pixels[first : first + 3]), SHAPES[first : first + 3]
        exact = before.images(batch).vectors
        try:
            cosines = (exact * after.images(batch).vectors).sum(axis=1)
        except (RuntimeError, ValueError) as error:
            raise EncoderError(f"The compiled network fails ({first_line(error)})") from error
        for (width, height), cosine in zip(sizes, cosines, strict=True):
            if not cosine >= SAME:  # also refuses NaN
                return f"cosine {cosine:.4f} for a picture of {width} x {height} pixels"
    return None
