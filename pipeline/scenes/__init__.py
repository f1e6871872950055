"""Drawn scenes with true captions: an unlimited synthetic collection, generated from seeds.

`scene(seed)` plans a scene and captions it, `draw` paints it, `write` makes a folder of images and its manifest. The
same seed gives the same captions and the same image in every process. Nothing is read or downloaded.

Read plan/ (what a scene shows), captions/, paint/ (strokes, colours, canvas), figures/ and backdrops/.
"""

import json
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from lexel.pipeline.scenes.backdrops.places import BACKDROPS
from lexel.pipeline.scenes.backdrops.terrain import Ground
from lexel.pipeline.scenes.captions.sentences import captions
from lexel.pipeline.scenes.figures.assemble import FigurePart, drawn
from lexel.pipeline.scenes.paint import canvas as canvases
from lexel.pipeline.scenes.paint.colours import RGB, light
from lexel.pipeline.scenes.plan.casting import Stage
from lexel.pipeline.scenes.plan.composition import compose, room
from lexel.pipeline.scenes.plan.facts import facts

_EDITION = 2  # raised when the drawing changes, so that `write` replaces images of an older edition
_SHADE: RGB = (38, 34, 66)


@dataclass(frozen=True)
class Scene:
    """The scene of a seed: 3 to 5 captions, from short to long, and flat facts such as place, time and subject."""

    seed: int
    captions: tuple[str, ...]
    facts: Mapping[str, str]
    stage: Stage
    parts: tuple[FigurePart, ...]


def scene(seed: int) -> Scene:
    """The scene of a seed. Deterministic, and cheap, since nothing is drawn."""
    stage, parts = compose(seed)
    known = facts(stage, parts)
    lead = next(part for part in parts if part.role == "main")
    told = {**known, "act": lead.act, "medium": lead.medium}
    return Scene(seed, captions(told, random.Random(f"words {seed}")), known, stage, parts)


def _shadow(canvas: canvases.Canvas, part: FigurePart) -> None:
    """The soft shadow that sets a figure on its ground."""
    if part.medium == "sky" or part.noun in ("hot-air balloon", "airplane", "kite", "island"):
        return
    size = room(part)
    wide = (
        size.half * part.scale * (0.62 if part.noun in ("tree", "palm tree", "cactus", "umbrella", "flower") else 0.95)
    )
    strength = canvas.light.shadow * (0.7 if part.pose == "jump" else 1.3)
    canvases.halo(canvas, (part.x, part.y + 1), (wide, max(4.0, wide * 0.16)), _SHADE, strength)


def _paint(canvas: canvases.Canvas, part: FigurePart, stage: Stage) -> None:
    afloat = part.medium == "water" or (part.role == "feature" and part.noun == "sailboat")
    if not (stage.place == "underwater" or afloat):
        _shadow(canvas, part)
    shapes = drawn(part, night=stage.time == "night", winter=stage.winter)
    if afloat and stage.place != "underwater":
        canvases.reflect(canvas, shapes, part.x, part.y)
    canvases.stamp(canvas, shapes, part.x, part.y, depth=0.12 if part.role == "feature" else 0, near=True)
    if part.prop == "campfire":
        side = -1 if part.mirror else 1
        canvases.halo(canvas, (part.x + 84 * side * part.scale, part.y - 14), (70, 60), (255, 190, 90), 0.5)


def draw(scene: Scene, *, size: tuple[int, int] = (384, 288)) -> Image.Image:
    """Paint a scene as an RGB picture of `size` (width, height) pixels."""
    stage = scene.stage
    canvas = canvases.blank(size, light(stage.time, stage.weather, stage.palette), scene.seed)
    if stage.place != "underwater":
        canvases.sky(canvas, time=stage.time, weather=stage.weather, sun=stage.sun, horizon=stage.horizon)
    BACKDROPS[stage.place](canvas, Ground(stage.horizon, stage.winter, stage.time, stage.sun, stage.view))
    for part in scene.parts:
        _paint(canvas, part, stage)
    canvases.falling(canvas, stage.weather)
    return canvases.finish(canvas)


def _is_drawn(path: Path, note: bytes) -> bool:
    try:
        with Image.open(path) as image:
            return image.info.get("comment") == note
    except (FileNotFoundError, UnidentifiedImageError):
        return False


def _save(path: Path, seed: int) -> Scene:
    """Draw a seed's image unless it exists already; it is renamed to its final name when it is complete."""
    found, note = scene(seed), f"lexel scene {seed}, edition {_EDITION}".encode()
    if not _is_drawn(path, note):
        part = path.with_suffix(".part")
        draw(found).save(part, format="JPEG", quality=88, comment=note)
        os.replace(part, path)
    return found


def write(folder: Path, *, count: int, seed: int = 0) -> Path:
    """Draw `count` images, for the seeds from `seed` on, into `folder`; return the path of the manifest.

    The images are `images/000123.jpg`, named by seed; `scenes.jsonl` has a row for each: image, captions, facts.
    Existing images are kept, so an interrupted run continues.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(seed, seed + count):
        name = f"images/{number:06d}.jpg"
        found = _save(folder / name, number)
        rows.append(json.dumps({"image": name, "captions": found.captions, **found.facts}, ensure_ascii=False))
    manifest, part = folder / "scenes.jsonl", folder / "scenes.jsonl.part"
    part.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    os.replace(part, manifest)
    return manifest
