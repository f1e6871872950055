"""Tables of what can happen in a drawn scene and where: places, acts and things in the background."""

from dataclasses import dataclass

ANIMALS = ("dog", "cat", "horse", "bird", "duck", "fish")
PEOPLE = ("man", "woman", "boy", "girl")
CHILDREN = ("boy", "girl")
COATS: dict[str, tuple[str, ...]] = {
    "dog": ("brown", "black", "white", "grey"),
    "cat": ("black", "white", "grey", "orange"),
    "horse": ("brown", "white", "black", "grey"),
    "bird": ("blue", "red", "yellow", "white", "black"),
    "duck": ("yellow", "white", "brown"),
    "fish": ("orange", "yellow", "red", "blue", "purple"),
}
PAINTS = ("red", "blue", "green", "yellow", "orange", "purple", "pink")
CLOTHES = ("red", "blue", "green", "yellow", "orange", "white", "black", "pink", "purple", "grey")


@dataclass(frozen=True)
class Place:
    """Where a scene is: heights of the horizon, strips to stand in, and when it can be seen."""

    horizon: tuple[float, float]
    land: tuple[float, float]  # y of feet, units from the top of a sheet 288 high
    skies: tuple[tuple[str, str], ...]
    winter: str  # "never", "always", or "snow": white when it snows
    features: tuple[str, ...]


_FAIR = (
    ("day", "clear"),
    ("day", "clear"),
    ("day", "clear"),
    ("day", "cloudy"),
    ("sunset", "clear"),
    ("night", "clear"),
)
_WET = (*_FAIR, ("day", "rain"))
_ALL = (*_WET, ("day", "snow"), ("day", "snow"), ("night", "snow"))

PLACES: dict[str, Place] = {
    "beach": Place(
        (96, 126),
        (218, 268),
        _WET,
        "never",
        ("palm tree", "umbrella", "sailboat", "lighthouse", "hot-air balloon", "airplane"),
    ),
    "sea": Place((92, 128), (190, 240), _WET, "never", ("lighthouse", "hot-air balloon", "airplane", "island")),
    "lake": Place((104, 124), (222, 268), _ALL, "snow", ("sailboat", "tent", "house", "hot-air balloon")),
    "mountain": Place(
        (120, 146),
        (216, 266),
        (*_FAIR, ("day", "snow"), ("day", "snow"), ("night", "snow")),
        "always",
        ("house", "snowman", "hot-air balloon", "airplane"),
    ),
    "field": Place(
        (108, 142), (206, 268), _ALL, "snow", ("house", "tree", "kite", "hot-air balloon", "airplane", "tent")
    ),
    "park": Place((106, 130), (218, 268), _ALL, "snow", ("bench", "tree", "kite", "hot-air balloon")),
    "forest": Place((128, 152), (214, 266), _ALL, "snow", ("tent",)),
    "street": Place((112, 124), (226, 270), _ALL, "snow", ("car", "bus")),
    "road": Place((104, 132), (240, 262), _WET, "never", ("house", "tree", "hot-air balloon", "airplane")),
    "desert": Place((112, 136), (212, 266), _FAIR, "never", ("cactus", "tent", "hot-air balloon", "airplane")),
    "playground": Place((106, 124), (216, 268), _WET, "never", ("kite", "hot-air balloon")),
    "garden": Place((104, 126), (218, 268), _WET, "never", ("house", "tree", "bench")),
    "underwater": Place((0, 0), (70, 240), (("day", "clear"),), "never", ()),
}

_OPEN = ("beach", "field", "park", "desert", "mountain", "garden", "street", "forest", "lake", "road", "playground")
_GREEN = ("field", "park", "garden", "playground", "lake")
_TRAFFIC = ("street", "street", "road")


@dataclass(frozen=True)
class Act:
    """An act: who can do it, where, in which pose and with what."""

    name: str
    who: tuple[str, ...]
    where: tuple[str, ...]
    pose: str
    most: int = 1
    medium: str = "land"  # land, water, sky
    prop: str = ""
    ride: str = ""
    only: tuple[str, ...] = ()  # weathers; empty means any but rain for what needs fair weather
    weight: int = 2


_DRY = ("clear", "cloudy", "snow")

