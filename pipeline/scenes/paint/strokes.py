"""Strokes of the drawn scenes: tables of strokes become polygons, and polygons become soft, antialiased layers.

A figure is a list of filled polygons in its own units: x to the right, y upwards, the point it stands on at (0, 0).
Its table names the strokes:

    ("blob", ink, x, y, x, y, ...)              a smooth closed curve through the points
    ("poly", ink, x, y, x, y, ...)              a closed polygon
    ("oval", ink, x, y, rx, ry[, degrees])      an ellipse
    ("line", ink, width, x, y, ...)             a smooth round-ended stroke
    ("limb", ink, width, width, x, y, ...)      the same with two end widths

An ink is a name of the caller's or of `ink.COMMON`, with `-` or `+` appended for a darker or lighter tone.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from lexel.pipeline.scenes.paint.colours import COMMON, RGB, tint, tone

Points = NDArray[np.float64]
Polygon = tuple[Points, RGB]
Figure = list[Polygon]
Stroke = tuple[str | float, ...]
Table = Sequence[Stroke]
Tint = tuple[float, float, float]

_LARGE = 30_000  # pixels; larger layers are drawn less finely, for speed
_STEPS = 6


@dataclass(frozen=True)
class Layer:
    """One figure as pixels: RGBA picture and its upper left corner on the canvas."""

    image: Image.Image
    left: int
    top: int


@lru_cache(maxsize=1)
def _spline() -> Points:
    t = np.arange(_STEPS) / _STEPS
    return np.stack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2], axis=1) / 2


def smooth(points: Points, *, closed: bool) -> Points:
    """A Catmull-Rom curve through `points` (n, 2), six points to the span."""
    if len(points) < 3:
        return points
    ring = np.vstack([points[-1:], points, points[:2]]) if closed else np.vstack([points[:1], points, points[-1:]])
    spans = np.stack([ring[:-3], ring[1:-2], ring[2:-1], ring[3:]], axis=1)
    curve = (_spline() @ spans).reshape(-1, 2)
    return curve if closed else np.vstack([curve, points[-1:]])


@lru_cache(maxsize=1)
def _circle() -> Points:
    turn = np.linspace(0, 2 * math.pi, 28, endpoint=False)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


def oval(x: float, y: float, rx: float, ry: float, degrees: float = 0) -> Points:
    """An ellipse as a polygon of 28 points."""
    ring = _circle() * (rx, ry)
    return (turned(ring, degrees) if degrees else ring) + (x, y)


def turned(points: Points, degrees: float) -> Points:
    """`points` turned about the origin, anticlockwise as y points upwards."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.asarray(points @ np.array([[c, s], [-s, c]]))


def limb(points: Points, start: float, end: float) -> Points:
    """The outline of a round-ended stroke along `points`, its width going from `start` to `end`."""
    line = smooth(points, closed=False)
    run = np.gradient(line, axis=0)
    run /= np.maximum(np.hypot(run[:, :1], run[:, 1:]), 1e-9)
    side = run[:, ::-1] * (-1, 1) * (np.linspace(start, end, len(line)) / 2)[:, None]
    turn = np.linspace(0, math.pi, 7)[1:-1]
    c, s = np.cos(turn)[:, None], np.sin(turn)[:, None]
    head = line[-1] + side[-1] * c + run[-1] * s * (end / 2)
    tail = line[0] - side[0] * c - run[0] * s * (start / 2)
    return np.vstack([line + side, head, (line - side)[::-1], tail])


def _points(numbers: Sequence[str | float]) -> Points:
    return np.array(numbers, dtype=np.float64).reshape(-1, 2)


def outline(stroke: Stroke) -> Points:
    """The polygon of one stroke of a table."""
    kind, rest = stroke[0], stroke[2:]
    if kind == "oval":
        return oval(*[float(number) for number in rest])
    if kind == "poly":
        return _points(rest)
    if kind == "blob":
        return smooth(_points(rest), closed=True)
    if kind == "line":
        return limb(_points(rest[1:]), float(rest[0]), float(rest[0]))
    return limb(_points(rest[2:]), float(rest[0]), float(rest[1]))


