"""OpenSearch's files: fetched, checked, put together by whoever comes first, removed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.engines import free_port, invoke, sentence, silent

from lexel.pipeline.engine import distribution as engine_files
from lexel.pipeline.engine import folders as engine_places
from lexel.pipeline.engine import node_control
from lexel.pipeline.errors import EngineError


def test_damaged_file_is_refused_and_fetched_anew(own_home: Path) -> None:
    shared = own_home / "engine"
    jar = next(engine_files.distribution(shared).glob("lib/lucene-core-*.jar"))
    content = bytearray(jar.read_bytes())
    content[len(content) // 2] ^= 1
    jar.unlink()  # a link to the machine's own, which is to stay whole
    jar.write_bytes(content)
    with pytest.raises(EngineError, match=rf"{jar.name} is damaged") as caught:
        node_control.start()
    sentence(caught.value)
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


def test_what_maven_hands_out_is_checked(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = next(engine_files.distribution(own_home / "engine").glob("lib/jna-*.jar"))
    other = own_home / "list.txt"
    other.write_text(engine_files.LIST.read_text().replace(engine_files.sha256_of(jar), "0" * 64))
    files = jar.parents[1]
    monkeypatch.setattr(engine_files, "LIST", other)
    files.rename(engine_files.distribution(own_home / "engine"))
    (engine_files.distribution(own_home / "engine") / "lib" / jar.name).unlink()
    with pytest.raises(EngineError) as caught:
        engine_files.ensure_files(own_home / "engine", say=silent)
    if "Maven Central" in str(caught.value):
        pytest.skip("Maven Central cannot be reached from here")
    assert f"{jar.name} is damaged or not what lexel expects" in sentence(caught.value)
    assert not list((own_home / "engine").rglob(jar.name))


def test_broken_off_assembly_is_continued(own_home: Path) -> None:
    files = engine_files.distribution(own_home / "engine")
    part = files.with_name(f"{files.name}.part")
    files.rename(part)
    descriptor = part / engine_files.MODULES[0].descriptor
    descriptor.unlink()  # a link to the machine's own, which is to stay whole
    descriptor.write_text("description=half a l")
    left = own_home / "engine" / "maven" / "half.jar"
    left.parent.mkdir()
    left.write_bytes(b"half a j")
    said: list[str] = []
    assert engine_files.ensure_files(own_home / "engine", say=said.append) == files
    assert not [text for text in said if "Maven" in text]
    assert not left.exists()


def test_stranger_among_the_files_is_refused(own_home: Path) -> None:
    stranger = engine_files.distribution(own_home / "engine") / "lib" / "aaa.jar"
    stranger.write_bytes(b"classes that nobody asked for")
    with pytest.raises(EngineError, match=r"aaa\.jar is damaged or not what lexel expects"):
        engine_files.ensure_files(own_home / "engine", say=silent)
    assert not stranger.exists()
    engine_files.ensure_files(own_home / "engine", say=silent)


def test_two_processes_may_assemble_at_once(own_home: Path) -> None:
    files = engine_files.distribution(own_home / "engine")
    for descriptor in files.glob("modules/*/plugin-descriptor.properties"):
        descriptor.unlink()  # written, not fetched: the assembly needs no network
    code = "import sys; from pathlib import Path; from lexel.pipeline.engine import distribution; "
    code += "print(distribution.ensure_files(Path(sys.argv[1]), say=lambda text: None))"
    command = [sys.executable, "-c", code, str(own_home / "engine")]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "umask": 0o077}
    both = [subprocess.Popen(command, **options) for _ in range(2)]  # type: ignore[call-overload]
    assert [process.communicate(timeout=60) for process in both] == [(f"{files}\n", "")] * 2
    # closed as that umask is, the account that the node runs under can read them
    assert {path.stat().st_mode & 0o777 for path in files.rglob("*") if path.is_file()} == {0o644}
    assert {path.stat().st_mode & 0o777 for path in files.rglob("*") if path.is_dir()} == {0o755}
    assert sorted(path.name for path in (own_home / "engine").iterdir()) == ["lexel.lock", files.name]


def test_missing_network_is_one_sentence(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXEL_HOME", str(open_folder / "offline"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(EngineError, match=r"Maven Central could not be reached .*OPENSEARCH_URL") as caught:
        node_control.start()
    sentence(caught.value)
    assert not engine_files.distribution(open_folder / "offline" / "engine").exists()


def test_missing_extra_is_one_sentence(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXEL_HOME", str(open_folder / "bare"))
    monkeypatch.setitem(sys.modules, "jgo.maven", None)
    with pytest.raises(EngineError, match=r"pip install 'lexel\[engine\]'"):
        node_control.start()


def test_clean_says_what_it_removed(own_home: Path) -> None:
    home = own_home / "node"
    with engine_places.locked(home, say=silent):
        (home / "data").mkdir()
        (home / "data" / "segment").write_bytes(bytes(1_234_567))
        (home / "console.log").write_bytes(bytes(2_000))
    (home / "notes.txt").write_text("mine")
    expected = "Removed the node's data, 1.2 MB.\nRemoved the node's logs and settings, 2.0 kB.\n"
    assert invoke("clean") == (0, expected)
    assert [path.name for path in home.iterdir()] == ["notes.txt"]
    code, text = invoke("clean", "--all")
    assert code == 0
    assert re.fullmatch(r"Removed OpenSearch's files, 9\d\.\d MB\.\n", text)
    assert not (own_home / "engine").exists()
    assert invoke("clean", "--all") == (0, "There was nothing to remove.\n")


def test_full_disk_is_one_sentence(open_folder: Path) -> None:
    with pytest.raises(EngineError, match="MB are needed") as caught:
        engine_places.check_space(open_folder, needed=10**18)
    sentence(caught.value)


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
