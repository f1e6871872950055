"""The mean vector of a collection: of all its live items, or of a sample of a large one."""

from pathlib import Path

import numpy as np
import pytest
from support.synthetic import collection

from lexel.pipeline.collection import mean_vector as means
from lexel.pipeline.collection.mean_vector import mean_vector
from lexel.pipeline.shards.folder import ShardFolder


def test_it_is_that_of_all_items(tmp_path: Path) -> None:
    made = collection(tmp_path / "items", count=230, shard_size=100)
    found = mean_vector(ShardFolder.open(made.folder))
    assert found == pytest.approx(made.vectors.mean(0).tolist(), abs=1e-4)
    # So that a mean cosine is an inner product.
    query = made.vectors[7]
    assert float(np.dot(found, query)) == pytest.approx(float((made.vectors @ query).mean()), abs=1e-3)


def test_of_many_items_some_shards_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = collection(tmp_path / "items", count=600, shard_size=100)
    monkeypatch.setattr(means, "_ENOUGH", 200)
    some = np.concatenate([made.vectors[:100], made.vectors[300:400]])
    assert mean_vector(ShardFolder.open(made.folder)) == pytest.approx(some.mean(0).tolist(), abs=1e-4)
