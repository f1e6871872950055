"""What came back from a search: hits, each with the reason why, and where the next page begins."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.search.query_dsl import Dsl

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Hit:
    """One result; `parts` are the terms' shares of the score, the largest first, `vector_part` is the vector's."""

    id: str
    score: float
    uri: str
    path: Path
    parts: Mapping[str, float]
    vector_part: float
    source: Mapping[str, Any]

    @property
    def text(self) -> str | None:
        """The text, where the item is one."""
        return self.source.get("text")

    @property
    def top_terms(self) -> tuple[str, ...]:
        """The terms that say most of it."""
        return tuple(self.source.get("top_terms", ()))


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: `offset` in the results of `index`, none of which scores less than `least`.

    The index is the one behind the alias: it never changes once it is loaded, so that pages neither repeat nor skip. If
    the collection is loaded anew meanwhile it is gone, and a search says so.
    """

    index: str
    offset: int
    least: float | None = None

    def __str__(self) -> str:
        """The cursor as a word for an address or a command."""
        fields = json.dumps([self.index, self.offset, self.least]).encode()
        return base64.urlsafe_b64encode(fields).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read what `str` wrote. Raises ConfigError for anything else."""
        try:
            index, offset, least = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            fits = isinstance(index, str) and isinstance(offset, int) and isinstance(least, int | float | None)
        except (ValueError, TypeError):
            fits = False
        if not fits or offset < 0:
            raise ConfigError("The place in the results makes no sense; begin with the first page again.")
        return cls(index, offset, least)


@dataclass(frozen=True)
class SearchResults:
    """The hits, how many items match in all, the milliseconds the node took, and the query that was sent.

    `weights` are the terms that were asked for, and `floor` what an item scores that has nothing in common with the
    query; `unknown` are the words of the query that the vocabulary has no term for; `facets` the counts
    of each field's values over all that match; `next` is where the next page begins, if there is one.
    """

    hits: tuple[Hit, ...]
    total: int
    took: int
    body: Dsl
    weights: Mapping[str, float]
    floor: float = 0.0
    unknown: tuple[str, ...] = ()
    facets: Mapping[str, Counts] = field(default_factory=dict)
    next: Cursor | None = None

    def above(self, score: float) -> "SearchResults":
        """Without the hits that score less; the next page will leave them out too."""
        hits = tuple(hit for hit in self.hits if hit.score >= score)
        after = None if len(hits) < len(self.hits) or self.next is None else replace(self.next, least=score)
        return replace(self, hits=hits, next=after)

    def within(self, share: float) -> "SearchResults":
        """Without the hits that have less than `share` of what the best one has in common with the query.

        It is for first pages; what is left out stays so on the next ones.
        """
        best = self.hits[0].score - self.floor if self.hits else 0.0
        return self.above(self.floor + share * best)


def facet_counts(answer: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """The facets of OpenSearch's answer: of each field its values with their counts."""
    found = answer.get("aggregations", {})
    return {
        field: {bucket.get("key_as_string", bucket["key"]): bucket["doc_count"] for bucket in one["buckets"]}
        for field, one in found.items()
    }


def as_json(result: SearchResults) -> dict[str, Any]:
    """The same for programs."""
    hits = [
        {
            "id": hit.id,
            "score": hit.score,
            "uri": hit.uri,
            "path": str(hit.path),
            "terms": dict(hit.parts),
            "vector": hit.vector_part,
            **{name: hit.source[name] for name in ("text", "captions", "label", "meta") if hit.source.get(name)},
        }
        for hit in result.hits
    ]
    return {
        "total": result.total,
        "took_ms": result.took,
        "hits": hits,
        "facets": {field: dict(counts) for field, counts in result.facets.items()},
        "unknown": list(result.unknown),
        "next": str(result.next) if result.next else None,
    }
