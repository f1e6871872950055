"""Towers: a dual encoder gives exactly the vectors of `transformers`; a pair of models learns what goes together."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from support import small_checkpoints
from torch.nn.functional import cross_entropy, normalize

from lexel.encoders import EncoderError, Vocabulary, open_encoder, registry
from lexel.encoders.image.backbones import TransformersBackbone
from lexel.encoders.model import load_model
from lexel.encoders.text.text_models import TransformersText
from lexel.encoders.towers import DualTower, PairTower, tower

TEXTS = ["a dog", "Two men and a woman sit in the snow", "", "a dog runs in the snow " * 20, "café 雪"]
SIZES = [(67, 40), (33, 91), (32, 32), (7, 5), (50, 3), (1, 1)]
TERMS = ("dog", "snow", "man", "car", "sea", "bench", "red")
VOCABULARY = Vocabulary(TERMS, {term: term for term in TERMS}, tuple(0.3 / (i + 1) for i in range(len(TERMS))))


@pytest.fixture(scope="module")
def pictures(shared: Path) -> list[Image.Image]:
    """Real photographs, decoded and cut to odd sizes."""
    files = sorted((shared / "data/photos").rglob("*.jpg"))[: len(SIZES)]
    return [Image.open(f).convert("RGB").resize(size) for f, size in zip(files, SIZES, strict=True)]


@pytest.fixture(scope="module", params=small_checkpoints.DUAL)
def dual(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_checkpoints.save(request.param, tmp_path_factory.mktemp("dual") / request.param)


@pytest.fixture
def _shipped_vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vocabulary of seven words in place of the shipped one, so that encoding each of them takes no time."""
    (tmp_path / "shipped").mkdir()
    VOCABULARY.save(tmp_path / "shipped/vocabulary.json")
    monkeypatch.setitem(registry.BUILT_IN, registry.TINY, tmp_path / "shipped")


