"""What the tests share: one real OpenSearch node, and the data beside the checkout where it is there."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opensearchpy import OpenSearch
from support.checkout import SHARED
from support.drawn import Drawn, draw
from support.engines import linked, silent

from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.engine import distribution as engine_files
from lexel.pipeline.engine import folders as engine_places
from lexel.pipeline.engine import node_control

# A module's tests run on one worker, one after another. The modules that take longest begin first, or the other worker
# would wait for them at the end.
LONGEST = (
    "test_docs.py",
    "test_bench_runs.py",
    "test_compile.py",
    "test_authentication.py",
    "test_odd_shards.py",
    "test_retry_under_faults.py",
    "test_secured_cluster.py",
    "test_engine.py",
)

# The small encoder where a test names none, so that the tests stay fast.
os.environ["LEXEL_ENCODER"] = "lexel-tiny"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # a worker of pytest-xdist's
        rank = {name: number for number, name in enumerate(LONGEST)}
        items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Small products are slower on several threads, and the node and other tests want the other cores."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the photographs and models in ../shared are not on this machine")
    return SHARED


@pytest.fixture(scope="session")
def node() -> Iterator[node_control.Node]:
    """A node of the tests' own on a free port; it shares only OpenSearch's files with the user's."""
    # Not below pytest's folder: that is closed to the account that the node runs under when we are root.
    home = Path(tempfile.mkdtemp(prefix="lexel-test-node-"))
    home.chmod(0o755)
    try:
        yield node_control.start(home=home / "node", heap="512m")
    finally:
        node_control.stop(home / "node")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that a node's account may enter, which pytest's own are closed to where the tests run as root."""
    made = Path(tempfile.mkdtemp(prefix="lexel-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def own_home(open_folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A LEXEL_HOME of the test's own, with the assembled files of the machine's: links where they can be made."""
    files = engine_files.ensure_files(engine_places.shared_folder(), say=silent)
    home = open_folder / str(request.node.name)
    shutil.copytree(files, home / "engine" / files.name, copy_function=linked)
    home.chmod(0o755)
    with engine_places.locked(home / "engine", say=silent):
        monkeypatch.setenv("LEXEL_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def client(node: node_control.Node) -> OpenSearch:
    return connect(Address(node.url))


@pytest.fixture(scope="session")
def drawn(client: OpenSearch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawn]:
    """Drawn scenes by the shipped encoder, indexed as pictures and as captions."""
    made = draw(client, tmp_path_factory.mktemp("drawn"))
    yield made
    for index in (made.images, made.captions):
        client.indices.delete(index=f"{index.name}-*")


@pytest.fixture
def at_node(node: node_control.Node, monkeypatch: pytest.MonkeyPatch) -> str:
    """Commands run in this test talk to the tests' node."""
    monkeypatch.setenv("OPENSEARCH_URL", node.url)
    return node.url


@pytest.fixture
def index_name(client: OpenSearch) -> Iterator[Callable[[str], str]]:
    """Names for indices that are gone after the test."""
    made: list[str] = []

    def name(wanted: str) -> str:
        made.append(f"{wanted}-{os.urandom(3).hex()}")
        return made[-1]

    yield name
    for prefix in made:
        client.indices.delete(index=f"{prefix}-*", ignore_unavailable=True)
