"""The land of the drawn scenes: hills, rows of trees, grass, sand and snow, from which the places are put together."""

from dataclasses import dataclass

from lexel.pipeline.scenes.figures.objects import thing
from lexel.pipeline.scenes.paint import strokes
from lexel.pipeline.scenes.paint.canvas import HEIGHT, WIDTH, Canvas, fill, ridge, stamp
from lexel.pipeline.scenes.paint.colours import RGB, mix

GRASSES: tuple[tuple[RGB, RGB], ...] = (
    ((152, 196, 104), (98, 158, 84)),
    ((170, 204, 110), (120, 168, 82)),
    ((138, 190, 120), (82, 146, 96)),
)


SANDS: tuple[tuple[RGB, RGB], ...] = (((246, 222, 172), (230, 194, 138)), ((250, 228, 186), (236, 204, 156)))


SNOW: tuple[RGB, RGB] = ((250, 252, 255), (206, 222, 240))


@dataclass(frozen=True)
class Ground:
    """The parameters of a backdrop: horizon in units, snow on the ground, hour, position of the sun, and view."""

    horizon: float
    winter: bool
    time: str
    sun: float  # 0 to 1 across; negative for none
    view: str  # "water" or "road" in front, "bare" of plants, or ""


def flat(canvas: Canvas, shapes: strokes.Figure) -> None:
    """Paste shapes given in sheet units (y negated) whose colours are final."""
    stretch = (canvas.image.width / WIDTH / canvas.u, canvas.image.height / HEIGHT / canvas.u)
    whole = [(points * stretch, colour) for points, colour in shapes]
    drawn = strokes.layer(whole, x=0, y=0, scale=canvas.u, light=(1, 1, 1), shade=0)
    box = (max(0, -drawn.left), max(0, -drawn.top), drawn.image.width, drawn.image.height)
    part = drawn.image.crop(box)
    canvas.image.paste(part, (max(0, drawn.left), max(0, drawn.top)), part)


def row(
    canvas: Canvas,
    kinds: tuple[str, ...],
    y: float,
    *,
    count: int,
    scale: float,
    depth: float,
    leaf: RGB,
    drop: float = 6,
) -> None:
    """A row of trees as one layer, spread over the width."""
    dice, shapes = canvas.dice, []
    for k in range(count):
        x = WIDTH * (k + dice.uniform(0.05, 0.95)) / count
        size = scale * dice.uniform(0.75, 1.25)
        tree = thing(dice.choice(kinds), leaf=leaf)
        shapes += strokes.moved(tree, x=x, y=-dice.uniform(0, drop), scale=size, mirror=dice.random() < 0.5)
    stamp(canvas, shapes, 0, y, depth=depth, shade=0.7)


def trees(ground: Ground) -> tuple[str, ...]:
    """The kinds of tree that suit the season."""
    return ("snowy pine", "snowy pine", "bare tree") if ground.winter else ("tree", "round tree", "pine tree")


def leafage(canvas: Canvas) -> RGB:
    """A green of leaves."""
    return canvas.dice.choice(((86, 152, 82), (104, 162, 74), (72, 142, 96), (124, 160, 70)))


def speckle(canvas: Canvas, top: float, colours: tuple[RGB, ...], count: int, size: float) -> None:
    """Flat flecks that grow towards the viewer: stones, shells, ripples of sand, hollows in snow."""
    dice, shapes = canvas.dice, []
    for _ in range(count):
        near = dice.random()
        y = top + (HEIGHT - 4 - top) * near
        r = size * (0.4 + near)
        shapes.append(
            (
                strokes.oval(dice.uniform(0, WIDTH), -y, r * dice.uniform(0.8, 2.4), r * 0.34),
                canvas.far(dice.choice(colours)),
            )
        )
    left = [
        (points * (canvas.image.width / WIDTH / canvas.u, canvas.image.height / HEIGHT / canvas.u), c)
        for points, c in shapes
    ]
    drawn = strokes.layer(left, x=0, y=0, scale=canvas.u, light=(1, 1, 1), shade=0)
    canvas.image.paste(drawn.image, (drawn.left, drawn.top), drawn.image)


def _tufts(canvas: Canvas, top: float, leaf: RGB, count: int, *, blooms: bool = True) -> None:
    dice, shapes = canvas.dice, []
    for _ in range(count):
        near = dice.random() ** 0.8
        x, y = dice.uniform(0, WIDTH), -(HEIGHT - top - 6) * near
        if blooms and dice.random() < 0.3:
            petal = dice.choice(((255, 250, 236), (255, 220, 120), (250, 190, 190)))
            shapes.append((strokes.oval(x, y, 1.2 + 1.2 * near, 1.1 + 1.1 * near), petal))
        else:
            shapes += strokes.moved(thing("tuft", leaf=leaf), x=x, y=y, scale=0.35 + 0.5 * near)
    stamp(canvas, shapes, 0, top, shade=0)


def land(canvas: Canvas, ground: Ground, y: float, colours: tuple[RGB, RGB], *, swell: float = 3) -> tuple[RGB, RGB]:
    """The ground to stand on; white where it has snowed."""
    near = SNOW if ground.winter else colours
    fill(canvas, ridge(canvas, y, swell=swell), [canvas.far(near[0], 0.06), canvas.far(near[1])])
    return near


def hills(canvas: Canvas, ground: Ground, colours: tuple[RGB, RGB], count: int) -> None:
    """Rolling hills with trees, paler the farther they are."""
    near = SNOW if ground.winter else colours
    for k in range(count, 0, -1):
        y = ground.horizon - 4 - 13 * (k - 1)
        depth = 0.18 + 0.20 * k
        fill(
            canvas,
            ridge(canvas, y, swell=9, waves=0.8 + 0.3 * k),
            [canvas.far(near[0], depth), canvas.far(near[1], depth * 0.8)],
        )
        if k == 1 or canvas.dice.random() < 0.5:
            row(
                canvas,
                trees(ground),
                y + 10,
                count=9,
                scale=0.2 + 0.05 / k,
                depth=depth * 0.8,
                leaf=leafage(canvas),
                drop=8,
            )


def grassy(canvas: Canvas, ground: Ground, top: float, grass: tuple[RGB, RGB], *, count: int = 46) -> None:
    """The details of grass, or of snow over it."""
    if ground.winter:
        speckle(canvas, top, (mix(SNOW[0], SNOW[1], 0.9), (255, 255, 255)), 30, 7)
    else:
        speckle(canvas, top + 8, (mix(grass[0], grass[1], 0.3), mix(grass[1], (60, 110, 80), 0.2)), 22, 9)
        _tufts(canvas, top, mix(grass[1], (40, 110, 70), 0.35), count, blooms=ground.view != "bare")
