"""Encoders to be measured; those whose weights cannot be shipped have random ones, which are as fast."""

from pathlib import Path

import torch
import transformers as hf
from support import small_checkpoints

from lexel.encoders import Encoder, open_encoder


def clip(folder: Path, *, quick: bool) -> Encoder:
    """A CLIP whose picture side is that of ViT-B/32, in `folder`; its text side is small."""
    if quick:
        return open_encoder(str(small_checkpoints.save("clip", folder)))
    torch.manual_seed(0)
    # The defaults of `transformers` are ViT-B/32.
    hf.CLIPModel(hf.CLIPConfig(text_config=small_checkpoints.TEXT, vision_config={})).eval().save_pretrained(folder)
    hf.CLIPProcessor(hf.CLIPImageProcessor(), small_checkpoints.bpe()).save_pretrained(folder)
    return open_encoder(str(folder))
