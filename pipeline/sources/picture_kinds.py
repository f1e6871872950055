"""Which files are pictures, by the ending of their name, and which folders nobody put pictures into."""

from collections.abc import Iterable

PICTURES = frozenset(
    """
    .jpg .jpeg .jpe .jfif .png .apng .webp .gif .bmp .dib .tif .tiff .avif .heic .heif .jp2 .j2k .ppm .pgm .pbm
    .pnm .tga .ico .icns .pcx .psd
    .dng .cr2 .cr3 .nef .arw .raf .orf .rw2
    """.split()  # noqa: SIM905 - read as a list of names
)
# Thumbnails that storage devices make, and wastebaskets, in small letters.
_NOT_A_PERSONS = frozenset(
    """
    @eadir @__thumb @recycle @recently-snapshot #recycle #snapshot $recycle.bin recycler lost+found __macosx
    """.split()  # noqa: SIM905 - read as a list of names
) | {"system volume information"}


def is_picture(name: str) -> bool:
    """Whether the name ends as a picture's."""
    # What follows the last dot has a slash in it where the dot is a folder's, and is no picture's ending then.
    _, dot, ending = name.rpartition(".")
    return bool(dot) and f".{ending.lower()}" in PICTURES


def is_hidden(name: str) -> bool:
    """Whether the file's name begins with a dot."""
    return name.rpartition("/")[2].startswith(".")


def left_out(folders: Iterable[str]) -> str | None:
    """The first of these folders that a device or a wastebasket keeps, and whose pictures nobody looks for."""
    return next((name for name in folders if name.lower() in _NOT_A_PERSONS or name.startswith(".Trash")), None)
