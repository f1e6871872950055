"""Filters as query clauses: conditions on fields, required words, banned words."""

import re
from collections.abc import Iterable, Mapping

from lexel.encoders.vocabulary.tokenize import words
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.load.documents.document_id import document_id
from lexel.pipeline.search.query_dsl import Dsl, Terms

_OWN = {"id", "uri", "label", "width", "height", "top_terms"}
_CONDITION = re.compile(r"\s*(?P<field>[^=<>!]+?)\s*(?P<sign>!=|>=|<=|=|>|<)\s*(?P<value>.+?)\s*", re.DOTALL)
_NEAR = re.compile(
    r"\s*(?P<field>[^=<>!~]+?)\s*~\s*(?P<lat>-?\d+(?:\.\d+)?)\s*,\s*(?P<lon>-?\d+(?:\.\d+)?)\s*,"
    r"\s*(?P<distance>\d+(?:\.\d+)?)\s*(?P<unit>m|km|mi)\s*",
    re.ASCII,
)
_SIGNS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


def parse_filter(text: str) -> Dsl:
    """Parse one condition to a query clause.

    `place=beach`, `place=beach|lake` (either), `place!=beach`, `stars>=3`, `year=2010..2015` (inclusive),
    `place~52.5,13.4,10km` (no further from that latitude and longitude). Other fields than lexel's own are metadata
    fields. Raises ConfigError if it is not of such a form.
    """
    if near := _NEAR.fullmatch(text):
        return _within(near)
    found = _CONDITION.fullmatch(text)
    if not found:
        if "~" in text:
            raise ConfigError(
                f"The filter {text!r} is invalid: write field~LATITUDE,LONGITUDE,DISTANCE, for example "
                "place~52.5,13.4,10km."
            )
        raise ConfigError(f"The filter {text!r} is invalid: write field=value, for example place=beach.")
    field, sign, value = field_name(found["field"]), found["sign"], found["value"]
    if sign in _SIGNS:
        return {"range": {field: {_SIGNS[sign]: value}}}
    clause = _equals(field, value)
    return {"bool": {"must_not": [clause]}} if sign == "!=" else clause


def _within(near: re.Match[str]) -> Dsl:
    lat, lon, far = float(near["lat"]), float(near["lon"]), f"{near['distance']}{near['unit']}"
    if abs(lat) > 90 or abs(lon) > 180:
        raise ConfigError(
            f"There is no place {lat:g},{lon:g}: write the latitude, -90 to 90, and then the longitude, -180 to 180."
        )
    return {"geo_distance": {"distance": far, field_name(near["field"]): {"lat": lat, "lon": lon}}}


def _equals(field: str, value: str) -> Dsl:
    least, dots, most = value.partition("..")
    if dots and least and most:
        return {"range": {field: {"gte": least, "lte": most}}}
    either = [one.strip() for one in value.split("|") if one.strip()]
    return {"terms": {field: either}} if len(either) > 1 else {"term": {field: value}}


def field_name(field: str) -> str:
    """The field's name in the index: `top_terms` for `term`, `meta.NAME` for a metadata field."""
    if field == "term":
        return "top_terms"
    return field if field in _OWN or field.startswith("meta.") else f"meta.{field}"


def requires(word: str) -> Dsl:
    """A clause for items that have this word, in any form, among their top terms; an unknown word matches no item.

    Facets count the same field, so a facet's count is the number of items that its term, if required, matches.
    """
    return {"match": {"top_terms.words": {"query": word, "operator": "and"}}}


def bans(word: str) -> Dsl:
    """A clause for items that do not have this word; an unknown word excludes no item."""
    return {"bool": {"must_not": [requires(word)]}}


def asked_as(word: str, near: Mapping[str, Terms]) -> str:
    """`word` with the nearest term in the place of what has none, where `near` has one; else as it is typed.

    A word that is required is read as the text reads it. One that is banned is not: `car -taxi` would find nothing.
    """
    read = words(word)
    return " ".join(next(iter(near.get(one, {one: 1.0}))) for one in read) if near.keys() & set(read) else word


def other_than(ids: Iterable[str]) -> Dsl:
    """A clause for items that are none of these."""
    return {"bool": {"must_not": [{"ids": {"values": [document_id(id_) for id_ in ids]}}]}}
