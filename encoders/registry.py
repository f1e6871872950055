"""Encoders by name: the built-in ones, entry points of other packages, a folder, or a `transformers` dual encoder."""

import os
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from lexel.encoders.encoder import FORMAT, Encoder, read_encoder
from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.runtime.hf_checkpoints import first_line, locate
from lexel.encoders.vocabulary.vocabulary import Vocabulary

# For photographs; and a small one that needs no other package's weights.
PHOTO, TINY = "lexel-photo", "lexel-tiny"
BUILT_IN = {PHOTO: Path(__file__).parent / "lexel_photo", TINY: Path(__file__).parent / "lexel_tiny"}
# Names another encoder than PHOTO to take where none is named.
VARIABLE = "LEXEL_ENCODER"
# A package adds an encoder by an entry point in this group: a name and a function without arguments that returns the
# encoder's folder.
GROUP = "lexel.encoders"


def default() -> str:
    """The encoder to take where none is named."""
    return os.environ.get(VARIABLE) or PHOTO


def open_encoder(ref: str | None = None) -> Encoder:
    """Find an encoder by name, folder or hub name, by default `default`; networks are not loaded.

    Raises EncoderError if there is none.
    """
    ref = default() if ref is None else ref
    if ref in BUILT_IN:
        return read_encoder(BUILT_IN[ref], ref=ref)
    if point := _entry_points().get(ref):
        return read_encoder(_folder_of(point), ref=ref)
    folder = Path(os.path.expanduser(ref))  # Path.expanduser would raise for an unknown user's home
    if (folder / "lexel.json").is_file():
        return read_encoder(folder)
    if (folder / "config.json").is_file():
        return _dual(folder.resolve(), str(folder.resolve()))
    if folder.exists():
        raise EncoderError(f"{ref} is no encoder: it is not a folder that holds a lexel.json or a config.json.")
    if ref.count("/") == 1 and not ref.startswith((".", "/", "~")):
        return _dual(locate(ref), ref)
    raise EncoderError(
        f"There is no encoder {ref!r}; known names are {', '.join(names())}, or give a folder or a hub name."
    )


def names() -> list[str]:
    """The names of built-in encoders and of those that other packages register."""
    return sorted({*BUILT_IN, *_entry_points()})


def _entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _folder_of(point: EntryPoint) -> Path:
    try:
        return Path(point.load()())
    except Exception as error:  # another package's code may raise anything
        raise EncoderError(
            f"The package behind the encoder {point.name!r} ({point.value}) failed: {first_line(error)}"
        ) from error


def _dual(folder: Path, ref: str) -> Encoder:
    """A `transformers` dual encoder with lexel-tiny's vocabulary and the zero-shot head, which needs no training."""
    tower = {"kind": "dual", "checkpoint": "."}
    config = {
        "format": FORMAT,
        "name": ref.rstrip("/").rsplit("/", 1)[-1],
        "keep": 128,
        "tower": tower,
        "head": {"kind": "zeroshot"},
    }
    return Encoder(ref, folder, config, Vocabulary.load(BUILT_IN[TINY] / "vocabulary.json"))
