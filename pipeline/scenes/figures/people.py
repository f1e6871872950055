"""Drawn people: a skeleton posed by a table of angles, clothed by a table of inks, all facing right.

Units: a grown person is about 100 high. Angles are degrees from straight down, positive towards the front.
"""

import math
from dataclasses import dataclass

import numpy as np

from lexel.pipeline.scenes.paint.colours import COMMON, NAMED, RGB
from lexel.pipeline.scenes.paint.strokes import Figure, Stroke, Table, figure, moved

Spot = tuple[float, float]

_SKINS: tuple[RGB, ...] = ((250, 214, 186), (236, 190, 152), (204, 148, 108), (150, 100, 72), (112, 74, 56))
_HAIRS: tuple[RGB, ...] = ((58, 42, 40), (104, 66, 44), (150, 92, 52), (44, 38, 50), (196, 146, 82))
_TROUSERS: tuple[RGB, ...] = ((62, 76, 118), (88, 84, 96), (118, 96, 82), (70, 96, 108))


@dataclass(frozen=True)
class Pose:
    """Lean of the trunk, then near and far arm (upper, lower) and near and far leg (thigh, shin)."""

    lean: float
    arms: tuple[tuple[float, float], tuple[float, float]]
    legs: tuple[tuple[float, float], tuple[float, float]]
    lift: float = 0


POSES: dict[str, Pose] = {
    "stand": Pose(0, ((-8, 6), (10, 18)), ((-4, -4), (5, 5))),
    "wave": Pose(0, ((-136, -160), (10, 18)), ((-4, -4), (5, 5))),
    "walk": Pose(3, ((-26, -8), (28, 46)), ((26, 12), (-20, -40))),
    "run": Pose(12, ((-52, 40), (44, 120)), ((58, 4), (-30, -96)), 5),
    "jump": Pose(4, ((128, 150), (-128, -150)), ((48, -40), (-14, -74)), 24),
    "hold": Pose(0, ((46, 128), (8, 18)), ((-4, -4), (5, 5))),
    "raise": Pose(0, ((120, 150), (8, 14)), ((-6, -6), (6, 6))),
    "carry": Pose(-3, ((34, 96), (40, 104)), ((-4, -4), (5, 5))),
    "throw": Pose(-4, ((150, 120), (60, 92)), ((-16, -22), (22, 16))),
    "kick": Pose(-10, ((-44, -20), (50, 76)), ((62, 44), (-8, -12))),
    "sit": Pose(-2, ((24, 62), (20, 58)), ((84, 4), (80, -2))),
    "ride": Pose(22, ((52, 66), (46, 60)), ((62, -12), (28, -14))),
    "saddle": Pose(2, ((38, 80), (34, 78)), ((52, -8), (52, -8))),
    "ski": Pose(20, ((30, 84), (24, 78)), ((42, -22), (34, -30))),
    "sled": Pose(-14, ((44, 76), (38, 70)), ((82, 62), (78, 58))),
    "surf": Pose(8, ((96, 84), (-92, -78)), ((46, -16), (-34, -52))),
}

# Hair behind and before the head, about the head's centre with radius 10.
_HAIR_BACK: dict[str, Table] = {
    "long": (("blob", "hair-", -11, 6, -14, -6, -13, -22, -4, -24, 2, -14, 4, 4),),
    "tail": (("blob", "hair-", -8, 6, -18, 4, -22, -8, -18, -18, -13, -8, -8, -2),),
    "bun": (("oval", "hair-", -9, 10, 5.5, 5.5),),
}
_FRINGE: Table = (("blob", "hair", -10.5, -1, -11.5, 6, -6, 12, 3, 12.5, 10, 8, 9.5, 4.5, 3, 7, -4, 5, -6, -1, -8, -5),)
_SHORT: Table = (("blob", "hair", -10.5, -2, -11.5, 6, -5, 12.5, 5, 12.5, 10.5, 7, 8, 5, 0, 6, -6, 4, -6.5, -2),)
_FACE: Table = (
    ("oval", "skin-", -5.5, -1, 2, 2.6),
    ("oval", "dark", 2, 0.5, 1.2, 1.6),
    ("oval", "dark", 7.4, 0.5, 1.1, 1.6),
    ("oval", "flush", 0.6, -3.4, 2.2, 1.4),
    ("line", "dark", 0.9, 3, -4.2, 5, -5.2, 7, -4.2),
)
_BEARD: Table = (
    ("blob", "hair", -6, -2, -2, -4, 3, -3, 8, -3, 8, -8, 3, -12, -4, -9),
    ("line", "skin-", 1, 3, -5, 5, -5.6, 7, -5),
)
_HATS: dict[str, Table] = {
    "hat": (
        ("blob", "hat", -9, 5, -8, 15, 0, 17, 8, 15, 9, 5),
        ("poly", "hat-", -9.4, 8, 9.4, 8, 9.4, 5, -9.4, 5),
        ("oval", "hat+", 0, 4.6, 16, 2.8),
    ),
    "beanie": (
        ("blob", "hat", -11, 3, -10, 12, 0, 16, 10, 12, 11, 4),
        ("line", "hat+", 4.4, -10.5, 4.4, 0, 6.4, 10.6, 5),
        ("oval", "hat+", 0, 17, 3.6, 3.6),
    ),
    "cap": (
        ("blob", "hat", -10.6, 4, -9.5, 11, -1, 14, 8, 11, 10, 5),
        ("limb", "hat-", 3.6, 2.6, 3, 5, 12, 5.6, 18, 4),
    ),
    "helmet": (
        ("blob", "hat", -11.5, 2, -11, 11, 0, 15.5, 10, 11, 11, 4),
        ("line", "hat-", 2, -10.5, 3.4, 0, 6, 10.5, 4.5),
    ),
}


