"""Whether bfloat16 gives the vectors of float32 here: tried on drawn scenes, the same ones each time."""

import torch

from lexel.encoders.model import Model
from lexel.pipeline.scenes import draw, scene

# The least cosine asked for on photographs. Drawn scenes are easier, by up to a factor of 25 in what is lacking to 1:
# lexel-tiny's least is 0.99997 on them and 0.9992 on 1,000 photographs. MobileNetV2, with few inputs to each unit, has
# 0.9992 and 0.9966, and stays with float32.
AGREES, _DRAWN_AGREE = 0.999, 0.9999
_SCENES = 16


def low_precision_if_equal(model: Model) -> Model:
    """`model` in bfloat16, where that is faster and the vectors agree: cosines of AGREES or more.

    It depends on the networks and the processor alone, so every part of a job and every run of it decides the same.
    """
    low = model.in_low_precision()
    if low is model:
        return model
    pixels = torch.stack([model.pixels(draw(scene(seed), size=(256, 192))) for seed in range(_SCENES)])
    cosines = (model.images(pixels).vectors * low.images(pixels).vectors).sum(axis=1)
    return low if cosines.min() >= _DRAWN_AGREE else model
