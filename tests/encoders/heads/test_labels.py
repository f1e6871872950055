"""A classifier's labels as terms: the formula by hand, and what a real classifier says of real photographs."""

import json
import math
from pathlib import Path

import pytest
import torch
import transformers
from PIL import Image
from support import small_checkpoints

from lexel.encoders import EncoderError, Vocabulary
from lexel.encoders.heads.head import head
from lexel.encoders.heads.labels import LabelsHead, label_texts, label_vocabulary
from lexel.encoders.image.backbones import TorchvisionBackbone, TransformersBackbone
from lexel.encoders.image.preprocess import Preprocess
from lexel.encoders.model import Model, load_model
from lexel.encoders.text.text_models import BagText
from lexel.encoders.text.word_bag import BagConfig
from lexel.encoders.towers import PairTower

TERMS = ("cat", "tabby", "dog", "snow")
LABELS = ["tabby, tabby cat", "Persian cat", "dog", "nothing_known"]


def small_classifier(folder: Path, labels: list[str], *, kind: str = "vit") -> Path:
    torch.manual_seed(0)
    names = {"id2label": dict(enumerate(labels)), "label2id": {text: i for i, text in enumerate(labels)}}
    if kind == "dinov2":
        shape = small_checkpoints.SIDE | {"image_size": 32, "patch_size": 8}
        net = transformers.Dinov2ForImageClassification(transformers.Dinov2Config(**shape, **names))
    else:
        shape = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}
        net = transformers.ResNetForImageClassification(transformers.ResNetConfig(**shape, **names))
    net.eval().save_pretrained(folder)
    transformers.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def vocabulary(*terms: str) -> Vocabulary:
    return Vocabulary(terms, {term: term for term in terms}, (0.1,) * len(terms))


def chances(built: LabelsHead, *wanted: float) -> torch.Tensor:
    """Features that a head with an identity for its layer gives these chances."""
    torch.nn.init.eye_(built.logits.weight)
    torch.nn.init.zeros_(built.logits.bias)
    return torch.tensor([wanted]).log()


def by_hand() -> LabelsHead:
    built = LabelsHead(features=4, labels=4, terms=4, pairs=4)
    built.label, built.term = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 1, 0, 2])
    return built


def test_a_terms_weight_is_how_much_likelier_the_picture_makes_it() -> None:
    built = by_hand()
    weights = built(chances(built, 0.5, 0.2, 0.1, 0.2))[0]
    # cat is in two labels of four, tabby and dog in one, snow in none; 0.1 is less than one in four.
    expected = [math.log(0.7 / 0.5), math.log(0.5 / 0.25), 0.0, 0.0]
    assert weights.tolist() == pytest.approx(expected, abs=1e-6)


def test_a_classifier_that_knows_nothing_says_nothing() -> None:
    built = by_hand()
    assert built(chances(built, 0.25, 0.25, 0.25, 0.25)).abs().max() < 1e-6
    sure = built(torch.tensor([[100.0, 0, 0, 0]]))[0]
    assert sure.tolist() == pytest.approx([math.log(2), math.log(4), 0, 0], abs=1e-6)


def test_the_head_is_the_checkpoints_own_layer_and_its_labels_words(tmp_path: Path) -> None:
    folder = small_classifier(tmp_path, LABELS)
    built = LabelsHead.of(folder, vocabulary(*TERMS))
    assert label_texts(folder) == ["tabby, tabby cat", "Persian cat", "dog", "nothing known"]
    assert sorted(zip(built.label.tolist(), built.term.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 0), (2, 2)]
    own = transformers.ResNetForImageClassification.from_pretrained(folder).eval()
    backbone = TransformersBackbone(folder)
    pixels = backbone.pixels(Image.new("RGB", (60, 40), "teal"))[None]
    with torch.inference_mode():
        expected = own(**backbone.processor.inputs(pixels)).logits
        assert torch.allclose(built.logits(backbone(pixels)), expected, atol=1e-5)


