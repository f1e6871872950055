"""The values that the saved objects of Dashboards need of an index: its date field and two example terms."""

from collections.abc import Mapping
from typing import Any

from opensearchpy import OpenSearch

from lexel.mappings.dashboard_pack import Facts
from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.search.index import SearchIndex

# The minimum time span in ms for each histogram unit, so that a chart has about ten to a hundred points.
_DAY = 24 * 3600 * 1000
_INTERVALS = ((6 * 365 * _DAY, "y"), (240 * _DAY, "M"), (56 * _DAY, "w"), (0, "d"))
# The example terms of an index without any.
_WORDS = ("dog", "snow")


def index_facts(client: OpenSearch, index: str, *, images: str) -> Facts:
    """The facts of `index`, whose images `lexel serve` shows at the URL `images`.

    The date is the date field that most documents have, and the place that of points on the earth, if there are any;
    the words are the commonest term and the one that most often occurs with it. Raises ClusterError if the index does
    not exist, is not lexel's, or is one of captions.
    """
    if SearchIndex(client, index).about["captions"]:
        raise ClusterError(f"The index {index} holds captions and the dashboard shows pictures; give --index of these.")
    with readable_errors():
        mappings = next(iter(client.indices.get_mapping(index=index).values()))["mappings"]
        fields = mappings["properties"].get("meta", {}).get("properties", {})
        date, interval = _date(client, index, fields)
        place = _place(client, index, fields)
        words = _words(client, index)
    return Facts(index, images, words, date, interval, place)


def _date(client: OpenSearch, index: str, fields: Mapping[str, Any]) -> tuple[str | None, str]:
    """The date field that most documents have, and the histogram unit for its time span."""
    names = [f"meta.{name}" for name, field in sorted(fields.items()) if field["type"] == "date"]
    if not names:
        return None, "M"
    found = _aggregated(client, index, {name: {"stats": {"field": name}} for name in names})
    most = max(names, key=lambda name: found[name]["count"])  # the first of equals
    if not found[most]["count"]:
        return None, "M"
    span = found[most]["max"] - found[most]["min"]
    return most, next(unit for least, unit in _INTERVALS if span >= least)


def _place(client: OpenSearch, index: str, fields: Mapping[str, Any]) -> str | None:
    """The field of points on the earth, if a document has one."""
    names = [f"meta.{name}" for name, field in sorted(fields.items()) if field["type"] == "geo_point"]
    there = _aggregated(client, index, {name: {"value_count": {"field": name}} for name in names}) if names else {}
    return next((name for name in names if there[name]["value"]), None)


def _words(client: OpenSearch, index: str) -> tuple[str, str]:
    """The commonest term, and the one that most often occurs with it."""
    common = {"terms": {"field": "top_terms", "size": 1, "shard_size": 100}}
    first = _aggregated(client, index, {"words": common})["words"]["buckets"]
    if not first:
        return _WORDS
    word = first[0]["key"]
    beside = {"terms": {"field": "top_terms", "size": 2, "shard_size": 100}}
    only = {"filter": {"term": {"top_terms": word}}, "aggs": {"words": beside}}
    others = [bucket["key"] for bucket in _aggregated(client, index, {"with": only})["with"]["words"]["buckets"]]
    return word, next((other for other in others if other != word), word)


def _aggregated(client: OpenSearch, index: str, aggs: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.search(index=index, body={"size": 0, "aggs": aggs})["aggregations"]
    return found