def ink(name: str, inks: Mapping[str, RGB]) -> RGB:
    """The colour of an ink name such as `coat--`."""
    bare = name.rstrip("+-")
    colour = inks[bare] if bare in inks else COMMON[bare]
    return tone(colour, name[len(bare) :])


def figure(table: Iterable[Stroke], inks: Mapping[str, RGB]) -> Figure:
    """The polygons of a table."""
    return [(outline(stroke), ink(str(stroke[1]), inks)) for stroke in table]


def moved(
    shapes: Figure, *, x: float = 0, y: float = 0, scale: float = 1, degrees: float = 0, mirror: bool = False
) -> Figure:
    """A figure scaled, mirrored, turned, then moved."""
    flip = (-scale, scale) if mirror else (scale, scale)
    return [
        ((turned(points * flip, degrees) if degrees else points * flip) + (x, y), colour) for points, colour in shapes
    ]


def layer(shapes: Figure, *, x: float, y: float, scale: float, light: Tint, shade: float = 1.0) -> Layer:
    """Draw a figure standing at pixel (x, y), `scale` pixels to the unit, with light from the upper left."""
    pixels = [(points * (scale, -scale) + (x, y), colour) for points, colour in shapes]
    low = np.floor(np.min([points.min(axis=0) for points, _ in pixels], axis=0)).astype(int) - 1
    high = np.ceil(np.max([points.max(axis=0) for points, _ in pixels], axis=0)).astype(int) + 2
    width, height = (high - low).tolist()
    fine = 4 if width * height < _LARGE else 2  # pixels drawn per pixel kept, each way
    big = Image.new("CMYK", (width * fine, height * fine), (0, 0, 0, 0))  # four plain bands: red, green, blue, cover
    pen = ImageDraw.Draw(big)
    for points, colour in pixels:
        pen.polygon(((points - low) * fine).ravel().tolist(), fill=(*tint(colour, light), 255))
    small = Image.merge("RGBa", big.reduce(fine).split()).convert("RGBA")
    return Layer(_shaded(small, scale, shade) if shade else small, int(low[0]), int(low[1]))


def _shaded(image: Image.Image, scale: float, strength: float) -> Image.Image:
    """Darken what faces away from the light: the part of the silhouette that its own shifted, blurred copy leaves."""
    alpha = image.getchannel("A")
    reach = max(1, round(7 * scale))
    moved_mask = Image.new("L", alpha.size, 0)
    moved_mask.paste(alpha, (-reach // 2, -reach))
    lit = moved_mask.filter(ImageFilter.BoxBlur(reach * 0.8))
    floor = 255 - round(92 * strength)
    factor = lit.point([min(255, floor + (255 - floor) * value // 255) for value in range(256)])
    shaded = ImageChops.multiply(image.convert("RGB"), Image.merge("RGB", (factor, factor, _cool(factor))))
    shaded.putalpha(alpha)
    return shaded


def _cool(factor: Image.Image) -> Image.Image:
    return factor.point([255 - (255 - value) * 3 // 5 for value in range(256)])


@lru_cache(maxsize=1)
def _glow() -> Image.Image:
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    return Image.fromarray((np.clip(1 - np.hypot(x, y), 0, 1) ** 1.4 * 255).astype(np.uint8))


def glow(canvas: Image.Image, *, x: float, y: float, rx: float, ry: float, colour: RGB, strength: float) -> None:
    """A soft spot on the canvas: a shadow on the ground, a halo about a lamp."""
    width, height = max(2, round(2 * rx)), max(2, round(2 * ry))
    mask = _glow().resize((width, height), Image.Resampling.BILINEAR).point([round(v * strength) for v in range(256)])
    canvas.paste(colour, (round(x - rx), round(y - ry), round(x - rx) + width, round(y - ry) + height), mask)
