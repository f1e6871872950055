"""Caption files as they are downloaded, with their pictures beside them or in a folder near."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.listing import listed, refused, written

from lexel.pipeline.sources import formats
from lexel.pipeline.sources.item import Item
from lexel.pipeline.sources.source import open_source
from lexel.pipeline.sources.source_format import SourceFormat

TEXTS = {"p.jpg": ["A cat, asleep .", "It sleeps ."], "q.jpg": ["Two boats ."]}
KARPATHY = json.dumps(
    {
        "images": [
            {"filename": name, "filepath": "val2014", "split": "restval", "sentences": [{"raw": t} for t in texts]}
            for name, texts in TEXTS.items()
        ]
    }
)
COCO = json.dumps(
    {
        "annotations": [
            {"image_id": i, "id": k, "caption": texts[k]}
            for k in (0, 1)
            for i, texts in enumerate(TEXTS.values())
            if k < len(texts)
        ],
        "images": [{"id": i, "file_name": name} for i, name in enumerate(TEXTS)],
    }
)
FILES = {
    "dataset_x.json": KARPATHY,
    "captions_x.json": COCO,
    "captions.txt": "image,caption\n" + "".join(f'{n},"{t}"\n' for n, ts in TEXTS.items() for t in ts),
    "x.token.txt": "".join(f"{n}#{k}\t{t}\n" for n, ts in TEXTS.items() for k, t in enumerate(ts)),
    "results.csv": "image_name| comment_number| comment\n"
    + "".join(f"{n}| {k}| {t}\n" for n, ts in TEXTS.items() for k, t in enumerate(ts)),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("own", "pictures"), [(".", "."), (".", "flickr_images"), ("annotations", "val2014")])
def test_captions_find_their_pictures(tmp_path: Path, name: str, own: str, pictures: str) -> None:
    for folder in (own, pictures):
        (tmp_path / folder).mkdir(exist_ok=True)
    for picture in TEXTS:
        written(tmp_path / pictures / picture, picture)
    path = written(tmp_path / own / name, FILES[name])
    assert not open_source(path).captions
    found = listed(path)
    assert [list(item.captions) for item in found] == list(TEXTS.values())
    assert [item.content().decode() for item in found] == list(TEXTS)
    if name == "dataset_x.json":
        assert {item.metadata["split"] for item in found} == {"restval"}


def test_a_text_file_stays_one(tmp_path: Path) -> None:
    assert open_source(written(tmp_path / "t.txt", "an image, and a caption\nb\n")).captions
    assert len(listed(written(tmp_path / "long.txt", "word " * 100_000 + "\nb\n"))) == 2


def test_what_only_looks_like_one_is_refused(tmp_path: Path) -> None:
    assert refused(written(tmp_path / "a.json", '{"images": [{}], "annotations": []}')).startswith("a.json is not of")
    assert refused(written(tmp_path / "b.json", '{"images": [')).startswith("b.json cannot be read as json")
    assert "line 2" in refused(written(tmp_path / "c.txt", "a.jpg#0\tx\nb.jpg y\n"))
    assert "not a source that lexel reads" in refused(written(tmp_path / "d.json", "{}"))


def test_another_package_adds_a_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = SourceFormat("mine", lambda path: path.suffix == ".mine", lambda _, __: iter([Item("a.jpg")]))
    monkeypatch.setattr(formats, "entry_points", lambda group: [SimpleNamespace(load=lambda: own)] if group else [])
    assert [item.uri for item in listed(written(tmp_path / "x.mine", ""))] == ["a.jpg"]
