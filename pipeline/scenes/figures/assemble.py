"""Makes the figure of a part of a scene: who, holding what, riding or sitting on what, in which colours."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lexel.pipeline.scenes.figures import animals, people
from lexel.pipeline.scenes.figures.objects import TABLES, thing
from lexel.pipeline.scenes.figures.vehicles import KINDS, vehicle
from lexel.pipeline.scenes.paint.colours import COMMON
from lexel.pipeline.scenes.paint.strokes import Figure, figure, limb, moved


@dataclass(frozen=True)
class FigurePart:
    """One figure of a scene.

    It stands at (x, y) on a sheet 384 x 288, y downwards; `scale` is in sheet units per unit of the figure.
    """

    role: str  # "main", "other" or "feature"
    noun: str
    act: str
    pose: str
    x: float
    y: float
    scale: float
    mirror: bool
    colour: str = ""
    wear: str = ""
    hat: str = ""
    hat_colour: str = ""
    prop: str = ""
    prop_colour: str = ""
    ride: str = ""
    look: int = 0
    medium: str = "land"


def drawn(part: FigurePart, *, night: bool, winter: bool) -> Figure:
    """The figure of a part, facing right unless mirrored."""
    return moved(_figure(part, night, winter), scale=part.scale, mirror=part.mirror)


def _dog(part: FigurePart) -> Figure:
    collar = ("red", "blue", "green", "yellow")[part.look % 4]
    return animals.dog(part.pose, part.colour, prop=part.prop, prop_colour=part.prop_colour, collar=collar)


def _tent(part: FigurePart) -> Figure:
    fire = moved(thing("campfire"), x=84, scale=0.7) if part.prop else []
    return [*thing("tent", part.colour), *fire]


_MAKERS: dict[str, Callable[[FigurePart], Figure]] = {
    "dog": _dog,
    "cat": lambda part: animals.cat(part.pose, part.colour),
    "horse": lambda part: animals.horse(part.pose, part.colour),
    "bird": lambda part: animals.bird(part.pose, part.colour),
    "duck": lambda part: animals.duck(part.colour),
    "fish": lambda part: animals.fish(part.colour),
    "tent": _tent,
}


def _figure(part: FigurePart, night: bool, winter: bool) -> Figure:
    noun = part.noun
    if noun in _MAKERS:
        return _MAKERS[noun](part)
    if noun in people.BUILDS:
        return _person(part)
    if noun in KINDS:
        return vehicle(noun, part.colour)
    trees = ("snowy pine",) if winter else ("tree", "round tree", "pine tree")
    name = {"umbrella": "parasol", "tree": trees[part.look % len(trees)]}.get(noun, noun)
    return _capped(thing(name, part.colour, lamp=night), noun == "house" and winter)


def _capped(shapes: Figure, snow: bool) -> Figure:
    return [*shapes, *figure(TABLES["snow cap"], {})] if snow else shapes


def _person(part: FigurePart) -> Figure:
    body = people.person(
        part.noun,
        part.pose,
        top=part.colour,
        wear=part.wear,
        hat=part.hat,
        hat_colour=part.hat_colour,
        look=part.look,
    )
    if part.ride in _SEATS:
        return _mounted(part, body)
    if part.ride == "skis":
        return _skiing(part, body)
    return _surfing(part, body) if part.ride == "surfboard" else _holding(part, body)


# Where the hip goes on what is sat on, and whether the far leg is hidden by it.
_SEATS: dict[str, tuple[float, float, bool]] = {
    "bench": (0, 31, False),
    "bicycle": (-12, 53, True),
    "horse": (-4, 85, True),
    "sled": (-12, 18, False),
}


def _mounted(part: FigurePart, body: people.Body) -> Figure:
    x, y, between = _SEATS[part.ride]
    if part.ride == "bicycle":
        small = 0.68 if part.noun in ("boy", "girl") else 1.0
        ride = moved(vehicle("bicycle", part.prop_colour), scale=small)
        return _seated(body, ride, x=x * small, y=y * small)
    if part.ride == "horse":
        ride = animals.horse("stand", part.prop_colour)
    else:
        ride = thing("bench", part.prop_colour) if part.ride == "bench" else vehicle("sled", part.prop_colour)
    return _seated(body, ride, x=x, y=y, between=between)


def _skiing(part: FigurePart, body: people.Body) -> Figure:
    small = 0.8 if part.noun in ("boy", "girl") else 1.0
    pole = (limb(np.array([body.hand, (body.hand[0] - 36 * small, 2.0)]), 1.8, 1.4), COMMON["steel"])
    return [*moved(vehicle("skis", part.prop_colour), scale=small), *moved([*body.far, *body.near, pole], y=3)]


def _surfing(part: FigurePart, body: people.Body) -> Figure:
    spray = ((-46, -6, 14), (-26, -9, 18), (0, -10, 18), (24, -9, 16))
    foam = figure([("oval", "snow", x, y, r, r * 0.34) for x, y, r in spray], {})
    board = moved(vehicle("surfboard", part.prop_colour), scale=1.1)
    return [*board, *moved([*body.far, *body.near], y=5), *foam]


def _seated(body: people.Body, ride: Figure, *, x: float, y: float, between: bool = True) -> Figure:
    """A body with its hip at (x, y) of what it rides or sits on: far limbs behind a mount, in front of a seat."""
    right, up = x - body.seat[0], y - body.seat[1]
    far, near = moved(body.far, x=right, y=up), moved(body.near, x=right, y=up)
    return [*far, *ride, *near] if between else [*ride, *far, *near]


def _string(start: people.Spot, end: people.Spot) -> Figure:
    sag = ((start[0] + end[0]) / 2 + 4, (start[1] + end[1]) / 2 - 4)
    return [(limb(np.array([start, sag, end]), 1.0, 1.0), COMMON["string"])]


def _holding(part: FigurePart, body: people.Body) -> Figure:
    """A body on its own feet, with what it has in hand."""
    (x, y), whole = body.hand, [*body.far, *body.near]
    if part.act not in _HELD:
        return whole
    name, right, up, degrees = _HELD[part.act]
    held = moved(thing(name, part.prop_colour), x=x + right, y=y + up, degrees=degrees)
    if part.act == "kick":
        return [*whole, *moved(thing("ball", part.prop_colour), x=50 if body.seat[1] > 40 else 38, y=4)]
    if part.act == "umbrella":
        return [*body.far, *held, *body.near]
    cord = _string(body.hand, (x + right, y + up - 12)) if part.act in ("balloon", "kite") else []
    return [*cord, *held, *whole]


# What is held: the thing, and where it is from the near hand.
_HELD: dict[str, tuple[str, float, float, float]] = {
    "balloon": ("balloon", 8, 66, 0),
    "umbrella": ("umbrella", -4, 0, 0),
    "kite": ("kite", 44, 72, -24),
    "carry": ("ball", 5, -9, 0),
    "kick": ("ball", 0, 0, 0),
    "throw": ("frisbee", 30, 8, 0),
}
