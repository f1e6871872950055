"""Tables of phrases for captions: verbs by act, and phrases of place and time."""

Verb = tuple[str, str, str, str]  # (runs, run, running, the rest of the predicate)


def _verbs(text: str, tail: str = "") -> tuple[Verb, ...]:
    """`runs/run/running, races/race/racing` as verbs that share a tail."""
    found = []
    for word in text.split(", "):
        he, they, ing = word.split("/")
        found.append((he, they, ing, tail))
    return tuple(found)


_STAND = _verbs("stands/stand/standing")


_HOLD = _verbs("holds/hold/holding", "{prop}")


VERBS: dict[str, tuple[Verb, ...]] = {
    "run": _verbs("runs/run/running, races/race/racing, dashes/dash/dashing"),
    "walk": _verbs("walks/walk/walking, strolls/stroll/strolling"),
    "sit": _verbs("sits/sit/sitting"),
    "stand": _STAND,
    "be": _STAND,
    "sleep": _verbs("sleeps/sleep/sleeping, naps/nap/napping"),
    "jump": (
        *_verbs("jumps/jump/jumping, leaps/leap/leaping"),
        *_verbs("jumps/jump/jumping, leaps/leap/leaping", "into the air"),
    ),
    "fly": _verbs("flies/fly/flying"),
    "soar": _verbs("flies/fly/flying, soars/soar/soaring"),
    "swim": _verbs("swims/swim/swimming"),
    "paddle": _verbs("swims/swim/swimming, floats/float/floating, paddles/paddle/paddling"),
    "wave": _verbs("waves/wave/waving"),
    "carry a ball": (
        *_verbs("runs/run/running", "with {prop} in its mouth"),
        *_verbs("carries/carry/carrying", "{prop} in its mouth"),
        *_verbs("plays/play/playing", "with {prop}"),
    ),
    "carry a stick": (
        *_verbs("walks/walk/walking", "with {prop} in its mouth"),
        *_verbs("carries/carry/carrying, holds/hold/holding", "{prop} in its mouth"),
    ),
    "catch": (
        *_verbs("catches/catch/catching", "{prop}"),
        *_verbs("jumps/jump/jumping", "with {prop} in its mouth"),
        *_verbs("leaps/leap/leaping", "to catch {prop}"),
    ),
    "balloon": (*_HOLD, *_verbs("stands/stand/standing", "with {prop}")),
    "umbrella": (*_HOLD, *_verbs("stands/stand/standing", "under {prop}")),
    "kite": (*_verbs("flies/fly/flying", "{prop}"), *_verbs("plays/play/playing", "with {prop}")),
    "carry": (*_HOLD, *_verbs("carries/carry/carrying", "{prop}")),
    "kick": (*_verbs("kicks/kick/kicking", "{prop}"), *_verbs("plays/play/playing", "with {prop}")),
    "throw": (*_verbs("throws/throw/throwing", "{prop}"), *_verbs("plays/play/playing", "with {prop}")),
    "bench": _verbs("sits/sit/sitting, rests/rest/resting", "on {prop}"),
    "bicycle": _verbs("rides/ride/riding", "{prop}"),
    "horse": _verbs("rides/ride/riding", "{prop}"),
    "ski": _verbs("skis/ski/skiing"),
    "sled": (*_verbs("rides/ride/riding", "{prop}"), *_verbs("sits/sit/sitting", "on {prop}")),
    "surf": (
        *_verbs("surfs/surf/surfing"),
        *_verbs("surfs/surf/surfing", "on {prop}"),
        *_verbs("rides/ride/riding", "{prop}"),
    ),
    "drive": _verbs("drives/drive/driving"),
    "pass": _verbs("passes/pass/passing, travels/travel/travelling"),
    "park": _STAND,
    "sail": _verbs("sails/sail/sailing, floats/float/floating"),
    "float": _verbs("floats/float/floating"),
    "drift": _verbs("floats/float/floating, flies/fly/flying, drifts/drift/drifting"),
    "camp": _verbs("stands/stand/standing", "beside a campfire"),
    "grow": _verbs("grows/grow/growing"),
    "bloom": _verbs("grows/grow/growing, blooms/bloom/blooming"),
    "lie": _verbs("lies/lie/lying"),
}


