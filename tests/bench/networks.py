"""Encoders to be measured; those whose weights cannot be shipped have random ones, which are as fast."""

from pathlib import Path

import small_checkpoints
import torch
import transformers as hf
from making import vocabulary

from lexel.encoders import Encoder, open_encoder
from lexel.encoders.backbones import TorchvisionBackbone
from lexel.encoders.bag import BagConfig
from lexel.encoders.heads import LexiconHead
from lexel.encoders.model import Model
from lexel.encoders.pixels import Preprocess
from lexel.encoders.texts import BagText
from lexel.encoders.towers import PairTower

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def clip(folder: Path, *, quick: bool) -> Encoder:
    """A CLIP whose picture side is that of ViT-B/32, in `folder`; its text side is small."""
    if quick:
        return open_encoder(str(small_checkpoints.save("clip", folder)))
    torch.manual_seed(0)
    # The defaults of `transformers` are ViT-B/32.
    hf.CLIPModel(hf.CLIPConfig(text_config=small_checkpoints.TEXT, vision_config={})).eval().save_pretrained(folder)
    hf.CLIPProcessor(hf.CLIPImageProcessor(), small_checkpoints.bpe()).save_pretrained(folder)
    return open_encoder(str(folder))


def convolutional(folder: Path, *, quick: bool) -> Encoder:
    """ResNet-50 at 224 pixels with a head for lexel's words, in `folder`."""
    torch.manual_seed(0)
    size = 64 if quick else 224
    image = TorchvisionBackbone(
        "resnet18" if quick else "resnet50", preprocess=Preprocess(size, size * 8 // 7, *_IMAGENET)
    )
    words = vocabulary() if quick else open_encoder().vocabulary
    text = BagText(BagConfig(tuple(sorted(words.forms)), width=16))
    head = LexiconHead(features=image.dim, terms=len(words))
    return Model(PairTower(image, text, dim=512), head, words, device="cpu").save(folder, name="resnet")
