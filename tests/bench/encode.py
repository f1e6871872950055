"""Pictures a second from files to shards, beside the bare forward pass and beside the usual loops."""

from collections.abc import Iterator

from bench.figure import Figure, absent


def run(quick: bool) -> Iterator[Figure]:
    yield absent("encode", "images/s", f"not written yet, quick {quick}")
