"""Composition of the drawn scenes: places the cast on the sheet and adds a background, at random."""

import random
from dataclasses import replace

from lexel.pipeline.scenes.figures.assemble import FigurePart
from lexel.pipeline.scenes.plan.acts import ACTS, PAINTS, PEOPLE, PLACES, ROOMS, SIZES, Size
from lexel.pipeline.scenes.plan.casting import PAINTED, Stage, companion, members, setting

_WEIGHTS = [act.weight for act in ACTS]
_IN_SKY = {"hot-air balloon", "airplane", "kite"}


_ON_WATER = {"sailboat", "lighthouse", "island"}


_FEATURE_ROW = {
    "car": 77,
    "bus": 77,
    "palm tree": 72,
    "umbrella": 78,
    "bench": 54,
    "tree": 30,
}  # units below the horizon


def room(part: FigurePart) -> Size:
    """The space that a part takes, in its own units."""
    size = SIZES[part.noun]
    if part.role == "other" and part.noun not in PEOPLE:
        size = replace(size, zoom=size.zoom * 0.8)
    if part.noun in PEOPLE and part.act in ROOMS:
        half, rise, drop = ROOMS[part.act]
        small = 1.0 if part.noun in ("man", "woman") else 0.84
        return Size(
            half * (1.0 if part.act in ("horse", "kite", "throw") else small),
            size.rise * rise,
            size.zoom * (0.86 if half > 60 else 1),
            drop,
        )
    if part.prop in ("stick", "frisbee"):
        return Size(size.half + 18, size.rise + 26, size.zoom)
    return (
        Size(104, 76, 1.0)
        if part.prop == "campfire"
        else replace(size, rise=size.rise + 26)
        if part.pose == "jump"
        else size
    )


def _heights(parts: list[FigurePart], stage: Stage, zoom: float, near: float, dice: random.Random) -> list[float]:
    """The y of each member, by what it stands, swims or flies in."""
    rise, drop = max(room(part).rise for part in parts) * zoom, max(room(part).drop for part in parts) * zoom
    if parts[0].medium == "sky":
        low, high = 8 + rise, max(10 + rise, stage.horizon + 6 - drop)
        return [dice.uniform(low, high) for _ in parts]
    if stage.place == "underwater":
        return [dice.uniform(16 + rise, 270 - drop) for _ in parts]
    far, close = PLACES[stage.place].land
    base = far + (close - far) * near
    if stage.view == "road" and stage.place == "street":
        base = 244 + 18 * near
    return [min(282 - drop, base + dice.uniform(-6, 6)) for _ in parts]


def _placed(parts: list[FigurePart], stage: Stage, dice: random.Random) -> list[FigurePart]:
    """The members side by side, as large as the sheet allows, none covering another."""
    order = dice.sample(parts, len(parts))
    near = dice.random()  # 0 far to 1 near: nearer is lower and larger
    zoom = (0.8 + 0.52 * near) * dice.uniform(0.94, 1.12) * (0.86 if parts[0].medium == "sky" else 1)
    spans = [2 * room(part).half * room(part).zoom for part in order]
    zoom = min(zoom, 366 / sum(spans))
    heights = _heights(order, stage, max(room(part).zoom for part in order) * zoom, near, dice)
    tallest = min(
        (height - 5) / (room(part).rise * room(part).zoom) for height, part in zip(heights, order, strict=True)
    )
    zoom = min(zoom, tallest)
    slack = 376 - sum(spans) * zoom
    cuts = sorted(dice.uniform(0, slack) for _ in order)
    x, found = 4.0, []
    for k, (part, span, y) in enumerate(zip(order, spans, heights, strict=True)):
        x += cuts[k] - (cuts[k - 1] if k else 0)
        found.append(replace(part, x=x + span * zoom / 2, y=y, scale=room(part).zoom * zoom))
        x += span * zoom
    return found


def _box(part: FigurePart) -> tuple[float, float, float, float]:
    size = room(part)
    return (
        part.x - size.half * part.scale,
        part.y - size.rise * part.scale,
        part.x + size.half * part.scale,
        part.y + size.drop * part.scale,
    )


def _apart(one: FigurePart, two: FigurePart) -> bool:
    a, b = _box(one), _box(two)
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def _feature(noun: str, stage: Stage, others: list[FigurePart], dice: random.Random) -> FigurePart | None:
    """Something in the background that nothing covers, or None if there is no space."""
    size, horizon = SIZES[noun], stage.horizon
    scale = size.zoom * dice.uniform(0.5, 0.66) * (1.3 if noun == "palm tree" else 1.0)
    drop = {True: dice.uniform(8, 16), False: _FEATURE_ROW.get(noun, dice.uniform(26, 36))}[noun in _ON_WATER]
    if stage.place == "lake" and noun not in _IN_SKY:
        drop = dice.uniform(14, 22) if noun == "sailboat" else 3
        scale *= 1.0 if noun == "sailboat" else 0.8
    colour = dice.choice(PAINTS) if noun in PAINTED else ""
    if noun not in _IN_SKY:
        scale = min(scale, (horizon + drop - 6) / size.rise)
    for _ in range(12):
        x = dice.uniform(6 + size.half * scale, 378 - size.half * scale)
        y = (
            dice.uniform(8 + size.rise * scale, max(9 + size.rise * scale, horizon - 8 - size.drop * scale))
            if noun in _IN_SKY
            else horizon + drop
        )
        part = FigurePart("feature", noun, "be", "", x, y, scale, dice.random() < 0.5, colour, look=dice.randrange(300))
        if all(_apart(part, other) for other in others):
            return part
    return None


def _features(stage: Stage, row: list[FigurePart], dice: random.Random) -> list[FigurePart]:
    shown: list[FigurePart] = []
    taken = {part.noun for part in row} | {part.prop for part in row} | {part.ride for part in row}
    choices = [noun for noun in PLACES[stage.place].features if noun not in taken]
    if stage.weather in ("rain", "snow"):
        choices = [noun for noun in choices if noun not in ("hot-air balloon", "kite", "airplane")]
    for noun in dice.sample(choices, min(len(choices), dice.choice((0, 1, 1, 2)))):
        part = _feature(noun, stage, row + shown, dice)
        shown += [part] if part else []
    return shown


def compose(seed: int) -> tuple[Stage, tuple[FigurePart, ...]]:
    """Cast and place the scene of a seed: the stage, and its parts from back to front."""
    dice = random.Random(f"scene {seed}")
    act = dice.choices(ACTS, _WEIGHTS)[0]
    noun = dice.choice(act.who)
    stage = setting(act, noun, dice)
    cast = members(act, noun, stage, dice)
    other = companion(cast[0], len(cast), stage, dice)
    row = _placed([*cast, other] if other else cast, stage, dice)
    shown = _features(stage, row, dice)
    return stage, (*sorted(shown, key=lambda part: part.y), *sorted(row, key=lambda part: part.y))
