"""Image captioning with BLIP or another image-to-text checkpoint of `transformers`.

Li et al., "BLIP: Bootstrapping Language-Image Pre-training" (ICML 2022). One caption per image is found by beam search.
Several are drawn by nucleus sampling, which the paper finds better for training: noisier, but more diverse.
"""

import os
import random
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.image.hf_processor import ImageProcessor
from lexel.encoders.image.preprocess import Picture
from lexel.encoders.runtime.device import resolve_device
from lexel.encoders.runtime.hf_checkpoints import BROKEN, first_line, locate, quiet, tokenizer

DEFAULT = "Salesforce/blip-image-captioning-base"
# The settings of the authors' code: three beams, or nucleus sampling with p = 0.9 and a small repetition penalty.
# top_k = 0 turns off the library's default of sampling from the 50 likeliest tokens only.
_BEST = {"do_sample": False, "num_beams": 3}
_DRAWN = {"do_sample": True, "num_beams": 1, "top_p": 0.9, "top_k": 0, "repetition_penalty": 1.1}
_LONGEST = 30  # tokens per caption


class Captioner:
    """A captioning checkpoint of `transformers` (a folder or a hub name) that needs no text prompt.

    Raises EncoderError if the checkpoint cannot be loaded or does not caption images.
    """

    def __init__(self, checkpoint: str | Path = DEFAULT, *, device: str = "auto") -> None:
        folder = locate(os.path.expanduser(checkpoint))
        self._network = _network(folder)
        self._tokens = tokenizer(folder)
        self._pictures = ImageProcessor(folder)
        self.device = resolve_device(device)
        self._network.to(self.device)

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB image to [3, H, W], uint8 or float32; thread-safe."""
        return self._pictures.pixels(image)

    def captions(self, pixels: torch.Tensor, *, count: int = 1, seed: int = 0) -> list[list[str]]:
        """Pixels [B, 3, H, W] to the captions of each image: the best one, or up to `count` different samples.

        The same seed and batch give the same captions.
        """
        how = _BEST if count == 1 else _DRAWN | {"num_return_sequences": count}
        inputs = {name: value.to(self.device) for name, value in self._pictures.inputs(pixels).items()}
        precision = torch.autocast("cuda", torch.bfloat16) if self.device.type == "cuda" else nullcontext()
        devices = [self.device] if self.device.type == "cuda" else []
        with quiet(), torch.inference_mode(), precision, torch.random.fork_rng(devices):
            torch.manual_seed(seed)
            try:
                found = self._network.generate(**inputs, **how, max_new_tokens=_LONGEST)
            except torch.OutOfMemoryError:
                raise
            except BROKEN as error:
                kind = type(self._network).__name__
                raise EncoderError(
                    f"{kind} does not caption pictures by themselves ({first_line(error)}); choose a BLIP."
                ) from error
        texts = [" ".join(text.split()) for text in self._tokens.batch_decode(found, skip_special_tokens=True)]
        each = [texts[i : i + count] for i in range(0, len(texts), count)]
        return [list(dict.fromkeys(filter(None, some))) for some in each]


def seed_of(names: Sequence[str]) -> int:
    """A random seed that depends on `names` alone."""
    return random.Random("\n".join(names)).getrandbits(63)


def _network(folder: Path) -> Any:
    from transformers import AutoModelForImageTextToText

    try:
        with quiet():
            net, report = AutoModelForImageTextToText.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, output_loading_info=True
            )
    except BROKEN as error:
        raise EncoderError(
            f"{folder} is no checkpoint that captions pictures ({first_line(error)}); choose one such as {DEFAULT}."
        ) from error
    if report["missing_keys"]:
        lacking = ", ".join(sorted(report["missing_keys"])[:3])
        raise EncoderError(f"{folder} lacks weights of its {type(net).__name__}: {lacking}.")
    return net.eval()
