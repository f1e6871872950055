"""What stands beside a picture: .txt (a caption), .cls (a label) and .json (captions, a label, other values)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lexel.pipeline.sources.item import Scalar, readable
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.text_encoding import decoded
from lexel.pipeline.sources.values import caption_list, json_value, metadata_of, scalar

# Column names of public data sets and tools, by precedence.
CAPTION_COLUMNS = ("captions", "caption", "sentences", "text", "description")
TEXT_KINDS = ("txt", "cls", "json")
_NOT_METADATA = frozenset({*CAPTION_COLUMNS, "label"})


@dataclass(frozen=True)
class Sidecar:
    """The captions, the label and the metadata of a picture."""

    captions: tuple[str, ...] = ()
    label: str | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


def sidecar(texts: Mapping[str, tuple[str, Callable[[], bytes]]], notes: ListingNotes) -> Sidecar:
    """What the files beside a picture say; `texts` has the name and the bytes of each kind that is there.

    A file that cannot be read is warned of, and the picture is kept.
    """
    read = {kind: _read(kind, name, content, notes) for kind, (name, content) in texts.items()}
    found = {kind: value for kind, value in read.items() if value is not None}
    table = found.get("json", {})
    listed = [c for name in CAPTION_COLUMNS for c in caption_list(table.get(name))]
    captions = [found["txt"]] if found.get("txt") else listed
    label = found.get("cls") or scalar(table.get("label"))
    return Sidecar(
        tuple(dict.fromkeys(captions)), None if label is None else str(label), metadata_of(table, _NOT_METADATA)
    )


def _read(kind: str, name: str, read: Callable[[], bytes], notes: ListingNotes) -> Any:
    try:
        text = decoded(read())
        value = json_value(text) if kind == "json" else text.strip()
        if kind != "json" or isinstance(value, dict):
            return value
        why = "holds no JSON object"
    except UnicodeDecodeError:
        why = "is not UTF-8"
    except ValueError:
        why = "is not JSON"
    except OSError as error:
        why = f"cannot be read ({error.strerror or error})"
    notes.warn(f"{readable(name)} {why} and was left out.")
    return None
