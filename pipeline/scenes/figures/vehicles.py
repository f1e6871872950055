"""Drawn vehicles and what people ride, as tables of strokes (see `strokes`).

All face right; the ink `paint` is their colour.
"""

from lexel.pipeline.scenes.paint.colours import NAMED
from lexel.pipeline.scenes.paint.strokes import Figure, Table, figure


def _wheel(x: float, radius: float) -> Table:
    return (
        ("oval", "tyre", x, radius, radius, radius),
        ("oval", "steel", x, radius, radius * 0.56, radius * 0.56),
        ("oval", "steel-", x, radius, radius * 0.2, radius * 0.2),
    )


def _window(left: float, right: float, low: float, high: float) -> Table:
    shine = left + (right - left) * 0.3
    return (
        ("poly", "glass", left, low, right, low, right, high, left, high),
        ("poly", "glass+", shine, low, shine + 6, low, shine + 12, high, shine + 6, high),
    )


_CAR: Table = (
    ("blob", "paint", -52, 34, -40, 58, -14, 64, 14, 62, 34, 48, 46, 36, 0, 28),
    ("poly", "glass", -42, 38, -34, 55, -10, 59, -10, 38),
    ("poly", "glass", -5, 38, -5, 59, 12, 57, 30, 40, 29, 38),
    ("poly", "glass+", 2, 38, 7, 38, 14, 56, 9, 58),
    ("blob", "paint", -78, 14, -78, 32, -66, 40, 0, 40, 52, 38, 76, 30, 80, 14, 60, 11, 0, 11, -60, 11),
    ("line", "paint-", 1.6, -7, 36, -8, 16),
    ("line", "paint-", 1.8, -72, 21, 0, 20, 76, 21),
    ("line", "paint--", 2.4, -22, 31, -15, 31),
    ("oval", "lamp", 75, 27, 4.5, 4),
    ("oval", "blush", -77, 28, 2.5, 4),
    ("oval", "dark", -44, 15, 17, 17),
    ("oval", "dark", 45, 15, 17, 17),
    *_wheel(-44, 14),
    *_wheel(45, 14),
)
_BUS: Table = (
    (
        "blob",
        "paint",
        -112,
        18,
        -113,
        60,
        -110,
        92,
        -100,
        98,
        0,
        99,
        96,
        98,
        108,
        90,
        113,
        60,
        113,
        18,
        100,
        13,
        0,
        13,
        -100,
        13,
    ),
    ("poly", "paper", -112, 44, 113, 44, 113, 49, -112, 49),
    *_window(-102, -72, 56, 86),
    *_window(-66, -36, 56, 86),
    *_window(-30, 0, 56, 86),
    *_window(6, 36, 56, 86),
    ("poly", "paint-", 46, 15, 74, 15, 74, 88, 46, 88),
    *_window(49, 59, 20, 84),
    *_window(61, 71, 20, 84),
    ("poly", "glass", 84, 54, 112, 54, 109, 86, 84, 87),
    ("oval", "lamp", 109, 30, 5, 5),
    ("oval", "dark", -66, 17, 20, 20),
    ("oval", "dark", 28, 17, 20, 20),
    *_wheel(-66, 16),
    *_wheel(28, 16),
)
_TRUCK: Table = (
    ("poly", "paper-", -96, 20, 26, 20, 26, 92, -96, 92),
    ("poly", "paper", -96, 24, 26, 24, 26, 92, -96, 92),
    ("blob", "paint", 30, 20, 30, 72, 36, 78, 62, 77, 74, 62, 78, 44, 90, 38, 92, 16, 60, 13),
    ("poly", "glass", 46, 48, 46, 70, 60, 70, 72, 50),
    ("line", "paint-", 1.8, 40, 42, 40, 20),
    ("line", "paint--", 2.4, 44, 38, 51, 38),
    ("oval", "lamp", 88, 28, 4, 4.5),
    ("poly", "dark", -96, 14, 60, 14, 60, 21, -96, 21),
    *_wheel(-66, 15),
    *_wheel(58, 15),
)
_TRAIN: Table = (
    (
        "blob",
        "paint",
        -118,
        18,
        -119,
        50,
        -117,
        82,
        -108,
        86,
        -20,
        87,
        60,
        86,
        92,
        76,
        112,
        48,
        118,
        18,
        60,
        14,
        -60,
        14,
    ),
    ("poly", "paper", -118, 34, 116, 34, 117, 40, -118, 40),
    *_window(-106, -78, 50, 76),
    *_window(-70, -42, 50, 76),
    *_window(-34, -6, 50, 76),
    *_window(2, 30, 50, 76),
    ("poly", "glass", 54, 50, 106, 50, 90, 74, 54, 76),
    ("oval", "lamp", 108, 26, 5, 4),
    ("poly", "dark", -114, 8, 106, 8, 110, 17, -118, 17),
    *_wheel(-90, 9),
    *_wheel(-60, 9),
    *_wheel(48, 9),
    *_wheel(78, 9),
    ("line", "stone--", 3, -150, -1, 0, -1, 150, -1),
)
_SAILBOAT: Table = (
    ("line", "wood", 3.6, -2, 12, -2, 128),
    ("blob", "paper", 4, 24, 6, 70, 4, 122, 26, 84, 54, 26, 30, 23),
    ("blob", "paint", -8, 26, -9, 70, -6, 112, -26, 68, -46, 28, -26, 25),
    ("line", "paint", 4, 9, 72, 18, 71, 33, 68),
    ("poly", "paint", -2, 128, -2, 118, -18, 123),
    ("blob", "paint", -54, 18, 0, 16, 62, 20, 46, -2, 0, -6, -40, -3),
    ("line", "paper", 3, -50, 13, 0, 11, 56, 14),
)
_BOAT: Table = (
    ("poly", "paper", -28, 18, -24, 44, 14, 44, 22, 18),
    ("poly", "paint", -32, 44, 20, 44, 16, 50, -28, 50),
    *_window(-20, -6, 26, 39),
    *_window(0, 12, 26, 39),
    ("line", "wood-", 2.6, -34, 18, -34, 66),
    ("poly", "gold", -34, 66, -34, 55, -50, 60),
    ("blob", "paint", -60, 22, 0, 17, 66, 26, 48, -3, 0, -6, -46, -3),
    ("line", "paper", 3, -56, 16, 0, 11, 60, 19),
)
_PLANE: Table = (
    ("blob", "paint--", 4, 8, -16, 40, -28, 42, -18, 8),
    ("blob", "paper", -80, 6, -66, 14, 0, 18, 58, 16, 78, 6, 70, -6, 20, -12, -40, -6),
    ("poly", "paint", -76, 8, -92, 40, -74, 40, -52, 13),
    ("blob", "paint", -78, 4, 0, -1, 77, 1, 68, -7, 20, -12, -40, -6),
    ("poly", "glass", 56, 14, 70, 9, 72, 4, 54, 5),
    *(("oval", "glass-", float(x), 7, 3.4, 3.6) for x in range(-44, 45, 14)),
    ("blob", "paint-", 16, 0, -22, -32, -36, -32, -18, 0),
    ("line", "steel-", 6, 2, -12, 12, -12),
    ("poly", "paint-", -64, 6, -88, -2, -92, 2, -76, 9),
)
_BALLOON: Table = (
    ("line", "string", 1.2, -16, 44, -8, 20),
    ("line", "string", 1.2, 16, 44, 8, 20),
    ("blob", "wood", -10, 0, -11, 19, 11, 19, 10, 0),
    ("line", "wood-", 2, -11, 18, 0, 18, 11, 18),
    ("blob", "paint", -14, 44, -44, 84, -48, 118, -28, 148, 0, 156, 28, 148, 48, 118, 44, 84, 14, 44, 0, 42),
    ("blob", "paper", -9, 43, -27, 84, -30, 118, -17, 148, 0, 156, -10, 130, -12, 96),
    ("blob", "paper", 9, 43, 27, 84, 30, 118, 17, 148, 0, 156, 10, 130, 12, 96),
    ("blob", "paint", -4, 42, -12, 84, -13, 118, -7, 150, 7, 150, 13, 118, 12, 84, 4, 42),
    ("line", "paint-", 3, -14, 45, 0, 42, 14, 45),
)
_BIKE: Table = (
    ("line", "paint", 3, -26, 17, -10, 40, 20, 40),
    ("line", "paint", 3, -10, 40, -2, 16, 20, 40),
    ("line", "paint", 2.6, -26, 17, -2, 16),
    ("line", "paint", 3, 28, 17, 18, 50),
    ("line", "dark", 3, 18, 50, 24, 53, 27, 49),
    ("line", "dark", 2.4, -10, 40, -12, 46),
    ("line", "dark", 4.6, -19, 47, -6, 47),
    ("oval", "steel-", -2, 16, 4, 4),
)


