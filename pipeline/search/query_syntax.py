"""A query as people type it: words, of which some count more, some must be there and some must not.

    dog^2 +snow -cat on a hill

`+snow` leaves only items that have snow among the terms that say most of them, `-cat` none that have cats, and `dog^2`
counts twice. Whatever else stands there is text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_WORD = re.compile(r"(?P<sign>[+-]?)(?P<word>[^\W_].*?)(?:\^(?P<factor>\d+(?:\.\d*)?|\.\d+))?", re.DOTALL)


@dataclass(frozen=True)
class ParsedQuery:
    """A query's `text` without its signs and banned words; `plain` is that without the words that have a factor.

    `source` is the query as it was typed.
    """

    text: str = ""
    plain: str = ""
    factors: Mapping[str, float] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()
    source: str = field(default="", compare=False)


def parse_query(source: str) -> ParsedQuery:
    """Read a typed query. It refuses nothing: what is no sign is text."""
    text, plain, required, banned = [], [], [], []
    factors: dict[str, float] = {}
    for token in source.split():
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
    return ParsedQuery(" ".join(text), " ".join(plain), factors, tuple(required), tuple(banned), source)


def format_query(query: ParsedQuery) -> str:
    """A query as one would type it: `parse_query` reads it as equal to `query`."""
    words = [("+" * (word in query.required)) + word + _factor(query.factors.get(word)) for word in query.text.split()]
    return " ".join(words + [f"-{word}" for word in query.banned])


def _factor(factor: float | None) -> str:
    return "" if factor is None else f"^{factor:g}"
