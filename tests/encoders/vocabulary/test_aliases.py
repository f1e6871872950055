"""A vocabulary as people want it: aliases and banned words, in files and at work, and the same in OpenSearch."""

import json
from collections import Counter
from pathlib import Path

import pytest
from opensearchpy import OpenSearch

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.vocabulary.aliases import read_aliases, read_ban_list
from lexel.encoders.vocabulary.tokenize import words
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.mappings import index_body

CAPTIONS = [
    "Two dogs run in the snow",
    "A puppy plays with puppies",
    "A doggy , a big dog and a cat",
    "men and a man beside the sea",
    "ugly cats",
]


def built(**edits: object) -> Vocabulary:
    return Vocabulary.from_captions(CAPTIONS, min_count=1, **edits)  # type: ignore[arg-type]


def shares(vocabulary: Vocabulary) -> dict[str, float]:
    return dict(zip(vocabulary.terms, vocabulary.document_frequency, strict=True))


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_an_alias_means_the_term_that_it_names() -> None:
    made = built(aliases={"Doggy": "dog", "puppy": "dog", "hound": "dog"})
    assert {form for form, term in made.forms.items() if term == "dog"} == {
        "dog", "dogs", "doggy", "puppy", "puppies", "hound"
    }  # fmt: skip
    assert shares(made)["dog"] == pytest.approx(3 / 5)
    assert made.count("A doggy and a HOUND") == {"dog": 2}
    assert not {"doggy", "puppy", "hound"} & set(made.terms)


def test_an_alias_may_name_a_form_or_another_alias() -> None:
    assert built(aliases={"doggy": "dogs"}).forms["doggy"] == "dog"
    assert built(aliases={"pup": "puppy", "puppy": "dog"}).forms["pup"] == "dog"


def test_a_form_that_names_itself_stays_apart() -> None:
    assert built().forms["men"] == "man"
    apart = built(aliases={"men": "men", "lads": "men"})
    assert (apart.forms["men"], apart.forms["man"], apart.forms["lads"]) == ("men", "man", "men")
    assert shares(apart)["men"] == shares(apart)["man"] == pytest.approx(1 / 5)


def test_an_alias_may_name_a_stop_word() -> None:
    made = built(aliases={"beside": "near"})
    assert "near" not in built().forms
    assert (made.forms["beside"], made.forms["near"]) == ("near", "near")


def test_an_alias_of_a_term_that_is_too_rare_is_left_out() -> None:
    made = Vocabulary.from_captions(CAPTIONS, min_count=2, aliases={"hound": "dog", "ship": "boat"})
    assert made.forms["hound"] == "dog"
    assert not {"ship", "boat"} & set(made.forms)


def test_document_frequencies_count_captions_once_by_the_final_term() -> None:
    made = built(aliases={"doggy": "dog", "puppy": "dog", "cats": "cats"})
    held = [{made.forms[w] for w in words(caption) if w in made.forms} for caption in CAPTIONS]
    assert shares(made) == {term: sum(term in terms for terms in held) / len(CAPTIONS) for term in made.terms}


def test_a_banned_term_goes_with_its_forms_and_a_banned_form_alone() -> None:
    made = built(banned=["Dog", "puppies", "zebra"])
    assert not {"dog", "dogs", "puppies"} & set(made.forms)
    assert made.forms["puppy"] == "puppy"
    assert not {"dog", "doggy"} & set(built(banned=["dog"], aliases={"doggy": "dogs"}).forms)


def test_an_edited_vocabulary_keeps_the_rows_of_what_stays() -> None:
    old = Vocabulary(
        ("dog", "puppy", "ugly", "cat"),
        {
            "dog": "dog",
            "dogs": "dog",
            "puppy": "puppy",
            "puppies": "puppy",
            "ugly": "ugly",
            "cat": "cat",
            "cats": "cat",
        },
        (0.5, 0.2, 0.1, 0.4),
    )
    new, rows = old.edited(aliases={"puppy": "dogs", "kitty": "cat"}, banned=["ugly", "cats"])
    assert (new.terms, rows) == (("dog", "cat"), (0, 3))
    forms = {"dog": "dog", "dogs": "dog", "puppy": "dog", "puppies": "dog", "cat": "cat", "kitty": "cat"}
    assert new.forms == forms
    assert new.document_frequency == pytest.approx((1 - 0.5 * 0.8, 0.4))
    assert old.edited() == (old, (0, 1, 2, 3))
    assert new.hash != old.hash


def test_an_edited_vocabulary_follows_aliases_of_aliases() -> None:
    old = Vocabulary(("dog", "puppy"), {"dog": "dog", "puppy": "puppy", "puppies": "puppy"}, (0.5, 0.2))
    new, rows = old.edited(aliases={"pup": "puppies", "puppy": "dog"})
    assert new.forms == dict.fromkeys(["dog", "puppy", "puppies", "pup"], "dog")
    assert rows == (0,)


