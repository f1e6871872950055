"""Text as files have it in tags: of any encoding and length, with NULs and padding, as text that can be stored."""

import unicodedata
from collections.abc import Iterable

# What is left out: control characters, and halves of letters, which no JSON holds.
_UNSTORED = {"Cc", "Cs"}


def tidy(value: object, *, most: int) -> str | None:
    """The text on one line, up to its first NUL and of at most `most` characters; None for none.

    Bytes, and text that was read as Latin-1 for want of knowing better, are UTF-8 where they can be.
    """
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return None
    text = _as_utf8(value.partition("\0")[0][: 4 * most])
    kept = ("".join(c for c in word if unicodedata.category(c) not in _UNSTORED) for word in text.split())
    return " ".join(word for word in kept if word)[:most].rstrip() or None


def tidy_all(values: Iterable[object], *, most: int, count: int) -> list[str]:
    """The different texts among `values`, in their order, `count` of them at most."""
    found = dict.fromkeys(text for value in values if (text := tidy(value, most=most)))
    return list(found)[:count]


def _as_utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:  # letters that Latin-1 has not, or bytes that are no UTF-8
        return text
