"""Captions of the drawn scenes: English sentences made from a scene's facts and from nothing else.

A caption can only say what a fact says, so it is true of the picture as far as the drawing is.
"""

import random
from collections.abc import Mapping

from lexel.pipeline.scenes.captions.phrases import ABOVE, AFLOAT, IN_SKY, MOVING, SNOWED, SPECIAL, VERBS, WHEN, WHERE

Facts = Mapping[str, str]


PLURALS: dict[str, str] = {
    "man": "men",
    "woman": "women",
    "person": "people",
    "child": "children",
    "lady": "ladies",
    "bus": "buses",
    "fish": "fish",
    "cactus": "cactuses",
    "snowman": "snowmen",
}


NUMBERS = {"1": "one", "2": "two", "3": "three", "4": "four"}


PEOPLE = {"man", "woman", "boy", "girl"}


# Other true names of a thing.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "man": ("person", "man"),
    "woman": ("person", "lady", "woman"),
    "boy": ("child", "kid", "little boy"),
    "girl": ("child", "kid", "little girl"),
    "bicycle": ("bike",),
    "airplane": ("plane",),
    "sailboat": ("boat", "sailing boat"),
    "truck": ("lorry", "truck"),
    "hot-air balloon": ("balloon",),
}


def plural(noun: str) -> str:
    """The plural of a noun, whose last word is what changes."""
    head, _, last = noun.rpartition(" ")
    many = PLURALS.get(last) or last + ("es" if last.endswith(("s", "sh", "ch", "x")) else "s")
    return f"{head} {many}".strip()


def counted(count: str, noun: str, adjective: str = "") -> str:
    """`a red ball`, `an orange cat`, `two black dogs`."""
    phrase = f"{adjective} {noun if count == '1' else plural(noun)}".strip()
    if count != "1":
        return f"{NUMBERS[count]} {phrase}"
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def _worn(facts: Facts, joint: str) -> str:
    """`in a red shirt and a blue hat`."""
    worn = counted("1", facts["clothes"], facts["clothes_colour"])
    if facts["count"] != "1":
        worn = f"{facts['clothes_colour']} {plural(facts['clothes'])}"
    hat = f" and {counted('1', facts['hat'], facts['hat_colour'])}" if "hat" in facts else ""
    return f"{joint} {worn}{hat}"


def _who(facts: Facts, level: int, dice: random.Random) -> str:
    """The subject: 0 by another name, 1 bare, 2 with its colour or clothes."""
    noun, count = facts["subject"], facts["count"]
    if level == 0:
        noun = dice.choice(SYNONYMS.get(noun, (noun,)))
    if level < 2:
        return counted(count, noun)
    if facts["subject"] in PEOPLE:
        return f"{counted(count, noun)} {_worn(facts, dice.choice(('in', 'wearing')))}"
    return counted(count, noun, facts.get("colour", ""))


def _prop(facts: Facts, coloured: bool) -> str:
    return counted("1", facts["prop"], facts.get("prop_colour", "") if coloured else "") if "prop" in facts else ""


def _key(facts: Facts) -> str:
    act = facts["act"]
    if act == "fetch":
        return f"carry a {facts['prop']}"
    return SPECIAL.get((act, facts["subject"]), act)


def _where(facts: Facts, dice: random.Random) -> str:
    place = facts["place"]
    if facts["medium"] == "sky":
        return dice.choice(ABOVE[place])
    if facts["medium"] == "water" and place in AFLOAT:
        return dice.choice(AFLOAT[place])
    still, moving = (SNOWED if facts["ground"] == "snow" else {}).get(place) or WHERE[place]
    return dice.choice(moving if _key(facts) in MOVING else still)


def _when(facts: Facts, dice: random.Random) -> str:
    if facts["place"] == "underwater":
        return ""
    known = WHEN[facts["time"], facts["weather"]]
    return dice.choice(known[:1] if facts["place"] in ("street", "forest") else known)  # where little sky is seen


def _beside(facts: Facts, dice: random.Random, coloured: bool) -> str:
    """`next to a brown dog`, `while a brown dog runs`."""
    if "companion" not in facts:
        return ""
    other = counted("1", facts["companion"], facts.get("companion_colour", "") if coloured else "")
    forms = [f"next to {other}", f"near {other}"]
    if facts["companion"] in ("dog", "cat", "bird", "boy", "girl"):
        forms += [f"with {other}"]
    return dice.choice(forms)