def test_an_encoder_of_labels_comes_back(tmp_path: Path) -> None:
    folder = small_classifier(tmp_path / "checkpoint", LABELS)
    known = vocabulary(*TERMS)
    built = LabelsHead.of(folder, known)
    torch.nn.init.normal_(built.logits.weight, std=3.0)
    tower = PairTower(TransformersBackbone(folder), BagText(BagConfig(TERMS, width=12)), dim=16)
    before = Model(tower, built, known, device="cpu")
    assert before.images(before.pixels(Image.new("RGB", (60, 40), "teal"))[None]).vectors.shape == (1, 16)
    encoder = before.save(tmp_path / "encoder", name="labels")
    after = load_model(encoder, device="cpu")
    features = torch.randn(8, 16).numpy()
    mine, other = before.of_features(features).terms, after.of_features(features).terms
    assert any(mine)
    for row, same in zip(mine, other, strict=True):
        assert row == pytest.approx(same, rel=0.02, abs=0.02)
    assert isinstance(after.head, LabelsHead)
    assert torch.equal(after.head.term, built.term)
    assert head(built.config()).terms == 4


def test_torchvisions_labels_are_known_by_its_weights() -> None:
    texts = label_texts("torchvision:mobilenet_v2:none")
    assert len(texts) == 1000
    assert {"tench", "golden retriever", "toilet tissue"} <= set(texts)
    known = label_vocabulary(texts)
    built = LabelsHead.of("torchvision:mobilenet_v2:none", known)
    backbone = TorchvisionBackbone("mobilenet_v2", preprocess=Preprocess(64)).eval()
    assert built(torch.zeros(2, backbone.dim)).shape == (2, len(known))


def test_labels_make_a_vocabulary_with_the_plurals_that_people_type() -> None:
    known = label_vocabulary(["tabby, tabby cat", "Persian cat", "golden retriever", "red fox", "bus", "nothing"])
    assert {"tabby", "cat", "persian", "golden", "retriever", "red", "fox", "bus"} <= set(known.terms)
    typed = "two cats, tabbies, golden retrievers and foxes in buses; a bu is not a bus"
    assert known.count(typed) == {"cat": 1, "tabby": 1, "golden": 1, "retriever": 1, "fox": 1, "bus": 2}
    assert known.document_frequency[known.index["cat"]] == pytest.approx(2 / 6)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("torchvision:mobilenet_v3_small:none", "makes its labels of other features than lexel reads"),
        ("regions:fasterrcnn_mobilenet_v3_large_320_fpn:none", "finds regions and has no labels of pictures"),
    ],
)
def test_what_classifies_otherwise_is_one_sentence(image: str, says: str) -> None:
    with pytest.raises(EncoderError, match=says) as caught:
        label_texts(image)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_that_classifies_otherwise_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="of other features than lexel reads"):
        label_texts(small_classifier(tmp_path / "dinov2", LABELS, kind="dinov2"))
    folder = small_classifier(tmp_path / "resnet", LABELS)
    with pytest.raises(EncoderError, match="holds a word of the vocabulary; build one from its labels"):
        LabelsHead.of(folder, vocabulary("boat"))
    bare = tmp_path / "bare"
    transformers.ResNetForImageClassification.from_pretrained(folder).resnet.save_pretrained(bare)
    transformers.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(bare)
    with pytest.raises(EncoderError, match="is no image classifier: it lacks classifier"):
        label_texts(bare)


def test_a_real_classifier_names_what_is_in_real_photographs(shared: Path) -> None:
    folder, data = shared / "models/mobilenet_v2", shared / "data/imagenet_sample"
    rows = [json.loads(line) for line in (data / "labels.jsonl").read_text().splitlines()][::17]
    known = label_vocabulary(label_texts(folder))
    image = TransformersBackbone(folder)
    tower = PairTower(image, BagText(BagConfig(("dog",), width=8)), dim=16)
    model = Model(tower, LabelsHead.of(folder, known), known, device="cpu")
    pixels = torch.stack([model.pixels(Image.open(data / row["image"]).convert("RGB")) for row in rows])
    found = model.images(pixels).terms
    assert len(found) == 59
    # The rarest word of the true label is the one that tells it from the others.
    share = dict(zip(known.terms, known.document_frequency, strict=True))
    wanted = [min(known.count(row["label"]), key=lambda t: share[t]) for row in rows]
    hits = [term in list(terms)[:5] for term, terms in zip(wanted, found, strict=True)]
    print(f"top 5 holds the label's rarest word: {sum(hits)}/{len(hits)}")
    assert sum(hits) / len(hits) > 0.6
