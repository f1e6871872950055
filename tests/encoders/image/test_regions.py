"""Pictures as regions: what a detector is surest of, of one length for every picture, averaged, added up or maximal."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lexel.encoders import EncoderError, Vocabulary
from lexel.encoders.heads.head import head
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.heads.region_labels import RegionHead
from lexel.encoders.heads.word_classifier import WordClassifierHead
from lexel.encoders.image.backbones import backbone
from lexel.encoders.image.preprocess import Preprocess
from lexel.encoders.image.regions import Pool, RegionBackbone, regions_of
from lexel.encoders.model import Model, load_model
from lexel.encoders.pair import open_pair
from lexel.encoders.text.text_models import BagText
from lexel.encoders.text.word_bag import BagConfig
from lexel.encoders.towers import PairTower

SMALL = "fasterrcnn_mobilenet_v3_large_320_fpn"
TERMS = ("dog", "cat", "snow")
VOCABULARY = Vocabulary(TERMS, {t: t for t in TERMS}, (0.1, 0.2, 0.3))


def noise(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype=np.uint8))


def detector(*, regions: int = 4, pool: Pool = "mean", sure: float = 0.0) -> RegionBackbone:
    """Random weights, so that no class is likelier than 1 in 50: a detector that is easily sure finds many boxes."""
    torch.manual_seed(0)
    built = RegionBackbone(SMALL, regions=regions, pool=pool, preprocess=Preprocess(96)).eval()
    built.net.roi_heads.score_thresh = sure
    built.net.rpn.score_thresh = 0.0
    return built


@pytest.fixture(scope="module")
def eager() -> RegionBackbone:
    return detector()


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    """Numbers, as a detector of torchvision takes them; ours takes bytes too."""
    prepare = Preprocess(96)
    return prepare.normalised(torch.stack([prepare(noise(i)) for i in range(3)]))


def test_every_picture_has_as_many_features(eager: RegionBackbone, pixels: torch.Tensor) -> None:
    with torch.inference_mode():
        features = eager(pixels)
        vectors, there = regions_of(features, 4)
    assert features.shape == (3, eager.dim) == (3, 4 * 1025)
    assert vectors.shape == (3, 4, eager.width) == (3, 4, 1024)
    assert there.all()
    assert not torch.equal(vectors[0, 0], vectors[0, 1])
    with torch.inference_mode():
        assert torch.equal(eager(torch.stack([eager.pixels(noise(i)) for i in range(3)])), features)


def test_regions_are_the_detectors_own_best_boxes(eager: RegionBackbone, pixels: torch.Tensor) -> None:
    """Asked as torchvision itself asks, of pictures that its own transform leaves alone."""
    net = eager.net
    with torch.inference_mode():
        vectors, _ = regions_of(eager(pixels), 4)
        net.transform.min_size, net.transform.image_mean, net.transform.image_std = (96,), [0.0] * 3, [1.0] * 3
        for picture, found in zip(pixels, net(list(pixels)), strict=True):
            maps = net.backbone(picture[None])
            boxes = net.roi_heads.box_roi_pool(maps, [found["boxes"][:4]], [(96, 96)])
            assert torch.allclose(net.roi_heads.box_head(boxes), vectors[0], atol=1e-4)
            vectors = vectors[1:]


def test_a_picture_without_a_box_is_one_region_as_a_whole(eager: RegionBackbone, pixels: torch.Tensor) -> None:
    unsure = detector(sure=1.0)
    with torch.inference_mode():
        vectors, there = regions_of(unsure(pixels), 4)
        maps = unsure.net.backbone(pixels)
        pooled = unsure.net.roi_heads.box_roi_pool(maps, [torch.tensor([[0.0, 0, 96, 96]])] * 3, [(96, 96)] * 3)
        whole = unsure.net.roi_heads.box_head(pooled)
    assert there.tolist() == [[True, False, False, False]] * 3
    assert torch.allclose(vectors[:, 0], whole, atol=1e-5)
    assert not vectors[:, 1:].any()


def test_a_summary_knows_only_the_regions_that_are_there() -> None:
    mean, added = detector(regions=3), detector(regions=3, pool="sum")
    rows = torch.zeros(2, 3, 1025)
    rows[0, 0, :], rows[0, 1, :], rows[1, 0, :] = 2.0, 6.0, 5.0
    rows[0, :2, -1], rows[1, 0, -1] = 1.0, 1.0
    assert torch.equal(mean.summary(rows.flatten(1)), torch.tensor([[4.0], [5.0]]).expand(2, 1024))
    assert torch.equal(added.summary(rows.flatten(1)), torch.tensor([[8.0], [5.0]]).expand(2, 1024))


@pytest.mark.parametrize("kind", [LexiconHead, WordClassifierHead])
def test_a_term_is_in_a_picture_as_far_as_any_region_shows_it(kind: type[LexiconHead | WordClassifierHead]) -> None:
    torch.manual_seed(0)
    inner = kind(features=5, terms=3)
    torch.nn.init.uniform_(inner.logits.bias, 0, 1)  # of a region that is not there it would make something
    built = RegionHead(inner, regions=3)
    rows = torch.randn(2, 3, 6)
    rows[:, :, -1] = torch.tensor([[1.0, 1, 1], [1, 0, 0]])
    expected = torch.stack([inner(rows[0, :, :-1]).amax(0), inner(rows[1, :1, :-1])[0]])
    assert torch.equal(built(rows.flatten(1)), expected)
    again = head(built.config())
    assert isinstance(again, RegionHead)
    again.load_state_dict(built.state_dict())
    assert torch.equal(again(rows.flatten(1)), expected)


def model(image: RegionBackbone) -> Model:
    torch.manual_seed(1)
    inner = LexiconHead(features=image.width, terms=len(TERMS))
    torch.nn.init.normal_(inner.logits.weight, std=3.0)
    tower = PairTower(image, BagText(BagConfig(TERMS, width=12)), dim=16)
    return Model(tower, RegionHead(inner, regions=image.regions), VOCABULARY, device="cpu")


def test_an_encoder_of_regions_works_from_pixels_to_disk(
    eager: RegionBackbone, pixels: torch.Tensor, tmp_path: Path
) -> None:
    before = model(eager)
    found = before.images(pixels)
    assert found.features is not None
    assert found.features.shape == (3, 4 * 1025)
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)
    assert any(found.terms)
    stored = before.of_features(found.features)
    assert np.allclose(stored.vectors, found.vectors, atol=1e-3)
    assert [list(t) for t in stored.terms] == [list(t) for t in found.terms]
    encoder = before.save(tmp_path / "encoder", name="regions")
    again, third = (
        load_model(encoder, device="cpu"),
        load_model(encoder, device="cpu").save(tmp_path / "again", name="regions"),
    )
    # A random detector is sure of nothing, so half precision may change its mind about boxes; its features of any
    # features given to it stay.
    assert np.allclose(again.of_features(found.features).vectors, stored.vectors, atol=4e-3)
    assert third.fingerprint == encoder.fingerprint
    assert again.tower.config() == before.tower.config()


def test_training_leaves_a_detector_as_it_is(eager: RegionBackbone, pixels: torch.Tensor) -> None:
    tower = PairTower(eager, BagText(BagConfig(TERMS, width=12)), dim=16).train()
    assert tower.text.training  # type: ignore[attr-defined]
    assert not any(part.training for part in eager.modules())
    assert tower.images(pixels[:1])[1].shape == (1, 16)


def test_a_trained_detector_comes_back_though_it_is_built_of_other_parts(pixels: torch.Tensor) -> None:
    """torchvision gives trained networks frozen norms with an epsilon of their own, untrained ones plain norms."""
    from torchvision.ops import FrozenBatchNorm2d

    from lexel.encoders.image import regions

    norms = torch.nn.Sequential(torch.nn.BatchNorm2d(3), FrozenBatchNorm2d(3, eps=0.0), torch.nn.BatchNorm2d(3, 1e-3))
    for norm in norms:
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
        norm.weight.data.uniform_(0.5, 2)
    expected = norms.eval()(pixels)
    regions._freeze(norms)
    assert torch.allclose(norms(pixels), expected, atol=1e-5)
    assert {len(norm.state_dict()) for norm in norms} == {4}


def test_a_detector_by_name() -> None:
    built = open_pair(f"regions:{SMALL}:none:sum+gru", words=["dog"], dim=8)
    assert isinstance(built.image, RegionBackbone)
    assert (built.image.pool, built.image.regions) == ("sum", 16)
    # It sees pictures at the size and in the colours that it was trained on.
    assert built.pixels(noise(0)).shape == (3, 320, 320)
    assert isinstance(backbone(built.image.config(), Path()), RegionBackbone)
    with pytest.raises(EncoderError, match="regions are averaged, or added up with :sum"):
        open_pair(f"regions:{SMALL}:none:cls+gru", words=["dog"])


@pytest.mark.parametrize(
    ("name", "weights", "says"),
    [
        ("resnet18", None, "torchvision has no detector named 'resnet18'"),
        ("retinanet_resnet50_fpn", None, "has no features of boxes; give a Faster R-CNN"),
        (SMALL, "BEST", f"weights 'BEST' of {SMALL} cannot be had"),
    ],
)
def test_what_is_no_detector_of_regions_is_one_sentence(name: str, weights: str | None, says: str) -> None:
    with pytest.raises(EncoderError, match=says) as caught:
        RegionBackbone(name, weights=weights)
    assert "\n" not in str(caught.value)