ACTS: tuple[Act, ...] = (
    Act("run", ("dog",), _OPEN, "run", 4, weight=9),
    Act("walk", ("dog",), _OPEN, "walk", 3, weight=3),
    Act("sit", ("dog",), _OPEN, "sit", 3, weight=4),
    Act("stand", ("dog",), _OPEN, "stand", 3, weight=2),
    Act("jump", ("dog",), ("beach", "field", "park", "mountain"), "jump", 2, weight=3),
    Act("fetch", ("dog",), ("beach", "field", "park", "mountain", "lake"), "run", prop="ball", weight=5),
    Act("fetch", ("dog",), ("beach", "field", "forest", "mountain", "lake"), "walk", prop="stick", weight=4),
    Act("catch", ("dog",), ("beach", "field", "park"), "jump", prop="frisbee", weight=4),
    Act("sit", ("cat",), ("garden", "park", "street", "field", "forest"), "sit", 3, weight=4),
    Act("walk", ("cat",), ("garden", "park", "street", "field", "road"), "walk", 3, weight=3),
    Act("sleep", ("cat",), ("garden", "park", "field"), "sleep", 2, only=("clear", "cloudy"), weight=3),
    Act("stand", ("horse",), ("field", "desert", "mountain", "lake", "forest"), "stand", 3, weight=4),
    Act("run", ("horse",), ("field", "beach", "desert", "mountain"), "run", 3, weight=4),
    Act(
        "fly",
        ("bird",),
        ("beach", "sea", "field", "lake", "mountain", "desert"),
        "fly",
        4,
        "sky",
        only=("clear", "cloudy"),
        weight=7,
    ),
    Act("stand", ("bird",), ("garden", "park", "beach", "street", "field"), "stand", 4, weight=4),
    Act("swim", ("duck",), ("lake",), "swim", 4, "water", weight=7),
    Act("swim", ("fish",), ("underwater",), "swim", 4, "water", weight=5),
    Act("stand", PEOPLE, _OPEN, "stand", 3, weight=3),
    Act("wave", PEOPLE, _OPEN, "wave", 1, weight=2),
    Act("walk", PEOPLE, _OPEN, "walk", 3, weight=9),
    Act("run", PEOPLE, _OPEN, "run", 4, weight=8),
    Act("jump", PEOPLE, ("beach", "field", "park", "mountain", "playground"), "jump", 3, weight=5),
    Act(
        "balloon",
        PEOPLE,
        ("park", "field", "street", "beach", "playground", "garden"),
        "hold",
        prop="balloon",
        only=("clear", "cloudy"),
        weight=4,
    ),
    Act("umbrella", PEOPLE, ("street", "park", "road", "lake"), "hold", prop="umbrella", only=("rain",), weight=9),
    Act("umbrella", PEOPLE, ("street", "park"), "hold", prop="umbrella", only=("snow",), weight=2),
    Act("kite", PEOPLE, ("beach", "field", "park"), "raise", prop="kite", only=("clear", "cloudy"), weight=5),
    Act("carry", PEOPLE, ("beach", "park", "playground", "field", "street"), "carry", prop="ball", only=_DRY, weight=3),
    Act("kick", PEOPLE, ("beach", "park", "field", "playground", "street"), "kick", prop="ball", only=_DRY, weight=5),
    Act("throw", PEOPLE, ("beach", "park", "field"), "throw", prop="frisbee", only=_DRY, weight=3),
    Act("bench", PEOPLE, ("park", "street", "garden", "lake"), "sit", ride="bench", only=_DRY, weight=5),
    Act("bicycle", PEOPLE, ("street", "road", "park", "beach", "forest"), "ride", ride="bicycle", weight=7),
    Act("horse", PEOPLE, ("field", "beach", "desert", "road"), "saddle", ride="horse", weight=5),
    Act("ski", PEOPLE, ("mountain",), "ski", 2, ride="skis", weight=8),
    Act("sled", PEOPLE, ("mountain",), "sled", 1, ride="sled", weight=6),
    Act("surf", PEOPLE, ("sea",), "surf", 1, "water", ride="surfboard", weight=8),
    Act("drive", ("car",), _TRAFFIC, "", 2, weight=8),
    Act("drive", ("bus",), _TRAFFIC, "", 1, weight=6),
    Act("drive", ("truck",), _TRAFFIC, "", 1, weight=5),
    Act("pass", ("train",), ("field", "desert", "mountain"), "", 1, weight=3),
    Act("park", ("bicycle",), ("street", "park", "garden", "beach", "road"), "", 2, weight=3),
    Act("sail", ("sailboat",), ("sea", "lake"), "", 3, "water", weight=9),
    Act("float", ("boat",), ("sea", "lake"), "", 2, "water", weight=7),
    Act("fly", ("airplane",), ("beach", "sea", "field", "lake", "mountain", "desert"), "", 2, "sky", weight=5),
    Act(
        "float",
        ("hot-air balloon",),
        ("field", "lake", "mountain", "desert", "beach"),
        "",
        4,
        "sky",
        only=("clear", "cloudy"),
        weight=6,
    ),
    Act(
        "camp",
        ("tent",),
        ("forest", "field", "lake", "desert"),
        "",
        prop="campfire",
        only=("clear", "cloudy"),
        weight=5,
    ),
    Act("be", ("snowman",), ("mountain",), "", 3, weight=5),
    Act("be", ("snowman",), ("park", "field", "forest", "street"), "", 2, only=("snow",), weight=5),
    Act("be", ("lighthouse",), ("beach",), "", 1, weight=4),
    Act("be", ("house",), ("field", "mountain", "lake"), "", 2, weight=5),
    Act("grow", ("flower",), ("field",), "", 4, only=("clear", "cloudy", "rain"), weight=6),
    Act("grow", ("palm tree",), ("beach",), "", 3, weight=5),
    Act("grow", ("cactus",), ("desert",), "", 3, weight=4),
)
NIGHT_LESS = ("ski", "surf", "kite", "throw", "kick", "catch")  # acts not drawn by night

