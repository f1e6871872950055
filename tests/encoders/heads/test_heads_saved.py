"""An encoder with each kind of head: it comes back from its folder the same, and makes its terms of stored features."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from support import jobs, making
from torch import nn
from torch.nn.functional import normalize

from lexel.encoders import Encoder, open_encoder
from lexel.encoders.heads.expand import ExpandHead
from lexel.encoders.heads.head import AnyHead
from lexel.encoders.heads.labels import LabelsHead
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.heads.region_labels import RegionHead
from lexel.encoders.heads.word_classifier import WordClassifierHead
from lexel.encoders.heads.zero_shot import ZeroShotHead
from lexel.encoders.image.backbones import Backbone, ResidualBackbone
from lexel.encoders.image.preprocess import Preprocess
from lexel.encoders.image.regions import RegionBackbone
from lexel.encoders.image.residual_net import ResidualConfig
from lexel.encoders.model import Model, load_model
from lexel.encoders.text.text_models import BagText
from lexel.encoders.text.word_bag import BagConfig
from lexel.encoders.towers import PairTower
from lexel.pipeline.encode.reterm import reterm_shards

KNOWN = making.vocabulary()
V, F, D = len(KNOWN), 24, 16
TEXTS = ["two dogs in the snow", "a red boat", "nothing known"]


def spread(head: AnyHead) -> AnyHead:
    """The head with weights that say something of random features."""
    for value in head.state_dict().values():
        if value.dtype == torch.float32:
            value.copy_(torch.randn(value.shape) * 0.8)
    return head


def bce() -> AnyHead:
    built = WordClassifierHead(features=F, terms=V)
    spread(built)
    built.prior.copy_(torch.rand(V) * 0.5 + 0.01)
    return built


def expand() -> AnyHead:
    built = ExpandHead(features=F, dim=D, terms=V, query_keep=5)
    spread(built)
    built.worth.copy_(torch.rand(V) + 0.1)
    built.query_worth.copy_(torch.rand(V) + 0.1)
    return built


def zeroshot() -> AnyHead:
    anchors = normalize(torch.randn(V, D), dim=1)
    return ZeroShotHead(anchors=anchors, threshold=0.4, projection=nn.Linear(F, D)).calibrated(torch.randn(50, F))


def labels() -> AnyHead:
    built = LabelsHead(features=F, labels=8, terms=V, pairs=9)
    nn.init.normal_(built.logits.weight, std=2.0)
    built.label, built.term = torch.tensor([0, 1, 2, 3, 4, 5, 6, 7, 7]), torch.tensor([3, 1, 4, 1, 5, 9, 2, 6, 5])
    return built


def lexicon() -> AnyHead:
    return spread(LexiconHead(features=F, terms=V))


HEADS: dict[str, Callable[[], AnyHead]] = {
    "bce": bce,
    "expand": expand,
    "labels": labels,
    "lexicon": lexicon,
    "zeroshot": zeroshot,
}


def eyes() -> Backbone:
    torch.manual_seed(0)
    net = ResidualConfig(widths=(8, 16), depths=(1, 1), feature_dim=F, side=32)
    return ResidualBackbone(net=net, preprocess=Preprocess(32))


def model(kind: str, *, seed: int = 1) -> Model:
    image = eyes()
    torch.manual_seed(seed)
    tower = PairTower(image, BagText(BagConfig(("dogs", "red", "snow"), width=12)), dim=D, hidden=4)
    return Model(tower, HEADS[kind](), KNOWN, keep=6, device="cpu")


def assert_alike(one: list[dict[str, float]], other: list[dict[str, float]]) -> None:
    """The same terms but for those that half precision moves across the budget, of nearly the same weights."""
    assert any(one)
    for mine, theirs in zip(one, other, strict=True):
        assert len(mine.keys() & theirs.keys()) >= len(mine) - 1
        for term in mine.keys() & theirs.keys():
            assert mine[term] == pytest.approx(theirs[term], rel=0.02, abs=0.03)


@pytest.mark.parametrize("kind", HEADS)
def test_it_comes_back_the_same(kind: str, tmp_path: Path) -> None:
    built = model(kind)
    saved = built.save(tmp_path / "encoder", name=kind)
    back = open_encoder(str(tmp_path / "encoder"))
    loaded = load_model(back, device="cpu")
    features = np.random.default_rng(0).normal(size=(20, F)).astype(np.float16)
    assert_alike(loaded.of_features(features).terms, built.of_features(features).terms)
    assert np.allclose(loaded.of_features(features).vectors, built.of_features(features).vectors, atol=5e-3)
    assert_alike(loaded.queries(TEXTS), built.queries(TEXTS))
    assert type(loaded.head) is type(built.head)
    # What was read is written again to the same fingerprint, and does the same to the last bit.
    again = loaded.save(tmp_path / "again", name="again")
    assert again.fingerprint == back.fingerprint == saved.fingerprint
    assert load_model(again, device="cpu").of_features(features).terms == loaded.of_features(features).terms
    assert load_model(again, device="cpu").queries(TEXTS) == loaded.queries(TEXTS)


def test_fingerprints_tell_heads_and_features_tell_eyes(tmp_path: Path) -> None:
    encoders = [model(kind).save(tmp_path / kind, name="same") for kind in HEADS]
    encoders.append(model("lexicon", seed=2).save(tmp_path / "other", name="same"))
    assert len({encoder.fingerprint for encoder in encoders}) == len(encoders)
    assert len({encoder.features_id for encoder in encoders}) == 1


def test_how_it_was_trained_is_no_part_of_the_fingerprint(tmp_path: Path) -> None:
    saved = model("lexicon").save(tmp_path / "encoder", name="lexicon")
    before = saved.fingerprint
    (saved.folder / "training").mkdir()
    (saved.folder / "training/history.json").write_text("{}")
    assert open_encoder(str(saved.folder)).fingerprint == before


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return making.photo_folder(tmp_path_factory.mktemp("photos"), count=6)


@pytest.fixture(scope="module")
def stored(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shards of an encoder whose eyes all the others share."""
    place = tmp_path_factory.mktemp("stored")
    jobs.run(photos, place / "shards", model("lexicon", seed=9).save(place / "encoder", name="first"))
    return place / "shards"


