"""The canvas of the drawn scenes: sky, bands of land and water, what falls from the sky, and the paper's grain.

All places are given in units of a sheet 384 wide and 288 high, y downwards, whatever the size in pixels.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from lexel.pipeline.scenes.paint import strokes
from lexel.pipeline.scenes.paint.colours import RGB, Light, mix, tint

WIDTH, HEIGHT = 384, 288
Spot = tuple[float, float]
_FULL = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Canvas:
    """The image being drawn, its light and its random generator; `u` is pixels per unit."""

    image: Image.Image
    light: Light
    dice: random.Random
    u: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place on the sheet in pixels."""
        return x * self.image.width / WIDTH, y * self.image.height / HEIGHT

    def far(self, colour: RGB, depth: float = 0.0) -> RGB:
        """A colour of the land in this light, `depth` (0 to 1) of the way into the haze."""
        return mix(tint(colour, self.light.far), self.light.haze, depth)


def blank(size: tuple[int, int], light: Light, seed: int) -> Canvas:
    """An empty canvas."""
    return Canvas(
        Image.new("RGB", size), light, random.Random(f"canvas {seed}"), min(size[0] / WIDTH, size[1] / HEIGHT)
    )


def _ramp(stops: Sequence[RGB], height: int) -> NDArray[np.uint8]:
    """A column of `height` colours through the stops, (height, 3)."""
    at, knots = np.linspace(0, 1, max(height, 1)), np.linspace(0, 1, len(stops))
    return (
        np.stack([np.interp(at, knots, [stop[k] for stop in stops]) for k in range(3)], axis=1).round().astype(np.uint8)
    )


def gradient(canvas: Canvas, stops: Sequence[RGB], top: float, bottom: float) -> None:
    """Fill the whole width between two heights."""
    first, last = round(canvas.at(0, top)[1]), round(canvas.at(0, bottom)[1])
    column = Image.fromarray(np.ascontiguousarray(_ramp(stops, last - first)[:, None]))
    canvas.image.paste(column.resize((canvas.image.width, max(last - first, 1))), (0, first))


def ridge(canvas: Canvas, y: float, *, swell: float, waves: float = 1.6, jag: float = 0.0) -> NDArray[np.float64]:
    """A line across the sheet as heights per pixel column: rolling by `swell`, toothed by `jag` units."""
    x = np.linspace(0, 1, canvas.image.width)
    line = np.zeros_like(x)
    for k in range(3):
        line += swell / (k + 1) * np.sin(2 * math.pi * waves * (k + 1) * 0.7 * x + canvas.dice.uniform(0, 7))
    if jag:
        line -= np.interp(x, *_teeth(canvas.dice, jag))
    return np.asarray(canvas.at(0, 1)[1] * (y + line))


def _teeth(dice: random.Random, jag: float) -> tuple[list[float], list[float]]:
    spots, highs, x = [-0.1], [0.0], -0.1
    while x < 1.1:
        x += dice.uniform(0.07, 0.13)
        spots.append(x)
        highs.append(jag * (dice.uniform(0.55, 1.0) if len(spots) % 2 == 0 else dice.uniform(0.0, 0.35)))
    return spots, highs


def fill(canvas: Canvas, line: NDArray[np.float64], stops: Sequence[RGB], bottom: float = HEIGHT) -> None:
    """Fill from a ridge down to `bottom` with a gradient, its edge antialiased."""
    first, last = max(0, int(line.min()) - 1), round(canvas.at(0, bottom)[1])
    if last <= first:
        return
    rows = np.arange(first, last)[:, None]
    mask = (np.clip(rows - line[None, :] + 0.5, 0, 1) * 255).astype(np.uint8)
    column = Image.fromarray(np.ascontiguousarray(_ramp(stops, last - first)[:, None]))
    canvas.image.paste(column.resize((canvas.image.width, last - first)), (0, first), Image.fromarray(mask))


def stamp(
    canvas: Canvas,
    shapes: strokes.Figure,
    x: float,
    y: float,
    *,
    scale: float = 1,
    depth: float = 0,
    near: bool = False,
    shade: float = 1,
) -> None:
    """Paste a figure; far things take the land's light and the haze, near ones the softer light of the foreground."""
    by = canvas.light.near if near else canvas.light.far
    lit = [(points, mix(tint(colour, by), canvas.light.haze, depth)) for points, colour in shapes]
    left, top = canvas.at(x, y)
    drawn = strokes.layer(lit, x=left, y=top, scale=scale * canvas.u, light=_FULL, shade=shade)
    canvas.image.paste(drawn.image, (drawn.left, drawn.top), drawn.image)


