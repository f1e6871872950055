"""Colours of the drawn scenes: what a colour word looks like, and what the hour and the weather do to it."""

from dataclasses import dataclass
from functools import lru_cache

RGB = tuple[int, int, int]

NAMED: dict[str, RGB] = {
    "red": (214, 62, 56),
    "blue": (52, 112, 196),
    "green": (66, 150, 84),
    "yellow": (246, 200, 60),
    "orange": (238, 132, 48),
    "black": (48, 48, 58),
    "white": (248, 246, 240),
    "brown": (146, 92, 56),
    "pink": (240, 134, 164),
    "purple": (132, 84, 172),
    "grey": (146, 150, 158),
}

# What several figures share: ink name -> colour.
COMMON: dict[str, RGB] = {
    "dark": (52, 46, 58),
    "wood": (150, 104, 68),
    "steel": (176, 184, 194),
    "tyre": (56, 56, 66),
    "glass": (176, 216, 232),
    "paper": (250, 247, 240),
    "leaf": (86, 152, 82),
    "pine": (56, 116, 90),
    "bark": (126, 88, 64),
    "blush": (236, 140, 124),
    "beak": (242, 160, 60),
    "gold": (255, 214, 110),
    "rose": (240, 160, 160),
    "stone": (178, 172, 168),
    "string": (120, 112, 112),
    "lamp": (255, 232, 160),
    "roof": (186, 92, 74),
    "snow": (244, 248, 253),
}


@dataclass(frozen=True)
class Light:
    """The hour and the weather as colours: three stops of sky, the tint of far and near things, and haze."""

    sky: tuple[RGB, RGB, RGB]
    far: tuple[float, float, float]
    near: tuple[float, float, float]
    haze: RGB
    cloud: RGB
    shadow: float


_DAYS = (
    Light(
        ((94, 172, 226), (158, 210, 238), (226, 240, 240)), (1, 1, 1), (1, 1, 1), (206, 230, 238), (255, 255, 255), 0.30
    ),
    Light(
        ((116, 192, 222), (182, 224, 228), (250, 240, 214)),
        (1.02, 1, 0.95),
        (1, 1, 0.98),
        (226, 234, 224),
        (255, 253, 246),
        0.30,
    ),
    Light(
        ((84, 150, 214), (146, 196, 234), (238, 228, 226)),
        (0.98, 0.99, 1.0),
        (1, 1, 1),
        (214, 222, 236),
        (255, 250, 246),
        0.28,
    ),
)
_SUNSETS = (
    Light(
        ((92, 84, 150), (236, 136, 120), (255, 208, 128)),
        (0.92, 0.72, 0.70),
        (0.98, 0.88, 0.84),
        (250, 186, 140),
        (255, 190, 158),
        0.34,
    ),
    Light(
        ((70, 104, 160), (244, 160, 108), (255, 224, 150)),
        (0.95, 0.78, 0.66),
        (1.0, 0.90, 0.82),
        (252, 202, 146),
        (255, 206, 164),
        0.34,
    ),
    Light(
        ((122, 74, 140), (240, 118, 124), (255, 186, 128)),
        (0.88, 0.68, 0.74),
        (0.97, 0.86, 0.86),
        (244, 166, 146),
        (252, 170, 160),
        0.34,
    ),
)
_NIGHTS = (
    Light(
        ((18, 24, 62), (38, 56, 108), (82, 108, 158)),
        (0.34, 0.42, 0.66),
        (0.80, 0.83, 0.95),
        (60, 82, 132),
        (78, 94, 144),
        0.38,
    ),
    Light(
        ((22, 20, 58), (56, 50, 108), (112, 98, 156)),
        (0.38, 0.40, 0.64),
        (0.82, 0.82, 0.95),
        (78, 76, 130),
        (88, 84, 142),
        0.38,
    ),
    Light(
        ((12, 34, 62), (26, 70, 104), (74, 128, 150)),
        (0.32, 0.46, 0.62),
        (0.79, 0.84, 0.93),
        (48, 92, 124),
        (66, 106, 138),
        0.38,
    ),
)
_CLOUDY = (
    Light(
        ((158, 174, 192), (190, 202, 212), (220, 226, 228)),
        (0.90, 0.92, 0.95),
        (0.97, 0.98, 0.99),
        (204, 212, 218),
        (236, 240, 242),
        0.20,
    ),
)
_RAINY = (
    Light(
        ((98, 114, 136), (136, 152, 170), (180, 192, 200)),
        (0.72, 0.78, 0.84),
        (0.90, 0.93, 0.96),
        (160, 174, 186),
        (120, 134, 154),
        0.18,
    ),
    Light(
        ((86, 108, 122), (126, 150, 158), (176, 194, 196)),
        (0.70, 0.80, 0.82),
        (0.90, 0.94, 0.95),
        (154, 176, 180),
        (110, 132, 144),
        0.18,
    ),
)
_SNOWY = (
    Light(
        ((148, 176, 206), (186, 206, 226), (224, 232, 240)),
        (0.90, 0.95, 1.0),
        (0.97, 0.98, 1.0),
        (214, 226, 238),
        (234, 240, 247),
        0.20,
    ),
    Light(
        ((164, 172, 204), (202, 206, 226), (236, 230, 236)),
        (0.94, 0.94, 1.0),
        (0.98, 0.98, 1.0),
        (224, 226, 238),
        (242, 242, 248),
        0.20,
    ),
)
_LIGHTS: dict[tuple[str, str], tuple[Light, ...]] = {
    ("day", "clear"): _DAYS,
    ("day", "cloudy"): _CLOUDY,
    ("day", "rain"): _RAINY,
    ("day", "snow"): _SNOWY,
    ("sunset", "clear"): _SUNSETS,
    ("night", "clear"): _NIGHTS,
    ("night", "snow"): _NIGHTS,
    ("night", "rain"): _NIGHTS,
}


def light(time: str, weather: str, pick: int) -> Light:
    """The light of an hour and a weather; `pick` chooses among its palettes."""
    lights = _LIGHTS[time, weather]
    return lights[pick % len(lights)]


def mix(one: RGB, two: RGB, part: float) -> RGB:
    """`one` with `part` (0 to 1) of `two`."""
    return (
        round(one[0] + (two[0] - one[0]) * part),
        round(one[1] + (two[1] - one[1]) * part),
        round(one[2] + (two[2] - one[2]) * part),
    )


def tint(colour: RGB, by: tuple[float, float, float]) -> RGB:
    """`colour` multiplied by a light, kept within a byte."""
    return (min(255, round(colour[0] * by[0])), min(255, round(colour[1] * by[1])), min(255, round(colour[2] * by[2])))


@lru_cache(maxsize=4096)
def tone(colour: RGB, signs: str) -> RGB:
    """`colour` one step darker per `-` (towards violet, as shade is in paint) or lighter per `+`."""
    for sign in signs:
        colour = mix(colour, (64, 44, 92), 0.20) if sign == "-" else mix(colour, (255, 250, 232), 0.24)
    return colour
