"""Encoders by name: the shipped one, those of other packages, a folder, or a `transformers` dual encoder."""

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from lexel.encoders.encoder import FORMAT, Encoder, read
from lexel.encoders.errors import EncoderError
from lexel.encoders.vocabulary import Vocabulary

DEFAULT = "lexel-tiny"
BUILT_IN = {DEFAULT: Path(__file__).parent / "lexel_tiny"}
# A package adds an encoder by an entry point in this group: a name, and a function of no arguments that returns the encoder's folder.
GROUP = "lexel.encoders"


def open_encoder(ref: str = DEFAULT) -> Encoder:
    """Find an encoder by name, folder or hub name; its networks are not loaded. Raises EncoderError where there is none."""
    if ref in BUILT_IN:
        return read(BUILT_IN[ref], ref=ref)
    if point := _entry_points().get(ref):
        return read(Path(point.load()()), ref=ref)
    folder = Path(ref).expanduser()
    if (folder / "lexel.json").is_file():
        return read(folder)
    if (folder / "config.json").is_file():
        return _dual(folder.resolve(), str(folder.resolve()))
    if folder.exists():
        raise EncoderError(
            f"{ref} is a folder without lexel.json or config.json: not an encoder and not a transformers checkpoint."
        )
    if ref.count("/") == 1 and not ref.startswith((".", "/", "~")):
        return _dual(_from_hub(ref), ref)
    raise EncoderError(
        f"There is no encoder {ref!r}; known names are {', '.join(names())}, or give a folder or a hub name."
    )


def names() -> list[str]:
    """The names that `open_encoder` knows without a folder or a hub."""
    return sorted({*BUILT_IN, *_entry_points()})


def _entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _dual(folder: Path, ref: str) -> Encoder:
    """A bare dual encoder gets the shipped vocabulary and the head that needs no training."""
    tower = {"kind": "dual", "checkpoint": "."}
    config = {
        "format": FORMAT,
        "name": ref.rstrip("/").rsplit("/", 1)[-1],
        "keep": 128,
        "tower": tower,
        "head": {"kind": "zeroshot"},
    }
    return Encoder(ref, folder, config, Vocabulary.load(BUILT_IN[DEFAULT] / "vocabulary.json"))


def _from_hub(ref: str) -> Path:
    from huggingface_hub import snapshot_download

    # Weights as safetensors only: nothing that unpickles is ever fetched.
    wanted = ["*.json", "*.txt", "*.model", "*.safetensors"]
    try:
        return Path(snapshot_download(ref, allow_patterns=wanted))
    except Exception as error:  # the hub's client raises errors of five libraries
        raise EncoderError(
            f"The encoder {ref!r} could not be had from the model hub; check the name and the network."
        ) from error
