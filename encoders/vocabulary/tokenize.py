"""The tokenizer: text to words, equal to the one in the index's analyzer.

mappings/index.json has the same steps in OpenSearch's terms, and a test runs both over texts of all scripts: letters
with their accents apart become one character, then a word is found, then each character of it is made small by itself.
"""

import re
import unicodedata
from collections.abc import Container, Iterator
from functools import cache
from itertools import accumulate, permutations

# Letters and digits, with at most one apostrophe inside ("girl's").
_ASCII_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?", re.ASCII)
_CLITIC = re.compile(r"['’](?:s|re|ll|ve|d|m)?$")
# Where characters are that are made of a letter and marks. Korean syllables, 11,172 more, are left as they are typed.
_COMPOSED = range(0xC0, 0x3100)


def words(text: str) -> list[str]:
    """The lower-case words of `text`, in order."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return _word().findall(normalized(text))


def normalized(text: str) -> str:
    """`text` in small letters, and each letter with its accents as one character."""
    if text.isascii():
        return text.lower()
    composed = _apart().sub(lambda found: compositions()[found[0]], text) if _mark().search(text) else text
    # As a language without grammar does it: İ is one letter when it is small, and Σ is the same wherever it stands.
    return composed.replace("İ", "i").replace("Σ", "σ").lower()


def words_within(text: str, most: int, *, known: Container[str] | None = None) -> int:
    """How many parts of `text`, as spaces part them, hold its first `most` words, or `most` of those `known`."""
    if len(text) < 2 * most:  # between two words is a character that is of none
        return len(text.split())
    counts = (sum(known is None or word in known for word in words(part)) for part in text.split())
    return sum(total <= most for total in accumulate(counts))


def is_word(text: str) -> bool:
    """Whether `text` is one word as `words` gives it."""
    return words(text) == [text]


def without_clitic(word: str) -> str:
    """`word` without an English clitic after an apostrophe ("dog's": "dog")."""
    return _CLITIC.sub("", word)


@cache
def compositions() -> dict[str, str]:
    """Each spelling of an accented letter by several characters, and the one that it is."""
    found = dict[str, str]()
    for letter in map(chr, _COMPOSED):
        apart = unicodedata.normalize("NFD", letter)
        if len(apart) > 1 and unicodedata.normalize("NFC", apart) == letter:
            found |= dict.fromkeys(_spellings(apart[0], apart[1:], letter), letter)
    return found


def _spellings(base: str, marks: str, letter: str) -> Iterator[str]:
    """The marks in each order that means the same, the first of them a part of the base or not."""
    for order in map("".join, permutations(marks)):
        for i in range(len(order)):
            spelling = unicodedata.normalize("NFC", base + order[:i]) + order[i:]
            if unicodedata.normalize("NFC", spelling) == letter:
                yield spelling


@cache
def _marks() -> str:
    """All combining marks, as a part of a regular expression's class."""
    codes = [*range(0x300, 0x20000), *range(0xE0100, 0xE01F0)]
    return re.escape("".join(chr(code) for code in codes if unicodedata.category(chr(code))[0] == "M"))


@cache
def _mark() -> re.Pattern[str]:
    return re.compile(f"[{_marks()}]")


@cache
def _word() -> re.Pattern[str]:
    letters = rf"[^\W_](?:[^\W_]|[{_marks()}])*"
    return re.compile(f"{letters}(?:['’]{letters})?")


@cache
def _apart() -> re.Pattern[str]:
    return re.compile("|".join(sorted(map(re.escape, compositions()), key=lambda text: (-len(text), text))))
