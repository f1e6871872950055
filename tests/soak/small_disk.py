"""A node whose disk is small, filled while it is loaded and emptied again; run as a program in a mount of its own."""

import sys
import time
from pathlib import Path

from support.indices import contents
from support.synthetic import collection

from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.engine import node_control
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load.run import load_shards

LEFT = 8_000_000  # bytes, less than what is loaded takes


def main(disk: Path, other: Path) -> None:
    """`disk` is the small one, `other` is not."""
    items = collection(other / "shards", count=12_000, shard_size=1000)
    home = disk / "node"
    node = node_control.start(home=home, heap="512m")
    try:
        client = connect(Address(node.url))
        small = collection(other / "small", count=100)
        load_shards(small.folder, index="before", client=client)
        ballast = disk / "ballast"
        _fill(ballast, disk)
        began = time.monotonic()
        try:
            load_shards(items.folder, index="full", client=client)
        except ClusterError as error:
            print(f"SAID {error} ({time.monotonic() - began:.0f} s)", flush=True)
        else:
            sys.exit("the disk was never full")
        _answers(client, small.ids)
        ballast.unlink()
        found = load_shards(items.folder, index="full", client=connect(Address(node.url)))
        assert set(contents(client, "full")) == set(items.ids)
        print(f"THEN {found.documents} documents, {found.sent} of them sent again", flush=True)
    finally:
        node_control.stop(home)


def _fill(ballast: Path, disk: Path) -> None:
    import shutil

    with ballast.open("wb") as file:
        for _ in range((shutil.disk_usage(disk).free - LEFT) // 1_000_000):
            file.write(bytes(1_000_000))


def _answers(client: object, ids: list[str]) -> None:
    """What was there before is searched as ever."""
    assert set(contents(client, "before")) == set(ids)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
