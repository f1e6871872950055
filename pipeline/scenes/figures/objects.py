"""Drawn things: trees, houses and what people play with, as tables of strokes (see `strokes`).

The ink `paint` is their colour.
"""

from lexel.pipeline.scenes.paint.colours import NAMED, RGB
from lexel.pipeline.scenes.paint.strokes import Figure, Table, figure

_TREE: Table = (
    ("limb", "bark", 15, 9, 0, 0, -1, 40, 1, 80),
    ("limb", "bark", 6, 4, 0, 50, 18, 74),
    ("blob", "leaf-", -44, 76, -52, 100, -38, 126, -34, 142, 0, 160, 32, 146, 46, 124, 54, 98, 42, 74, 14, 66, -16, 66),
    ("blob", "leaf", -44, 92, -46, 112, -32, 128, -26, 148, 2, 158, 24, 148, 38, 124, 36, 100, 8, 90, -18, 84),
    ("blob", "leaf+", -34, 118, -30, 136, -18, 148, -2, 150, 4, 134, -12, 120),
    ("oval", "leaf+", 16, 112, 9, 6),
)
_ROUND: Table = (
    ("limb", "bark", 12, 7, 0, 0, 0, 70),
    ("oval", "leaf-", 0, 96, 40, 46),
    ("oval", "leaf", -4, 100, 34, 40),
    ("oval", "leaf+", -12, 114, 15, 17),
)
_PINE: Table = (
    ("limb", "bark", 11, 9, 0, 0, 0, 30),
    ("poly", "pine-", -44, 22, -20, 34, 0, 30, 22, 34, 44, 22, 26, 66, -26, 66),
    ("poly", "pine", -36, 58, -14, 68, 0, 64, 16, 68, 36, 58, 20, 100, -20, 100),
    ("poly", "pine+", -28, 92, -10, 100, 0, 97, 12, 100, 28, 92, 0, 146),
)
_PINE_SNOW: Table = (
    ("blob", "snow", -40, 28, -20, 40, 0, 36, 20, 40, 40, 28, 24, 62, -24, 62),
    ("poly", "pine", -36, 56, -14, 68, 0, 64, 16, 68, 36, 56, 22, 84, -22, 84),
    ("blob", "snow", -32, 64, -14, 74, 0, 71, 16, 74, 32, 64, 18, 96, -18, 96),
    ("poly", "pine+", -28, 92, -10, 102, 0, 99, 12, 102, 28, 92, 14, 118, -14, 118),
    ("blob", "snow", -20, 106, 0, 112, 20, 106, 7, 130, 0, 147, -7, 130),
)
_BARE: Table = (
    ("limb", "bark", 13, 5, 0, 0, -2, 50, 2, 120),
    ("limb", "bark", 6, 2.5, 0, 56, 22, 86, 34, 120),
    ("limb", "bark", 6, 2.5, -1, 70, -22, 94, -34, 126),
    ("limb", "bark", 4, 2, 1, 96, 14, 116, 16, 140),
    ("line", "snow", 4, -33, 126, -23, 99, -10, 84),
    ("line", "snow", 4, 34, 122, 22, 92, 12, 76),
)
_PALM: Table = (
    ("limb", "bark", 13, 7, -8, 0, -2, 44, 10, 88, 26, 126),
    *(
        ("line", "bark-", 2, -10 + k * 0.3 + k * k * 0.028, 12.0 + 11 * k, 2 + k * 0.8 + k * k * 0.02, 13.0 + 11 * k)
        for k in range(9)
    ),
    ("blob", "leaf-", 26, 128, 54, 140, 82, 118, 84, 104, 66, 120, 44, 124),
    ("blob", "leaf-", 26, 128, 2, 146, -30, 132, -36, 114, -16, 126, 10, 128),
    ("blob", "leaf", 26, 127, 50, 124, 66, 98, 64, 84, 50, 104, 34, 118),
    ("blob", "leaf", 24, 127, 4, 118, -10, 92, -6, 80, 6, 100, 20, 116),
    ("blob", "leaf+", 26, 128, 40, 152, 68, 156, 78, 148, 54, 142, 38, 130),
    ("blob", "leaf+", 26, 128, 16, 154, -10, 160, -22, 152, 2, 146, 14, 132),
    ("oval", "bark-", 20, 121, 5.5, 5.5),
    ("oval", "bark-", 30, 120, 5.5, 5.5),
)
_CACTUS: Table = (
    ("line", "leaf-", 12, 14, 40, 34, 44, 36, 74),
    ("line", "leaf-", 11, -12, 52, -32, 56, -33, 82),
    ("line", "leaf", 20, 0, 4, 0, 60, 0, 112),
    ("line", "leaf+", 2.4, -4, 8, -4, 60, -4, 110),
    ("line", "leaf-", 2, 4, 8, 4, 60, 4, 112),
    ("oval", "rose", 0, 124, 6, 4),
)
_FLOWER: Table = (
    ("line", "leaf", 2.6, 0, 0, 1, 18, 0, 38),
    ("blob", "leaf", 0, 6, 12, 12, 16, 24, 4, 16),
    ("blob", "leaf-", 0, 4, -12, 10, -16, 20, -4, 14),
    *(("oval", "paint", dx, 42 + dy, 6.6, 6.6) for dx, dy in ((8, 2), (3, 9), (-6, 7), (-8, -2), (0, -8))),
    ("oval", "gold", 0, 43, 5.2, 5.2),
)
_HOUSE: Table = (
    ("poly", "stone-", 34, 92, 34, 132, 50, 132, 50, 92),
    ("poly", "paint", -62, 0, 62, 0, 62, 72, -62, 72),
    ("poly", "paint-", -62, 64, 62, 64, 62, 72, -62, 72),
    ("poly", "roof-", -76, 68, 76, 68, 46, 120, -46, 120),
    ("poly", "roof", -76, 74, 76, 74, 46, 122, -46, 122),
    ("poly", "wood-", -14, 0, 14, 0, 14, 44, -14, 44),
    ("oval", "gold", 9, 22, 2, 2),
    ("poly", "paper", -50, 24, -24, 24, -24, 52, -50, 52),
    ("poly", "window", -47, 27, -27, 27, -27, 49, -47, 49),
    ("poly", "paper", 24, 24, 50, 24, 50, 52, 24, 52),
    ("poly", "window", 27, 27, 47, 27, 47, 49, 27, 49),
    ("line", "paper", 2, -37, 27, -37, 49),
    ("line", "paper", 2, 37, 27, 37, 49),
    ("blob", "leaf", -70, 0, -66, 14, -52, 16, -40, 12, -36, 0),
    ("blob", "leaf-", 40, 0, 44, 12, 56, 16, 68, 10, 72, 0),
)
_LIGHTHOUSE: Table = (
    ("blob", "stone-", -44, -4, -38, 12, -14, 18, 18, 18, 40, 10, 46, -4),
    ("poly", "paper", -24, 10, 24, 10, 14, 130, -14, 130),
    ("poly", "paint", -22, 32, 22, 32, 20, 56, -20, 56),
    ("poly", "paint", -18.3, 80, 18.3, 80, 16.2, 104, -16.2, 104),
    ("poly", "dark", -20, 128, 20, 128, 20, 134, -20, 134),
    ("poly", "lamp", -11, 134, 11, 134, 11, 152, -11, 152),
    ("line", "dark", 2, -11, 134, -11, 152),
    ("line", "dark", 2, 11, 134, 11, 152),
    ("blob", "paint", -16, 151, 0, 170, 16, 151, 0, 150),
    ("poly", "wood-", -6, 14, 6, 14, 6, 28, -6, 28),
    ("oval", "glass-", 0, 68, 4, 5),
)
_TENT: Table = (
    ("poly", "paint-", 10, 72, 66, 0, 30, 0),
    ("poly", "paint", -58, 0, 46, 0, 4, 74),
    ("poly", "dark", -16, 0, 18, 0, 3, 50),
    ("poly", "paint+", -16, 0, -30, 0, 3, 58),
    ("line", "paint-", 2, -58, 0, 4, 74, 46, 0),
)
_FIRE: Table = (
    ("line", "wood-", 8, -22, 3, 20, 10),
    ("line", "wood", 8, 22, 3, -20, 10),
    ("blob", "flame", -15, 10, -18, 26, -8, 36, -4, 54, 8, 40, 16, 28, 14, 10, 0, 6),
    ("blob", "gold", -9, 10, -10, 22, -2, 34, 6, 26, 9, 14, 0, 8),
    ("oval", "paper", 0, 14, 4, 6),
)
_SNOWMAN: Table = (
    ("oval", "snow", 0, 26, 31, 28),
    ("oval", "snow", 0, 66, 23, 21),
    ("limb", "wood-", 3.6, 2, 18, 70, 36, 80, 46, 94),
    ("limb", "wood-", 3.6, 2, -18, 70, -36, 76, -48, 72),
    ("oval", "snow", 0, 98, 17, 16),
    ("line", "paint", 8, -15, 85, 0, 82, 15, 85),
    ("limb", "paint-", 8, 9, 8, 84, 15, 72, 14, 60),
    ("oval", "dark", -3, 103, 2, 2.4),
    ("oval", "dark", 8, 103, 2, 2.4),
    ("poly", "beak", 3, 99, 24, 95, 3, 94),
    *(("oval", "dark", 3.0, float(y), 2, 2) for y in (74, 64, 52)),
    ("poly", "dark", -11, 112, 11, 112, 10, 130, -10, 130),
    ("poly", "paint", -11, 113, 11, 113, 10.8, 118, -10.8, 118),
    ("line", "dark", 4, -18, 112, 18, 112),
)
_BENCH: Table = (
    ("line", "steel--", 4, -38, 0, -38, 28),
    ("line", "steel--", 4, 38, 0, 38, 28),
    *(("line", "paint", 5, -46, float(y), 46, float(y)) for y in (34, 42, 50)),
    ("line", "steel--", 4, -38, 26, -40, 52),
    ("line", "steel--", 4, 38, 26, 40, 52),
    ("line", "paint-", 6.5, -48, 25, 48, 25),
)
_BALL: Table = (
    ("oval", "paint", 0, 12, 12, 12),
    ("limb", "paper", 2, 2, -11, 15, 0, 11, 11, 15),
    ("limb", "paper", 2, 2, -3, 23, -4, 12, -2, 1),
)
_KITE: Table = (
    ("poly", "paint", 0, 34, 20, 6, 0, -26),
    ("poly", "paint+", 0, 34, -20, 6, 0, -26),
    ("poly", "paint-", 20, 6, 0, 6, 0, -26),
    ("line", "paper", 1.6, 0, 34, 0, -26),
    ("line", "paper", 1.6, -20, 6, 20, 6),
    ("line", "paint-", 1.8, 0, -26, -7, -38, 4, -50, -6, -62),
    ("poly", "paint", -7, -38, -14, -34, -13, -43),
    ("poly", "paint", 4, -50, 11, -46, 10, -55),
    ("poly", "paint", -6, -62, -13, -58, -12, -67),
)
_PARTY: Table = (
    ("blob", "paint", 0, -17, -13, -2, -12, 12, 0, 19, 12, 12, 13, -2),
    ("poly", "paint-", -3, -20, 3, -20, 0, -15),
    ("oval", "paint+", -5, 8, 3, 4.4, 20),
)
_UMBRELLA: Table = (
    ("line", "wood", 2.6, 0, -8, 0, 40),
    (
        "blob",
        "paint",
        -46,
        34,
        -38,
        56,
        -18,
        70,
        0,
        73,
        18,
        70,
        38,
        56,
        46,
        34,
        31,
        38,
        15,
        34,
        0,
        38,
        -15,
        34,
        -31,
        38,
    ),
    ("blob", "paint+", -15, 34, -14, 58, 0, 73, 14, 58, 15, 34, 0, 38),
    ("line", "paint-", 1, -15, 34, -14, 58, 0, 73),
    ("line", "paint-", 1, 15, 34, 14, 58, 0, 73),
    ("line", "wood", 2.6, 0, 72, 0, 78),
)
_PARASOL: Table = (
    ("line", "wood", 4, 4, 0, -4, 84),
    ("blob", "paint", -62, 66, -52, 90, -26, 106, -5, 110, 18, 106, 44, 90, 54, 66, 28, 70, -4, 72, -36, 70),
    ("blob", "paper", -37, 70, -30, 94, -5, 110, -18, 90, -20, 71),
    ("blob", "paper", 29, 70, 22, 94, -5, 110, 10, 90, 12, 71),
    ("oval", "paint-", -5, 112, 3, 3),
)
_SLIDE: Table = (
    ("line", "steel-", 4, -44, 0, -44, 96),
    ("line", "steel-", 4, -26, 0, -26, 96),
    *(("line", "steel-", 3, -44, float(y), -26, float(y)) for y in (14, 30, 46, 62)),
    ("line", "steel-", 4, -6, 0, -6, 70),
    ("limb", "paint", 11, 11, -34, 78, -14, 74, 30, 22, 44, 9, 62, 8),
    ("limb", "paint+", 4, 4, -34, 82, -14, 78, 30, 27, 44, 14, 62, 13),
    ("poly", "gold", -52, 94, -18, 94, -35, 116),
)
_SWINGS: Table = (
    ("line", "paint", 5, -50, 0, -40, 112),
    ("line", "paint-", 5, -30, 0, -40, 112),
    ("line", "paint", 5, 50, 0, 40, 112),
    ("line", "paint-", 5, 30, 0, 40, 112),
    ("line", "paint", 5, -42, 112, 42, 112),
    ("line", "string", 1.6, -22, 111, -22, 28),
    ("line", "string", 1.6, -6, 111, -6, 28),
    ("line", "wood", 4, -24, 28, -4, 28),
    ("line", "string", 1.6, 8, 111, 8, 28),
    ("line", "string", 1.6, 24, 111, 24, 28),
    ("line", "wood", 4, 6, 28, 26, 28),
)
_LAMP: Table = (
    ("line", "dark", 4, 0, 0, 0, 128),
    ("line", "dark", 7, -4, 2, 4, 2),
    ("poly", "lamp", -7, 128, 7, 128, 10, 146, -10, 146),
    ("poly", "dark", -12, 146, 12, 146, 0, 156),
)
_FENCE: Table = (
    ("line", "paper-", 4, -100, 14, 100, 14),
    ("line", "paper-", 4, -100, 28, 100, 28),
    *(("poly", "paper", x - 4.0, 0, x + 4.0, 0, x + 4.0, 36, x, 41, x - 4.0, 36) for x in range(-96, 100, 16)),
)
_TUFT: Table = (
    ("poly", "leaf", -7, 0, -12, 12, -3, 0),
    ("poly", "leaf", -3, 0, -1, 17, 3, 0),
    ("poly", "leaf", 2, 0, 10, 13, 6, 0),
)
_BUSH: Table = (
    ("blob", "leaf-", -34, 0, -36, 16, -20, 28, 2, 34, 24, 26, 36, 14, 32, 0),
    ("blob", "leaf", -28, 8, -24, 22, -4, 30, 12, 24, 10, 10),
)
_ISLAND: Table = (
    ("blob", "leaf-", -62, 0, -50, 14, -26, 24, -2, 34, 22, 26, 44, 12, 64, 0),
    ("blob", "leaf", -50, 2, -40, 12, -20, 20, -2, 30, 8, 20, 0, 4),
    ("line", "gold+", 3, -66, 0, 0, -1, 68, 0),
)
_FRISBEE: Table = (("oval", "paint", 0, 0, 17, 5.5, 8), ("oval", "paint-", 0, 1, 11, 3, 8))

