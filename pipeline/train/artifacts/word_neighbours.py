"""The terms nearest in meaning to everyday words that a vocabulary does not have, by the packaged text model.

The words are those of its tokenizer, which are the commonest of English, and their plurals. LEAST was chosen on
Flickr8k's val captions by hiding each fifth of lexel-photo's terms in turn from the queries that hold them: with the
hidden words left out the R@10 of `terms` was 50.6 (63.3 with the words known), by the nearest other term from a cosine
of 0.5 on 53.8, from 0.65 on 53.5, from 0.8 on 52.0. Below 0.65 hardly anything is gained, and about half of the
neighbours read wrong. Three neighbours gave 54.3 in the place of 53.8, but an analyzer can hold only one of them. Other
text models would need a threshold of their own, since two words of one meaning have another cosine in each.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import normalize

from lexel.encoders.runtime.packaged_weights import MINILM
from lexel.encoders.text.text_models import TransformersText
from lexel.encoders.vocabulary.near_words import NearWords
from lexel.encoders.vocabulary.stop_words import STOP_WORDS
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.iterators import batched

LEAST = 0.65
# So many terms are offered of a word that is not asked by any, from this cosine on.
_OFFERED, _FAR = 3, 0.4
_WORD = re.compile(r"[a-z]{3,}")

Floats = npt.NDArray[np.float32]


def word_neighbours(vocabulary: Vocabulary, *, words: Sequence[str] | None = None) -> NearWords:
    """The table of `words`, by default `everyday_words`. Takes minutes, since the model reads each of them."""
    terms, everyday = vocabulary.terms, everyday_words() if words is None else words
    some = [word for word in everyday if word not in vocabulary.forms and word not in STOP_WORDS]
    near = nearest(some, word_vectors(some), terms, word_vectors(terms))
    known = vocabulary.forms.keys() | near.keys()
    plurals = {plural: near[word] for word, plural in _plurals(near) if plural not in known}
    return NearWords(near | plurals, LEAST)


def everyday_words() -> list[str]:
    """The whole words of the packaged model's tokenizer, the commonest first."""
    lines = (MINILM.path().parent / "vocab.txt").read_text(encoding="utf-8").split()
    return [word for word in lines if _WORD.fullmatch(word)]


def word_vectors(words: Sequence[str]) -> Floats:
    """The unit vector of each word, [N, D]."""
    model = TransformersText(MINILM).eval()
    with torch.inference_mode():
        parts = [normalize(model(some).float(), dim=1) for some in batched(words, 256)]
    return torch.cat(parts).numpy() if parts else np.zeros((0, model.dim), np.float32)


def nearest(
    words: Sequence[str], vectors: Floats, terms: Sequence[str], term_vectors: Floats
) -> dict[str, dict[str, float]]:
    """For each of `words` its nearest terms with their cosines, rounded down to 1 / 128; not what has none."""
    found = {}
    for start in range(0, len(words), 1024):
        cosines = np.floor(vectors[start : start + 1024] @ term_vectors.T * 128) / 128
        best = np.argsort(-cosines, axis=1, kind="stable")[:, :_OFFERED]
        for word, own, row in zip(words[start:], best, cosines, strict=False):
            found[word] = {terms[i]: min(float(row[i]), 1 - 1 / 128) for i in own if row[i] >= _FAR}
    return {word: own for word, own in found.items() if own}


def _plurals(near: dict[str, dict[str, float]]) -> Iterator[tuple[str, str]]:
    """The words that are asked by a term, each with its plural, if it has one."""
    for word, own in near.items():
        if next(iter(own.values())) >= LEAST and _lemma(f"{word}s") == word:
            yield word, f"{word}s"


@cache
def _lemma(form: str) -> str:
    from simplemma import lemmatize  # its tables are large

    return str(lemmatize(form, lang="en"))
