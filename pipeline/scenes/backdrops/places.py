"""Drawn places: the backdrop of each place, one function per place, built from `terrain`."""

from collections.abc import Callable

import numpy as np

from lexel.pipeline.scenes.backdrops.roads import road, street
from lexel.pipeline.scenes.backdrops.shores import beach, lake, sea, underwater
from lexel.pipeline.scenes.backdrops.terrain import (
    GRASSES,
    SANDS,
    SNOW,
    Ground,
    grassy,
    hills,
    land,
    leafage,
    row,
    speckle,
    trees,
)
from lexel.pipeline.scenes.figures.objects import thing
from lexel.pipeline.scenes.paint import strokes
from lexel.pipeline.scenes.paint.canvas import WIDTH, Canvas, fill, gradient, halo, ridge, stamp
from lexel.pipeline.scenes.paint.colours import RGB, mix

_DUNES: tuple[tuple[RGB, RGB], ...] = (((244, 196, 126), (220, 154, 92)), ((240, 184, 128), (212, 140, 98)))


def _field(canvas: Canvas, ground: Ground) -> None:
    grass = canvas.dice.choice(GRASSES)
    hills(canvas, ground, grass, 2)
    land(canvas, ground, ground.horizon + 8, grass, swell=4)
    grassy(canvas, ground, ground.horizon + 16, grass)


def _park(canvas: Canvas, ground: Ground) -> None:
    grass = canvas.dice.choice(GRASSES)
    hills(canvas, ground, grass, 1)
    row(canvas, trees(ground), ground.horizon + 14, count=7, scale=0.5, depth=0.22, leaf=leafage(canvas))
    land(canvas, ground, ground.horizon + 12, grass)
    path = (
        (mix(SNOW[1], (190, 190, 200), 0.5), mix(SNOW[1], (190, 190, 200), 0.3))
        if ground.winter
        else ((232, 212, 176), (220, 196, 158))
    )
    y = ground.horizon + canvas.dice.uniform(34, 46)
    fill(canvas, ridge(canvas, y, swell=3, waves=0.6), [canvas.far(path[0]), canvas.far(path[1])])
    land(canvas, ground, y + 20, (mix(grass[0], grass[1], 0.4), grass[1]), swell=2)
    grassy(canvas, ground, y + 24, grass, count=34)


def _forest(canvas: Canvas, ground: Ground) -> None:
    leaf, dice = leafage(canvas), canvas.dice
    floor: tuple[RGB, RGB] = dice.choice(
        (((142, 170, 96), (92, 126, 76)), ((170, 150, 100), (128, 108, 76)), ((120, 160, 104), (80, 124, 86)))
    )
    kinds = trees(ground) if dice.random() < 0.6 else (("snowy pine",) if ground.winter else ("pine tree",))
    gradient(
        canvas,
        [canvas.light.sky[1], canvas.far(mix(leaf, canvas.light.haze, 0.6))],
        ground.horizon - 74,
        ground.horizon + 20,
    )
    for count, scale, depth, drop in ((13, 0.85, 0.62, 0), (9, 0.98, 0.38, 6), (6, 1.1, 0.16, 10)):
        row(
            canvas,
            kinds,
            ground.horizon + 14 + drop - depth * 18,
            count=count,
            scale=scale,
            depth=depth,
            leaf=leaf,
            drop=8,
        )
        if depth > 0.2:
            halo(canvas, (WIDTH / 2, ground.horizon + 8), (WIDTH * 0.8, 40), canvas.light.haze, 0.35)
    land(canvas, ground, ground.horizon + 14, floor, swell=3)
    grassy(canvas, ground, ground.horizon + 22, floor, count=40)


def _mountain(canvas: Canvas, ground: Ground) -> None:
    dice = canvas.dice
    rock: RGB = dice.choice(((120, 132, 164), (132, 126, 158), (110, 138, 158)))
    for k, (rise, jag) in enumerate(((30, 74), (8, 52))):
        line = ridge(canvas, ground.horizon - rise + 26, swell=4, jag=jag)
        depth = 0.42 - 0.2 * k
        fill(
            canvas,
            line,
            [
                canvas.far((250, 252, 255), depth * 0.6),
                canvas.far(mix(rock, (240, 244, 250), 0.3), depth),
                canvas.far(rock, depth),
            ],
        )
    row(
        canvas,
        ("snowy pine", "pine tree"),
        ground.horizon + 10,
        count=11,
        scale=0.32,
        depth=0.25,
        leaf=(86, 152, 82),
        drop=10,
    )
    fill(canvas, ridge(canvas, ground.horizon + 8, swell=8, waves=0.7), [canvas.far(SNOW[0], 0.1), canvas.far(SNOW[1])])
    fill(
        canvas,
        ridge(canvas, ground.horizon + 34, swell=7, waves=0.6),
        [canvas.far(SNOW[0]), canvas.far(mix(SNOW[1], (180, 200, 230), 0.3))],
    )
    speckle(canvas, ground.horizon + 36, (mix(SNOW[0], SNOW[1], 0.8), (255, 255, 255)), 26, 8)