def _behind(facts: Facts, dice: random.Random) -> str:
    """`with a red sailboat in the background`."""
    if "background" not in facts:
        return ""
    seen = counted("1", facts["background"], facts.get("background_colour", ""))
    where = ("in the sky",) if facts["background"] in IN_SKY else ("in the background", "in the distance")
    return f"with {seen} {dice.choice(where)}"


def _said(facts: Facts, dice: random.Random, *, ongoing: bool, coloured: bool) -> str:
    """The predicate: `runs with a red ball in its mouth`, `are running`."""
    he, they, ing, tail = dice.choice(VERBS[_key(facts)])
    one = facts["count"] == "1"
    verb = f"{'is' if one else 'are'} {ing}" if ongoing else (he if one else they)
    return f"{verb} {tail.format(prop=_prop(facts, coloured))}".strip()


def _sentence(*pieces: str) -> str:
    text = " ".join(piece for piece in pieces if piece).replace(" ,", ",")
    return f"{text[0].upper()}{text[1:]}."


def _plain(facts: Facts, dice: random.Random) -> str:
    return _sentence(_who(facts, 1, dice), _said(facts, dice, ongoing=False, coloured=False), _where(facts, dice))


def _coloured(facts: Facts, dice: random.Random) -> str:
    return _sentence(_who(facts, 2, dice), _said(facts, dice, ongoing=True, coloured=True), _where(facts, dice))


def _timed(facts: Facts, dice: random.Random) -> str:
    when, who = _when(facts, dice), _who(facts, dice.randint(0, 1), dice)
    said = _said(facts, dice, ongoing=dice.random() < 0.5, coloured=dice.random() < 0.5)
    if when and dice.random() < 0.4:
        return _sentence(f"{when},", who, said, _where(facts, dice))
    return _sentence(who, said, _where(facts, dice), when)


def _there(facts: Facts, dice: random.Random) -> str:
    _, _, ing, tail = dice.choice(VERBS[_key(facts)])
    be = "is" if facts["count"] == "1" else "are"
    return _sentence(
        "there",
        be,
        _who(facts, dice.choice((0, 2)), dice),
        ing,
        tail.format(prop=_prop(facts, True)),
        _where(facts, dice),
    )


def _full(facts: Facts, dice: random.Random) -> str:
    who, said, where = (
        _who(facts, 2, dice),
        _said(facts, dice, ongoing=dice.random() < 0.4, coloured=True),
        _where(facts, dice),
    )
    beside, behind, when = _beside(facts, dice, True), _behind(facts, dice), _when(facts, dice)
    if dice.random() < 0.35 and when:
        return _sentence(f"{when},", who, said, beside, where, behind and ",", behind)
    return _sentence(who, said, beside, where, when, behind and ",", behind)


def _paired(facts: Facts, dice: random.Random) -> str:
    """Both who are there, or what is behind; empty when there is neither."""
    if "companion" in facts:
        return _sentence(
            _who(facts, 1, dice),
            _said(facts, dice, ongoing=True, coloured=False),
            _beside(facts, dice, False),
            _where(facts, dice),
        )
    if "background" in facts:
        return _sentence(
            _who(facts, 2, dice),
            _said(facts, dice, ongoing=False, coloured=True),
            _where(facts, dice),
            ",",
            _behind(facts, dice),
        )
    return ""


def captions(facts: Facts, dice: random.Random) -> tuple[str, ...]:
    """Three to five different sentences about a scene, the tersest first and the fullest last.

    Beside the public facts, `act` names the row of `VERBS` and `medium` says land, water or sky.
    """
    middle = [_coloured(facts, dice), _timed(facts, dice), _there(facts, dice), _paired(facts, dice)]
    dice.shuffle(middle)
    kept = sorted([text for text in middle if text][: dice.randint(1, 3)], key=len)
    found = dict.fromkeys([_plain(facts, dice), *kept])
    full = _full(facts, dice)
    while len(found.keys() - {full}) < 2:
        found[_timed(facts, dice)] = None
    return (*(text for text in found if text != full), full)