def _ring(x: float, radius: float) -> Table:
    """A spoked wheel: a closed stroke, since the pen only fills."""
    spots = [(x, radius * 2), (x + radius, radius), (x, 0), (x - radius, radius)]
    spokes = tuple(("line", "steel", 0.8, x, radius, *spot) for spot in spots)
    arc = [(x + radius * c, radius + radius * s) for c, s in _UNIT]
    return (*spokes, ("line", "tyre", 2.8, *(number for spot in arc for number in spot)))


_UNIT = ((1, 0), (0.707, 0.707), (0, 1), (-0.707, 0.707), (-1, 0), (-0.707, -0.707), (0, -1), (0.707, -0.707), (1, 0))

_SLED: Table = (
    ("line", "wood-", 3, -30, 2, 10, 2, 32, 3, 38, 12),
    ("line", "wood-", 3, -20, 3, -20, 10),
    ("line", "wood-", 3, 14, 3, 14, 10),
    ("line", "paint", 5, -32, 11, 0, 11, 28, 11),
)
_BOARD: Table = (
    ("blob", "paint", -46, 2, -20, -5, 20, -5, 54, 9, 22, 7, -20, 7),
    ("line", "paper", 2, -32, 1.5, 10, 1, 38, 4),
)
_SKIS: Table = (
    ("line", "paint-", 2.8, -34, 5, 22, 5, 36, 6, 42, 11),
    ("line", "paint", 3, -38, 1.4, 20, 1.4, 34, 2.4, 40, 8),
)

_TABLES: dict[str, Table] = {
    "car": _CAR,
    "bus": _BUS,
    "truck": _TRUCK,
    "train": _TRAIN,
    "sailboat": _SAILBOAT,
    "boat": _BOAT,
    "airplane": _PLANE,
    "hot-air balloon": _BALLOON,
    "bicycle": (*_ring(-26, 17), *_ring(28, 17), *_BIKE),
    "sled": _SLED,
    "surfboard": _BOARD,
    "skis": _SKIS,
}

KINDS = frozenset(_TABLES)


def vehicle(kind: str, colour: str) -> Figure:
    """A vehicle, or a thing that people ride, painted in a named colour."""
    return figure(_TABLES[kind], {"paint": NAMED[colour]})
