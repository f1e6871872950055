"""A JSON serializer by orjson for opensearch-py, whose own takes half a millisecond for a query with a vector."""

from typing import Any

import orjson
from opensearchpy.serializer import JSONSerializer


class OrjsonSerializer(JSONSerializer):  # type: ignore[misc]  # the client library has no types
    """Falls back to the client's own serializer for values that orjson rejects, such as lone surrogates."""

    def dumps(self, data: Any) -> Any:
        """`data` as JSON; str and bytes are returned unchanged, as JSON already."""
        if isinstance(data, str | bytes):
            return data
        try:
            return orjson.dumps(data).decode()
        except TypeError:
            return super().dumps(data)

    def loads(self, s: str) -> Any:
        """Parse the JSON `s`. Raises SerializationError if it is invalid."""
        try:
            return orjson.loads(s)
        except ValueError:
            return super().loads(s)
