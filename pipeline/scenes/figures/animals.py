"""Drawn animals: dog, cat, horse, bird, duck and fish, as tables of strokes (see `strokes`), all facing right."""

from collections.abc import Mapping

from lexel.pipeline.scenes.paint.colours import NAMED, RGB
from lexel.pipeline.scenes.paint.strokes import Figure, Table, figure, moved

# A four-legged animal is far legs, tail, body, near legs, head; a pose says where the legs go and how the head is held.
_DOG_LEGS: dict[str, tuple[Table, Table]] = {
    "stand": (
        (("limb", "coat--", 10, 6, -24, 32, -20, 16, -24, 3), ("limb", "coat--", 10, 6, 32, 34, 32, 16, 32, 3)),
        (("limb", "coat", 14, 7, -28, 34, -26, 18, -32, 3), ("limb", "coat", 12, 7, 24, 34, 23, 18, 22, 3)),
    ),
    "walk": (
        (("limb", "coat--", 10, 6, -24, 32, -18, 18, -14, 3), ("limb", "coat--", 10, 6, 30, 34, 38, 20, 42, 5)),
        (("limb", "coat", 14, 7, -28, 34, -30, 18, -40, 4), ("limb", "coat", 12, 7, 24, 34, 22, 18, 14, 3)),
    ),
    "run": (
        (("limb", "coat--", 11, 6, -26, 34, -40, 26, -56, 18), ("limb", "coat--", 10, 6, 30, 36, 48, 34, 62, 26)),
        (("limb", "coat", 15, 7, -26, 36, -34, 20, -54, 8), ("limb", "coat", 12, 7, 26, 34, 42, 24, 56, 12)),
    ),
}
_DOG_BODY: Table = (
    ("limb", "coat-", 8, 4, -32, 44, -46, 52, -52, 68),
    ("blob", "coat", -38, 40, -30, 49, -8, 48, 16, 50, 32, 56, 40, 44, 34, 28, 18, 25, -6, 30, -26, 27, -37, 31),
    ("blob", "coat+", 36, 46, 38, 34, 28, 26, 14, 26, 20, 31, 30, 36),
)
_DOG_HEAD: Table = (
    ("blob", "coat", 18, 48, 26, 64, 36, 70, 46, 60, 42, 42, 30, 38),
    ("blob", "coat", 30, 74, 38, 84, 50, 83, 57, 75, 66, 71, 69, 65, 64, 60, 52, 59, 40, 60, 31, 65),
    ("blob", "coat+", 54, 70, 64, 70, 69, 65, 64, 60, 53, 60),
    ("oval", "dark", 67, 69, 3.6, 3),
    ("line", "dark", 1.4, 66, 62, 60, 62.5, 56, 65),
    ("blob", "ear", 34, 82, 41, 80, 42, 68, 38, 56, 31, 54, 27, 62, 29, 74),
    ("oval", "dark", 50, 75, 2.4, 2.8),
    ("oval", "paper", 50.8, 76, 0.8, 0.8),
    ("line", "collar", 4.5, 27, 56, 36, 52, 45, 53),
)
_DOG_SIT: Table = (
    ("limb", "coat-", 8, 4, -30, 8, -44, 10, -52, 22),
    ("limb", "coat--", 10, 7, 18, 36, 22, 18, 22, 3),
    ("blob", "coat", -34, 6, -34, 22, -20, 42, 2, 60, 24, 60, 28, 40, 16, 14, -2, 2, -24, 1),
    ("blob", "coat-", -32, 4, -32, 20, -18, 28, -4, 20, 0, 6, -10, 1),
    ("limb", "coat", 12, 7, 14, 42, 16, 20, 14, 3),
    ("line", "coat", 7, 14, 3, 20, 3),
    ("line", "coat-", 7, -10, 3, 2, 3),
    ("blob", "coat+", 26, 56, 28, 42, 20, 28, 14, 36, 16, 50),
)
_MOUTH = (64.0, 59.0)
_MOUTHFULS: dict[str, Table] = {
    "ball": (("oval", "prop", 66, 57, 8, 8), ("oval", "prop+", 63.5, 60, 2.6, 2.2)),
    "stick": (("line", "wood-", 4.5, 50, 54, 64, 60, 82, 63),),
    "frisbee": (("oval", "prop", 70, 60, 17, 5, 8), ("oval", "prop-", 70, 61, 11, 2.6, 8)),
}

