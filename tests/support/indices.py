"""What an index holds, for tests that compare two."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import TransportError
from support.commands import LEXEL

# What makes names for indices that are gone after the test.
Names = Callable[[str], str]


def load_command(folder: Path, index: str) -> list[str]:
    """`lexel load` as a process of its own, which can be killed."""
    return [*LEXEL, "load", str(folder), "--index", index]


def contents(client: OpenSearch, index: str) -> dict[str, dict[str, Any]]:
    """Every document of an index with its vector, by id."""
    body = {"size": 2000, "query": {"match_all": {}}, "sort": ["id"], "_source": True}
    found: dict[str, dict[str, Any]] = {}
    while hits := client.search(index=index, body=body)["hits"]["hits"]:
        found |= {hit["_id"]: hit["_source"] for hit in hits}
        body["search_after"] = hits[-1]["sort"]
    return found


def count(client: OpenSearch, index: str) -> int:
    """Documents on their way into the new index behind `index`; none while it is being made."""
    try:
        client.indices.refresh(index=f"{index}-*", ignore_unavailable=True)
        return int(client.count(index=f"{index}-*", ignore_unavailable=True)["count"])
    except TransportError:
        return 0
