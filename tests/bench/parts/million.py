"""A million documents of 64 terms: what each of the four views takes."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figure import Figure
from bench.node import own_node
from bench.parts.search import many


def run(quick: bool) -> Iterator[Figure]:
    with TemporaryDirectory(prefix="lexel-bench-") as name, own_node(heap="2g") as (node, client):
        yield from many(node, client, Path(name), count=1_000 if quick else 1_000_000)
