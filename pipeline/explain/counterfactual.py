"""Finds the smallest edit of a query that swaps two items (a counterfactual explanation)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, combinations
from math import ceil, floor, log

from lexel.encoders.vocabulary.stop_words import is_stop_word
from lexel.pipeline.explain.score_parts import StoredItem, differences, score, written_differences
from lexel.pipeline.search.encode_query import encode_query
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_syntax import ParsedQuery, format_query
from lexel.pipeline.search.request import MAX_FACTOR, SearchRequest

# Other factors would change the query too much.
_LEAST, _MOST = 0.1, 10.0


# The largest number of words to remove, and the number of terms to try to add.
_MOST_WORDS = 3
_ADDED = 5


def find_counterfactual(index: SearchIndex, request: SearchRequest, above: StoredItem, below: StoredItem) -> str | None:
    """The first edit, beginning with the smallest ones, for which `below` scores more; None if there is none."""
    query = request.query
    changes = chain(
        _reweighted(index, request, query, above, below),
        _without(query, 1),
        _with_another(query, above, below),
        *(_without(query, count) for count in range(2, _MOST_WORDS + 1)),
    )
    for changed in changes:
        if changed.said or request.images or request.like:
            encoded, _ = encode_query(index, replace(request, text=format_query(changed)))
            if score(encoded, below) > score(encoded, above):
                return format_query(changed)
    return None


def _reweighted(
    index: SearchIndex, request: SearchRequest, query: ParsedQuery, above: StoredItem, below: StoredItem
) -> Iterator[ParsedQuery]:
    """Queries with another factor for one word, the smallest changes first."""
    encoded, _ = encode_query(index, request)
    gap = score(encoded, above) - score(encoded, below)
    changes = []
    for word in _content_words(query):
        terms = index.analyzed(word).weights
        lead = sum(one.share for one in differences(encoded, above, below) if one.term in terms)
        if encoded.written:
            there = index.written_words(word)
            lead += sum(one.share for one in written_differences(encoded, above, below) if one.term in there)
        if lead:
            times = _rounded(1 - gap / lead)  # relative to the present factor
            if _LEAST <= times <= _MOST and query.factors.get(word, 1.0) * times <= MAX_FACTOR:
                changes.append((abs(log(times)), word, times))
    for _, word, times in sorted(changes):
        yield _with_factor(query, word, query.factors.get(word, 1.0) * times)


def _rounded(times: float) -> float:
    """`times` rounded away from 1 to two decimals and one step more, so that the order surely changes."""
    if times <= 0:
        return times
    return ceil(times * 100 + 1) / 100 if times > 1 else floor(times * 100 - 1) / 100


def _with_factor(query: ParsedQuery, word: str, factor: float) -> ParsedQuery:
    plain = " ".join(w for w in query.plain.split() if w != word)
    return replace(query, plain=plain, factors={**query.factors, word: factor})


def _content_words(query: ParsedQuery) -> list[str]:
    """Its distinct words without stop words."""
    return list(dict.fromkeys(word for word in query.text.split() if not is_stop_word(word.lower())))


def _without(query: ParsedQuery, count: int) -> Iterator[ParsedQuery]:
    """Queries without `count` of the content words."""
    words = _content_words(query)
    for gone in combinations(words, count):
        yield _only(query, [word for word in words if word not in gone])


def _only(query: ParsedQuery, words: Sequence[str]) -> ParsedQuery:
    plain = [word for word in query.plain.split() if word in words]
    factors: Mapping[str, float] = {word: by for word, by in query.factors.items() if word in words}
    required = tuple(word for word in query.required if word in words)
    return ParsedQuery(" ".join(words), " ".join(plain), factors, required, query.banned)


def _with_another(query: ParsedQuery, above: StoredItem, below: StoredItem) -> Iterator[ParsedQuery]:
    """Queries with one more term, of which the lower item has more weight than the upper one."""
    lead = {term: weight - above.terms.get(term, 0.0) for term, weight in below.terms.items()}
    for term in sorted(lead, key=lambda term: -lead[term])[:_ADDED]:
        yield replace(query, text=f"{query.text} {term}".strip(), plain=f"{query.plain} {term}".strip())
