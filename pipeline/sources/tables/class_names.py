"""The names of classes that Hugging Face's `datasets` keeps beside a table whose column has only their numbers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from lexel.pipeline.sources.values import json_value

Names = Mapping[str, Sequence[str]]
_FRONT_MATTER = re.compile(r"\A---\s*\n(?P<yaml>.*?)\n---\s*$", re.DOTALL | re.MULTILINE)
# A table is at most so many folders below the README of its data set.
_ABOVE = 3


def class_names(path: Path, metadata: Mapping[bytes, bytes] | None) -> Names:
    """The names of each column of numbers by `metadata` of the table's schema, or else by the README of its data set.

    What is not as `datasets` writes it names nothing.
    """
    try:
        if own := (metadata or {}).get(b"huggingface"):
            return _of_features(json_value(own)["info"]["features"])
        readme = next((f / "README.md" for f in list(path.parents)[:_ABOVE] if (f / "README.md").is_file()), None)
        return _of_readme(readme, readme.stat().st_mtime_ns, path.parts) if readme else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
        return {}


def named_classes(row: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """A row with the names of its classes; -1, which stands for no class, is a missing value."""
    return {column: _named(value, names.get(column)) for column, value in row.items()}


def _named(value: Any, names: Sequence[str] | None) -> Any:
    if names is None or not isinstance(value, int):
        return value
    if value < 0:
        return None
    return names[value] if value < len(names) else value


def _of_features(features: Mapping[str, Any]) -> Names:
    """By the JSON in a schema: {"label": {"_type": "ClassLabel", "names": [...]}}."""
    kinds = {name: kind for name, kind in features.items() if isinstance(kind, dict)}
    return {name: kind["names"] for name, kind in kinds.items() if kind.get("_type") == "ClassLabel"}


@lru_cache(maxsize=32)
def _of_readme(path: Path, _: int, parts: tuple[str, ...]) -> Names:
    """By the YAML at the head of a README; of several configurations, the one that a folder of the table's is called.

    Raises YAMLError, or an error of Python's own where it is of another form.
    """
    found = _FRONT_MATTER.match(path.read_text(encoding="utf-8", errors="replace"))
    table = yaml.safe_load(found["yaml"]) if found else None
    told = (table or {}).get("dataset_info") or []
    ordered = sorted([told] if isinstance(told, dict) else told, key=lambda one: one.get("config_name") in parts)
    return {name: names for one in ordered for name, names in _of_list(one.get("features") or [])}


def _of_list(features: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, Sequence[str]]]:
    """By the YAML of a README: [{"name": "label", "dtype": {"class_label": {"names": {"0": "cat", ...}}}}]."""
    for one in features:
        kind = one.get("dtype")
        if isinstance(kind, dict) and "class_label" in kind:
            names = kind["class_label"]["names"]
            numbered = {int(number): name for number, name in names.items()} if isinstance(names, dict) else None
            yield one["name"], [str(numbered[i]) for i in sorted(numbered)] if numbered else list(map(str, names))
