"""What lexel makes of a source, before anything is encoded: items, columns, the first few and what is left out."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lexel.pipeline.sources.item import Item, Scalar
from lexel.pipeline.sources.source import Source

FIRST = 3
_KINDS: Mapping[type, str] = {
    bool: "yes or no",
    int: "whole number",
    float: "number",
    str: "text",
    tuple: "texts",
}


@dataclass(frozen=True)
class SourceColumn:
    """Something that items say: its type for people, how many of them say it, and what the first of these says."""

    name: str
    kind: str
    items: int
    example: str


@dataclass(frozen=True)
class ListedItem:
    """One of the first items. `size` is that of its picture in bytes, `failure` why that cannot be read."""

    uri: str
    id: str | None
    text: str | None
    captions: tuple[str, ...]
    label: str | None
    metadata: Mapping[str, Scalar]
    size: int | None
    failure: str | None


@dataclass(frozen=True)
class SourceOverview:
    """The kind of a source, the count of its items, its columns, the first items, and sentences about the rest."""

    kind: str
    items: int
    captions: int
    columns: tuple[SourceColumn, ...]
    first: tuple[ListedItem, ...]
    notes: tuple[str, ...]


@dataclass
class _Seen:
    """What has been seen of a column."""

    kinds: set[str] = field(default_factory=set)
    example: str = ""


def overview(source: Source) -> SourceOverview:
    """List the whole source, and read the first pictures. Raises SourceError where it cannot be listed."""
    counts, seen, first = Counter[str](), dict[str, _Seen](), list[ListedItem]()
    items = captions = 0
    for item in source.items():
        items, captions = items + 1, captions + len(item.captions)
        if len(first) < FIRST:
            first.append(_listed(item))
        for name, kind, value in _said(item):
            column = seen.setdefault(name, _Seen(example=value))
            column.kinds.add(kind)
            counts[name] += 1
    columns = tuple(SourceColumn(name, _kind(one.kinds), counts[name], one.example) for name, one in seen.items())
    return SourceOverview(source.kind, items, captions, columns, tuple(first), tuple(source.notes.sentences()))


def _said(item: Item) -> Iterator[tuple[str, str, str]]:
    """The columns of an item as documents will have them: name, type and value."""
    for name, value in (("text", item.text), ("label", item.label), ("id", item.id)):
        if value is not None:
            yield name, "text", value
    if item.captions:
        yield "captions", "texts", item.captions[0]
    for name, held in item.metadata.items():
        yield f"meta.{name}", _KINDS[type(held)], ", ".join(held) if isinstance(held, tuple) else str(held)


def _kind(kinds: set[str]) -> str:
    """One word for what was seen: whole numbers among numbers are numbers, and anything among texts is text."""
    if kinds == {"whole number", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else "text"


def _listed(item: Item) -> ListedItem:
    size, failure = None, None
    if item.text is None:
        try:
            size = len(item.content())
        except Exception as error:  # such as ValueError, for a null character in a path
            failure = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return ListedItem(item.uri, item.id, item.text, item.captions, item.label, dict(item.metadata), size, failure)
