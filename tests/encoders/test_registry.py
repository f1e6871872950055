"""Encoders by name: the shipped one, those of other installed packages, folders, and what is none."""

import sys
from pathlib import Path

import pytest

from lexel.encoders import Encoder, EncoderError, Vocabulary, open_encoder, registry

VOCABULARY = Vocabulary(("dog", "snow"), {"dogs": "dog", "dog": "dog", "snow": "snow"}, (0.5, 0.25))
CONFIG = '{"format": 1, "name": "%s", "tower": {"kind": "dual", "checkpoint": "."}, "head": {"kind": "zeroshot"}}'


def encoder_at(folder: Path, *, name: str) -> Path:
    """The part of a saved encoder that is read before its networks are."""
    folder.mkdir(parents=True)
    (folder / "lexel.json").write_text(CONFIG % name)
    VOCABULARY.save(folder / "vocabulary.json")
    return folder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installed package of somebody else, with the encoders `their-encoder`, `their-broken` and `their-missing`."""
    encoder_at(tmp_path / "site/their_package/encoder", name="theirs")
    (tmp_path / "site/their_package/__init__.py").write_text(
        "from pathlib import Path\n"
        "def folder(): return Path(__file__).parent / 'encoder'\n"
        "def broken(): raise RuntimeError('no licence\\nsecond line')\n"
    )
    info = tmp_path / "site/their_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[lexel.encoders]\n"
        "their-encoder = their_package:folder\n"
        "their-broken = their_package:broken\n"
        "their-missing = their_package:nothing\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "their_package", raising=False)
    return "their-encoder"


def test_the_shipped_encoders_are_always_named() -> None:
    assert {"lexel-photo", "lexel-tiny"} <= set(registry.names())
    assert registry.names() == sorted(set(registry.names()))


def test_the_encoder_for_photographs_opens_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(registry.VARIABLE)
    assert (open_encoder().ref, open_encoder().name) == ("lexel-photo", "lexel-photo")


def test_another_default_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registry.VARIABLE, str(encoder_at(tmp_path / "mine", name="mine")))
    assert (open_encoder().name, open_encoder().vocabulary) == ("mine", VOCABULARY)


def test_an_encoder_of_another_package_is_found_and_opened(package: str, tmp_path: Path) -> None:
    assert package in registry.names()
    found = open_encoder(package)
    assert isinstance(found, Encoder)
    assert (found.ref, found.name) == ("their-encoder", "theirs")
    assert found.folder == tmp_path / "site/their_package/encoder"
    assert found.query("dogs in the snow, a dog") == {"dog": 2.0, "snow": 1.0}


@pytest.mark.parametrize(("name", "says"), [("their-broken", "no licence"), ("their-missing", "nothing")])
@pytest.mark.usefixtures("package")
def test_an_encoder_of_another_package_that_fails_is_one_sentence(name: str, says: str) -> None:
    with pytest.raises(EncoderError, match=f"package behind the encoder '{name}'.*{says}") as caught:
        open_encoder(name)
    assert "\n" not in str(caught.value)


def test_a_folder_is_an_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = encoder_at(tmp_path / "mine", name="my-encoder")
    found = open_encoder(str(folder))
    assert (found.ref, found.name) == (str(folder), "my-encoder")
    monkeypatch.chdir(tmp_path)
    assert open_encoder("mine").ref == str(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_encoder("~/mine").folder == folder


def test_a_bare_checkpoint_gets_the_shipped_vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BUILT_IN, registry.TINY, encoder_at(tmp_path / "tiny", name="lexel-tiny"))
    for place in ("one", "other"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "config.json").write_text('{"model_type": "clip"}')
    one, other = open_encoder(str(tmp_path / "one")), open_encoder(str(tmp_path / "other"))
    assert one.vocabulary == VOCABULARY
    assert (one.name, other.name) == ("one", "other")
    assert one.config["head"] == {"kind": "zeroshot"}
    assert one.fingerprint == other.fingerprint


def test_a_name_nobody_has_is_one_sentence_with_the_known_names(package: str) -> None:
    with pytest.raises(
        EncoderError, match=r"no encoder 'lexel-huge'; known names are .*lexel-tiny.*, or give"
    ) as caught:
        open_encoder("lexel-huge")
    assert package in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ref", ["./nowhere/at-all", "/nowhere/at-all", "a/b/c", "~nobody-of-that-name/x", ""])
def test_a_path_to_nothing_is_never_asked_of_the_hub(ref: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EncoderError, match=r"There is no encoder|is no encoder"):
        open_encoder(ref)


def test_what_is_no_encoder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for ref in (tmp_path, tmp_path / "file"):
        with pytest.raises(EncoderError, match=r"it is not a folder that holds a lexel\.json or a config\.json"):
            open_encoder(str(ref))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", r"lexel\.json cannot be read"),
        ("[]", "lacks a format, name, tower or head"),
        ('{"format": 1, "name": "x"}', "lacks a format, name, tower or head"),
        (CONFIG.replace('"format": 1', '"format": 2') % "new", "encoder format 2; this lexel reads format 1"),
    ],
)
def test_a_folder_with_a_foreign_config_is_one_sentence(text: str, says: str, tmp_path: Path) -> None:
    folder = encoder_at(tmp_path / "mine", name="mine")
    (folder / "lexel.json").write_text(text)
    with pytest.raises(EncoderError, match=says) as caught:
        open_encoder(str(folder))
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_vocabulary_is_one_sentence(tmp_path: Path) -> None:
    folder = encoder_at(tmp_path / "mine", name="mine")
    (folder / "vocabulary.json").unlink()
    with pytest.raises(EncoderError, match=r"vocabulary\.json is not a vocabulary"):
        open_encoder(str(folder))
