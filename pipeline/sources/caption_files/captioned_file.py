"""A picture that a caption file names, and where such pictures lie."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lexel.pipeline.sources.item import Item, Scalar
from lexel.pipeline.sources.picture_path import named_picture, picture_path


@dataclass(frozen=True)
class CaptionedFile:
    """A picture that a caption file names, with its captions; `folder` is the one that the file says, if it does."""

    name: str
    captions: Sequence[str]
    folder: str = ""
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


def items_of(files: Iterable[CaptionedFile], root: Path) -> Iterator[Item]:
    """The pictures as items. They lie beside the file, in a folder beside it, or where the folder that it says is."""
    places = dict[str, str]()
    for file in files:
        if file.folder not in places:
            places[file.folder] = _place(root, file)
        uri = f"{places[file.folder]}{file.name}"
        captions = tuple(dict.fromkeys(text for caption in file.captions if (text := caption.strip())))
        picture = named_picture(root, uri)
        yield Item(uri, picture, captions=captions, metadata=file.metadata, state=picture.state)


def _place(root: Path, file: CaptionedFile) -> str:
    """What stands before the names of pictures, by where the first of them is; nothing where it is nowhere."""
    own = f"{file.folder}/" if file.folder else ""
    near = [f"{path.name}/" for path in _folders(root)]
    above = ["../", *(f"../{path.name}/" for path in _folders(root.parent))]
    candidates = [f"{base}{last}" for base in ("", *near, *above) for last in dict.fromkeys((own, ""))]
    return next((place for place in candidates if picture_path(root, f"{place}{file.name}").is_file()), own)


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(path for path in place.iterdir() if path.is_dir())
    except OSError:
        return []
