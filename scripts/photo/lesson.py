"""What `lexel-photo` learns from: collections of pictures, captions, the vocabulary, and texts without pictures."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from plain_words import MISLEADING, plain, words_of

from lexel.encoders.vocabulary.stop_words import STOP_WORDS
from lexel.encoders.vocabulary.tokenize import is_word, without_clitic, words
from lexel.encoders.vocabulary.vocabulary import Vocabulary

COLLECTIONS = ("flickr_train", "flickr_val", "imagenet_sample", "caltech101", "photos")
# 1 is the whole picture; 2 adds its mirror image, and more add crops.
VIEWS = 4
# A word that two captions hold is often one that is misspelt.
MIN_COUNT = 3
# Pictures of a Caltech101 class: all of its 800 airplanes would teach that most pictures are airplanes.
PER_CLASS = 20
# Captions without pictures that say what a word is which no captioned picture shows.
SENTENCES = 4
# Pictures whose captions hold a label's word, above which these captions teach it rather than the classifier.
LABELLED = 40


@dataclass(frozen=True)
class Collection:
    """Pictures, the captions of each, and its label if it has one."""

    name: str
    paths: Sequence[Path]
    captions: Sequence[Sequence[str]]
    labels: Sequence[str]


@cache
def collections(shared: Path) -> dict[str, Collection]:
    data = shared / "data"
    found = [_flickr(data, split) for split in ("train", "val")]
    found += [_labelled(data, name) for name in ("imagenet_sample", "caltech101")]
    photos = sorted((data / "photos").glob("*.jpg"))
    found.append(Collection("photos", photos, [[]] * len(photos), [""] * len(photos)))
    return {one.name: one for one in found}


def imagenet_labels(shared: Path) -> list[str]:
    """The labels of ImageNet's 1,000 classes in the order of the classifier: that of their WordNet ids."""
    rows = _rows(shared / "data/imagenet_sample/labels.jsonl")
    return [row["label"] for row in sorted(rows, key=lambda row: row["wnid"])]


def sentences(shared: Path) -> list[str]:
    """Captions of photographs that are not among those to learn from."""
    return (shared / "data/coco_captions/captions.txt").read_text(encoding="utf-8").splitlines()


@cache
def vocabulary(shared: Path) -> Vocabulary:
    """The words of captions and sentences, and the everyday words of labels.

    Captions and sentences are about as many, so that a document frequency is that of both kinds of photographs alike.
    """
    said = [c for own in collections(shared)["flickr_train"].captions for c in own] + sentences(shared)
    known = Vocabulary.from_captions(said, min_count=MIN_COUNT)
    terms, forms, shares = list(known.terms), dict(known.forms), list(known.document_frequency)
    named = {
        word for label, own in label_words(shared).items() for word in (*own, *map(without_clitic, words(plain(label))))
    }
    for word in sorted(named):
        if word not in forms and word not in MISLEADING and is_word(word) and word not in STOP_WORDS:
            terms.append(word)
            shares.append(1 / len(said))
            forms |= {form: word for form in (word, f"{word}s", f"{word}es") if form not in forms}
    return Vocabulary(tuple(terms), forms, tuple(shares))


@cache
def label_words(shared: Path) -> dict[str, list[str]]:
    """The everyday words of each label of ImageNet and Caltech101."""
    found = {label: words_of(label, place) for place, label in enumerate(imagenet_labels(shared))}
    for label in collections(shared)["caltech101"].labels:
        found.setdefault(label, words_of(label, None))
    return found


@cache
def taught(shared: Path) -> tuple[str, ...]:
    """The terms that are learned from captioned pictures; the others get their weights in wide_head.py.

    A label's word that few captions hold is better known to the classifier than from these captions.
    """
    known, held = vocabulary(shared), Counter[str]()
    for captions in collections(shared)["flickr_train"].captions:
        held.update({term for caption in captions for term in known.count(caption)})
    labelled = {known.forms.get(word) for words_ in label_words(shared).values() for word in words_}
    return tuple(term for term in known.terms if held[term] >= (LABELLED if term in labelled else 4))


def untaught(shared: Path) -> list[str]:
    learned = set(taught(shared))
    return [term for term in vocabulary(shared).terms if term not in learned]


def texts_to_read(shared: Path) -> dict[str, list[str]]:
    """All texts whose features are needed: captions by collection, and SENTENCES + 1 texts for each untaught term."""
    named = ("flickr_train", "flickr_val", "imagenet_sample", "caltech101")
    captions = {name: [c for own in collections(shared)[name].captions for c in own] for name in named}
    return captions | {"untaught": _about(shared, untaught(shared))}


def _about(shared: Path, terms: Sequence[str]) -> list[str]:
    known, holding = vocabulary(shared), {term: [f"a photo of a {term}"] for term in terms}
    for sentence in sentences(shared):
        for term in known.count(sentence):
            if term in holding and len(holding[term]) <= SENTENCES:
                holding[term].append(sentence)
    # As many texts for each, so that they are read back as a table.
    return [(texts * (SENTENCES + 1))[i] for texts in holding.values() for i in range(SENTENCES + 1)]


def _flickr(data: Path, split: str) -> Collection:
    rows = [row for row in _rows(data / "flickr8k/captions.jsonl") if row["split"] == split]
    paths = [data / "flickr8k" / row["image"] for row in rows]
    return Collection(f"flickr_{split}", paths, [row["captions"] for row in rows], [""] * len(rows))


def _labelled(data: Path, name: str) -> Collection:
    rows = _rows(data / name / "labels.jsonl")
    if name == "imagenet_sample":
        rows = sorted(rows, key=lambda row: row["wnid"])
        places: list[int | None] = list(range(len(rows)))
    else:
        rows = [row for number, row in _numbered(rows) if number < PER_CLASS]
        places = [None] * len(rows)
    captions = [_captions(row["label"], place) for row, place in zip(rows, places, strict=True)]
    return Collection(name, [data / name / row["image"] for row in rows], captions, [row["label"] for row in rows])


def _numbered(rows: Sequence[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """Each row with its number within its class."""
    seen: dict[str, int] = {}
    found = []
    for row in rows:
        found.append((seen.get(row["label"], 0), row))
        seen[row["label"]] = seen.get(row["label"], 0) + 1
    return found


def _captions(label: str, place: int | None) -> list[str]:
    """Captions that people might write of a picture with this label: its own name, then everyday words for it."""
    names = [plain(label), *words_of(label, place)]
    return [f"a photo of {'an' if name[0] in 'aeiou' else 'a'} {name}" for name in dict.fromkeys(names)]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
