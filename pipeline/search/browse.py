"""Lists the items of an index that pass filters, without a query."""

from collections.abc import Mapping, Sequence
from typing import Any

from lexel.pipeline.search import query_dsl
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.index_reader import IndexReader
from lexel.pipeline.search.query_dsl import Filters
from lexel.pipeline.search.results import Cursor, Hit, SearchResults, facet_counts


def browse(
    index: SearchIndex,
    *,
    k: int = 10,
    filters: Filters = (),
    facets: Mapping[str, int] | None = None,
    after: Cursor | None = None,
) -> SearchResults:
    """The items that pass `filters`, `k` from `after` on, in an arbitrary but fixed order; each has a score of 0."""
    body = query_dsl.everything(k=k, filters=index.checked(filters, facets or ()))
    body = query_dsl.with_page(body, offset=after.offset if after else 0, k=k)
    if facets:
        body = query_dsl.with_facets(body, fields=facets, dates=index.fields.dates(facets))
    reader = IndexReader(index, paged=True, after=after)
    answer = reader.search(body)
    rows = answer["hits"]["hits"]
    return SearchResults(
        tuple(_hit(index, row) for row in rows),
        total=answer["hits"]["total"]["value"],
        took=answer["took"],
        body=body,
        weights={},
        facets=facet_counts(answer),
        silence="" if rows else "No item meets the conditions." if filters else "The index is empty.",
        next=_next(reader, rows, k, after.offset if after else 0),
    )


def _hit(index: SearchIndex, row: Mapping[str, Any]) -> Hit:
    source = row["_source"]
    return Hit(row["_id"], 0.0, source["uri"], index.root(row), {}, 0.0, source)


def _next(reader: IndexReader, rows: Sequence[Mapping[str, Any]], k: int, offset: int) -> Cursor | None:
    end = offset + len(rows)
    return reader.cursor(end) if len(rows) == k and end + k <= query_dsl.MAX_RESULTS else None
