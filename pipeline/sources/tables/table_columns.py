"""Which columns of a table name the picture, its captions, its id and its label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lexel.pipeline.sources.sidecar import CAPTION_COLUMNS

# Column names of public data sets and tools, by precedence.
URI_COLUMNS = (
    *("uri", "image", "path", "file", "filename", "file_name", "filepath", "image_path", "image_file"),
    *("image_name", "img", "img_path", "img_name"),
)
# Where none of these says something: the address of the picture on the web.
_ADDRESS_COLUMNS = ("url", "image_url", "img_url")


@dataclass(frozen=True)
class TableColumns:
    """The names of columns as the table spells them. `uris` may name the picture; the first that says something does.

    `renamed` are other columns that lexel knows in small letters.
    """

    uris: tuple[str, ...]
    caption: str | None
    id: str | None
    label: str | None
    renamed: Mapping[str, str]


@lru_cache(maxsize=1024)
def columns_of(names: tuple[str, ...]) -> TableColumns:
    """The columns of a table with these names. Capitals count as small letters where a name is not there as it is.

    Where a column names the picture in small letters, so do `id` and `label`, or they are columns like others.
    """
    spelled = {_plain(name): name for name in reversed(names)}
    exact = tuple(name for name in URI_COLUMNS if name in names)
    uris = exact or tuple(spelled[name] for name in URI_COLUMNS if name in spelled)
    uris += tuple(spelled[name] for name in _ADDRESS_COLUMNS if name in spelled)
    known = {name: name for name in names} if exact else spelled
    renamed = {known["split"]: "split"} if "split" in known and not exact else {}
    return TableColumns(uris, _caption(names, spelled, uris), known.get("id"), known.get("label"), renamed)


def _caption(names: Sequence[str], spelled: Mapping[str, str], uris: Sequence[str]) -> str | None:
    for there in ({name: name for name in names}, spelled):
        if name := next((there[name] for name in CAPTION_COLUMNS if name in there), None):
            return name
    # Flickr30k's results.csv.
    return spelled.get("comment") if uris and _plain(uris[0]) == "image_name" else None


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")
