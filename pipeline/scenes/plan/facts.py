"""The facts of a drawn scene: flat values to filter by and to make captions from."""

from lexel.pipeline.scenes.figures.assemble import FigurePart
from lexel.pipeline.scenes.plan.acts import COATS, PEOPLE
from lexel.pipeline.scenes.plan.casting import PAINTED, Stage

# The name of an act in the facts, if it is not its own name.
_ACTIONS = {
    **dict.fromkeys(("bicycle", "horse", "sled"), "ride"),
    **dict.fromkeys(("balloon", "umbrella"), "hold"),
    **dict.fromkeys(("be", "grow", "park", "camp"), "stand"),
    "bench": "sit",
    "kite": "fly",
    "fetch": "carry",
}


_GROUNDS = {
    "beach": "sand",
    "desert": "sand",
    "playground": "sand",
    "street": "pavement",
    "road": "pavement",
    "sea": "water",
    "underwater": "water",
}


def _clothing(lead: FigurePart) -> dict[str, str]:
    facts = {"clothes": lead.wear, "clothes_colour": lead.colour}
    if lead.hat:
        facts |= {"hat": "hat" if lead.hat == "beanie" else lead.hat, "hat_colour": lead.hat_colour}
    return facts


def facts(stage: Stage, parts: tuple[FigurePart, ...]) -> dict[str, str]:
    """What is true of a scene, as flat values to filter by and to make captions from."""
    main = [part for part in parts if part.role == "main"]
    lead, weather = main[0], "sunny" if stage.time == "day" and stage.sun >= 0 else stage.weather
    ground = "snow" if stage.winter else _GROUNDS.get(stage.place, "grass")
    found = {
        "subject": lead.noun,
        "count": str(len(main)),
        "action": _ACTIONS.get(lead.act, lead.act),
        "place": stage.place,
        "time": stage.time,
        "weather": weather,
    }
    found["ground"] = ground
    if lead.noun in PEOPLE:
        found |= _clothing(lead)
    elif lead.noun in COATS or lead.noun in PAINTED:
        found["colour"] = lead.colour
    if (lead.prop or lead.ride) and lead.prop != "campfire" and lead.ride != "skis":
        found |= {"prop": lead.prop or lead.ride, "prop_colour": lead.prop_colour}
    if lead.prop == "stick":
        found.pop("prop_colour")
    for part in parts:
        if part.role != "main":
            key = "companion" if part.role == "other" else "background"
            if key in found:
                continue
            found[key] = part.noun
            if part.noun in COATS or (part.noun in PAINTED):
                found[f"{key}_colour"] = part.colour
    return found