def own_vectors(folder: Path, pictures: list[Image.Image], texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """What the model's own processor and `get_*_features` make of pictures and texts, as unit vectors."""
    model, processor = (c.from_pretrained(folder) for c in (transformers.AutoModel, transformers.AutoProcessor))
    # SigLIP's documentation asks for this padding; the processor of SigLIP 2 does it unasked, to 64 tokens.
    options: dict[str, Any] = {"padding": "max_length" if model.config.model_type == "siglip" else True}
    options = {} if model.config.model_type == "siglip2" else options | {"truncation": True, "max_length": 16}
    with torch.inference_mode():
        images = model.eval().get_image_features(**processor(images=pictures, return_tensors="pt"))
        words = model.get_text_features(**processor(text=texts, return_tensors="pt", **options))
    return normalize(images.pooler_output, dim=1), normalize(words.pooler_output, dim=1)


def test_a_dual_encoder_gives_the_vectors_of_transformers(dual: Path, pictures: list[Image.Image]) -> None:
    built = DualTower(dual)
    with torch.inference_mode():
        features, images = built.images(torch.stack([built.pixels(p) for p in pictures]))
        texts, short = built.texts(TEXTS), built.texts(TEXTS[:1])
    own_images, own_texts = own_vectors(dual, pictures, TEXTS)
    assert torch.equal(images, own_images)
    assert torch.equal(texts, own_texts)
    # Among short texts only, what is padded to the full length differs from what is not.
    assert torch.equal(short, own_vectors(dual, pictures, TEXTS[:1])[1])
    assert features is images
    assert built.dim == images.shape[1]
    assert built.feature_dim is None


@pytest.mark.usefixtures("_shipped_vocabulary")
def test_a_bare_checkpoint_is_an_encoder_that_can_be_saved(
    dual: Path, pictures: list[Image.Image], tmp_path: Path
) -> None:
    model = load_model(open_encoder(str(dual)), device="cpu")
    pixels = torch.stack([model.pixels(p) for p in pictures])
    found, texts = model.images(pixels), model.texts(TEXTS)
    own_images, own_texts = own_vectors(dual, pictures, TEXTS)
    assert np.allclose(found.vectors, own_images, atol=1e-6)
    assert np.allclose(texts.vectors, own_texts, atol=1e-6)
    assert found.features is None
    assert all(row.keys() <= set(TERMS) for row in found.terms)
    assert any(found.terms)
    assert texts.terms[:2] == [{"dog": 1.0}, {"snow": 1.0}]

    saved = model.save(tmp_path / "saved", name="mine")
    assert open_encoder(str(tmp_path / "saved")).fingerprint == saved.fingerprint
    again = load_model(saved, device="cpu")
    assert np.array_equal(again.images(pixels).vectors, found.vectors)
    assert np.array_equal(again.text_vectors(TEXTS), texts.vectors)
    # The anchors of the words are kept in half precision, which a weight's last step may show.
    for before, after in zip(found.terms, again.images(pixels).terms, strict=True):
        assert {t: before.get(t, 0) for t in TERMS} == pytest.approx({t: after.get(t, 0) for t in TERMS}, abs=0.02)


@pytest.mark.usefixtures("_shipped_vocabulary")
def test_a_loaded_encoder_can_be_saved_over_itself(tmp_path: Path) -> None:
    folder = tmp_path / "encoder"
    model = load_model(open_encoder(str(small_checkpoints.save("clip", tmp_path / "clip"))), device="cpu")
    first = load_model(model.save(folder, name="mine"), device="cpu")
    second = load_model(first.save(folder, name="mine"), device="cpu")
    assert np.array_equal(second.text_vectors(TEXTS), first.text_vectors(TEXTS))


@pytest.mark.usefixtures("_shipped_vocabulary")
def test_loading_and_saving_print_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    folder = small_checkpoints.save("clip", tmp_path / "clip")
    # `transformers` reports what a file has too much, as a classifier's last layer.
    save_file(load_file(folder / "model.safetensors") | {"stray.weight": torch.ones(2)}, folder / "model.safetensors")
    capfd.readouterr()
    caplog.clear()
    load_model(load_model(open_encoder(str(folder)), device="cpu").save(tmp_path / "saved", name="mine"), device="cpu")
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    # Others who use `transformers` in the same process keep their settings.
    assert transformers.utils.logging.is_progress_bar_enabled()


def test_a_processor_without_one_size_is_refused(tmp_path: Path) -> None:
    folder = small_checkpoints.save("clip", tmp_path / "clip")
    path = folder / "processor_config.json"
    table = json.loads(path.read_text())
    table["image_processor"]["do_center_crop"] = False
    path.write_text(json.dumps(table))
    with pytest.raises(EncoderError, match="different sizes; give its image processor a fixed size or a crop"):
        DualTower(folder)


def test_a_checkpoint_that_lacks_weights_is_refused(tmp_path: Path) -> None:
    folder = small_checkpoints.save("clip", tmp_path / "clip")
    weights = transformers.AutoModel.from_pretrained(folder).state_dict()
    weights.pop("text_projection.weight")
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(EncoderError, match=r"lacks weights of its CLIPModel: text_projection\.weight"):
        DualTower(folder)


def test_a_model_of_one_side_is_no_dual_encoder(tmp_path: Path) -> None:
    config = transformers.BertConfig(**small_checkpoints.TEXT)
    transformers.BertModel(config).save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match="holds a BertModel, which does not encode both"):
        DualTower(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [("config.json", "{"), ("config.json", '{"model_type": "nonsense"}'), ("model.safetensors", "no")],
)
def test_a_broken_checkpoint_is_one_sentence(name: str, content: str, tmp_path: Path) -> None:
    folder = small_checkpoints.save("clip", tmp_path / "clip")
    (folder / name).write_text(content)
    with pytest.raises(EncoderError, match="is no checkpoint that lexel can open") as caught:
        DualTower(folder)
    assert "\n" not in str(caught.value)


def test_code_of_a_checkpoint_is_never_run(tmp_path: Path) -> None:
    folder = small_checkpoints.save("clip", tmp_path / "clip")
    table = json.loads((folder / "config.json").read_text())
    table |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Own"}}
    (folder / "config.json").write_text(json.dumps(table))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(EncoderError, match="is no checkpoint that lexel can open"):
        DualTower(folder)
    assert not (tmp_path / "ran").exists()


def test_a_hub_name_without_a_network_is_one_sentence(tmp_path: Path) -> None:
    code = "from lexel.encoders import open_encoder, EncoderError\ntry: open_encoder('nobody/nothing')\n"
    code += "except EncoderError as error: print(error)"
    away = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], env=away, capture_output=True, text=True, check=True)
    assert done.stdout == (
        "'nobody/nothing' is no folder, and the model hub did not give it; check the name and the network.\n"
    )


def test_an_unknown_tower_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="does not know the tower 'triple'"):
        tower({"kind": "triple"}, tmp_path)


