"""What became of a query's words that have no term, in words for people."""

from collections.abc import Iterable, Mapping

# So many unknown words are named, and so much of each.
_NAMED, _LETTERS = 20, 40


def near_words(near: Mapping[str, Mapping[str, float]]) -> list[str]:
    """For each word that is asked by another: `taxi: as car 0.8`."""
    return [
        f"{word}: as {', '.join(f'{term} {weight:.1f}' for term, weight in terms.items())}"
        for word, terms in near.items()
    ]


def unknown_words(unknown: Iterable[str], offers: Mapping[str, Iterable[str]]) -> str:
    """The words that are not asked at all, each with the nearest that are known; empty if there are none."""
    every = list(unknown)
    some = [f"{_cut(word)} (nearest: {', '.join(offers[word])})" if word in offers else _cut(word) for word in every]
    rest = f" and {len(some) - _NAMED:,} more" if len(some) > _NAMED else ""
    return f"not in the vocabulary of this index: {', '.join(some[:_NAMED])}{rest}" if some else ""


def _cut(word: str) -> str:
    return word if len(word) <= _LETTERS else f"{word[:_LETTERS]}…"
