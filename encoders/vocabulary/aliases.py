"""Files by which people edit a vocabulary: aliases, and words that must not become terms.

aliases.txt   doggy = dog        a form and its term; "men = men" keeps "men" from being folded into "man"
aliases.yaml  doggy: dog         the same as a YAML table
banned.txt    ugly               one word a line

In the text files, # begins a comment.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.vocabulary.vocabulary import one_word, resolved


def read_aliases(path: Path) -> dict[str, str]:
    """A map of forms to terms from a YAML table (.yaml, .yml) or a text file.

    Raises EncoderError if the file cannot be read, a form has two terms, an alias is not of single words, or aliases
    form a cycle.
    """
    aliases: dict[str, str] = {}
    for place, form, term in _table(path) if path.suffix.lower() in {".yaml", ".yml"} else _pairs(path):
        try:
            known = aliases.setdefault(one_word(form), one_word(term))
        except EncoderError as error:
            raise EncoderError(f"{path}, {place}: {error}") from error
        if known != one_word(term):
            raise EncoderError(f"{path}, {place}: {form!r} means {known!r} already; leave one of the two out.")
    try:
        resolved(aliases)
    except EncoderError as error:
        raise EncoderError(f"{path}: {error}") from error
    return aliases


def read_ban_list(path: Path) -> frozenset[str]:
    """The banned words, one a line. Raises EncoderError if the file cannot be read or a line is not one word."""
    banned = set()
    for number, line in _lines(path):
        try:
            banned.add(one_word(line))
        except EncoderError as error:
            raise EncoderError(f"{path}, line {number}: {error}") from error
    return frozenset(banned)


def _pairs(path: Path) -> Iterator[tuple[str, str, str]]:
    for number, line in _lines(path):
        form, equals, term = line.partition("=")
        if not equals:
            raise EncoderError(f"{path}, line {number}: {line!r} is no alias; write FORM = TERM, such as doggy = dog.")
        yield f"line {number}", form.strip(), term.strip()


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, without comments, and their numbers."""
    for number, line in enumerate(_text(path).splitlines(), 1):
        if text := line.partition("#")[0].strip():
            yield number, text


def _table(path: Path) -> Iterable[tuple[str, str, str]]:
    try:
        table: Any = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise EncoderError(f"{path}{where}: this is not YAML; write `doggy: dog`, an alias a line.") from error
    if not isinstance(table, dict):
        raise EncoderError(f"{path} should be a table of aliases; write `doggy: dog`, an alias a line.")
    for form, term in table.items():
        if not (isinstance(form, str) and isinstance(term, str)):  # YAML reads 42 as a number and "no" as false
            raise EncoderError(f"{path}: {form!r}: {term!r} is not a pair of words; put both in quotes.")
        yield f"{form!r}", form, term


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise EncoderError(f"{path} cannot be read: {reason}.") from error