@pytest.mark.parametrize("kind", HEADS)
def test_terms_are_made_of_stored_features_as_of_pictures(
    kind: str, photos: Path, stored: Path, tmp_path: Path
) -> None:
    encoder = model(kind).save(tmp_path / "encoder", name=kind)
    reterm_shards(stored, tmp_path / "again", encoder=encoder, batch_size=3, device="cpu")
    jobs.run(photos, tmp_path / "fresh", encoder)
    assert jobs.rows(tmp_path / "again") == jobs.rows(tmp_path / "fresh")
    assert any(row["terms"] for row in jobs.rows(tmp_path / "again"))


def regions() -> Model:
    torch.manual_seed(0)
    image = RegionBackbone("fasterrcnn_mobilenet_v3_large_320_fpn", regions=3, preprocess=Preprocess(64), weights=None)
    tower = PairTower(image, BagText(BagConfig(("dogs",), width=8)), dim=D)
    inner = LexiconHead(features=image.width, terms=V)
    nn.init.normal_(inner.logits.weight, std=0.2)
    return Model(tower, RegionHead(inner, regions=3), KNOWN, keep=6, device="cpu")


def test_regions_come_back_the_same(tmp_path: Path) -> None:
    built = regions()
    saved: Encoder = built.save(tmp_path / "encoder", name="regions")
    loaded = load_model(open_encoder(str(tmp_path / "encoder")), device="cpu")
    rows = np.random.default_rng(0).normal(size=(8, 3, built.head.inner.logits.in_features + 1))  # type: ignore[union-attr]
    rows[:, :, -1] = [1, 1, 0]
    features = rows.reshape(8, -1).astype(np.float16)
    assert_alike(loaded.of_features(features).terms, built.of_features(features).terms)
    again = loaded.save(tmp_path / "again", name="regions")
    assert again.fingerprint == saved.fingerprint
    assert again.features_id == saved.features_id
    # What a region that is not there would say does not count.
    rows[:, 2, :-1] += 5
    assert loaded.of_features(rows.reshape(8, -1).astype(np.float16)).terms == loaded.of_features(features).terms
