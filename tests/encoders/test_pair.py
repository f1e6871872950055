"""What training starts from, by name: which side is which, and what is not to be had is one sentence."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from lexel.encoders import EncoderError
from lexel.encoders.image.backbones import TorchvisionBackbone, TransformersBackbone
from lexel.encoders.pair import is_pair, open_pair, split
from lexel.encoders.text.gru import GruText
from lexel.encoders.text.text_models import TransformersText
from lexel.encoders.text.word_vectors import WordVectors

SMALL = "torchvision:mobilenet_v3_small:none"


@pytest.mark.parametrize(
    ("ref", "sides"),
    [
        ("google/mobilenet_v2_1.0_224+sentence-transformers/all-MiniLM-L6-v2", None),
        ("google/mobilenet_v2_1.0_224+bert-base-uncased:cls", None),
        ("torchvision:resnet50:IMAGENET1K_V2+gru", None),
        ("torchvision:resnet50+{here}/a+b/glove.txt+gru", ("torchvision:resnet50+{here}/a+b/glove.txt", "gru")),
        ("torchvision:resnet50+words:{here}/a+b/glove.txt:sum", None),
        ("{here}/a+b+gru", ("{here}/a+b", "gru")),
        ("{here}/a+b+{here}/a+b", ("{here}/a+b", "{here}/a+b")),
        ("no/such/folder+nor/this/one", ("no/such/folder", "nor/this/one")),
    ],
)
def test_a_pair_is_cut_where_both_sides_are_there(ref: str, sides: tuple[str, str] | None, tmp_path: Path) -> None:
    (tmp_path / "a+b").mkdir()
    (tmp_path / "a+b/glove.txt").touch()
    ref = ref.format(here=tmp_path)
    assert is_pair(ref)
    first, _, rest = ref.partition("+")
    assert split(ref) == (tuple(side.format(here=tmp_path) for side in sides) if sides else (first, rest))


def test_an_encoder_is_no_pair(tmp_path: Path) -> None:
    (tmp_path / "dogs+cats").mkdir()
    assert not is_pair(str(tmp_path / "dogs+cats"))
    assert not is_pair("lexel-tiny")
    assert not is_pair("openai/clip-vit-base-patch32")


def test_checkpoints_become_a_tower(shared: Path) -> None:
    models = shared / "models"
    built = open_pair(f"{models}/mobilenet_v2+{models}/all-MiniLM-L6-v2", dim=64)
    assert isinstance(built.image, TransformersBackbone)
    assert isinstance(built.text, TransformersText)
    assert not built.text.learned
    with torch.inference_mode():
        features, vectors = built.images(built.pixels(Image.new("RGB", (64, 48), "red"))[None])
        assert (features.shape, vectors.shape) == ((1, 1280), (1, 64))
        assert built.texts(["a dog", "a cat"]).shape == (2, 64)
    summed = open_pair(f"{models}/mobilenet_v2+{models}/all-MiniLM-L6-v2:sum", dim=64)
    assert isinstance(summed.text, TransformersText)
    assert (built.text.pooling, summed.text.pooling) == ("mean", "sum")


def test_a_gru_learns_the_words_that_it_is_given() -> None:
    built = open_pair(f"{SMALL}+gru", words=["a", "dog", "a"], dim=32)
    assert isinstance(built.image, TorchvisionBackbone)
    assert isinstance(built.text, GruText)
    assert built.text.learned
    assert (built.text.shape.words, built.text.dim) == (("a", "dog"), 32)
    assert built.texts(["a dog"]).shape == (1, 32)


def test_word_vectors_come_from_their_file(tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_text("dog 1 2 3\ncat 4 5 6\n")
    for ending, pooling in [("", "mean"), (":mean", "mean"), (":sum", "sum")]:
        built = open_pair(f"{SMALL}+words:{tmp_path}/glove.txt{ending}", dim=8)
        assert isinstance(built.text, WordVectors)
        assert (built.text.words, built.text.pooling, built.text.learned) == (("dog", "cat"), pooling, False)


@pytest.mark.parametrize(
    ("ref", "says"),
    [
        (f"{SMALL}+gru", "A GRU learns the words of captions"),
        ("lexel-tiny", "'lexel-tiny' is no IMAGE[+]TEXT pair; give e.g. "),
        ("+gru", "'[+]gru' is no IMAGE[+]TEXT pair"),
        (f"{SMALL}+", "is no IMAGE[+]TEXT pair"),
        ("torchvision:resnet-50+gru", "torchvision has no model named 'resnet-50'"),
        ("torchvision:resnet18:BEST+gru", "The weights 'BEST' of resnet18 cannot be had"),
        (f"{SMALL}+words:nowhere/glove.txt", "nowhere/glove.txt holds no word vectors that can be read"),
        (f"{SMALL}+words:nowhere/glove.txt:cls", "static word vectors are averaged"),
        ("nowhere/at/all+gru", "'nowhere/at/all' is no folder"),
        (f"{SMALL}+nobody/nothing", "'nobody/nothing' is no folder"),
    ],
)
def test_what_is_not_to_be_had_is_one_sentence(ref: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderError, match=says) as caught:
        open_pair(ref)
    assert "\n" not in str(caught.value)
