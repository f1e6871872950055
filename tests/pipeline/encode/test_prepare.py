"""An item on its way to the network, and why it does not get there."""

import torch

from lexel.pipeline.encode.prepare import prepare
from lexel.pipeline.shards.shard import Failure
from lexel.pipeline.sources.item import Item


class _Never:
    def pixels(self, image: object) -> torch.Tensor:
        raise AssertionError(f"{image} was decoded")


def test_an_id_that_opensearch_does_not_take_is_the_items_failure() -> None:
    """Bytes count, not letters."""
    for text in (None, "words"):
        found = prepare(_Never(), Item("a.jpg", text=text, id="é" * 257))
        assert isinstance(found, Failure)
        assert (found.uri, found.reason[:26]) == ("a.jpg", "its id has 514 bytes, and ")
    assert not isinstance(prepare(_Never(), Item("a.jpg", text="words", id="é" * 256)), Failure)