# Who can be with whom, and how the second one is shown; a child does what its companion does.
COMPANY: dict[str, tuple[tuple[str, str], ...]] = {
    "person": (
        ("dog", "sit"),
        ("dog", "walk"),
        ("dog", "run"),
        ("snowman", "be"),
        ("bicycle", "park"),
        ("child", ""),
        ("child", ""),
    ),
    "dog": (("cat", "sit"), ("ball", "lie"), ("dog", "run"), ("dog", "sit")),
    "cat": (("ball", "lie"), ("dog", "sit"), ("bird", "stand"), ("cat", "sit")),
    "horse": (("dog", "run"), ("dog", "stand")),
}


@dataclass(frozen=True)
class Size:
    """The space of a figure: half width and height in its own units, and sheet units per unit when it is near."""

    half: float
    rise: float
    zoom: float
    drop: float = 0


SIZES: dict[str, Size] = {
    "dog": Size(66, 92, 1.05),
    "cat": Size(48, 80, 1.05),
    "horse": Size(86, 134, 0.98),
    "bird": Size(46, 54, 1.15, 10),
    "duck": Size(48, 52, 1.25, 4),
    "fish": Size(46, 30, 1.35, 20),
    "man": Size(26, 120, 1.18),
    "woman": Size(26, 118, 1.18),
    "boy": Size(25, 92, 1.25),
    "girl": Size(25, 92, 1.25),
    "car": Size(84, 66, 1.1),
    "bus": Size(116, 100, 1.08),
    "truck": Size(98, 94, 1.1),
    "train": Size(122, 90, 1.15),
    "bicycle": Size(48, 56, 1.3),
    "sailboat": Size(62, 130, 1.1, 6),
    "boat": Size(66, 68, 1.2, 6),
    "airplane": Size(92, 44, 0.92, 34),
    "hot-air balloon": Size(50, 158, 0.8),
    "tent": Size(68, 76, 1.35),
    "campfire": Size(26, 56, 0.9),
    "snowman": Size(50, 132, 1.1),
    "lighthouse": Size(48, 172, 1.15),
    "house": Size(78, 134, 1.15),
    "flower": Size(18, 54, 2.1),
    "palm tree": Size(86, 160, 1.15),
    "tree": Size(56, 162, 1.0),
    "cactus": Size(42, 132, 1.1),
    "bench": Size(52, 56, 1.0),
    "ball": Size(13, 25, 1.2),
    "kite": Size(22, 36, 1.0, 70),
    "umbrella": Size(64, 114, 0.9),
    "island": Size(70, 40, 0.8),
}
# A person's room by act: half width and height grow with what is held or ridden.
ROOMS: dict[str, tuple[float, float, float]] = {
    "run": (40, 1.0, 0),
    "walk": (34, 1.0, 0),
    "jump": (40, 1.32, 0),
    "kick": (66, 1.0, 0),
    "throw": (80, 1.05, 0),
    "carry": (36, 1.0, 0),
    "wave": (30, 1.06, 0),
    "balloon": (44, 1.42, 0),
    "umbrella": (62, 1.34, 0),
    "kite": (80, 1.62, 0),
    "bench": (60, 0.95, 0),
    "bicycle": (58, 1.16, 0),
    "horse": (90, 1.56, 0),
    "ski": (58, 0.95, 0),
    "sled": (54, 0.85, 0),
    "surf": (64, 1.1, 14),
}
