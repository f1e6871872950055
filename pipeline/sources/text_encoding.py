"""The encoding of a text file: UTF-8, or what its byte order mark says. Nothing is guessed that could be garbage."""

import codecs
from pathlib import Path

# UTF-32 first: its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LONGEST_MARK = 4


def encoding_of(start: bytes) -> str:
    """The encoding of a text that begins with `start`."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    # Without a mark: letters of ASCII have a zero byte beside them.
    if len(start) >= LONGEST_MARK and 0 in start[:2]:
        return "utf-16-be" if start[0] == 0 else "utf-16-le"
    return "utf-8"


def encoding_of_file(path: Path) -> str:
    """The encoding of a text file, by its first bytes."""
    with path.open("rb") as file:
        return encoding_of(file.read(LONGEST_MARK))


def decoded(content: bytes) -> str:
    """A whole text, without its byte order mark. Raises UnicodeDecodeError where it is in another encoding."""
    return content.decode(encoding_of(content[:LONGEST_MARK]))