SPECIAL = {
    ("fly", "bird"): "soar",
    ("swim", "duck"): "paddle",
    ("float", "hot-air balloon"): "drift",
    ("grow", "flower"): "bloom",
}


MOVING = {"run", "walk", "bicycle", "horse", "drive", "pass", "carry a ball", "carry a stick"}


# Where: standing still, and on the move.
WHERE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "beach": (
        ("on the beach", "at the beach", "on the sand", "by the sea"),
        ("along the beach", "across the sand", "on the beach"),
    ),
    "mountain": (
        ("on a snowy mountain", "in the snow", "on a snowy hill"),
        ("through the snow", "in the mountains", "across the snow"),
    ),
    "field": (
        ("in a grassy field", "on the grass", "in a field"),
        ("through the grass", "across a field", "in a grassy field"),
    ),
    "park": (("in the park", "in a park"), ("through the park", "in the park")),
    "forest": (
        ("in the forest", "in the woods", "near the trees"),
        ("through the forest", "through the woods", "in the forest"),
    ),
    "street": (
        ("on a city street", "in the city", "in front of some buildings"),
        ("along a city street", "through the city", "down the street"),
    ),
    "road": (("on the road", "on a country road"), ("down the road", "along a country road", "on the road")),
    "desert": (("in the desert", "on the sand"), ("across the desert", "through the desert")),
    "playground": (("at the playground", "on a playground"), ("across the playground", "at the playground")),
    "garden": (("in the garden", "in a garden", "near the flowers"), ("through the garden", "in the garden")),
    "lake": (("by the lake", "beside a lake", "near the water"), ("along the lake", "by the lake", "near the water")),
    "underwater": (("under water", "in the sea", "in the water"), ("under water",)),
}


SNOWED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "field": (("in a snowy field", "in the snow", "on the snow"), ("through the snow", "across a snowy field")),
    "park": (("in a snowy park", "in the snow"), ("through the snow", "through a snowy park")),
    "forest": (("in a snowy forest", "in the snow", "in the woods"), ("through the snow", "through a snowy forest")),
    "street": (("on a snowy street", "in the snow", "in the city"), ("down a snowy street", "through the snow")),
    "lake": (("by the lake", "in the snow", "beside a lake"), ("through the snow", "along the lake")),
}


AFLOAT = {"sea": ("on the sea", "on the ocean", "on the water"), "lake": ("on the lake", "on a lake", "on the water")}


ABOVE: dict[str, tuple[str, ...]] = {
    "beach": ("above the beach", "in the sky over the sea", "over the beach"),
    "sea": ("over the sea", "above the ocean", "in the sky over the water"),
    "lake": ("over the lake", "above the water"),
    "mountain": ("over the snowy mountains", "above the mountains"),
    "desert": ("over the desert", "above the sand"),
    "field": ("over a field", "above the trees", "in the sky over the field"),
    "street": ("over the city", "above the buildings"),
}


WHEN: dict[tuple[str, str], tuple[str, ...]] = {
    ("day", "sunny"): ("on a sunny day", "in the sunshine", "on a bright sunny day"),
    ("day", "clear"): ("on a clear day", "during the day"),
    ("day", "cloudy"): ("on a cloudy day", "under a cloudy sky"),
    ("day", "rain"): ("in the rain", "on a rainy day", "while it rains"),
    ("day", "snow"): ("on a snowy day", "while snow falls", "as it snows"),
    ("sunset", "clear"): ("at sunset", "as the sun sets", "in the evening"),
    ("night", "clear"): ("at night", "under the stars", "under a starry sky"),
    ("night", "rain"): ("on a rainy night", "at night in the rain"),
    ("night", "snow"): ("on a snowy night", "at night while snow falls"),
}


IN_SKY = {"hot-air balloon", "airplane", "kite"}
