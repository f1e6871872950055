"""Values of rows and of JSON, as what filters can compare and people can read."""

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from lexel.pipeline.sources.item import Scalar


def caption_list(value: Any) -> list[str]:
    """The captions in a cell: one caption, a list of them, or a JSON list in a CSV cell."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = orjson.loads(value)
        except ValueError:
            return [value]
    values = value if isinstance(value, list | tuple) else [value]
    return [text for v in values if scalar(v) is not None and (text := str(v).strip()) and not is_nan(text)]


def is_nan(text: str) -> bool:
    """Whether a cell says what a missing number is written as; a CSV cannot say it otherwise."""
    return text.strip().lower() == "nan"


def scalar(value: Any) -> Scalar | None:
    """A metadata value as one that filters can compare: nested values become JSON, empty ones and NaN None."""
    match value:
        case bool() | int():
            return value
        case float() | Decimal():
            return float(value) if math.isfinite(value) else None
        case datetime() | date():
            return value.isoformat()
        case list() | dict():
            return json.dumps(value, ensure_ascii=False, default=str)
        case None | "" | bytes():
            return None
    return str(value)


def metadata_of(row: Mapping[str, Any], leave_out: frozenset[str | None]) -> dict[str, Scalar]:
    """The other values of a row that are there. A column without a name, such as pandas' index, has nothing to say."""
    there = {str(name): _value(value) for name, value in row.items() if name and name not in leave_out}
    return {name: value for name, value in there.items() if value is not None}


def _value(value: Any) -> Scalar | None:
    """A value of metadata. Texts in a list, such as keywords, stay apart, so that each can be filtered by."""
    if isinstance(value, list | tuple) and value and all(isinstance(one, str) for one in value):
        return tuple(value)
    return scalar(value)


def json_value(content: bytes | str) -> Any:
    """A value from JSON; NaN and Infinity, which Python writes, are missing values. Raises ValueError."""
    try:
        return orjson.loads(content)
    except ValueError as error:
        return _lenient(content, error)


def _lenient(content: bytes | str, error: ValueError) -> Any:
    try:
        value = json.loads(content, parse_constant=lambda _: None, parse_int=_integer)
        orjson.dumps(value)  # half a letter ("\ud800") cannot be stored
    except (ValueError, TypeError, RecursionError):
        raise error from None
    return value


def _integer(digits: str) -> int | float:
    """As orjson reads it: what 64 bits do not hold is a float."""
    if len(digits) > 20:
        return float(digits)
    value = int(digits)
    return value if -(2**63) <= value < 2**64 else float(value)