def _desert(canvas: Canvas, ground: Ground) -> None:
    dune = canvas.dice.choice(_DUNES)
    if canvas.dice.random() < 0.6:
        mesa: RGB = (196, 120, 96)
        fill(
            canvas, ridge(canvas, ground.horizon + 4, swell=2, jag=34), [canvas.far(mesa, 0.45), canvas.far(mesa, 0.3)]
        )
    for k in (2, 1):
        line = ridge(canvas, ground.horizon + 8 - 12 * (k - 1), swell=9, waves=0.7 + 0.4 * k)
        fill(canvas, line, [canvas.far(dune[0], 0.16 * k), canvas.far(dune[1], 0.14 * k)])
    fill(canvas, ridge(canvas, ground.horizon + 34, swell=7, waves=0.6), [canvas.far(dune[0]), canvas.far(dune[1])])
    speckle(canvas, ground.horizon + 44, (mix(dune[0], dune[1], 0.6), mix(dune[0], (255, 240, 200), 0.4)), 24, 6)
    for _ in range(0 if ground.view == "bare" else canvas.dice.randint(0, 3)):
        x, size = canvas.dice.uniform(10, WIDTH - 10), canvas.dice.uniform(0.2, 0.34)
        stamp(canvas, thing("cactus"), x, ground.horizon + 22, scale=size, depth=0.15)


def _playground(canvas: Canvas, ground: Ground) -> None:
    grass, sand = canvas.dice.choice(GRASSES), canvas.dice.choice(SANDS)
    hills(canvas, ground, grass, 1)
    row(canvas, trees(ground), ground.horizon + 10, count=8, scale=0.42, depth=0.25, leaf=leafage(canvas))
    land(canvas, ground, ground.horizon + 8, grass)
    for post in (30, 222, 414):
        stamp(canvas, thing("fence"), post, ground.horizon + 16, depth=0.1, shade=0.4)
    y = ground.horizon + 34
    fill(canvas, ridge(canvas, y, swell=3, waves=0.8), [canvas.far(sand[0]), canvas.far(sand[1])])
    speckle(canvas, y + 10, (mix(*sand, 0.7), (255, 244, 220)), 30, 4)
    left = canvas.dice.uniform(0.14, 0.3)
    for toy, x in zip(
        canvas.dice.sample(("slide", "swings"), 2), (left, left + canvas.dice.uniform(0.44, 0.56)), strict=True
    ):
        stamp(
            canvas,
            thing(toy, canvas.dice.choice(("red", "blue", "yellow", "green", "orange", "purple"))),
            WIDTH * x,
            y + 12,
            scale=0.82,
        )


def _garden(canvas: Canvas, ground: Ground) -> None:
    dice, grass = canvas.dice, canvas.dice.choice(GRASSES)
    row(
        canvas,
        ("round tree", "tree", "bush"),
        ground.horizon + 12,
        count=8,
        scale=0.55,
        depth=0.25,
        leaf=leafage(canvas),
    )
    land(canvas, ground, ground.horizon + 10, grass)
    for x in (70, 262, 454):
        stamp(canvas, thing("fence"), x - 40, ground.horizon + 18, scale=1, depth=0.06, shade=0.4)
    shapes: strokes.Figure = []
    for x in np.linspace(4, WIDTH - 4, 26):
        flower = thing("flower", dice.choice(("red", "pink", "yellow", "purple", "white", "orange")))
        shapes += strokes.moved(
            flower, x=float(x) + dice.uniform(-5, 5), y=dice.uniform(-6, 4), scale=dice.uniform(0.45, 0.66)
        )
    stamp(canvas, shapes, 0, ground.horizon + 34, shade=0.4)
    grassy(canvas, ground, ground.horizon + 42, grass, count=40)


BACKDROPS: dict[str, Callable[[Canvas, Ground], None]] = {
    "beach": beach,
    "sea": sea,
    "lake": lake,
    "mountain": _mountain,
    "field": _field,
    "park": _park,
    "forest": _forest,
    "street": street,
    "road": road,
    "desert": _desert,
    "playground": _playground,
    "garden": _garden,
    "underwater": underwater,
}
