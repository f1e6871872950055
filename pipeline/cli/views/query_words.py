"""What became of a query's words that have no term, or no place in its vector, in words for people."""

from collections.abc import Iterable, Mapping

# So many unknown words are named, and so much of each.
_NAMED, _LETTERS = 20, 40


def word_notes(
    near: Mapping[str, Mapping[str, float]],
    unknown: Iterable[str],
    unbanned: Iterable[str],
    offers: Mapping[str, Iterable[str]],
    heard: int | None = None,
) -> list[str]:
    """All that is to be said of them, a line each."""
    said = [*near_words(near), unknown_words(unknown, offers), banning_nothing(unbanned, offers), cut_short(heard)]
    return [line for line in said if line]


def cut_short(heard: int | None) -> str:
    """That the vector is of the first words of a text alone; empty if it is of all."""
    if heard is None:
        return ""
    return (
        f"too long for the vector, which is of the first {heard:,} words alone" if heard else "too long for the vector"
    )


def near_words(near: Mapping[str, Mapping[str, float]]) -> list[str]:
    """For each word that is asked by another: `taxi: as car 0.8`."""
    return [
        f"{word}: as {', '.join(f'{term} {weight:.1f}' for term, weight in terms.items())}"
        for word, terms in near.items()
    ]


def unknown_words(unknown: Iterable[str], offers: Mapping[str, Iterable[str]]) -> str:
    """The words that are not asked at all, each with the nearest that are known; empty if there are none."""
    named = _named(unknown, offers)
    return f"not in the vocabulary of this index: {named}" if named else ""


def banning_nothing(unbanned: Iterable[str], offers: Mapping[str, Iterable[str]]) -> str:
    """The words with a minus that exclude nothing, likewise."""
    named = _named(unbanned, offers)
    return f"excluded nothing, since not in the vocabulary of this index: {named}" if named else ""


def _named(words: Iterable[str], offers: Mapping[str, Iterable[str]]) -> str:
    some = [f"{_cut(word)} (nearest: {', '.join(offers[word])})" if word in offers else _cut(word) for word in words]
    rest = f" and {len(some) - _NAMED:,} more" if len(some) > _NAMED else ""
    return f"{', '.join(some[:_NAMED])}{rest}"


def _cut(word: str) -> str:
    return word if len(word) <= _LETTERS else f"{word[:_LETTERS]}…"