TABLES: dict[str, Table] = {
    "tree": _TREE,
    "round tree": _ROUND,
    "pine tree": _PINE,
    "snowy pine": _PINE_SNOW,
    "bare tree": _BARE,
    "palm tree": _PALM,
    "cactus": _CACTUS,
    "flower": _FLOWER,
    "house": _HOUSE,
    "snow cap": (
        ("blob", "snow", -76, 78, -60, 92, -46, 122, 0, 128, 46, 122, 60, 92, 76, 78, 40, 82, 8, 76, -28, 83),
    ),
    "lighthouse": _LIGHTHOUSE,
    "tent": _TENT,
    "campfire": _FIRE,
    "snowman": _SNOWMAN,
    "bench": _BENCH,
    "ball": _BALL,
    "kite": _KITE,
    "balloon": _PARTY,
    "umbrella": _UMBRELLA,
    "parasol": _PARASOL,
    "slide": _SLIDE,
    "swings": _SWINGS,
    "lamp post": _LAMP,
    "fence": _FENCE,
    "tuft": _TUFT,
    "bush": _BUSH,
    "island": _ISLAND,
    "frisbee": _FRISBEE,
}
_FLAME: RGB = (244, 130, 52)


def thing(kind: str, colour: str = "", *, leaf: RGB = (86, 152, 82), lamp: bool = False) -> Figure:
    """A thing painted in a named colour; `leaf` is the green of the season, `lamp` lights its windows."""
    window: RGB = (255, 222, 132) if lamp else (164, 206, 226)
    paint = NAMED[colour] if colour else NAMED["red"]
    return figure(TABLES[kind], {"paint": paint, "leaf": leaf, "window": window, "flame": _FLAME})