@dataclass(frozen=True)
class Build:
    """Lengths of a body: head radius, trunk, thigh, shin, upper arm, forearm and half the shoulder width."""

    head: float
    trunk: float
    thigh: float
    shin: float
    upper: float
    fore: float
    half: float


BUILDS: dict[str, Build] = {
    "man": Build(10.5, 31, 23, 22, 16, 15, 9.5),
    "woman": Build(10.3, 28, 22.5, 22, 15, 14, 7.6),
    "boy": Build(10.4, 22, 14.5, 13.5, 12, 12, 7.4),
    "girl": Build(10.4, 21, 14.5, 13.5, 12, 12, 6.8),
}


@dataclass(frozen=True)
class Body:
    """A posed person: polygons behind and before whatever is ridden, and where the near hand and the hip came to be."""

    far: Figure
    near: Figure
    hand: Spot
    seat: Spot


def _step(spot: Spot, degrees: float, length: float) -> Spot:
    return (spot[0] + math.sin(math.radians(degrees)) * length, spot[1] - math.cos(math.radians(degrees)) * length)


def _chain(start: Spot, angles: tuple[float, float], first: float, second: float) -> tuple[Spot, Spot]:
    joint = _step(start, angles[0], first)
    return joint, _step(joint, angles[1], second)


