"""Search results: hits with the parts of their scores, facets, and the cursor of the next page."""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.search.query_dsl import Dsl
from lexel.pipeline.sources.remote.remote_path import Place, place_of

Counts = Mapping[str, int]
# A snapshot has about 100 bytes for each shard of the index.
_MOST_BYTES = 200_000


@dataclass(frozen=True)
class Hit:
    """One result; `parts` has each term's contribution to the score, the largest first, `vector_part` the vector's, and
    `written` that of each word which people wrote of it.

    The score is their sum: an item that has nothing of the query scores about 0. `engine_score` is OpenSearch's own,
    which holds a constant beside the vector's part, the same for every item, because it must not be negative.
    `root` is the folder or address that `uri` is below, and `source` has the stored fields.
    """

    id: str
    score: float
    uri: str
    root: str
    parts: Mapping[str, float]
    vector_part: float
    source: Mapping[str, Any]
    written: Mapping[str, float] = field(default_factory=dict)
    engine_score: float = 0.0

    @property
    def path(self) -> Place:
        """The local file, or the address of one elsewhere."""
        return place_of(self.root, self.uri)

    @property
    def text(self) -> str | None:
        """The text, if the item is one."""
        return self.source.get("text")

    @property
    def top_terms(self) -> tuple[str, ...]:
        """Its most important terms."""
        return tuple(self.source.get("top_terms", ()))


@dataclass(frozen=True)
class Cursor:
    """The position of a page: `offset` in the results of `index`, without those that score less than `least`.

    `index` is the concrete index behind the alias, and `snapshot` its state when the first page was asked for, so that
    pages neither repeat nor skip items while documents change; None where there is no snapshot. When the collection has
    been loaded again the index no longer exists, and a search raises an error.
    """

    index: str
    offset: int
    least: float | None = None
    snapshot: str | None = None

    def __str__(self) -> str:
        """The cursor as URL-safe text."""
        fields = json.dumps([self.index, self.offset, self.least, self.snapshot]).encode()
        return base64.urlsafe_b64encode(zlib.compress(fields)).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The inverse of `str`. Raises ConfigError for other texts."""
        try:
            fields = _inflated(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            index, offset, least, snapshot = json.loads(fields)
            fits = isinstance(index, str) and isinstance(offset, int) and isinstance(least, int | float | None)
        except (ValueError, TypeError, zlib.error):
            fits = False
        if not fits or offset < 0 or not isinstance(snapshot, str | None):
            raise ConfigError("The page parameter is invalid; start from the first page.")
        return cls(index, offset, least, snapshot)


def _inflated(content: bytes) -> bytes:
    """At most so much as a cursor may have: what a client sends could grow to gigabytes."""
    return zlib.decompressobj().decompress(content, _MOST_BYTES)


@dataclass(frozen=True)
class SearchResults:
    """The hits, the `total` of matching items, the time OpenSearch `took` in milliseconds, and the query `body` sent.

    `weights` are the term weights of the query; `typical` is the vector's part of the score of the collection's typical
    item, None where that is not known or the query has no vector; `facets` has the counts of each field's values over
    all matching items; `next` is the cursor of the next page, if there is one.

    `near` has the words without a term that are asked by the nearest one, and by which; `unknown` the others,
    `unbanned` those with a minus, which exclude nothing, and `offers` the terms nearest to these. `silence` says why
    there are no hits, if there are none. `by_vector_alone` says that no word is known: no hit matches one, and what
    there is are the vector's neighbours. `counts` says what `total` counts: items that match a text, all that the
    search for the nearest vectors ranks, or those that are like a picture in a word or as a whole.
    `gained` and `lost` are the words that the query gained and lost by examples (see `Moves` in feedback/rocchio.py).
    `heard` is the number of words, as spaces part them, of a text that is longer than the vector can be made of.
    """

    hits: tuple[Hit, ...]
    total: int
    took: int
    body: Dsl
    weights: Mapping[str, float]
    typical: float | None = None
    unknown: tuple[str, ...] = ()
    unbanned: tuple[str, ...] = ()
    near: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_vector_alone: bool = False
    counts: Literal["matches", "nearest", "alike"] = "matches"
    gained: Mapping[str, float] = field(default_factory=dict)
    lost: Mapping[str, float] = field(default_factory=dict)
    heard: int | None = None
    facets: Mapping[str, Counts] = field(default_factory=dict)
    silence: str = ""
    next: Cursor | None = None

    def above(self, score: float) -> "SearchResults":
        """Without hits that score less than `score`, on this page and the next ones."""
        hits = tuple(hit for hit in self.hits if hit.score >= score)
        after = None if len(hits) < len(self.hits) or self.next is None else replace(self.next, least=score)
        return replace(self, hits=hits, next=after)

    def within(self, share: float) -> "SearchResults":
        """Without hits that score less than `share` of the best one, on this and the next pages.

        To be called on a first page.
        """
        best = self.hits[0].score if self.hits else 0.0
        return self.above(min(best, share * best))


def counted(result: SearchResults) -> str:
    """How many items match, in words."""
    if result.by_vector_alone and result.total:
        return f"0 match, {result.total:,} look alike"
    match result.counts:
        case "nearest":
            return f"the {result.total:,} nearest"
        case "alike":
            return f"{result.total:,} share a word or look alike"
        case "matches":
            return f"{result.total:,} match"


def facet_counts(answer: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """The facets of a response: for each field its values with their counts."""
    found = answer.get("aggregations", {})
    return {
        field: {bucket.get("key_as_string", bucket["key"]): bucket["doc_count"] for bucket in one["buckets"]}
        for field, one in found.items()
    }


def as_json(result: SearchResults) -> dict[str, Any]:
    """The results as JSON values."""
    hits = [
        {
            "id": hit.id,
            "score": hit.score,
            "_score": hit.engine_score,
            "uri": hit.uri,
            "path": str(hit.path),
            "terms": dict(hit.parts),
            "vector": hit.vector_part,
            **({"written": dict(hit.written)} if hit.written else {}),
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
        "unbanned": list(result.unbanned),
        "near": {word: dict(terms) for word, terms in result.near.items()},
        "offers": {word: list(terms) for word, terms in result.offers.items()},
        "by_vector_alone": result.by_vector_alone,
        "silence": result.silence,
        "heard": result.heard,
        "typical": result.typical,
        "gained": dict(result.gained),
        "lost": dict(result.lost),
        "next": str(result.next) if result.next else None,
    }