_CAT_SIT: Table = (
    ("limb", "coat-", 7, 5, -20, 5, -36, 4, -40, 16, -32, 26),
    ("blob", "coat", -24, 4, -24, 22, -12, 40, 6, 52, 20, 44, 22, 22, 16, 2, -6, 0),
    ("blob", "coat-", -22, 3, -22, 16, -10, 22, 0, 14, 2, 2),
    ("limb", "coat", 9, 6, 12, 34, 14, 16, 14, 3),
    ("limb", "coat-", 8, 6, 18, 34, 21, 16, 21, 3),
)
_CAT_WALK: Table = (
    ("limb", "coat--", 8, 5, -20, 26, -14, 14, -12, 3),
    ("limb", "coat--", 8, 5, 22, 26, 28, 14, 32, 4),
    ("limb", "coat-", 7, 4.5, -28, 32, -42, 40, -44, 56, -36, 66),
    ("blob", "coat", -32, 30, -22, 40, 0, 37, 20, 40, 28, 30, 20, 20, -4, 22, -24, 18),
    ("limb", "coat", 11, 6, -22, 28, -24, 14, -32, 4),
    ("limb", "coat", 9, 6, 18, 28, 16, 14, 12, 3),
)
_CAT_SLEEP: Table = (
    ("blob", "coat", -36, 4, -34, 18, -14, 28, 14, 26, 32, 14, 32, 3, 0, 0),
    ("blob", "coat-", -36, 5, -34, 18, -18, 20, -8, 10, -14, 1),
    ("limb", "coat-", 7, 6, -34, 5, -14, 2, 12, 3),
)
_CAT_HEAD: Table = (
    ("poly", "coat-", -11, 8, -11, 21, -2, 13),
    ("poly", "coat-", 11, 8, 12, 21, 3, 13),
    ("poly", "rose", -9.5, 10, -9.5, 17, -4, 12),
    ("poly", "rose", 9.5, 10, 10.5, 17, 5, 12),
    ("blob", "coat", -15, 1, -12, 11, 0, 14, 12, 11, 15, 1, 9, -8, 0, -10, -9, -8),
    ("oval", "coat+", 2, -4, 6.5, 4.2),
    ("oval", "rose-", 2, -1.8, 1.8, 1.3),
    ("line", "dark", 0.9, -2, -4, 0, -5.4, 2, -4, 4, -5.4, 6, -4),
)
_CAT_AWAKE: Table = (
    ("oval", "eye", -5, 2.5, 2.6, 3),
    ("oval", "eye", 8, 2.5, 2.6, 3),
    ("oval", "dark", -4.6, 2.5, 1.2, 2.6),
    ("oval", "dark", 8.4, 2.5, 1.2, 2.6),
)
_CAT_ASLEEP: Table = (("line", "dark", 1.1, -8, 3, -5, 1.5, -2, 3), ("line", "dark", 1.1, 5, 3, 8, 1.5, 11, 3))

_HORSE_LEGS: dict[str, tuple[Table, Table]] = {
    "stand": (
        (("limb", "coat--", 11, 6, -36, 56, -34, 28, -36, 3), ("limb", "coat--", 11, 6, 34, 58, 35, 30, 35, 3)),
        (("limb", "coat", 16, 7, -42, 58, -42, 30, -46, 3), ("limb", "coat", 13, 7, 26, 58, 26, 30, 25, 3)),
    ),
    "run": (
        (("limb", "coat--", 13, 6, -38, 60, -58, 40, -76, 30), ("limb", "coat--", 12, 6, 34, 60, 58, 48, 74, 34)),
        (("limb", "coat", 17, 7, -40, 60, -48, 34, -74, 10), ("limb", "coat", 13, 7, 28, 58, 52, 46, 50, 20)),
    ),
}
_HORSE_BODY: Table = (
    ("limb", "mane", 10, 4, -52, 74, -70, 66, -76, 40),
    ("blob", "coat", -56, 66, -44, 82, -16, 78, 14, 80, 36, 84, 46, 66, 36, 48, 6, 44, -28, 46, -50, 50),
    ("blob", "coat+", 34, 62, 28, 50, 4, 46, -24, 48, 4, 54),
)
_HORSE_HEAD: Table = (
    ("blob", "coat", 12, 78, 30, 98, 44, 118, 58, 116, 56, 92, 46, 68, 34, 60),
    ("blob", "coat", 40, 120, 54, 124, 70, 108, 83, 94, 80, 84, 70, 86, 54, 98, 44, 108),
    ("blob", "coat-", 74, 96, 83, 94, 80, 84, 71, 87),
    ("poly", "coat-", 45, 119, 47, 133, 54, 121),
    ("blob", "mane", 50, 126, 40, 124, 26, 104, 8, 84, 14, 78, 24, 90, 38, 104, 48, 114),
    ("oval", "dark", 59, 110, 2.6, 2.8),
    ("oval", "dark", 79, 91, 1.5, 1.8),
)

