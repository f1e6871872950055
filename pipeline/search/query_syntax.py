"""A query as people type it: words, of which some count more, some must be there and some must not.

    dog^2 +snow -cat on a hill

`+snow` leaves only items that have snow among the terms that say most of them, `-cat` none that have cats, and `dog^2`
counts twice. Whatever else stands there is text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_WORD = re.compile(r"(?P<sign>[+-]?)(?P<word>[^\W_].*?)(?:\^(?P<factor>\d+(?:\.\d*)?|\.\d+))?", re.DOTALL)


@dataclass(frozen=True)
class ParsedQuery:
    """A query's `text` without its signs and banned words; `plain` is what of it no factor is given for."""

    text: str
    plain: str
    factors: Mapping[str, float]
    required: tuple[str, ...]
    banned: tuple[str, ...]


def parse_query(line: str) -> ParsedQuery:
    """Read a typed query. There is nothing that it refuses: what is no sign is text."""
    text, plain, required, banned = [], [], [], []
    factors: dict[str, float] = {}
    for token in line.split():
        found = _WORD.fullmatch(token)
        sign, word, factor = (found["sign"], found["word"], found["factor"]) if found else ("", token, None)
        if sign == "-":
            banned.append(word)
            continue
        text.append(word)
        if factor:
            factors[word] = float(factor)
        else:
            plain.append(word)
        if sign == "+":
            required.append(word)
    return ParsedQuery(" ".join(text), " ".join(plain), factors, tuple(required), tuple(banned))


def format_query(line: ParsedQuery) -> str:
    """A line that reads as `line` does."""
    words = [("+" * (word in line.required)) + word + _factor(line.factors.get(word)) for word in line.text.split()]
    return " ".join(words + [f"-{word}" for word in line.banned])


def _factor(factor: float | None) -> str:
    return "" if factor is None else f"^{factor:g}"
