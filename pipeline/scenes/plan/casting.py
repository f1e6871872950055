"""Casting of the drawn scenes: when and where an act happens, who does it, in which clothes and with whom."""

import random
from dataclasses import dataclass, replace

from lexel.pipeline.scenes.figures.assemble import FigurePart
from lexel.pipeline.scenes.plan.acts import CLOTHES, COATS, COMPANY, NIGHT_LESS, PAINTS, PEOPLE, PLACES, Act

# fmt: off
PAINTED = {
    "car", "bus", "truck", "train", "bicycle", "sailboat", "boat", "airplane", "hot-air balloon", "tent", "house",
    "flower", "kite", "umbrella", "bench", "ball",
}
# fmt: on
_NO_SUN = {"street", "forest", "underwater"}  # where houses, trees or the water would hide it
_TOGETHER = {"walk", "run", "stand", "jump"}
_GRAND = {"kite", "horse"}  # acts that fill the sheet, without a companion


@dataclass(frozen=True)
class Stage:
    """Where and when a scene is, and the parameters of its backdrop."""

    place: str
    time: str
    weather: str
    horizon: float
    sun: float  # 0 to 1 across; negative where neither sun nor moon shows
    palette: int
    winter: bool
    view: str


def _setting(act: Act, dice: random.Random) -> tuple[str, str, str]:
    for place in dice.sample(act.where, len(act.where)):
        skies = [sky for sky in PLACES[place].skies if not act.only or sky[1] in act.only]
        skies = [sky for sky in skies if sky[0] != "night" or act.name not in NIGHT_LESS]
        if skies:
            time, weather = dice.choice(skies)
            return place, time, weather
    raise AssertionError(f"no weather suits {act.name} anywhere")


def setting(act: Act, noun: str, dice: random.Random) -> Stage:
    """A place, an hour and a weather in which the act can happen."""
    name, time, weather = _setting(act, dice)
    place = PLACES[name]
    shows = weather == "clear" and name not in _NO_SUN and (time != "day" or dice.random() < 0.65)
    sun = dice.choice((dice.uniform(0.08, 0.34), dice.uniform(0.66, 0.92))) if shows else -1.0
    winter = place.winter == "always" or (place.winter == "snow" and weather == "snow")
    view = "water" if act.medium == "water" else "road" if act.name in ("drive", "bicycle") else ""
    view = "bare" if noun in ("flower", "cactus") else view
    return Stage(name, time, weather, dice.uniform(*place.horizon), sun, dice.randrange(60), winter, view)


def _dressed(part: FigurePart, stage: Stage, count: int, dice: random.Random) -> FigurePart:
    cold = stage.winter or stage.weather == "rain"
    skirt = (
        part.noun in ("woman", "girl") and not cold and part.ride in ("", "bench") and part.act not in ("kick", "surf")
    )
    wear = "jacket" if cold else "dress" if skirt and dice.random() < 0.55 else "shirt"
    hats = (
        ("helmet",)
        if part.act == "bicycle"
        else ("helmet", "beanie")
        if part.act == "ski"
        else ("beanie",)
        if stage.winter
        else ("hat", "cap")
    )
    hat = dice.choice(hats) if count == 1 and dice.random() < 0.45 and part.prop != "umbrella" else ""
    shade = dice.choice([word for word in CLOTHES if word not in (part.colour, "grey")]) if hat else ""
    return replace(part, wear=wear, hat=hat, hat_colour=shade)


def _colour(noun: str, dice: random.Random) -> str:
    if noun in COATS:
        return dice.choice(COATS[noun])
    if noun in PEOPLE:
        return dice.choice(CLOTHES)
    return dice.choice(PAINTS)


def members(act: Act, noun: str, stage: Stage, dice: random.Random) -> list[FigurePart]:
    """The members of the main group, equal except for their looks, not placed yet."""
    count = min(act.most, dice.choices((1, 2, 3, 4), (50, 26, 15, 9))[0])
    toward = dice.random() < 0.5
    prop_colour = ""
    if act.prop or act.ride:
        prop_colour = dice.choice(
            COATS["horse"]
            if act.ride == "horse"
            else ("green", "red", "blue", "brown")
            if act.ride == "bench"
            else PAINTS
        )
    one = FigurePart(
        "main",
        noun,
        act.name,
        act.pose,
        0,
        0,
        1,
        toward,
        _colour(noun, dice),
        prop=act.prop,
        prop_colour=prop_colour,
        ride=act.ride,
        medium=act.medium,
    )
    one = _dressed(one, stage, count, dice) if noun in PEOPLE else one
    still = act.name in ("sit", "stand", "be", "grow", "sleep", "park")
    return [
        replace(one, look=dice.randrange(300), mirror=dice.random() < 0.5 if still else toward) for _ in range(count)
    ]


def companion(lead: FigurePart, count: int, stage: Stage, dice: random.Random) -> FigurePart | None:
    """A companion of a single main figure, or None."""
    person = lead.noun in PEOPLE
    known = COMPANY.get("person" if person else lead.noun, ())
    if count > 1 or lead.medium != "land" or lead.act in _GRAND or not known or dice.random() < 0.62:
        return None
    noun, act = dice.choice(known)
    if noun == "child":
        return _child(lead, stage, dice) if lead.act in _TOGETHER else None
    if (
        noun == lead.noun
        or (noun == "snowman" and not stage.winter)
        or noun == lead.ride
        or (noun == "ball" and lead.prop == "ball")
    ):
        return None
    toward = not lead.mirror if act in ("sit", "stand", "be") else lead.mirror
    colour = dice.choice([word for word in COATS.get(noun, PAINTS) if word != lead.colour])
    return FigurePart("other", noun, act, act, 0, 0, 1, toward, colour, look=dice.randrange(300))


def _child(lead: FigurePart, stage: Stage, dice: random.Random) -> FigurePart:
    """A boy or girl that does what the lead does, in clothes of another colour."""
    noun = dice.choice([kind for kind in ("boy", "girl") if kind != lead.noun])
    colour = dice.choice([word for word in CLOTHES if word != lead.colour])
    return _dressed(
        replace(lead, role="other", noun=noun, colour=colour, hat="", look=dice.randrange(300)), stage, 1, dice
    )