@pytest.mark.parametrize(
    ("aliases", "says"),
    [
        ({"hound": "wolf"}, "names 'wolf', which is no word of the vocabulary"),
        ({"hot dog": "dog"}, "'hot dog' is not one word"),
        ({"t-shirt": "dog"}, "'t-shirt' is not one word"),
        ({"doggy": "d|og"}, "'d|og' is not one word"),
        ({"doggy": ""}, "'' is not one word"),
        ({"a1": "b1", "b1": "a1"}, "a1 = b1 = a1 go round in a circle"),
        ({"dog": "cats", "cat": "dogs"}, "go round in a circle"),
    ],
)
def test_an_alias_that_cannot_be_is_one_sentence(aliases: dict[str, str], says: str) -> None:
    old = Vocabulary(("dog", "cat"), {"dog": "dog", "dogs": "dog", "cat": "cat", "cats": "cat"}, (0.5, 0.2))
    with pytest.raises(EncoderError) as caught:
        old.edited(aliases=aliases)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    if "word" in says and "vocabulary" not in says:
        with pytest.raises(EncoderError, match="is not one word"):
            built(aliases=aliases)


def test_aliases_are_read_from_text_and_from_yaml(tmp_path: Path) -> None:
    text = "# pets\nDoggy = dog   # a remark\n\n  puppy=dog\r\nmen = men\nMädchen = girl\n"
    expected = {"doggy": "dog", "puppy": "dog", "men": "men", "mädchen": "girl"}
    assert read_aliases(written(tmp_path / "aliases.txt", text)) == expected
    table = "# pets\nDoggy: dog\npuppy: dog\nmen: men\n'Mädchen': girl\n"
    assert read_aliases(written(tmp_path / "aliases.yaml", table)) == expected
    assert read_aliases(written(tmp_path / "empty.txt", "# none\n")) == {}


def test_a_ban_list_is_a_term_a_line(tmp_path: Path) -> None:
    text = "\ufeffUgly\n# a remark\nfat  # rude\n\n"
    assert read_ban_list(written(tmp_path / "banned.txt", text)) == {"ugly", "fat"}


BAD = {
    "no equals": ("a.txt", "dog = dog\ndoggy dog\n", "a.txt, line 2: 'doggy dog' is no alias; write FORM = TERM"),
    "two words": ("a.txt", "hot dog = sausage\n", "a.txt, line 1: 'hot dog' is not one word"),
    "twice": ("a.txt", "doggy = dog\ndoggy = cat\n", "a.txt, line 2: 'doggy' means 'dog' already"),
    "circle": ("a.txt", "a1 = b1\nb1 = a1\n", "a1 = b1 = a1 go round in a circle"),
    "no yaml": ("a.yaml", "doggy: [dog\n", "a.yaml, line 2: this is not YAML"),
    "a list": ("a.yml", "- doggy\n", "should be a table of aliases"),
    "no words": ("a.yaml", "no: dog\n", "False: 'dog' is not a pair of words; put both in quotes"),
    "yaml of two words": ("a.yaml", "hot dog: sausage\n", "'hot dog': 'hot dog' is not one word"),
}


@pytest.mark.parametrize(("name", "text", "says"), BAD.values(), ids=BAD)
def test_a_file_of_aliases_that_cannot_be_read_is_one_sentence(name: str, text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(EncoderError) as caught:
        read_aliases(written(tmp_path / name, text))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_ban_list_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"banned\.txt, line 2: 'hot dog' is not one word"):
        read_ban_list(written(tmp_path / "banned.txt", "cat\nhot dog\n"))
    with pytest.raises(EncoderError, match=r"nowhere\.txt cannot be read: No such file"):
        read_ban_list(tmp_path / "nowhere.txt")
    (tmp_path / "latin.txt").write_bytes("Mädchen".encode("latin-1"))
    with pytest.raises(EncoderError, match="not UTF-8"):
        read_ban_list(tmp_path / "latin.txt")


def test_opensearch_reads_aliases_and_bans_as_python_does(client: OpenSearch) -> None:
    made = built(aliases={"doggy": "dog", "hound": "dog", "men": "men", "kätzchen": "cat"}, banned=["snow", "puppies"])
    body = index_body(dim=4, terms=made.terms, forms=made.forms, engine="lucene", shards=1, metadata={}, about={})
    texts = [*CAPTIONS, "HOUNDS and a hound; a doggy's ball, Kätzchen!", "men in the snow with puppies"]
    client.indices.create(index="analyzer-edited", body=body)
    try:
        answer = client.indices.analyze(index="analyzer-edited", body={"analyzer": "vocabulary", "text": texts})
    finally:
        client.indices.delete(index="analyzer-edited")
    expected = sum((Counter(made.count(text)) for text in texts), Counter[str]())
    assert Counter(token["token"] for token in answer["tokens"]) == expected
    assert expected["dog"] == 5  # one of them is a doggy's
    assert expected["cat"] == 3


def test_the_sizes_that_one_asks_for(shared: Path) -> None:
    """3,537 of Flickr8k's words, as the thesis had; of more than there are, all."""
    lines = (shared / "data/flickr8k/captions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["split"] == "train"]
    captions = [caption for row in rows for caption in row["captions"]]
    some = Vocabulary.from_captions(captions, min_count=1, size=3537)
    whole = Vocabulary.from_captions(captions, min_count=1, size=13_439)
    assert len(some) == 3537
    assert 5000 < len(whole) < 13_439
    assert whole.terms[:3537] == some.terms
    assert len(Vocabulary.from_captions(captions, min_count=2)) == pytest.approx(3124, abs=50)


def test_a_vocabulary_of_many_words_is_cut_to_size() -> None:
    captions = [f"x{i}y x{i // 2}y" for i in range(20_000)]
    assert len(Vocabulary.from_captions(captions, min_count=1)) == 20_000
    assert len(Vocabulary.from_captions(captions, min_count=1, size=13_439)) == 13_439
    assert len(Vocabulary.from_captions(captions, min_count=2)) == 10_000
