"""Image backbones and text models: the features of `transformers` and `torchvision`, the same from a folder."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from support import small_checkpoints

from lexel.encoders import EncoderError
from lexel.encoders.image.backbones import (
    ResidualBackbone,
    TorchvisionBackbone,
    TransformersBackbone,
    _as_trained,
    backbone,
)
from lexel.encoders.image.preprocess import Preprocess
from lexel.encoders.image.residual_net import ResidualConfig
from lexel.encoders.text.text_models import BagText, TransformersText, text_model
from lexel.encoders.text.word_bag import BagConfig

SQUARE = {"height": 32, "width": 32}
SIDE = small_checkpoints.SIDE | {"image_size": 32, "patch_size": 8}


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


PICTURES = [noise(60, 40, 1), noise(32, 32, 2), noise(9, 70, 3)]


def small_vision(kind: str) -> Any:
    torch.manual_seed(0)
    match kind:
        case "vit":
            return transformers.ViTModel(transformers.ViTConfig(**SIDE))
        case "dinov2":
            return transformers.Dinov2Model(transformers.Dinov2Config(**SIDE))
        case "clip":
            return transformers.CLIPVisionModel(transformers.CLIPVisionConfig(**SIDE))
        case "resnet":
            shape = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}
            return transformers.ResNetModel(transformers.ResNetConfig(**shape))
    return transformers.ConvNextModel(transformers.ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2))


@pytest.mark.parametrize(("kind", "dim"), [("vit", 32), ("dinov2", 32), ("clip", 32), ("resnet", 16), ("convnext", 16)])
def test_a_vision_model_gives_its_pooled_output(kind: str, dim: int, tmp_path: Path) -> None:
    own = small_vision(kind).eval()
    own.save_pretrained(tmp_path)
    processor = transformers.ViTImageProcessor(size=SQUARE)
    processor.save_pretrained(tmp_path)
    built = TransformersBackbone(tmp_path)
    with torch.inference_mode():
        features = built(torch.stack([built.pixels(p) for p in PICTURES]))
        # Some give vectors, some maps of one pixel.
        pooled = own(**processor(images=PICTURES, return_tensors="pt")).pooler_output.reshape(len(PICTURES), dim)
    assert built.dim == dim
    assert torch.allclose(features, pooled, atol=1e-6)


def test_a_classifier_saved_without_a_pooler_gives_its_class_token(tmp_path: Path) -> None:
    """`transformers` would make the missing pooler of random numbers, others each time."""
    torch.manual_seed(0)
    own = transformers.ViTForImageClassification(transformers.ViTConfig(**SIDE)).eval()
    own.save_pretrained(tmp_path / "net")
    transformers.ViTImageProcessor(size=SQUARE).save_pretrained(tmp_path / "net")
    built = TransformersBackbone(tmp_path / "net")
    pixels = torch.stack([built.pixels(p) for p in PICTURES])
    with torch.inference_mode():
        features, states = built(pixels), own.vit(**built.processor.inputs(pixels)).last_hidden_state
    assert torch.allclose(features, states[:, 0], atol=1e-6)
    built.save(tmp_path)
    again = backbone(built.config(), tmp_path)
    with torch.inference_mode():
        assert torch.equal(again(pixels), features)


def test_a_dual_encoder_is_no_backbone_and_no_text_model(tmp_path: Path) -> None:
    folder = small_checkpoints.save("clip", tmp_path / "clip")
    with pytest.raises(EncoderError, match="CLIPModel, which makes no features of pictures alone"):
        TransformersBackbone(folder)
    with pytest.raises(EncoderError, match="CLIPModel, which makes no features of texts alone"):
        TransformersText(folder)


@pytest.mark.parametrize("build", [TransformersBackbone, TransformersText])
def test_a_checkpoint_that_is_nowhere_is_one_sentence(build: type, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderError, match="check the name and the network") as caught:
        build("nobody/nothing")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "dim"),
    [("resnet18", 512), ("mobilenet_v3_small", 576), ("squeezenet1_1", 512), ("vit_b_32", 768)],
)
def test_a_torchvision_classifier_gives_what_its_last_layer_reads(name: str, dim: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    built = TorchvisionBackbone(name, preprocess=Preprocess(224 if name.startswith("vit") else 64)).eval()
    pixels = torch.stack([built.pixels(p) for p in PICTURES])
    with torch.inference_mode():
        features = built(pixels)
    assert built.dim == dim
    assert features.shape == (3, dim)
    assert not torch.equal(features[0], features[1])
    built.save(tmp_path)
    again = backbone(built.config(), tmp_path)
    assert isinstance(again, TorchvisionBackbone)
    again.load_state_dict(built.state_dict())
    with torch.inference_mode():
        assert torch.equal(again.eval()(pixels), features)


def test_torchvision_features_are_those_before_its_classifier() -> None:
    from torchvision import models

    torch.manual_seed(0)
    built = TorchvisionBackbone("resnet18", preprocess=Preprocess(64)).eval()
    whole = models.resnet18().eval()
    whole.load_state_dict(built.state_dict() | {f"fc.{k}": v for k, v in whole.fc.state_dict().items()}, strict=False)
    for module, loaded in built.net.state_dict().items():
        whole.state_dict()[module].copy_(loaded)
    pixels = built.pixels(PICTURES[0])[None]
    with torch.inference_mode():
        assert torch.allclose(whole.fc(built(pixels)), whole(built.prepare.normalised(pixels)), atol=1e-5)


def test_torchvision_sees_pictures_as_it_was_trained() -> None:
    from torchvision.transforms import v2

    built = TorchvisionBackbone("mobilenet_v3_small")
    picture = noise(300, 420)
    small = v2.functional.center_crop(picture.resize((256, 358), Image.Resampling.BICUBIC), [224, 224])
    scaled = v2.functional.to_dtype(v2.functional.to_image(small), torch.float32, scale=True)
    own = v2.functional.normalize(scaled, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    assert built.pixels(picture).shape == (3, 224, 224)
    apart = (built.prepare.normalised(built.pixels(picture)) - own).abs()
    assert apart.max() < 1.01 / (255 * 0.224)  # a level of brightness, and that nearly nowhere
    assert apart.mean() < 1e-4


@pytest.mark.parametrize(
    ("name", "weights", "size", "crop"),
    [
        ("resnet50", "IMAGENET1K_V1", 224, 256),
        ("resnet50", "DEFAULT", 224, 232),
        ("efficientnet_b4", "DEFAULT", 380, 384),
    ],
)
def test_each_of_torchvisions_weights_saw_its_own_pictures(name: str, weights: str, size: int, crop: int) -> None:
    seen = _as_trained(name, weights)
    assert (seen.size, seen.crop, seen.mean) == (size, crop, (0.485, 0.456, 0.406))


@pytest.mark.parametrize(
    ("name", "weights", "says"),
    [("resnet-18", None, "no model named 'resnet-18'"), ("resnet18", "NO_SUCH", "weights 'NO_SUCH' of resnet18")],
)
def test_what_torchvision_has_not_is_one_sentence(name: str, weights: str | None, says: str) -> None:
    with pytest.raises(EncoderError, match=says) as caught:
        TorchvisionBackbone(name, weights=weights)
    assert "\n" not in str(caught.value)


def test_a_size_that_a_network_cannot_read_is_one_sentence() -> None:
    with pytest.raises(EncoderError, match="vit_b_32 cannot read pictures of 64 pixels"):
        TorchvisionBackbone("vit_b_32", preprocess=Preprocess(64))


@pytest.mark.parametrize("crop", [None, 40])
@pytest.mark.parametrize("size", [(60, 40), (1, 1), (3, 200), (200, 3)])
def test_any_picture_becomes_a_normalised_square(size: tuple[int, int], crop: int | None) -> None:
    prepare = Preprocess(32, crop, (0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    assert prepare(Image.new("RGB", size)).dtype == torch.uint8
    pixels = prepare.normalised(prepare(Image.new("RGB", size, (0, 255, 51))))
    assert pixels.shape == (3, 32, 32)
    assert pixels.dtype == torch.float32
    expected = torch.tensor([(0 - 0.1) / 0.5, (1 - 0.2) / 0.6, (0.2 - 0.3) / 0.7])
    assert torch.allclose(pixels, expected[:, None, None].expand(3, 32, 32), atol=1e-6)


def test_a_crop_takes_the_middle_and_a_squeeze_takes_all() -> None:
    picture = Image.new("RGB", (64, 32), (255, 255, 255))
    picture.paste((0, 0, 0), (0, 0, 16, 32))
    plain = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    assert Preprocess(32, 32, *plain)(picture).min() == 255
    assert Preprocess(32, None, *plain)(picture)[:, :, 0].max() < 3


def test_the_small_networks_come_back_from_their_config(tmp_path: Path) -> None:
    torch.manual_seed(0)
    image = ResidualBackbone(net=ResidualConfig((8, 16), (1, 1), 24, 32), preprocess=Preprocess(32)).eval()
    text = BagText(BagConfig(("dog", "snow", "café"), width=16, longest=5)).eval()
    image.save(tmp_path)
    text.save(tmp_path)
    same_image, same_text = backbone(image.config(), tmp_path), text_model(text.config(), tmp_path)
    assert isinstance(same_image, ResidualBackbone)
    assert isinstance(same_text, BagText)
    same_image.load_state_dict(image.state_dict())
    same_text.load_state_dict(text.state_dict())
    pixels, texts = image.pixels(PICTURES[0])[None], ["a dog in the café", "nothing"]
    assert torch.equal(same_image.eval()(pixels), image(pixels))
    assert torch.equal(same_text.eval()(texts), text(texts))
    assert (same_image.dim, same_text.dim) == (24, 16)


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    transformers.BertModel(transformers.BertConfig(**small_checkpoints.TEXT)).save_pretrained(tmp_path / "bert")
    small_checkpoints.word_pieces().save_pretrained(tmp_path / "bert")
    return tmp_path / "bert"


def test_a_text_model_is_the_mean_over_its_tokens(bert: Path, tmp_path: Path) -> None:
    built, texts = TransformersText(bert), ["a dog", "two men and a woman sit in the snow", ""]
    own, tokens = transformers.BertModel.from_pretrained(bert), transformers.AutoTokenizer.from_pretrained(bert)
    with torch.inference_mode():
        alone = [own(**tokens(text, return_tensors="pt")).last_hidden_state[0].mean(0) for text in texts]
        features = built(texts)
    # Padding in a batch moves the last bits.
    assert torch.allclose(features, torch.stack(alone), atol=1e-5)
    built.save(tmp_path)
    with torch.inference_mode():
        assert torch.equal(text_model(built.config(), tmp_path)(texts), features)


def test_a_long_text_is_cut_to_what_the_model_can_read(bert: Path) -> None:
    built = TransformersText(bert)
    with torch.inference_mode():
        assert torch.equal(built(["dog " * 500]), built(["dog " * 14]))


def test_unknown_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="image backbone 'eye'"):
        backbone({"kind": "eye"}, tmp_path)
    with pytest.raises(EncoderError, match="text model 'ear'"):
        text_model({"kind": "ear"}, tmp_path)
