"""Short queries, as people type them: the noun phrases of captions, and labels.

A phrase is one or two words between a determiner and the end of a phrase: "a black dog is ...", "the snow.". All
images one of whose captions holds the words side by side, in whatever form, are relevant to it. This is made of the
captions alone, so that any two encoders are asked the same.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from lexel.encoders.encoder import Encoder
from lexel.encoders.model import load_model
from lexel.encoders.vocabulary.lemmas import Lemmas
from lexel.encoders.vocabulary.stop_words import STOP_WORDS
from lexel.encoders.vocabulary.tokenize import words
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.evaluate.encoded_items import EncodedItems
from lexel.pipeline.evaluate.evaluation_set import EvaluationSet
from lexel.pipeline.evaluate.queries.directions import Direction, Judgments, Query

# Images that a phrase must be said of, to be a query.
LEAST = 3
# The commonest phrases are asked; rarer ones say little more.
MOST = 1000
_DETERMINERS = frozenset(["a", "an", "the", "his", "her", "its", "their", "another"])
# After "a", a word that ends otherwise is no noun, but a verb: "a dog runs".
_SINGULAR_S = ("ss", "us", "is")

Phrase = tuple[str, ...]


def short_queries(collection: EvaluationSet, encoder: Encoder, *, device: str = "auto") -> Direction:
    """The short queries of a collection: by its captions, or by its labels if it has none.

    Raises ConfigError if no phrase is said of LEAST images.
    """
    pictures, captions = collection.pictures, collection.captions
    right = _labels(pictures) if captions is None else _phrases(pictures, captions)
    if not right:
        raise ConfigError(
            f"No noun phrase stands in the captions of {LEAST} pictures; short queries need a larger collection."
        )
    texts = [text.replace("_", " ") for text in right]
    model = load_model(encoder, device=device)
    vectors = model.text_vectors(texts)
    terms = model.queries(texts)
    rows = zip(right, texts, terms, vectors, strict=True)
    queries = [Query(id_, id_, text, own, vector) for id_, text, own, vector in rows]
    return Direction("short_to_image", "text", queries, right)


def _labels(pictures: EncodedItems) -> Judgments:
    found: dict[str, dict[str, int]] = {}
    for id_, label in zip(pictures.ids, pictures.labels, strict=True):
        if label is not None:
            found.setdefault(label.lower().replace(" ", "_"), {})[id_] = 1
    return found


def _phrases(pictures: EncodedItems, captions: EncodedItems) -> Judgments:
    """The images of each phrase, for the MOST commonest phrases; a phrase's words are joined by "_"."""
    said = [words(text or "") for text in captions.texts]
    lemmas = Lemmas(Counter(form for forms in said for form in forms), STOP_WORDS, {}, frozenset())
    holding: dict[Phrase, set[str]] = {}
    for uri, forms in zip(captions.uris, said, strict=True):
        bases = [lemmas[form] for form in forms]
        for phrase in (*((base,) for base in bases), *itertools.pairwise(bases)):
            if all(phrase):
                holding.setdefault(phrase, set()).add(uri)
    asked = {tuple(lemmas[form] for form in phrase) for forms in said for phrase in noun_phrases(forms)}
    common = sorted(
        (phrase for phrase in asked if all(phrase) and len(holding.get(phrase, ())) >= LEAST),
        key=lambda phrase: (-len(holding[phrase]), phrase),
    )
    by_uri: dict[str, list[str]] = {}
    for id_, uri in zip(pictures.ids, pictures.uris, strict=True):
        by_uri.setdefault(uri, []).append(id_)
    return {
        "_".join(phrase): {id_: 1 for uri in sorted(holding[phrase]) for id_ in by_uri.get(uri, ())}
        for phrase in common[:MOST]
    }


def noun_phrases(forms: Sequence[str]) -> Iterator[Phrase]:
    """The noun phrases of one or two words in the words of a caption, each also without its first word."""
    for start, determiner in enumerate(forms):
        if determiner not in _DETERMINERS:
            continue
        end = start + 1
        while end < len(forms) and forms[end] not in STOP_WORDS:
            end += 1
        phrase = tuple(forms[start + 1 : end])
        if 1 <= len(phrase) <= 2 and _is_noun(phrase[-1], single=determiner in {"a", "an", "another"}):
            yield phrase
            if len(phrase) == 2:
                yield phrase[1:]


def _is_noun(form: str, *, single: bool) -> bool:
    """A guess by the word's ending: no "running", no "dressed", and after "a" nothing that ends in s."""
    return not form.endswith(("ing", "ed")) and not (single and form.endswith("s") and not form.endswith(_SINGULAR_S))
