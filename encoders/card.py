"""Encoder cards: size, dimension, licence and other facts, read without loading networks."""

import json
from dataclasses import dataclass
from typing import Any

import yaml

from lexel.encoders.encoder import Encoder


@dataclass(frozen=True)
class EncoderCard:
    """Facts about an encoder: `size` in bytes on disk, vector dimension, number of terms.

    Licence, language and training data come from the YAML header of its README.md, as on model hubs (`license`,
    `language`, `trained_on`); None if missing.
    """

    name: str
    ref: str
    size: int
    dim: int | None
    terms: int
    licence: str | None = None
    language: str | None = None
    trained_on: str | None = None


def encoder_card(encoder: Encoder) -> EncoderCard:
    """The card of `encoder`, from the files of its folder."""
    header = _header(encoder)
    return EncoderCard(
        name=encoder.name,
        ref=encoder.ref,
        size=sum(path.stat().st_size for path in encoder.folder.rglob("*") if path.is_file()),
        dim=_dim(encoder),
        terms=len(encoder.vocabulary),
        licence=_text(header.get("license")),
        language=_text(header.get("language")),
        trained_on=_text(header.get("trained_on") or header.get("datasets")),
    )


def _header(encoder: Encoder) -> dict[str, Any]:
    """The YAML header of README.md, between two lines of ---; empty if there is none."""
    try:
        text = (encoder.folder / "README.md").read_text(encoding="utf-8")
        _, mark, rest = text.partition("---\n")
        found = yaml.safe_load(rest.partition("\n---")[0]) if mark and text.startswith("---\n") else None
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def _dim(encoder: Encoder) -> int | None:
    tower = encoder.config["tower"]
    if "dim" in tower:
        return int(tower["dim"])
    try:
        config = json.loads((encoder.folder / tower["checkpoint"] / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found = config.get("projection_dim") or config.get("text_config", {}).get("hidden_size")
    return int(found) if found else None


def _text(value: Any) -> str | None:
    """A header's value as text; lists are joined."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    return None if value is None else str(value)
