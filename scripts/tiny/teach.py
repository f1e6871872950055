"""The first step to `lexel-tiny`: views of all pictures, and what two teacher models say of them, as arrays.

    scripts/train-tiny teach --shared ../shared --cache /tmp/tiny

`shared` holds data/flickr8k, data/caltech101, data/imagenet_sample (pictures with captions.jsonl or labels.jsonl) and
models/mobilenet_v2, models/all-MiniLM-L6-v2. Writes about 4 GB for the second step, train.py; what is there already is
kept.
"""

import argparse
import json
import multiprocessing
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

SIDE = 128  # pixels of a view, and of the finished encoder's input
TEACHER_SIDE = 224  # what MobileNetV2 was trained with
FIRST_SCENE = 1_000_000  # the demo and the tests draw seeds below it, so they are never trained on
WORKERS = 2


@dataclass(frozen=True)
class Pictures:
    """One source of pictures: what to open, its captions, and the number of views (the whole, then crops) of each."""

    name: str
    paths: list[Path | int]  # a file, or the seed of a drawn scene
    captions: list[list[str]]
    views: int


def label_captions(label: str) -> list[str]:
    name = label.replace("_", " ").lower()
    one = f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
    return [f"a photo of {one}", name, f"{one} in the picture"]


def collections(shared: Path, *, scenes: int) -> list[Pictures]:
    from lexel.pipeline.scenes import scene

    def rows(path: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in path.read_text().splitlines()]

    data, found = shared / "data", list[Pictures]()
    for split, views in (("train", 6), ("val", 1)):
        some = [r for r in rows(data / "flickr8k/captions.jsonl") if r["split"] == split]
        found.append(
            Pictures(
                f"flickr_{split}", [data / "flickr8k" / r["image"] for r in some], [r["captions"] for r in some], views
            )
        )
    for name, views in (("caltech101", 3), ("imagenet_sample", 6)):
        some = rows(data / name / "labels.jsonl")
        found.append(
            Pictures(name, [data / name / r["image"] for r in some], [label_captions(r["label"]) for r in some], views)
        )
    seeds = range(FIRST_SCENE, FIRST_SCENE + scenes)
    return [*found, Pictures("scenes", list(seeds), [list(scene(seed).captions) for seed in seeds], 1)]


def opened(path: Path | int) -> Image.Image:
    if isinstance(path, Path):
        return Image.open(path).convert("RGB")
    from lexel.pipeline.scenes import draw, scene

    return draw(scene(path), size=(320, 240))


def boxes(index: int, views: int) -> list[tuple[float, float, float, float]]:
    """The whole picture, then crops of 40 to 100 % of its area, as shares of its sides."""
    dice, found = random.Random(index), [(0.0, 0.0, 1.0, 1.0)]
    while len(found) < views:
        area, aspect = dice.uniform(0.4, 1), dice.uniform(0.8, 1.25)
        w, h = min(1, (area * aspect) ** 0.5), min(1, (area / aspect) ** 0.5)
        x, y = dice.uniform(0, 1 - w), dice.uniform(0, 1 - h)
        found.append((x, y, x + w, y + h))
    return found


def square(image: Image.Image, box: tuple[float, float, float, float], side: int) -> npt.NDArray[np.uint8]:
    """The box of the picture, squeezed to a square, so that no edge is lost."""
    w, h = image.size
    pixels = (box[0] * w, box[1] * h, box[2] * w, box[3] * h)
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box=pixels))


def cache_part(job: tuple[Pictures, Path, Path, int]) -> None:
    """Views and MobileNetV2's features of every WORKERS-th block of pictures, written into the shared arrays."""
    from transformers import AutoModel

    torch.set_num_threads(1)
    pictures, folder, models, part = job
    teacher = (
        AutoModel.from_pretrained(models / "mobilenet_v2", dtype=torch.float32)
        .eval()
        .to(memory_format=torch.channels_last)
    )
    views = np.lib.format.open_memmap(folder / f"{pictures.name}.views.tmp.npy", mode="r+")
    features = np.lib.format.open_memmap(folder / f"{pictures.name}.features.tmp.npy", mode="r+")
    block = max(1, 48 // pictures.views)
    for start in range(part * block, len(pictures.paths), block * WORKERS):
        at, large = start * pictures.views, list[npt.NDArray[np.uint8]]()
        for i in range(start, min(start + block, len(pictures.paths))):
            image = opened(pictures.paths[i])
            for box in boxes(i, pictures.views):
                views[at + len(large)] = square(image, box, SIDE)
                large.append(square(image, box, TEACHER_SIDE))
        pixels = torch.from_numpy(np.stack(large)).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            features[at : at + len(large)] = teacher(pixels).pooler_output.float().numpy()


def cache(pictures: Pictures, folder: Path, models: Path) -> None:
    """Views [N, SIDE, SIDE, 3] uint8 and features [N, 1280], N = pictures x views, made once."""
    final = [folder / f"{pictures.name}.{kind}.npy" for kind in ("views", "features")]
    if final[1].exists():
        return
    count = len(pictures.paths) * pictures.views
    parts = [folder / f"{pictures.name}.{kind}.tmp.npy" for kind in ("views", "features")]
    np.lib.format.open_memmap(parts[0], mode="w+", dtype=np.uint8, shape=(count, SIDE, SIDE, 3))
    np.lib.format.open_memmap(parts[1], mode="w+", dtype=np.float16, shape=(count, 1280))
    with multiprocessing.Pool(WORKERS) as pool:
        pool.map(cache_part, [(pictures, folder, models, part) for part in range(WORKERS)])
    for part, path in zip(parts, final, strict=True):
        part.rename(path)


def cache_sentences(texts: list[str], folder: Path, models: Path) -> None:
    """MiniLM's mean-pooled vectors [N, 384] of the texts, made once."""
    from lexel.encoders.text.text_models import TransformersText

    path = folder / "sentences.npy"
    if path.exists():
        return
    model = TransformersText(models / "all-MiniLM-L6-v2").eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        parts = [model(texts[i : i + 256]).half() for i in range(0, len(texts), 256)]
    np.save(path, torch.cat(parts).numpy())


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/train-tiny teach", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shared", type=Path, required=True, help="folder with data/ and models/")
    parser.add_argument("--cache", type=Path, required=True, help="folder that receives the arrays")
    parser.add_argument("--scenes", type=int, default=5000, help="how many pictures are drawn")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    found = collections(options.shared, scenes=options.scenes)
    texts = sorted({caption for pictures in found for captions in pictures.captions for caption in captions})
    about = {"texts": texts, "captions": {p.name: p.captions for p in found}, "views": {p.name: p.views for p in found}}
    (options.cache / "lesson.json").write_text(json.dumps(about))
    cache_sentences(texts, options.cache, options.shared / "models")
    for pictures in found:
        cache(pictures, options.cache, options.shared / "models")
        print(f"{pictures.name}: {len(pictures.paths)} pictures, {pictures.views} views of each", flush=True)


if __name__ == "__main__":
    main()
