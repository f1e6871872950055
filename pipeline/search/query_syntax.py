"""Parses the query syntax: boosted, required and banned words.

    dog^2 +snow -cat on a hill

`dog^2` counts twice; items must have `snow` among their top terms and must not have `cat`. Everything else is text. The
search page has the same parser in page/js/query-syntax.js; both are tested with the same cases.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_WORD = re.compile(r"(?P<sign>[+-]?)(?P<word>[^\W_].*?)(?:\^(?P<factor>\d+(?:\.\d*)?|\.\d+))?", re.DOTALL)


@dataclass(frozen=True)
class ParsedQuery:
    """A parsed query: `text` is the query without signs and banned words, `plain` also without boosted words.

    `factors` are the boosts, `source` is the query as typed.
    """

    text: str = ""
    plain: str = ""
    factors: Mapping[str, float] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()
    source: str = field(default="", compare=False)

    @property
    def said(self) -> str:
        """The text without words of factor 0, which say nothing, unless they stand there without it too."""
        plain = set(self.plain.split())
        return " ".join(word for word in self.text.split() if self.factors.get(word) != 0 or word in plain)


def parse_query(source: str) -> ParsedQuery:
    """Parse a typed query; raises no errors, since what is not syntax is text."""
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
    """The query as text, which `parse_query` reads as an equal query."""
    words = [("+" * (word in query.required)) + word + _factor(query.factors.get(word)) for word in query.text.split()]
    return " ".join(words + [f"-{word}" for word in query.banned])


def _factor(factor: float | None) -> str:
    return "" if factor is None else f"^{factor:g}"
