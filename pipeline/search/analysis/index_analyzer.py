"""The analyzers of an index: the terms of a text as OpenSearch itself makes them, so that no encoder is needed."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

from opensearchpy import OpenSearch

from lexel.encoders.term_weights import FREQUENCY_SCALE, added
from lexel.encoders.vocabulary.stop_words import is_stop_word
from lexel.encoders.vocabulary.tokenize import words
from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.errors import ConfigError

# OpenSearch's analyzer gives out 10,000 tokens of one text.
MOST_WORDS = 8000
# The analyzer of known words alone, and the one that a search of `words` uses, which also asks by the nearest word.
KNOWN, ASKING = "vocabulary", "asking"


@dataclass(frozen=True)
class AnalyzedText:
    """The weights of a text's terms; of them `near` are of words that are asked by another, and by which; `unknown` are
    the words without a term.
    """

    weights: Mapping[str, float]
    near: Mapping[str, Mapping[str, float]]
    unknown: tuple[str, ...]


class IndexAnalyzer:
    """The analyzers of `index`; those of an index that an older lexel loaded ask by no nearest words."""

    def __init__(self, client: OpenSearch, index: str, mappings: Mapping[str, Any]) -> None:
        self._client, self._index = client, index
        self._asks = mappings["properties"]["words"].get("search_analyzer") == ASKING
        self._known = lru_cache(maxsize=256)(self._tokens)
        self._near = lru_cache(maxsize=256)(self._nearest)

    def read(self, text: str) -> AnalyzedText:
        """The terms of `text`. Raises ConfigError for more different words than a query may hold."""
        times = Counter(text.split())
        if len(times) > MOST_WORDS:
            raise ConfigError(
                f"A query holds at most {MOST_WORDS:,} different words, and this has {len(times):,}; leave some out."
            )
        counts, known = dict[str, float](), set[str]()
        for word, token, piece in self._known(" ".join(times)) if times else ():
            counts[token] = counts.get(token, 0.0) + times[word]
            known.update(words(piece))
        unknown = [word for word in words(text) if word not in known and not is_stop_word(word)]
        asked = self._near(" ".join(dict.fromkeys(unknown))) if unknown and self._asks else {}
        near = {
            word: {term: n * weight} for word, n in Counter(unknown).items() for term, weight in asked.get(word, ())
        }
        left = tuple(word for word in dict.fromkeys(unknown) if word not in near)
        return AnalyzedText(added(counts, *near.values()), near, left)

    def _tokens(self, text: str) -> list[tuple[str, str, str]]:
        """Each token of `text` that has a term: the word that it stands in, the term, and what it was made of."""
        answer = self._answer({"analyzer": KNOWN, "text": text})
        return list(_pieces(text, answer["tokens"]))

    def _nearest(self, text: str) -> dict[str, list[tuple[str, float]]]:
        """The terms that words are asked by, with their weights, which stand in the analyzer as frequencies."""
        answer = self._answer({"analyzer": ASKING, "text": text, "explain": True, "attributes": ["termFrequency"]})
        tokens = answer["detail"]["tokenfilters"][-1]["tokens"]
        found: dict[str, list[tuple[str, float]]] = {}
        for (word, term, _), one in zip(_pieces(text, tokens), tokens, strict=True):
            found.setdefault(word, []).append((term, one["termFrequency"] / FREQUENCY_SCALE))
        return found

    def _answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        with readable_errors():
            return dict(self._client.indices.analyze(index=self._index, body=body))


def _pieces(text: str, tokens: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str, str]]:
    typed, units = text.split(" "), text.encode("utf-16-le")  # OpenSearch counts in these
    starts = list(accumulate((len(word.encode("utf-16-le")) // 2 + 1 for word in typed), initial=0))
    for one in tokens:
        piece = units[2 * one["start_offset"] : 2 * one["end_offset"]].decode("utf-16-le", "replace")
        yield typed[bisect_right(starts, one["start_offset"]) - 1], one["token"], piece
