"""What goes to OpenSearch and comes back is the client library's JSON, only faster."""

import math

import numpy as np
import pytest
from opensearchpy.exceptions import SerializationError
from opensearchpy.serializer import JSONSerializer

from lexel.pipeline.cluster.json_serializer import OrjsonSerializer


@pytest.mark.parametrize("thing", [{"a": [1, 2.5, "é", None, True]}, {"half": "\ud83d"}, {1: 2}, np.float32(0.5), "{}"])
def test_what_orjson_cannot_write_is_written_all_the_same(thing: object) -> None:
    theirs = JSONSerializer()
    assert theirs.loads(OrjsonSerializer().dumps(thing)) == theirs.loads(theirs.dumps(thing))


def test_what_is_no_json_is_told_in_the_library_s_way() -> None:
    with pytest.raises(SerializationError):
        OrjsonSerializer().loads("<html>")
    assert math.isnan(OrjsonSerializer().loads("NaN"))
