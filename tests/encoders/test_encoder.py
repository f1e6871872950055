"""An encoder as a folder and at work: it comes back the same, its fingerprint tells, what is broken is one sentence."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from lexel.encoders import Encoder, EncoderError, Vocabulary
from lexel.encoders.encoder import read_encoder
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.image.backbones import ResidualBackbone, TorchvisionBackbone
from lexel.encoders.image.preprocess import Preprocess
from lexel.encoders.image.residual_net import ResidualConfig
from lexel.encoders.model import Encoded, Model, load_model
from lexel.encoders.term_weights import importance, prune, quantise
from lexel.encoders.text.text_models import BagText
from lexel.encoders.text.word_bag import BagConfig
from lexel.encoders.towers import PairTower

TERMS = ("dog", "cat", "snow", "car", "sea", "red", "run", "boat", "two", "man")
VOCABULARY = Vocabulary(
    TERMS, {t: t for t in TERMS} | {"dogs": "dog", "men": "man"}, tuple(0.4 / (i + 1) for i in range(len(TERMS)))
)
TEXTS = ["Two dogs run in the snow", "a man and a dog, two men", "nothing known"]


def model(*, seed: int = 0, keep: int = 6, torchvision: bool = False) -> Model:
    torch.manual_seed(seed)
    net = ResidualConfig((8, 16), (1, 1), 24, 32)
    image = (
        TorchvisionBackbone("resnet18", preprocess=Preprocess(32))
        if torchvision
        else ResidualBackbone(net=net, preprocess=Preprocess(32))
    )
    tower = PairTower(image, BagText(BagConfig(("dog", "dogs", "snow", "man"), width=12)), dim=16)
    head = LexiconHead(features=tower.image.dim, terms=len(TERMS))
    torch.nn.init.normal_(head.logits.weight, std=0.5 if torchvision else 4.0)
    torch.nn.init.uniform_(head.log_query, -0.7, 0.7)
    return Model(tower, head, VOCABULARY, keep=keep, device="cpu")


def pixels(built: Model, count: int = 7) -> torch.Tensor:
    dice = np.random.default_rng(0)
    shapes = [(20 + 5 * i, 60 - 4 * i, 3) for i in range(count)]
    pictures = [Image.fromarray(dice.integers(0, 256, shape, dtype=np.uint8)) for shape in shapes]
    return torch.stack([built.pixels(p) for p in pictures])


@pytest.fixture(scope="module")
def built() -> Model:
    return model()


@pytest.fixture
def saved(built: Model, tmp_path: Path) -> Encoder:
    return built.save(tmp_path / "encoder", name="small", card="# Small\n\nA model card.\n")


def assert_alike(found: Encoded, expected: Encoded, *, within: float) -> None:
    """Vectors within `within`; each weight within `within` of its own size and the step that it is stored in."""
    assert np.allclose(found.vectors, expected.vectors, atol=within)
    for mine, other in zip(found.terms, expected.terms, strict=True):
        # What the budget cuts off may differ where two terms are worth nearly the same.
        for term in mine.keys() & other.keys():
            assert mine[term] == pytest.approx(other[term], rel=within + 2**-8, abs=within + 1 / 128)


def test_an_image_becomes_a_unit_vector_its_features_and_its_terms(built: Model) -> None:
    found = built.images(pixels(built))
    assert found.vectors.shape == (7, built.dim) == (7, 16)
    assert found.vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-6)
    assert found.features is not None
    assert (found.features.shape, found.features.dtype) == ((7, 24), np.dtype(np.float16))
    assert built.feature_dim == 24
    assert len(found.terms) == 7
    assert any(found.terms)


def test_terms_are_the_heads_weights_cut_to_the_budget_and_rounded(built: Model) -> None:
    batch = pixels(built)
    with torch.inference_mode():
        features, _ = built.tower.images(batch.contiguous(memory_format=torch.channels_last))
        weights = built.head(features).numpy()
    expected = prune(weights, importance(VOCABULARY.document_frequency), TERMS, keep=6)
    found = built.images(batch).terms
    assert found == expected
    assert max(len(row) for row in found) <= 6
    assert all(float(quantise(weight)) == weight > 0 for row in found for weight in row.values())


def test_whoever_may_read_the_configuration_may_read_the_weights(saved: Encoder) -> None:
    modes = {(saved.folder / name).stat().st_mode & 0o777 for name in ("lexel.json", "lexel.safetensors")}
    assert len(modes) == 1


def test_texts_are_items_of_their_own_words(built: Model) -> None:
    found = built.texts(TEXTS)
    # Four words of 1 / sqrt(4) each; of the four words of the second text two are the same.
    assert found.terms == [{"two": 0.5, "dog": 0.5, "run": 0.5, "snow": 0.5}, {"man": 1, "dog": 0.5, "two": 0.5}, {}]
    assert built.queries(TEXTS) == [{"two": 1, "dog": 1, "run": 1, "snow": 1}, {"man": 2, "dog": 1, "two": 1}, {}]
    assert found.features is None
    assert np.array_equal(found.vectors, built.text_vectors(TEXTS))
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-6)


def test_the_company_in_a_batch_changes_nothing(built: Model) -> None:
    batch = pixels(built)
    whole, alone = built.images(batch), [built.images(batch[i : i + 1]) for i in range(len(batch))]
    for i, one in enumerate(alone):
        assert np.allclose(one.vectors[0], whole.vectors[i], atol=1e-5)
        assert one.terms[0].keys() == whole.terms[i].keys()
        assert one.terms[0] == pytest.approx(whole.terms[i], rel=2**-8)
    singles = np.concatenate([built.text_vectors([text]) for text in TEXTS])
    assert np.allclose(singles, built.text_vectors(TEXTS), atol=1e-5)


@pytest.mark.parametrize("torchvision", [False, True])
def test_a_saved_encoder_encodes_the_same_within_half_precision(torchvision: bool, tmp_path: Path) -> None:
    before = model(torchvision=torchvision)
    encoder = before.save(tmp_path / "encoder", name="small")
    after = load_model(encoder, device="cpu")
    batch = pixels(before)
    assert_alike(after.images(batch), before.images(batch), within=4e-3)
    assert np.allclose(after.text_vectors(TEXTS), before.text_vectors(TEXTS), atol=4e-3)
    assert after.keep == 6
    # What is read is what was written: a second copy is exact.
    again = after.save(tmp_path / "again", name="small")
    assert again.fingerprint == encoder.fingerprint
    assert load_model(again, device="cpu").images(batch).terms == after.images(batch).terms
    assert np.array_equal(load_model(again, device="cpu").images(batch).vectors, after.images(batch).vectors)


def test_the_folder_holds_what_it_says(saved: Encoder) -> None:
    names = {path.name for path in saved.folder.iterdir()}
    assert names == {"lexel.json", "lexel.safetensors", "vocabulary.json", "words.txt", "README.md"}
    assert (saved.folder / "README.md").read_text() == "# Small\n\nA model card.\n"
    weights = load_file(saved.folder / "lexel.safetensors")
    assert weights["head.logits.weight"].dtype == torch.float16
    assert weights["head.log_query"].dtype == torch.float32
    assert (saved.name, saved.vocabulary, saved.ref) == ("small", VOCABULARY, str(saved.folder.resolve()))


def change_a_weight(folder: Path) -> None:
    weights = load_file(folder / "lexel.safetensors")
    weights["head.log_query"][0] += 1
    save_file(weights, folder / "lexel.safetensors")


def change_a_form(folder: Path) -> None:
    known = Vocabulary.load(folder / "vocabulary.json")
    Vocabulary(known.terms, {**known.forms, "puppy": "dog"}, known.document_frequency).save(folder / "vocabulary.json")


def change_the_config(folder: Path) -> None:
    config = json.loads((folder / "lexel.json").read_text())
    (folder / "lexel.json").write_text(json.dumps(config | {"keep": 5}))


def change_a_word(folder: Path) -> None:
    (folder / "words.txt").write_text("dog\ncats\nsnow\nman\n")


def change_the_card(folder: Path) -> None:
    (folder / "README.md").write_text("# Another card\n")


def calibrate(folder: Path) -> None:
    (folder / "calibration.json").write_text('{"vector_weight": {"text": 7.5}}')


def rename(folder: Path) -> None:
    config = json.loads((folder / "lexel.json").read_text())
    (folder / "lexel.json").write_text(json.dumps(config | {"name": "another"}, indent=4))


@pytest.mark.parametrize("change", [change_a_weight, change_a_form, change_the_config, change_a_word])
def test_the_fingerprint_tells_what_encodes_otherwise(change: Callable[[Path], None], saved: Encoder) -> None:
    before = read_encoder(saved.folder).fingerprint
    change(saved.folder)
    assert read_encoder(saved.folder).fingerprint != before


@pytest.mark.parametrize("change", [change_the_card, calibrate, rename])
def test_the_fingerprint_keeps_still_otherwise(change: Callable[[Path], None], saved: Encoder) -> None:
    before = read_encoder(saved.folder).fingerprint
    change(saved.folder)
    assert read_encoder(saved.folder).fingerprint == before


def test_the_fingerprint_is_the_same_wherever_the_folder_is(saved: Encoder, tmp_path: Path) -> None:
    shutil.copytree(saved.folder, tmp_path / "elsewhere/else")
    assert read_encoder(tmp_path / "elsewhere/else").fingerprint == saved.fingerprint
    assert len(bytes.fromhex(saved.fingerprint)) == 8


def test_the_vectors_weight_is_read_where_it_is_calibrated(saved: Encoder) -> None:
    assert saved.vector_weight("text") == saved.vector_weight("image") > 0
    calibrate(saved.folder)
    assert saved.vector_weight("text") == 7.5
    (saved.folder / "calibration.json").write_text("[1]")
    with pytest.raises(EncoderError, match=r"calibration\.json cannot be read .*calibrate again, or remove it"):
        saved.vector_weight("text")


def remove_the_weights(folder: Path) -> None:
    (folder / "lexel.safetensors").unlink()


def spoil_the_weights(folder: Path) -> None:
    (folder / "lexel.safetensors").write_bytes(b"\x00" * 100)


def cut_the_weights(folder: Path) -> None:
    path = folder / "lexel.safetensors"
    path.write_bytes(path.read_bytes()[:-500])


def lose_a_tensor(folder: Path) -> None:
    weights = load_file(folder / "lexel.safetensors")
    weights.pop("head.log_query")
    save_file(weights, folder / "lexel.safetensors")


def shorten_a_tensor(folder: Path) -> None:
    weights = load_file(folder / "lexel.safetensors")
    weights["head.log_query"] = weights["head.log_query"][:1].clone()
    save_file(weights, folder / "lexel.safetensors")


def lose_the_words(folder: Path) -> None:
    (folder / "words.txt").unlink()


def confuse_the_tower(folder: Path) -> None:
    config = json.loads((folder / "lexel.json").read_text())
    config["tower"]["image"]["preprocess"]["sharpness"] = 3
    (folder / "lexel.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (remove_the_weights, r"lexel\.safetensors"),
        (spoil_the_weights, ""),
        (cut_the_weights, ""),
        (lose_a_tensor, "head.log_query"),
        (shorten_a_tensor, "another shape of head.log_query"),
        (lose_the_words, r"words\.txt"),
        (confuse_the_tower, "sharpness"),
    ],
)
def test_a_harmed_encoder_is_one_sentence(harm: Callable[[Path], None], says: str, saved: Encoder) -> None:
    harm(saved.folder)
    with pytest.raises(EncoderError, match=rf"The encoder {saved.ref} cannot be loaded: .*{says}") as caught:
        load_model(read_encoder(saved.folder), device="cpu")
    assert "\n" not in str(caught.value)


def test_a_vocabulary_of_another_length_is_one_sentence(saved: Encoder) -> None:
    Vocabulary(("dog",), {"dog": "dog"}, (0.1,)).save(saved.folder / "vocabulary.json")
    with pytest.raises(EncoderError, match="weighs 10 terms, its vocabulary has 1"):
        load_model(read_encoder(saved.folder), device="cpu")


@pytest.mark.parametrize("device", ["cuda:99", "abacus"])
def test_a_device_that_is_not_there_is_one_sentence(device: str, saved: Encoder) -> None:
    with pytest.raises(EncoderError, match=f"'{device}' cannot be used here; try --device cpu"):
        load_model(saved, device=device)


def test_a_query_needs_no_network_library(saved: Encoder) -> None:
    code = (
        "import sys; from lexel.encoders import open_encoder\n"
        f"print(open_encoder({str(saved.folder)!r}).query('Dogs, two DOGS and a man'))\n"
        "print(sorted({'torch', 'transformers', 'torchvision', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "{'dog': 2.0, 'two': 1.0, 'man': 1.0}\n[]\n"
