"""Conditions that an item meets or not, as DSL clauses: they let in or keep out before anything is ranked."""

import re

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.search.query_dsl import Dsl

_OWN = {"id", "uri", "label", "width", "height", "top_terms"}
_CONDITION = re.compile(r"\s*(?P<field>[^=<>!]+?)\s*(?P<sign>!=|>=|<=|=|>|<)\s*(?P<value>.+?)\s*", re.DOTALL)
_SIGNS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


def parse_filter(text: str) -> Dsl:
    """One condition, as people write it, as a clause.

    `place=beach`, `place=beach|lake` (either), `place!=beach`, `stars>=3`, `year=2010..2015` (both included). A field
    that is not one of lexel's own is a metadata field. Raises ConfigError for anything else.
    """
    found = _CONDITION.fullmatch(text)
    if not found:
        raise ConfigError(f"The filter {text!r} makes no sense: write field=value, for example place=beach.")
    field, sign, value = field_name(found["field"]), found["sign"], found["value"]
    if sign in _SIGNS:
        return {"range": {field: {_SIGNS[sign]: value}}}
    wanted = _wanted(field, value)
    return {"bool": {"must_not": [wanted]}} if sign == "!=" else wanted


def _wanted(field: str, value: str) -> Dsl:
    least, dots, most = value.partition("..")
    if dots and least and most:
        return {"range": {field: {"gte": least, "lte": most}}}
    either = [one.strip() for one in value.split("|") if one.strip()]
    return {"terms": {field: either}} if len(either) > 1 else {"term": {field: value}}


def field_name(field: str) -> str:
    """The full name of a field as people call it: `term` is `top_terms`, and a metadata field is under `meta`."""
    if field == "term":
        return "top_terms"
    return field if field in _OWN or field.startswith("meta.") else f"meta.{field}"


def requires(word: str) -> Dsl:
    """Only items that have this word, in whatever form, among the terms that say most of them.

    Of those terms the facets are made, so a facet's count is what its requirement leaves. A word that the vocabulary
    does not know leaves nothing.
    """
    return {"match": {"top_terms.words": {"query": word, "operator": "and"}}}


def bans(word: str) -> Dsl:
    """Only items that have not; a word that the vocabulary does not know bans nothing."""
    return {"bool": {"must_not": [requires(word)]}}
