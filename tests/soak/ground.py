"""What a part of the soak stands on, and what it reports."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from opensearchpy import OpenSearch

from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.engine import node_control


@dataclass(frozen=True)
class Tried:
    """One line of the table: what was tried, how many times, and how many of them lost something."""

    what: str
    times: int
    lost: int
    note: str = ""
    asked: bool = True  # False where it could not be tried here, which is neither good nor bad


@dataclass(frozen=True)
class Ground:
    """A folder of its own, the node that parts share, the seed of all chance, and how much of everything to do."""

    folder: Path
    node: node_control.Node
    seed: int = 0
    share: float = 1.0

    def dice(self, name: str) -> random.Random:
        """Chance that is the same for the same seed, whatever other parts throw."""
        return random.Random(f"{self.seed}-{name}")

    def times(self, whole: int) -> int:
        """This ground's share of a whole soak's count."""
        return max(1, round(whole * self.share))

    def place(self, name: str) -> Path:
        """A new folder."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    @cached_property
    def client(self) -> OpenSearch:
        """A client of the shared node."""
        return connect(Address(self.node.url))


@contextmanager
def own_node(*, heap: str = "512m", port: int = 0) -> Iterator[node_control.Node]:
    """A node that a part may kill."""
    # Not below a folder that is closed to the account that the node runs under when we are root.
    with tempfile.TemporaryDirectory(prefix="lexel-soak-node-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "node"
        try:
            yield node_control.start(home=home, heap=heap, port=port)
        finally:
            node_control.stop(home)
