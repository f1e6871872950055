"""Drawn places by the water: beach, sea, lake, and under water."""

import numpy as np

from lexel.pipeline.scenes.backdrops.terrain import (
    GRASSES,
    SANDS,
    SNOW,
    Ground,
    flat,
    grassy,
    hills,
    leafage,
    row,
    speckle,
    trees,
)
from lexel.pipeline.scenes.paint import strokes
from lexel.pipeline.scenes.paint.canvas import HEIGHT, WIDTH, Canvas, fill, glitter, gradient, halo, ridge
from lexel.pipeline.scenes.paint.colours import RGB, mix

_SEAS: tuple[tuple[RGB, RGB], ...] = (
    ((66, 148, 190), (116, 202, 208)),
    ((58, 130, 186), (104, 184, 214)),
    ((70, 164, 178), (138, 214, 204)),
)


_LAKES: tuple[tuple[RGB, RGB], ...] = (((138, 196, 214), (74, 146, 182)), ((150, 200, 206), (84, 150, 170)))


def _water(canvas: Canvas, top: float, bottom: float, colours: tuple[RGB, RGB]) -> None:
    """Water that mirrors some of the sky, with ripples that widen towards the viewer."""
    sky = canvas.light.sky[2]
    gradient(
        canvas,
        [mix(canvas.far(colours[0]), sky, 0.25), canvas.far(mix(*colours, 0.6)), canvas.far(colours[1])],
        top,
        bottom,
    )
    dice, shapes = canvas.dice, []
    for _ in range(round((bottom - top) * 0.42)):
        near = dice.random()
        y, run = top + 3 + (bottom - top - 5) * near, 4 + 20 * near * dice.uniform(0.5, 1.2)
        x = dice.uniform(-10, WIDTH)
        colour = mix(mix(canvas.far(mix(*colours, 0.5)), sky, 0.55), (255, 255, 255), 0.12)
        shapes.append((strokes.oval(x, -y, run, 0.5 + 0.9 * near), colour))
    flat(canvas, shapes)


def beach(canvas: Canvas, ground: Ground) -> None:
    """Sea, wet sand and dry sand."""
    sea, sand = canvas.dice.choice(_SEAS), canvas.dice.choice(SANDS)
    if canvas.dice.random() < 0.4:
        fill(
            canvas,
            ridge(canvas, ground.horizon - 2, swell=5, waves=1.2),
            [canvas.far((112, 150, 150), 0.5), canvas.far((112, 150, 150), 0.3)],
            ground.horizon,
        )
    shore = ground.horizon + 46
    _water(canvas, ground.horizon, shore + 8, sea)
    glitter(canvas, ground.sun, ground.horizon, shore, ground.time)
    fill(
        canvas,
        ridge(canvas, shore - 3, swell=2.4, waves=1.3),
        [canvas.far((250, 252, 250)), canvas.far((240, 248, 250))],
    )
    fill(
        canvas,
        ridge(canvas, shore + 2, swell=2.4, waves=1.1),
        [canvas.far(mix(sand[1], (150, 130, 120), 0.3)), canvas.far(sand[1])],
        shore + 60,
    )
    fill(canvas, ridge(canvas, shore + 12, swell=3, waves=0.8), [canvas.far(sand[0]), canvas.far(sand[1])])
    speckle(
        canvas, shore + 18, (mix(sand[0], sand[1], 0.7), (255, 240, 214), mix(sand[1], (180, 140, 110), 0.3)), 34, 4
    )


def sea(canvas: Canvas, ground: Ground) -> None:
    """Open water."""
    top, deep = canvas.dice.choice(_SEAS)
    _water(canvas, ground.horizon, HEIGHT, (mix(top, deep, 0.4), top))
    glitter(canvas, ground.sun, ground.horizon, HEIGHT, ground.time)


def lake(canvas: Canvas, ground: Ground) -> None:
    """A lake before hills, with a shore in front unless the view is of the water."""
    grass = canvas.dice.choice(GRASSES)
    far_rock: RGB = (118, 140, 162)
    fill(
        canvas,
        ridge(canvas, ground.horizon - 18, swell=5, jag=30),
        [canvas.far((226, 232, 240), 0.5), canvas.far(far_rock, 0.45)],
    )
    hills(canvas, ground, grass, 1)
    row(canvas, trees(ground), ground.horizon + 3, count=16, scale=0.24, depth=0.24, leaf=leafage(canvas), drop=2)
    _water(canvas, ground.horizon, HEIGHT, canvas.dice.choice(_LAKES))
    glitter(canvas, ground.sun, ground.horizon, HEIGHT, ground.time)
    if ground.view != "water":
        shore = ground.horizon + 52
        line = ridge(canvas, shore, swell=4, waves=0.9)
        fill(canvas, line - 3 * canvas.u, [canvas.far((222, 206, 168)), canvas.far((206, 186, 146))])
        near = SNOW if ground.winter else grass
        fill(canvas, line, [canvas.far(near[0]), canvas.far(near[1])])
        grassy(canvas, ground, shore + 10, grass)


def underwater(canvas: Canvas, ground: Ground) -> None:
    """Sunbeams, weeds and a sandy bottom."""
    dice = canvas.dice
    top, deep = dice.choice(
        (((122, 214, 220), (30, 104, 160)), ((130, 206, 230), (34, 88, 158)), ((140, 222, 204), (24, 116, 140)))
    )
    gradient(canvas, [canvas.far(top), canvas.far(mix(top, deep, 0.6)), canvas.far(deep)], 0, HEIGHT)
    for _ in range(4):
        halo(
            canvas, (dice.uniform(0, WIDTH), -10), (dice.uniform(20, 46), dice.uniform(120, 210)), (236, 252, 246), 0.4
        )
    sand = canvas.dice.choice(SANDS)
    fill(
        canvas, ridge(canvas, 254, swell=5), [canvas.far(mix(sand[0], deep, 0.3)), canvas.far(mix(sand[1], deep, 0.45))]
    )
    shapes: strokes.Figure = []
    for _ in range(dice.randint(7, 12)):
        x, rise, lean = dice.uniform(0, WIDTH), dice.uniform(30, 84), dice.uniform(4, 10)
        weed = mix(dice.choice(((70, 150, 100), (96, 170, 96), (200, 110, 120))), deep, dice.uniform(0.1, 0.5))
        line = np.array(
            [(x, -270.0), (x + lean, -270 + rise * 0.35), (x - lean, -270 + rise * 0.7), (x + lean * 0.6, rise - 270)]
        )
        shapes.append((strokes.limb(line, 7, 1.5), canvas.far(weed)))
    for _ in range(14):
        r = dice.uniform(1, 3.4)
        shapes.append(
            (
                strokes.oval(dice.uniform(0, WIDTH), -dice.uniform(20, 240), r, r),
                canvas.far(mix(top, (255, 255, 255), 0.5)),
            )
        )
    flat(canvas, shapes)
