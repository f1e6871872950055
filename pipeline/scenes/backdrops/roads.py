"""Drawn places with traffic: the city street and the country road."""

import numpy as np

from lexel.pipeline.scenes.backdrops.terrain import GRASSES, SNOW, Ground, flat, grassy, hills, land
from lexel.pipeline.scenes.figures.objects import thing
from lexel.pipeline.scenes.paint import strokes
from lexel.pipeline.scenes.paint.canvas import HEIGHT, WIDTH, Canvas, fill, gradient, stamp
from lexel.pipeline.scenes.paint.colours import RGB, mix

_WALLS: tuple[RGB, ...] = (
    (214, 130, 104),
    (230, 184, 128),
    (140, 160, 184),
    (178, 140, 150),
    (236, 208, 168),
    (124, 148, 150),
    (200, 160, 130),
)
_AWNINGS: tuple[RGB, ...] = ((214, 92, 84), (88, 148, 150), (238, 190, 96))
_WALK: tuple[RGB, RGB] = ((214, 206, 200), (196, 188, 186))
_WALK_SNOW: tuple[RGB, RGB] = ((238, 242, 248), (220, 228, 240))
_TAR: tuple[RGB, RGB] = ((120, 122, 134), (98, 100, 114))


def _box(x: float, y: float, width: float, rise: float) -> strokes.Points:
    return np.array([(x, y), (x + width, y), (x + width, y + rise), (x, y + rise)], dtype=np.float64)


def _windows(canvas: Canvas, x: float, width: float, rise: float, panes: tuple[RGB, RGB]) -> strokes.Figure:
    """Rows of windows above the shop; `panes` are the dark one and the other, which is lit by night."""
    columns, rows = max(2, int(width // 17)), max(2, int(rise // 24))
    spots = [
        (x + width * (c + 0.5) / columns - 4, 26 + (rise - 30) * r / rows) for c in range(columns) for r in range(rows)
    ]
    return [(_box(left, low, 8, 12), panes[canvas.dice.random() < 0.6]) for left, low in spots]


def _building(canvas: Canvas, x: float, width: float, ground: Ground) -> strokes.Figure:
    """A town house from `x` on, standing at height 0."""
    dice, rise = canvas.dice, canvas.dice.uniform(76, 150)
    wall = canvas.far(dice.choice(_WALLS), 0.08)
    dark = mix(wall, canvas.far((60, 70, 100)), 0.3)
    day = mix(dark, canvas.far((190, 220, 236)), 0.55)
    shapes: strokes.Figure = [(_box(x, 0, width, rise), wall)]
    shapes.append((_box(x - 2, rise, width + 4, 5), canvas.far(SNOW[0]) if ground.winter else dark))
    shapes += _windows(canvas, x, width, rise, (day, (255, 222, 132)) if ground.time == "night" else (day, day))
    door = mix(dark, canvas.far((120, 70, 60)), 0.5)
    shapes.append((_box(x + width * dice.uniform(0.3, 0.6), 0, 11, 19), door))
    if dice.random() < 0.6:
        shapes.append((_box(x + 2, 17, width - 4, 7), canvas.far(dice.choice(_AWNINGS))))
    return shapes


def _skyline(canvas: Canvas, y: float) -> None:
    """Far roofs behind the row of houses: flat steps."""
    step = max(1, round(22 * canvas.u))
    heights = [y + canvas.dice.uniform(-34, 20) for _ in range(canvas.image.width // step + 1)]
    line = np.repeat(np.array(heights), step)[: canvas.image.width] * canvas.at(0, 1)[1]
    fill(canvas, line, [canvas.far((150, 160, 184), 0.5), canvas.far((150, 160, 184), 0.4)])


def street(canvas: Canvas, ground: Ground) -> None:
    """A row of houses, a road and a pavement."""
    dice, base, x, shapes = canvas.dice, ground.horizon + 48, -8.0, list[strokes.Polygon]()
    _skyline(canvas, ground.horizon - 40)
    while x < WIDTH:
        width = dice.uniform(48, 82)
        shapes += _building(canvas, x, width, ground)
        x += width + dice.choice((0, 0, 4))
    flat(canvas, strokes.moved(shapes, y=-base))
    _paving(canvas, ground, base)
    for k in range(dice.randint(1, 3)):
        stamp(canvas, thing("lamp post"), WIDTH * (k + dice.uniform(0.1, 0.9)) / 3, base + 7, scale=0.62)


def _paving(canvas: Canvas, ground: Ground, base: float) -> None:
    """Pavement, road and pavement, from the houses towards the viewer."""
    walk, tar = _WALK_SNOW if ground.winter else _WALK, _TAR
    tops = (base, base + 12, HEIGHT - 14.0) if ground.view == "road" else (base, base + 8, base + 32)
    for y, pair in zip(tops, (walk, tar, walk), strict=True):
        gradient(canvas, [canvas.far(pair[0]), canvas.far(pair[1])], y, HEIGHT)
        gradient(canvas, [canvas.far(mix(pair[0], (255, 255, 255), 0.4))], y, y + 1.6)
    _dashes(canvas, (tops[1] + tops[2]) / 2, 30, 2.4)


def _dashes(canvas: Canvas, y: float, run: float, thick: float) -> None:
    shift = canvas.dice.uniform(0, run)
    shapes = [
        (strokes.oval(x + shift, -y, run * 0.3, thick / 2), canvas.far((246, 236, 200)))
        for x in np.arange(-run, WIDTH, run)
    ]
    flat(canvas, shapes)


def road(canvas: Canvas, ground: Ground) -> None:
    """A country road through fields."""
    grass = canvas.dice.choice(GRASSES)
    hills(canvas, ground, grass, 2)
    land(canvas, ground, ground.horizon + 8, grass)
    grassy(canvas, ground, ground.horizon + 18, grass)
    top, bottom = HEIGHT - 74, HEIGHT - 12
    gradient(canvas, [canvas.far((226, 216, 196))], top - 3, bottom + 3)
    gradient(canvas, [canvas.far((124, 126, 138)), canvas.far((104, 106, 120))], top, bottom)
    _dashes(canvas, (top + bottom) / 2, 44, 3)