def reflect(canvas: Canvas, shapes: strokes.Figure, x: float, y: float) -> None:
    """A faint, squat mirror image below the waterline."""
    left, top = canvas.at(x, y)
    squat = [(points * (1, -0.5), canvas.far(mix(colour, (60, 110, 150), 0.45))) for points, colour in shapes]
    drawn = strokes.layer(squat, x=left, y=top, scale=canvas.u, light=_FULL, shade=0)
    low = max(0, round(top) - drawn.top)
    under = drawn.image.crop((0, low, drawn.image.width, max(low + 1, drawn.image.height)))
    canvas.image.paste(
        under, (drawn.left, drawn.top + low), under.getchannel("A").point([v * 3 // 10 for v in range(256)])
    )


def halo(canvas: Canvas, at: Spot, reach: Spot, colour: RGB, strength: float) -> None:
    """A soft spot of light or shadow about a place, as far as `reach` each way."""
    x, y = canvas.at(*at)
    rx, ry = reach[0] * canvas.u, reach[1] * canvas.u
    strokes.glow(canvas.image, x=x, y=y, rx=rx, ry=ry, colour=colour, strength=strength)


def sky(canvas: Canvas, *, time: str, weather: str, sun: float, horizon: float) -> None:
    """The sky with its sun or moon at `sun` (0 to 1 across; negative for none), stars and clouds."""
    gradient(canvas, canvas.light.sky, 0, HEIGHT if horizon > 200 else horizon + 30)
    clear = weather == "clear"
    if time == "night" and clear:
        _stars(canvas, horizon)
    if sun >= 0 and clear:
        _orb(canvas, time, sun * WIDTH, horizon)
    if weather != "clear" or time != "night":
        _clouds(
            canvas,
            horizon,
            canvas.dice.randint(1, 4) if clear else canvas.dice.randint(3, 5),
            sun * WIDTH if clear and sun >= 0 else -WIDTH,
        )


def _orb(canvas: Canvas, time: str, x: float, horizon: float) -> None:
    if time == "night":
        y = canvas.dice.uniform(28, 52)
        halo(canvas, (x, y), (70, 70), (176, 190, 226), 0.5)
        moon: strokes.Table = (("oval", "paper", 0, 0, 15, 15), ("oval", "gold+", -1, 1, 13, 13))
        craters: strokes.Table = (
            ("oval", "gold", 4, 4, 3, 3),
            ("oval", "gold", -5, -3, 4, 4),
            ("oval", "gold", 3, -6, 2, 2),
        )
        _plain(canvas, strokes.figure((*moon, *craters), {"gold": (246, 236, 200)}), x, y)
        return
    low = time == "sunset"
    y = horizon - canvas.dice.uniform(8, 26) if low else canvas.dice.uniform(26, 50)
    warm: RGB = (255, 214, 140) if low else (255, 246, 206)
    halo(canvas, (x, y), (150, 110) if low else (90, 90), warm, 0.75)
    disc: strokes.Table = (("oval", "sun", 0, 0, 19 if low else 16, 19 if low else 16),)
    _plain(canvas, strokes.figure(disc, {"sun": (255, 240, 190) if low else (255, 240, 160)}), x, y)


def _plain(canvas: Canvas, shapes: strokes.Figure, x: float, y: float) -> None:
    left, top = canvas.at(x, y)
    drawn = strokes.layer(shapes, x=left, y=top, scale=canvas.u, light=_FULL, shade=0)
    canvas.image.paste(drawn.image, (drawn.left, drawn.top), drawn.image)


def _stars(canvas: Canvas, horizon: float) -> None:
    dice, shapes = canvas.dice, []
    for _ in range(56):
        x, y, r = dice.uniform(0, WIDTH), dice.uniform(4, horizon - 10), dice.choice((0.7, 0.8, 1.0, 1.6))
        diamond = np.array([(x - r, -y), (x, r - y), (x + r, -y), (x, -r - y)])
        shapes.append((diamond, mix((255, 252, 232), canvas.light.sky[1], dice.uniform(0, 0.5))))
    _plain(canvas, shapes, 0, 0)


def _cloud(dice: random.Random) -> strokes.Figure:
    size, puffs = dice.uniform(0.7, 1.3), dice.randint(3, 5)
    table: list[strokes.Stroke] = [("line", "cloud", 12, -30, 6, 0, 6, 30 + 4 * puffs, 6)]
    for k in range(puffs):
        r = dice.uniform(10, 18) * (1.15 if 0 < k < puffs - 1 else 0.8)
        table.append(("oval", "cloud", -22 + k * 56 / puffs, 6 + r * 0.55, r * 1.15, r))
    return strokes.moved(strokes.figure(table, {"cloud": (255, 255, 255)}), scale=size, mirror=dice.random() < 0.5)


def _clouds(canvas: Canvas, horizon: float, count: int, sun: float) -> None:
    dice = canvas.dice
    for k in range(count):
        x = WIDTH * (k + dice.uniform(0.1, 0.9)) / count
        if abs(x - sun) < 58:  # the sun stays in sight
            continue
        shapes = [(points, canvas.light.cloud) for points, _ in _cloud(dice)]
        left, top = canvas.at(x, dice.uniform(24, max(40, horizon * 0.62)))
        drawn = strokes.layer(shapes, x=left, y=top, scale=canvas.u, light=_FULL, shade=0.45)
        soft = drawn.image.getchannel("A").point([round(v * 0.82) for v in range(256)])
        canvas.image.paste(drawn.image, (drawn.left, drawn.top), soft)


def glitter(canvas: Canvas, sun: float, top: float, bottom: float, time: str) -> None:
    """The path of light that a low sun or the moon lays on water."""
    if sun < 0 or time == "day":
        return
    colour: RGB = (255, 216, 150) if time == "sunset" else (196, 212, 240)
    shapes: strokes.Figure = []
    for k in range(16):
        near = k / 15
        run = (5 + 12 * near) * canvas.dice.uniform(0.5, 1.1)
        shapes.append(
            (
                strokes.oval(
                    sun * WIDTH + canvas.dice.uniform(-5, 5), -(top + 3 + (bottom - top - 6) * near), run, 0.6 + near
                ),
                colour,
            )
        )
    halo(canvas, (sun * WIDTH, (top + bottom) / 2), (26, (bottom - top) / 2), colour, 0.5)
    _plain(canvas, shapes, 0, 0)


def falling(canvas: Canvas, weather: str) -> None:
    """Rain or snow in front of everything."""
    if weather not in ("rain", "snow"):
        return
    big = Image.new("L", (canvas.image.width * 2, canvas.image.height * 2), 0)
    draw, dice, u = ImageDraw.Draw(big), canvas.dice, canvas.u * 2
    for _ in range(150 if weather == "rain" else 110):
        x, y = dice.uniform(0, big.width), dice.uniform(-20, big.height)
        if weather == "rain":
            run = dice.uniform(9, 17) * u
            draw.line((x, y, x - run * 0.22, y + run), fill=dice.randint(90, 170), width=max(1, round(0.8 * u)))
        else:
            r = dice.choice((0.9, 1.2, 1.6, 2.3)) * u
            draw.ellipse((x - r, y - r, x + r, y + r), fill=dice.randint(150, 245))
    colour: RGB = (226, 236, 246) if weather == "rain" else (255, 255, 255)
    canvas.image.paste(colour, (0, 0), big.reduce(2))


@lru_cache(maxsize=2)
def _grain(size: tuple[int, int]) -> Image.Image:
    """A sheet's faint tooth and darker corners, as a factor about 128 for soft light."""
    width, height = size
    noise = np.frombuffer(random.Random("grain").randbytes(width * height), dtype=np.uint8).reshape(height, width)
    wash = np.frombuffer(random.Random("wash").randbytes(24 * 18), dtype=np.uint8).reshape(18, 24)
    broad = np.asarray(Image.fromarray(wash).resize(size, Image.Resampling.BICUBIC), dtype=np.float64)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    corners = np.clip(x**2 + y**2 - 0.75, 0, None) * 22
    return Image.fromarray(
        np.clip(129 + (noise - 128.0) * 0.07 + (broad - 128) * 0.06 - corners, 0, 255).astype(np.uint8)
    )


def finish(canvas: Canvas) -> Image.Image:
    """The picture with the paper's grain."""
    grain = _grain(canvas.image.size)
    return ImageChops.soft_light(canvas.image, Image.merge("RGB", (grain, grain, grain)))
