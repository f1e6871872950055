"""Whether an encoder may compute roughly here: it is tried on drawn scenes, the same ones each time."""

import torch

from lexel.encoders.model import Model
from lexel.pipeline.scenes import draw, scene

# MobileNetV2, whose layers have few inputs each, falls to 0.997; CLIP and lexel-tiny stay above 0.9995.
AGREES = 0.999
_SCENES = 16


def fastest(model: Model) -> Model:
    """`model` computing roughly, where that is faster and the vectors agree: their cosines are at least AGREES.

    It depends on the networks and the processor alone, so every part of a job and every run of it decides the same.
    """
    rough = model.roughly()
    if rough is model:
        return model
    pixels = torch.stack([model.pixels(draw(scene(seed), size=(256, 192))) for seed in range(_SCENES)])
    cosines = (model.images(pixels).vectors * rough.images(pixels).vectors).sum(axis=1)
    return rough if cosines.min() >= AGREES else model
