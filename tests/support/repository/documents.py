"""The project's documents: their blocks of code, what they link to, and the commands that they name."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from support.checkout import ROOT

_FENCED = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\((?P<markdown>[^)\s]+)\)|(?:src|href)=\"(?P<html>[^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_CALL = re.compile(r"(?<![\w./'-])(?:\.venv/bin/)?lexel (?P<words>[^|;)&\n]*)")


@dataclass(frozen=True)
class Document:
    """A Markdown file of the repository."""

    path: Path

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """All but the blocks of code."""
        return _FENCED.sub("", self.text)

    def blocks(self, language: str) -> list[str]:
        return [block["code"] for block in _FENCED.finditer(self.text) if block["language"] == language]

    @property
    def languages(self) -> set[str]:
        return {block["language"] for block in _FENCED.finditer(self.text)}

    @property
    def spans(self) -> list[str]:
        """The code inside of sentences; a line's end in it is a space."""
        return [" ".join(span.replace("\\|", "|").split()) for span in _SPAN.findall(self.prose)]

    @property
    def code(self) -> Iterator[str]:
        """Every line of code and all code inside of sentences."""
        yield from self.spans
        for block in _FENCED.finditer(self.text):
            yield from block["code"].replace("\\\n", " ").splitlines()

    @property
    def links(self) -> list[str]:
        """What it links to, or shows, in this repository: a path, an anchor, or both."""
        found = [link["markdown"] or link["html"] for link in _LINK.finditer(_SPAN.sub("", self.prose))]
        return [unquote(link) for link in found if "://" not in link]

    @property
    def anchors(self) -> set[str]:
        """What its headings are called in a link."""
        named = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(self.prose))
        return {name.replace(" ", "-") for name in named}

    @property
    def definitions(self) -> list[tuple[str, Path]]:
        """Links that name what a file defines: [`Item`](../pipeline/sources/item.py)."""
        found = re.findall(r"\[`(\w+)`\]\(([^)]+\.py)\)", self.prose)
        return [(name, (self.path.parent / path).resolve()) for name, path in found]

    @property
    def calls(self) -> Iterator[list[str]]:
        """The words of each `lexel ...` in its code; what may be left out is there without its brackets."""
        for line in self.code:
            for call in _CALL.finditer(line):
                words = re.sub(r"[\[\]]", "", call["words"])
                try:
                    yield shlex.split(words)
                except ValueError:  # a quotation that goes on behind a "|"
                    yield words.split()


def documents() -> list[Document]:
    """README first, then what it links to in that order, then what it does not."""
    readme = Document(ROOT / "README.md")
    linked = [ROOT / link for link in readme.links if link.endswith(".md")]
    own = {path: None for path in linked if path.parent in {ROOT, ROOT / "docs"} and path.name != "CHANGELOG.md"}
    rest = sorted((ROOT / "docs").rglob("*.md"))
    return [readme, *map(Document, own | dict.fromkeys(rest))]


def stranger(words: list[str], command: Any) -> str | None:
    """The first of `words` that is neither a command nor an option below `command`; None where all are."""
    options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}
    for place, word in enumerate(words):
        if word.startswith("-") and not re.fullmatch(r"-+|-[\d.]+", word):
            if word.partition("=")[0] not in options:
                return word
        elif hasattr(command, "commands") and not (word.isupper() or word == "..."):
            inner = command.commands.get(word.rstrip(",.:"))
            return word if inner is None else stranger(words[place + 1 :], inner)
    return None