_BIRD_FLY: Table = (
    ("blob", "coat--", 2, 4, 12, 26, 8, 44, -4, 30, -10, 8),
    ("poly", "coat-", -18, 4, -40, 10, -38, 0, -16, -4),
    ("blob", "coat", -22, 0, -8, 9, 12, 11, 24, 9, 28, 1, 16, -8, -6, -9),
    ("blob", "belly", 24, 0, 14, -7, -6, -8, 4, -1),
    ("oval", "coat", 25, 9, 9, 8.5),
    ("poly", "beak", 32, 11, 43, 7, 32, 5),
    ("oval", "dark", 27.5, 11, 1.7, 1.9),
    ("blob", "coat-", 8, 6, -2, 30, -22, 48, -24, 30, -14, 6, -2, 0),
)
_BIRD_STAND: Table = (
    ("line", "beak-", 2.2, -3, 14, -4, 1, 2, 0.8),
    ("line", "beak-", 2.2, 5, 14, 5, 1, 11, 0.8),
    ("poly", "coat-", -14, 20, -42, 14, -40, 6, -10, 12),
    ("blob", "coat", -20, 16, -10, 28, 8, 38, 20, 38, 22, 22, 12, 11, -6, 9),
    ("blob", "belly", 22, 30, 21, 19, 12, 11, 0, 11, 12, 22),
    ("oval", "coat", 17, 42, 11, 10.5),
    ("poly", "beak", 26, 45, 38, 41, 26, 38),
    ("oval", "dark", 20.5, 44.5, 2, 2.2),
    ("blob", "coat--", 6, 30, -8, 26, -24, 12, -10, 13, 6, 18),
)
_DUCK: Table = (
    ("poly", "coat-", -30, 16, -44, 26, -26, 24),
    ("blob", "coat", -36, 10, -30, 22, -10, 22, 10, 22, 24, 16, 26, 4, 10, -4, -20, -4, -32, 2),
    ("blob", "coat", 10, 16, 12, 34, 26, 36, 26, 18, 20, 8),
    ("oval", "coat", 21, 39, 12, 11.5),
    ("blob", "beak", 31, 43, 44, 38, 45, 34, 31, 34),
    ("oval", "dark", 25, 42, 2, 2.2),
    ("blob", "coat-", 8, 18, -8, 18, -28, 14, -14, 4, 4, 6),
)
_FISH: Table = (
    ("blob", "coat-", -22, 4, -44, 24, -40, 2, -44, -18, -22, -2),
    ("blob", "coat-", -8, 16, 0, 28, 16, 22, 14, 14),
    ("blob", "coat", -28, 1, -8, 17, 18, 17, 36, 6, 36, -4, 18, -15, -8, -14),
    ("blob", "coat+", 34, -4, 18, -14, -8, -13, -22, -3, 6, -6),
    ("limb", "stripe", 4, 4, 14, 16, 10, 1, 14, -13),
    ("blob", "coat-", 6, 0, -8, 4, -10, -10, 2, -6),
    ("oval", "paper", 25, 5, 5, 5.2),
    ("oval", "dark", 26.5, 5, 2.6, 3),
)


def _inks(colour: str, more: Mapping[str, str]) -> dict[str, RGB]:
    return {"coat": NAMED[colour], **{name: NAMED[word] for name, word in more.items()}}


def dog(pose: str, colour: str, *, prop: str, prop_colour: str, collar: str) -> Figure:
    """A dog that stands, walks, runs, jumps or sits, perhaps with a ball, a stick or a frisbee in its mouth."""
    ear = "brown" if colour == "white" else colour
    inks = _inks(colour, {"collar": collar, "prop": prop_colour or "red", "ear": ear})
    inks["ear"] = inks["ear"] if ear != colour else _darker(inks["ear"])
    head = figure([*_DOG_HEAD, *_MOUTHFULS.get(prop, ())], inks)
    if pose == "sit":
        return [*figure(_DOG_SIT, inks), *moved(head, x=-12, y=10)]
    far, near = _DOG_LEGS["run" if pose == "jump" else pose]
    whole = [*figure([*far, *_DOG_BODY, *near], inks), *moved(head, y=-4 if pose == "run" else 0)]
    return moved(whole, y=26, degrees=16) if pose == "jump" else whole


def _darker(colour: RGB) -> RGB:
    return (colour[0] * 3 // 4, colour[1] * 3 // 4, colour[2] * 3 // 4)


def cat(pose: str, colour: str) -> Figure:
    """A cat that sits, walks or sleeps."""
    inks = _inks(colour, {"eye": "green" if colour in ("black", "white") else "yellow"})
    body, (x, y) = {"sit": (_CAT_SIT, (14, 56)), "walk": (_CAT_WALK, (34, 44)), "sleep": (_CAT_SLEEP, (24, 14))}[pose]
    face = _CAT_ASLEEP if pose == "sleep" else _CAT_AWAKE
    return [*figure(body, inks), *moved(figure([*_CAT_HEAD, *face], inks), x=x, y=y)]


def horse(pose: str, colour: str) -> Figure:
    """A horse that stands or runs."""
    mane = {"brown": "black", "white": "grey", "black": "grey", "grey": "white"}[colour]
    inks = _inks(colour, {"mane": mane})
    far, near = _HORSE_LEGS[pose]
    return figure([*far, *_HORSE_BODY, *near, *_HORSE_HEAD], inks)


def bird(pose: str, colour: str) -> Figure:
    """A bird that flies or stands."""
    belly = "grey" if colour == "black" else "white"
    return figure(_BIRD_FLY if pose == "fly" else _BIRD_STAND, _inks(colour, {"belly": belly}))


def duck(colour: str) -> Figure:
    """A duck on the water."""
    return figure(_DUCK, _inks(colour, {}))


def fish(colour: str) -> Figure:
    """A fish under water."""
    return figure(_FISH, _inks(colour, {"stripe": "yellow" if colour == "blue" else "white"}))
