"""Index mapping, search templates and search pipelines for OpenSearch: JSON files in this folder, filled in here.

`index_body`, `templates` and `pipelines` are here; dashboard_pack.py has the saved objects of OpenSearch Dashboards.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

__all__ = ["index_body", "pipelines", "templates"]

_HERE = Path(__file__).parent
# As many metadata fields fit beside ours below OpenSearch's own limit of 1,000.
_ROOM = 400


def index_body(
    *,
    dim: int,
    terms: Sequence[str],
    forms: Mapping[str, str],
    engine: str,
    shards: int,
    metadata: Mapping[str, str | Mapping[str, Any]],
    about: Mapping[str, Any],
    near: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """The request body that creates an index for vectors of dimension `dim` and a vocabulary.

    `forms` maps word forms to terms, `engine` is the k-NN engine, `metadata` maps each metadata field to its OpenSearch
    type, or its own mapping, and `about` becomes the mapping's `_meta`. `near` maps words without a term to the nearest
    one and its weight, as `words` holds them (`car|102`): a search asks by it, with the weight of the word itself,
    because OpenSearch's queries know no others; who has the weight sends it. For bulk loading it has no replicas and no
    refresh.
    """
    body: dict[str, Any] = json.loads(_text("index.json"))
    index = body["settings"]["index"]
    index |= {"number_of_shards": shards, "number_of_replicas": 0, "refresh_interval": "-1"}
    composed = json.loads(_text("compositions.json"))
    index["analysis"]["char_filter"]["composed"]["mappings"] = [f"{apart} => {one}" for apart, one in composed.items()]
    filters = index["analysis"]["filter"]
    # A term that is its own form needs no rule.
    filters["forms"]["rules"] = [f"{form} => {term}" for form, term in sorted(forms.items()) if form != term]
    filters["near"]["rules"] = [f"{word} => {weighted}" for word, weighted in sorted(near.items())]
    filters["known"]["keep_words"] = sorted(terms)
    body["mappings"]["_meta"] = dict(about)
    properties = body["mappings"]["properties"]
    properties["vector"]["dimension"] = dim
    properties["vector"]["method"]["engine"] = engine
    properties["meta"]["properties"] = {
        name: {"type": own} if isinstance(own, str) else dict(own) for name, own in sorted(metadata.items())
    }
    if len(metadata) > _ROOM:
        # A field with dots in its name makes objects too.
        objects = {name[: dot.start()] for name in metadata for dot in re.finditer(r"\.", name)}
        index["mapping.total_fields.limit"] = len(metadata) + len(objects) + 100
    return body


def templates() -> dict[str, str]:
    """The search templates that `lexel load` stores in the cluster, as Mustache, by id."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(_HERE.glob("templates/*.mustache"))}


def pipelines() -> dict[str, Any]:
    """The search pipelines for clusters that have the neural-search plugin, by name."""
    return dict(json.loads(_text("pipelines.json")))


@cache
def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