@pytest.fixture(scope="module")
def pair(shared: Path) -> PairTower:
    torch.manual_seed(0)
    models = shared / "models"
    sides = TransformersBackbone(models / "mobilenet_v2"), TransformersText(models / "all-MiniLM-L6-v2")
    return PairTower(*sides, dim=128).eval()


@pytest.fixture(scope="module")
def flickr(shared: Path) -> list[dict[str, Any]]:
    """300 pictures to train on, then 100 to measure on."""
    lines = (shared / "data/flickr8k/captions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    split = {name: [row for row in rows if row["split"] == name] for name in ("train", "val")}
    return split["train"][:300] + split["val"][:100]


def test_a_pair_gives_the_features_of_its_models(pair: PairTower, shared: Path, flickr: list[dict[str, Any]]) -> None:
    files = [shared / "data/flickr8k" / row["image"] for row in flickr[:4]]
    images, texts = [Image.open(f).convert("RGB") for f in files], [row["captions"][0] for row in flickr[:4]]
    with torch.inference_mode():
        features, vectors = pair.images(torch.stack([pair.pixels(i) for i in images]))
        states = pair.text(texts)
        text_vectors = pair.texts(texts)
        own_image, own_text = own_features(shared / "models", images, texts)
    assert torch.allclose(features, own_image, atol=1e-6)
    assert torch.allclose(states, own_text, atol=1e-6)
    weight, bias = pair.image_projection.weight.detach(), pair.image_projection.bias.detach()
    assert torch.allclose(vectors, normalize(own_image @ weight.T + bias), atol=1e-6)
    assert (vectors.shape, text_vectors.shape) == ((4, 128), (4, 128))
    assert pair.feature_dim == 1280


def own_features(models: Path, images: list[Image.Image], texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    vision = transformers.AutoModel.from_pretrained(models / "mobilenet_v2", dtype=torch.float32).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(models / "mobilenet_v2")
    language = transformers.AutoModel.from_pretrained(models / "all-MiniLM-L6-v2", dtype=torch.float32).eval()
    tokens = transformers.AutoTokenizer.from_pretrained(models / "all-MiniLM-L6-v2")(
        texts, padding=True, return_tensors="pt"
    )
    states, mask = language(**tokens).last_hidden_state, tokens["attention_mask"].bool()
    means = [state[there].mean(0) for state, there in zip(states, mask, strict=True)]
    return vision(**processor(images=images, return_tensors="pt")).pooler_output, torch.stack(means)


def recall(queries: npt.NDArray[np.float32], items: npt.NDArray[np.float32], *, at: int) -> float:
    """The share of queries whose own item, of the same number, is among the first `at`."""
    scores = queries @ items.T
    return float(np.mean((scores > np.diag(scores)[:, None]).sum(1) < at))


def test_two_projections_learn_what_goes_together(pair: PairTower, shared: Path, flickr: list[dict[str, Any]]) -> None:
    folder = shared / "data/flickr8k"
    with torch.inference_mode():
        pixels = torch.stack([pair.pixels(Image.open(folder / row["image"]).convert("RGB")) for row in flickr])
        batches = torch.split(pixels.contiguous(memory_format=torch.channels_last), 25)
        images = torch.cat([pair.image(batch) for batch in batches])
        captions = [caption for row in flickr for caption in row["captions"][:2]]
        texts = torch.cat([pair.text(captions[i : i + 100]) for i in range(0, 800, 100)]).view(400, 2, -1)
    images, texts = images.clone(), texts.clone()  # out of inference mode, so that gradients may pass

    def measured() -> float:
        with torch.no_grad():
            queries, items = pair.text_projection(texts[300:, 0]), pair.image_projection(images[300:])
        return recall(normalize(queries).numpy(), normalize(items).numpy(), at=10)

    before = measured()
    train(pair, images[:300], texts[:300])
    # 10 of 100 pictures are right by chance.
    assert before < 0.25
    assert measured() > before + 0.25


def train(pair: PairTower, images: torch.Tensor, texts: torch.Tensor) -> None:
    """InfoNCE over all pictures at once, one of each picture's captions a step."""
    torch.manual_seed(1)
    layers = [pair.image_projection, pair.text_projection]
    optimiser = torch.optim.AdamW([p for layer in layers for p in layer.parameters()], lr=1e-3, weight_decay=0.1)
    for step in range(60):
        left = normalize(pair.image_projection(torch.dropout(images, 0.3, train=True)))
        right = normalize(pair.text_projection(texts[:, step % 2]))
        logits, own = left @ right.T / 0.07, torch.arange(len(images))
        loss = cross_entropy(logits, own) + cross_entropy(logits.T, own)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
