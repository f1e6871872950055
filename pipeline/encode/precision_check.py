"""Checks on drawn scenes whether a model gives the same vectors in bfloat16 as in float32."""

import torch

from lexel.encoders.model import Model
from lexel.pipeline.scenes import draw, scene

# The lowest cosine accepted on photographs, and on drawn scenes, which are easier: the distance to 1 is up to 25 times
# smaller. lexel-tiny's lowest cosine is 0.99997 on scenes and 0.9992 on 1,000 photographs. MobileNetV2, with few
# inputs to each unit, has 0.9992 and 0.9966, and stays in float32.
AGREES, _DRAWN_AGREE = 0.999, 0.9999
_SCENES = 16


def low_precision_if_equal(model: Model) -> Model:
    """`model` in bfloat16 if that is faster and all cosines to the float32 vectors are at least AGREES; else `model`.

    The scenes are fixed, so that all parts and runs of a job on the same kind of processor decide the same.
    """
    low = model.in_low_precision()
    if low is model:
        return model
    pixels = torch.stack([model.pixels(draw(scene(seed), size=(256, 192))) for seed in range(_SCENES)])
    cosines = (model.images(pixels).vectors * low.images(pixels).vectors).sum(axis=1)
    return low if cosines.min() >= _DRAWN_AGREE else model
