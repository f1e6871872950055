"""The first step to `lexel-photo`: what the two backbones see of all pictures and texts, as arrays.

    scripts/train-photo features --shared ../shared --cache /tmp/photo

`shared` holds data/flickr8k, data/caltech101, data/imagenet_sample and data/coco_captions. Writes about 200 MB for the
second step, train.py; what is there already is kept.
"""

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from lesson import COLLECTIONS, VIEWS, Collection, collections, texts_to_read
from PIL import Image, ImageOps
from torch import Tensor

from lexel.encoders.image.preprocess import Preprocess
from lexel.encoders.image.timm_backbone import TimmBackbone
from lexel.encoders.runtime.packaged_weights import MINILM
from lexel.encoders.runtime.precision import fast
from lexel.encoders.text.text_models import TransformersText
from lexel.pipeline.iterators import batched
from lexel.pipeline.train.data.augment import view as crop

# The network was trained at 260 pixels; whole pictures want more (see ENLARGED), and 32 more cost a quarter more time.
SIDE = 288
BACKBONE = "tf_efficientnet_lite2"
CPU = torch.device("cpu")


def backbone() -> TimmBackbone:
    return TimmBackbone(BACKBONE, preprocess=Preprocess(SIDE)).eval().to(memory_format=torch.channels_last)


def seen(path: Path, view: int) -> Image.Image:
    """View 0 is the whole picture, 1 its mirror image, and the others are crops."""
    image = Image.open(path).convert("RGB")
    if view < 2:
        return ImageOps.mirror(image) if view else image
    return crop(view)(image)


def picture_features(net: TimmBackbone, paths: Sequence[Path], view: int) -> Iterator[Tensor]:
    with ThreadPoolExecutor(2) as pool:
        for some in batched(paths, 32):
            pixels = torch.stack(list(pool.map(lambda path: net.pixels(seen(path, view)), some)))
            with torch.inference_mode(), fast(CPU):
                yield net(pixels.to(memory_format=torch.channels_last)).half()


def text_features(model: TransformersText, texts: Sequence[str]) -> Tensor:
    distinct = sorted(set(texts), key=len)  # texts of one length need no padding
    with torch.inference_mode(), fast(CPU):
        parts = [model(some) for some in batched(distinct, 256)]
    found = torch.cat([part.half() for part in parts])
    row = {text: i for i, text in enumerate(distinct)}
    return found[[row[text] for text in texts]]


def cache_pictures(net: TimmBackbone, collection: Collection, view: int, folder: Path) -> None:
    path = folder / f"{collection.name}.view-{view}.npy"
    if not path.exists():
        np.save(path, torch.cat(list(picture_features(net, collection.paths, view))).numpy())
        print(f"{path.name}: {len(collection.paths)} pictures", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/train-photo features", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder with data/")
    parser.add_argument("--cache", type=Path, required=True, help="folder that receives the arrays")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    model = TransformersText(MINILM).eval()
    for name, texts in texts_to_read(options.shared).items():
        path = options.cache / f"{name}.texts.npy"
        if not path.exists():
            np.save(path, text_features(model, texts).numpy())
            print(f"{path.name}: {len(texts)} texts", flush=True)
    net = backbone()
    found = collections(options.shared)
    for name in COLLECTIONS:
        cache_pictures(net, found[name], 0, options.cache)
    for view in range(1, VIEWS):
        cache_pictures(net, found["flickr_train"], view, options.cache)


if __name__ == "__main__":
    main()