def inks(kind: str, *, top: str, hat: str, look: int) -> dict[str, RGB]:
    """The inks of a person: `look` picks skin, hair and trousers."""
    skin = _SKINS[look % 5]
    found = {"skin": skin, "hair": _HAIRS[look // 5 % 5], "top": NAMED[top], "hat": NAMED[hat or "red"]}
    if look % 5 > 2:
        found["hair"] = _HAIRS[look // 5 % 2 * 3]
    found["flush"] = tuple((3 * s + b) // 4 for s, b in zip(skin, COMMON["blush"], strict=True))  # type: ignore[assignment]
    return found | {"legs": _TROUSERS[look // 25 % 4], "shoe": (84, 60, 60)}


def _leg(hip: Spot, angles: tuple[float, float], build: Build, wear: str, sign: str) -> list[Stroke]:
    knee, foot = _chain(hip, angles, build.thigh, build.shin)
    bare = wear == "dress" or (wear == "shirt" and build.trunk < 25)
    thigh, shin = ("skin" if wear == "dress" else "legs") + sign, ("skin" if bare else "legs") + sign
    toe = _step(foot, 90 + angles[1] * 0.7, 5.5)
    width = build.half
    return [
        ("limb", shin, width * 0.86, width * 0.62, *knee, *foot),
        ("limb", thigh, width * 1.12, width * 0.86, *hip, *knee),
        ("line", "shoe" + sign, 4.8, *foot, *toe),
    ]


def _arm(shoulder: Spot, angles: tuple[float, float], build: Build, wear: str, sign: str) -> tuple[list[Stroke], Spot]:
    elbow, hand = _chain(shoulder, angles, build.upper, build.fore)
    width = build.half
    fore = "top" if wear == "jacket" else "skin"
    strokes: list[Stroke] = [
        ("limb", fore + sign, width * 0.66, width * 0.52, *elbow, *hand),
        ("limb", "top" + sign, width * 0.84, width * 0.70, *shoulder, *elbow),
        ("oval", "skin" + sign, *hand, width * 0.34, width * 0.34),
    ]
    return strokes, hand


def _trunk(hip: Spot, neck: Spot, half: float, wear: str) -> list[Stroke]:
    (hx, hy), (nx, ny) = hip, neck
    low = half * 0.86
    strokes: list[Stroke] = [
        ("line", "skin-", half * 0.7, nx, ny - 2, nx + 0.6, ny + 5),
        (
            "blob",
            "top",
            hx - low,
            hy - 2,
            hx - low,
            hy + 9,
            nx - half,
            ny - 6,
            nx - half * 0.6,
            ny + 0.6,
            nx + half * 0.6,
            ny + 0.6,
            nx + half,
            ny - 6,
            hx + low,
            hy + 9,
            hx + low,
            hy - 2,
        ),
    ]
    if wear == "jacket":
        strokes.append(("line", "top-", 1.4, nx + half * 0.4, ny - 1, hx + low * 0.5, hy - 2))
    return strokes


def _skirt(hip: Spot, knees: tuple[Spot, Spot], half: float) -> list[Stroke]:
    (x, y), spread = hip, half * 1.9
    left, right = min(knees[0][0], knees[1][0], x), max(knees[0][0], knees[1][0], x)
    bottom = min(knees[0][1], knees[1][1], y - 9) + 2
    return [
        (
            "blob",
            "top",
            x - half * 0.8,
            y + 6,
            x + half * 0.8,
            y + 6,
            right + spread * 0.62,
            bottom + 3,
            right + spread * 0.3,
            bottom,
            left - spread * 0.3,
            bottom,
            left - spread * 0.62,
            bottom + 3,
        ),
        ("line", "top-", 2, x - half * 0.8, y + 6.5, x + half * 0.8, y + 6.5),
    ]


def _head(kind: str, look: int, hat: str) -> tuple[Table, Table]:
    style = {"woman": ("long", "bun", "tail")[look % 3], "girl": ("tail", "long", "tail")[look % 3]}.get(kind, "")
    hair = _FRINGE if style else _SHORT
    beard = _BEARD if kind == "man" and look % 3 == 0 else ()
    skull: Table = (("oval", "skin", 0, 0, 10.2, 10.4), ("oval", "skin", 10.2, -1.4, 1.7, 1.6))
    return _HAIR_BACK.get(style, ()), (*skull, *_FACE, *beard, *hair, *_HATS.get(hat, ()))


def person(kind: str, pose: str, *, top: str, wear: str, hat: str, hat_colour: str, look: int) -> Body:
    """A man, woman, boy or girl in a pose.

    `wear` is "shirt", "jacket" or "dress"; `hat` is "", "hat", "beanie", "cap" or "helmet". The lowest point is at
    height 0, before the pose's own lift.
    """
    build, plan, colours = BUILDS[kind], POSES[pose], inks(kind, top=top, hat=hat_colour, look=look)
    hip = (0.0, build.thigh + build.shin)
    neck = _step(hip, 180 - plan.lean, build.trunk)
    shoulder = _step(neck, -plan.lean, 4)
    knees = tuple(_chain(hip, leg, build.thigh, build.shin)[0] for leg in plan.legs)
    far_arm, _ = _arm((shoulder[0] + 2, shoulder[1]), plan.arms[1], build, wear, "-")
    near_arm, hand = _arm((shoulder[0] - 2, shoulder[1]), plan.arms[0], build, wear, "")
    far_leg = _leg((hip[0] + 1.5, hip[1]), plan.legs[1], build, wear, "-")
    near_leg = _leg((hip[0] - 1.5, hip[1]), plan.legs[0], build, wear, "")
    skirt = _skirt(hip, (knees[0], knees[1]), build.half) if wear == "dress" else []
    back, front = _head(kind, look, hat)
    head = _step(neck, 180 - plan.lean * 0.6, build.head * 0.95 + 2)
    far = [*figure([*far_arm, *far_leg], colours), *_set(figure(back, colours), head, build, plan)]
    trunk = figure([*near_leg, *_trunk(hip, neck, build.half, wear), *skirt], colours)
    near = [*trunk, *_set(figure(front, colours), head, build, plan), *figure(near_arm, colours)]
    return _landed(Body(far, near, hand, hip), plan.lift)


def _set(shapes: Figure, head: Spot, build: Build, plan: Pose) -> Figure:
    """The head's shapes on the neck."""
    return moved(shapes, x=head[0], y=head[1], scale=build.head / 10, degrees=-plan.lean * 0.5)


def _landed(body: Body, lift: float) -> Body:
    """Lift or drop the whole so that its lowest point is at `lift`."""
    low = min(float(np.min(points[:, 1])) for points, _ in [*body.far, *body.near])
    rise = lift - low
    hand, seat = ((x, y + rise) for x, y in (body.hand, body.seat))
    return Body(moved(body.far, y=rise), moved(body.near, y=rise), hand, seat)
