"""The drawn scenes: the same from the same seed, true to their facts, in sound English, and all different."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lexel.pipeline import scenes
from lexel.pipeline.scenes.captions.phrases import VERBS
from lexel.pipeline.scenes.captions.sentences import NUMBERS, PLURALS, SYNONYMS, counted, plural
from lexel.pipeline.scenes.figures.assemble import FigurePart, drawn
from lexel.pipeline.scenes.paint import strokes
from lexel.pipeline.scenes.paint.colours import NAMED
from lexel.pipeline.scenes.plan.acts import SIZES

SEEDS = range(300)
_COLOURED = re.compile(rf"\b({'|'.join(NAMED)}) ([a-z-]+(?: [a-z]+)?)")
_NUMBERED = re.compile(r"\b(one|two|three|four) ((?:[a-z-]+ ){0,2}[a-z-]+)", re.IGNORECASE)
# Words of the place that are also names of things: they are always drawn there.
_SCENERY = {"near the trees": "forest", "above the trees": "field", "near the flowers": "garden"}
_PAIRS = (
    ("subject", "colour"),
    ("prop", "prop_colour"),
    ("clothes", "clothes_colour"),
    ("hat", "hat_colour"),
    ("companion", "companion_colour"),
    ("background", "background_colour"),
)


@pytest.fixture(scope="module")
def found() -> list[scenes.Scene]:
    return [scenes.scene(seed) for seed in SEEDS]


def _names(noun: str) -> set[str]:
    singular = {noun, *SYNONYMS.get(noun, ())}
    return singular | {plural(name) for name in singular}


def _sentences(found: list[scenes.Scene]) -> Iterator[tuple[scenes.Scene, str]]:
    for scene in found:
        for caption in scene.captions:
            yield scene, caption


def _digest(seeds: range) -> str:
    total = hashlib.sha256()
    for seed in seeds:
        scene = scenes.scene(seed)
        total.update(json.dumps([scene.captions, dict(scene.facts)]).encode() + scenes.draw(scene).tobytes())
    return total.hexdigest()


def test_same_seed_gives_same_bytes_in_another_process() -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_scenes; print(test_scenes._digest(range(12)))"
    run = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == _digest(range(12))


def test_captions_are_three_to_five_different_sentences(found: list[scenes.Scene]) -> None:
    for scene in found:
        assert 3 <= len(scene.captions) <= 5
        assert len(set(scene.captions)) == len(scene.captions)
    for _, caption in _sentences(found):
        assert re.fullmatch(r"[A-Z][a-z-]*(,? [a-z-]+)+\.", caption), caption


def test_articles_agree(found: list[scenes.Scene]) -> None:
    for _, caption in _sentences(found):
        assert not re.search(r"\ba [aeiou]", caption, re.IGNORECASE), caption
        assert not re.search(r"\ban [^aeiou]", caption, re.IGNORECASE), caption


def test_numbers_and_verbs_agree(found: list[scenes.Scene]) -> None:
    for scene, caption in _sentences(found):
        one = scene.facts["count"] == "1"
        wrong = {they if one else he for verbs in VERBS.values() for he, they, _, _ in verbs}
        said = set(re.sub(r"to [a-z]+", "", caption.lower().rstrip(".")).replace(",", "").split())
        assert not said & wrong, caption
        assert ("are" if one else "is") not in said, caption
        for number, phrase in _NUMBERED.findall(caption):
            assert number.lower() == NUMBERS[scene.facts["count"]], caption
            assert not one, caption
            assert any(f" {plural(name)} " in f" {phrase} " for name in _names(scene.facts["subject"])), caption


def test_every_coloured_thing_is_a_fact(found: list[scenes.Scene]) -> None:
    claims = 0
    for scene, caption in _sentences(found):
        facts = scene.facts
        true = {(facts[colour], name) for noun, colour in _PAIRS if colour in facts for name in _names(facts[noun])}
        for colour, words in _COLOURED.findall(caption):
            claims += 1
            assert {(colour, words), (colour, words.split()[0])} & true, caption
    assert claims > len(SEEDS)


def test_every_named_thing_is_a_fact(found: list[scenes.Scene]) -> None:
    known = {name for noun in [*SIZES, "frisbee", "surfboard", "sled", "balloon"] for name in _names(noun)}
    for scene, caption in _sentences(found):
        bare = caption
        for phrase, place in _SCENERY.items():
            assert phrase not in caption or scene.facts["place"] == place
            bare = bare.replace(phrase, "")
        facts = [scene.facts[key] for key in ("subject", "prop", "companion", "background") if key in scene.facts]
        true = {name for noun in facts for name in _names(noun)}
        true |= {"campfire"} if "tent" in facts else set()
        said = {name for name in known if re.search(rf"\b{name}\b", bare)}
        assert said, caption
        assert said <= true | {word for name in true for word in name.split()}, (caption, said - true)


def test_weather_and_time_are_facts(found: list[scenes.Scene]) -> None:
    marks = {
        "in the rain": "rain",
        "rainy": "rain",
        "it rains": "rain",
        "snow falls": "snow",
        "it snows": "snow",
        "sunny": "sunny",
        "sunshine": "sunny",
        "cloudy": "cloudy",
    }
    for scene, caption in _sentences(found):
        for mark, weather in marks.items():
            assert mark not in caption or scene.facts["weather"] == weather, caption
        assert ("night" in caption or "star" in caption) <= (scene.facts["time"] == "night"), caption
        assert ("sunset" in caption or "sun sets" in caption) <= (scene.facts["time"] == "sunset"), caption
        assert (
            "snow" not in caption
            or scene.facts["ground"] == "snow"
            or "snow" in (*scene.facts.values(), scene.facts.get("companion"))
        ), caption


def _masks(scene: scenes.Scene) -> list[tuple[FigurePart, NDArray[np.bool_], int]]:
    """Each part with the pixels it covers inside the frame and its number of pixels in all."""
    found = []
    for part in scene.parts:
        shapes = drawn(part, night=False, winter=scene.stage.winter)
        layer = strokes.layer(shapes, x=part.x, y=part.y, scale=1, light=(1, 1, 1), shade=0)
        sheet = Image.new("L", (384, 288))
        alpha = layer.image.getchannel("A")
        sheet.paste(alpha, (layer.left, layer.top))
        found.append((part, np.asarray(sheet) > 127, int((np.asarray(alpha) > 127).sum())))
    return found


def test_what_is_named_can_be_seen(found: list[scenes.Scene]) -> None:
    for scene in found:
        masks = _masks(scene)
        for k, (part, mask, area) in enumerate(masks):
            free = mask & ~np.any([other for _, other, _ in masks[k + 1 :]] or [np.zeros_like(mask)], axis=0)
            rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
            assert free.sum() >= 0.9 * area, (scene.seed, part.noun, "is cut or hidden")
            least = 12 if part.role == "feature" else 18
            assert min(len(rows), len(columns)) >= least, (scene.seed, part.noun, "is too small")


def test_scenes_vary() -> None:
    many = [scenes.scene(seed).facts for seed in range(500)]
    assert len({facts["place"] for facts in many}) >= 12
    assert len({facts["subject"] for facts in many}) >= 22
    assert {facts["count"] for facts in many} == {"1", "2", "3", "4"}
    assert {facts["time"] for facts in many} == {"day", "sunset", "night"}
    assert {facts["weather"] for facts in many} == {"sunny", "clear", "cloudy", "rain", "snow"}
    assert {value for facts in many for key, value in facts.items() if key.endswith("colour")} == set(NAMED)
    assert len({scenes.scene(seed).captions[-1] for seed in range(500)}) >= 495


def test_pictures_differ_even_of_one_caption() -> None:
    pictures = [np.asarray(scenes.draw(scenes.scene(seed), size=(96, 72)), dtype=np.float64) for seed in range(40)]
    for k, one in enumerate(pictures):
        for two in pictures[:k]:
            assert np.abs(one - two).mean() > 4


@pytest.mark.parametrize("size", [(384, 288), (224, 224), (640, 360), (120, 200)])
def test_draws_at_any_size(size: tuple[int, int]) -> None:
    image = scenes.draw(scenes.scene(7), size=size)
    assert (image.size, image.mode) == (size, "RGB")
    assert np.asarray(image).std() > 10


def test_write_makes_pictures_and_manifest_and_resumes(tmp_path: Path) -> None:
    manifest = scenes.write(tmp_path, count=6, seed=40)
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    assert [row["image"] for row in rows] == [f"images/{number:06d}.jpg" for number in range(40, 46)]
    for row, seed in zip(rows, range(40, 46), strict=True):
        scene = scenes.scene(seed)
        assert row == {"image": row["image"], "captions": list(scene.captions), **scene.facts}
        with Image.open(tmp_path / row["image"]) as image:
            image.load()
            assert (image.format, image.size) == ("JPEG", (384, 288))
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (tmp_path / "images").iterdir()}
    (tmp_path / "images/000042.jpg").unlink()
    (tmp_path / "images/000043.jpg").write_bytes(b"cut short")
    assert scenes.write(tmp_path, count=6, seed=40) == manifest
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == sorted(
        [*(path.name for path in before), "scenes.jsonl"]
    )
    for path, (moment, content) in before.items():
        assert path.read_bytes() == content
        assert (path.stat().st_mtime_ns == moment) == (path.name not in ("000042.jpg", "000043.jpg"))


def test_grammar_of_counts() -> None:
    assert counted("1", "cat", "orange") == "an orange cat"
    assert counted("3", "snowman") == "three snowmen"
    assert counted("2", "little boy") == "two little boys"
    assert [plural(noun) for noun in ("bus", "fish", "palm tree", "bench")] == [
        "buses",
        "fish",
        "palm trees",
        "benches",
    ]
    assert plural("woman") == PLURALS["woman"] == "women"
