"""Assembles OpenSearch: fetches its files from Maven Central once and checks them at every start.

`files.txt` lists every file with its SHA-256, below the Maven coordinate that it comes from. The folder is renamed to
its final name only when all its files are there and correct.
"""

import errno
import hashlib
import shutil
import time
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from lexel.pipeline.engine.folders import Say, check_space, locked, make_folder
from lexel.pipeline.errors import EngineError

VERSION = "3.5.0"
LIST = Path(__file__).with_name("files.txt")
GENERATED = "generated"  # the origin, in the list, of files that are written here instead of fetched


@dataclass(frozen=True)
class Module:
    """A module of OpenSearch: Maven Central has its jar, but not its descriptor, which OpenSearch needs to load it."""

    name: str
    coordinate: str
    classname: str
    extends: str = ""

    @property
    def descriptor(self) -> str:
        """The path of the module's descriptor in the assembled folder."""
        return f"modules/{self.name}/plugin-descriptor.properties"

    def describe(self) -> str:
        """The descriptor's text."""
        return (
            f"description={self.name}\nversion={VERSION}\nname={self.name}\nclassname=org.opensearch.{self.classname}\n"
            f"java.version=21\nopensearch.version={VERSION}\nextended.plugins={self.extends}\nhas.native.controller=false\n"
        )


MODULES = (
    Module("aggs-matrix-stats", "aggs-matrix-stats-client", "search.aggregations.matrix.MatrixAggregationModulePlugin"),
    Module("analysis-common", "analysis-common", "analysis.common.CommonAnalysisModulePlugin"),
    Module("ingest-common", "ingest-common", "ingest.common.IngestCommonModulePlugin", extends="lang-painless"),
    Module("lang-expression", "lang-expression", "script.expression.ExpressionModulePlugin"),
    Module("lang-mustache", "lang-mustache-client", "script.mustache.MustacheModulePlugin"),
    Module("lang-painless", "lang-painless", "painless.PainlessModulePlugin"),
    Module("mapper-extras", "mapper-extras-client", "index.mapper.MapperExtrasModulePlugin"),
    Module("parent-join", "parent-join-client", "join.ParentJoinModulePlugin"),
    Module("rank-eval", "rank-eval-client", "index.rankeval.RankEvalModulePlugin"),
    Module("reindex", "reindex-client", "index.reindex.ReindexModulePlugin"),
    # k-NN extends it, so it is required, though the node opens no gRPC port. Maven Central has no 3.5.0 of it.
    Module("transport-grpc", "transport-grpc:3.6.0", "transport.grpc.GrpcPlugin"),
    Module("transport-netty4", "transport-netty4-client", "transport.Netty4ModulePlugin"),
)


@dataclass(frozen=True)
class Entry:
    """One file of the assembled folder."""

    origin: str  # group:artifact:version[:packaging], or GENERATED
    path: str
    sha256: str


def read_list() -> list[Entry]:
    """The files that make up the engine, in the order of the list."""
    entries, origin = [], ""
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            origin = line[2:]
        elif line:
            sha256, path = line.split(maxsplit=1)
            entries.append(Entry(origin=origin, path=path, sha256=sha256))
    return entries


def distribution(shared: Path) -> Path:
    """The assembled folder below `shared`. Its name has a hash of the list, so that versions do not mix."""
    return shared / f"opensearch-{VERSION}-{sha256_of(LIST)[:8]}"


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def ensure_files(shared: Path, *, say: Say) -> Path:
    """Returns the assembled OpenSearch, verified file by file; assembles it first if it is missing or incomplete.

    Raises:
        EngineError: a file has another hash than in the list (it is removed, so that the next try fetches it again),
            Maven Central cannot be reached, `jgo` is not installed, or the disk is full.
    """
    entries, folder = read_list(), distribution(shared)
    with locked(shared, say=say):
        if not all((folder / entry.path).is_file() for entry in entries):
            _assemble(entries, folder, say=say)
        _verify(entries, folder, say=say)
    return folder


def _verify(entries: list[Entry], folder: Path, *, say: Say) -> None:
    expected = {entry.path: entry.sha256 for entry in entries}
    present = sorted(path for path in folder.rglob("*") if path.is_file())
    for count, path in enumerate(present, start=1):
        if expected.get(path.relative_to(folder).as_posix()) != sha256_of(path):
            refuse(path)
        say(f"Verified {count} of {len(expected)} files")


def refuse(path: Path) -> None:
    """Removes a file whose hash differs from the list, and raises EngineError."""
    path.unlink()
    raise EngineError(
        f"{path} is damaged or not what lexel expects, and was removed; run the same command again to fetch it anew."
    )


def _assemble(entries: list[Entry], folder: Path, *, say: Say) -> None:
    shared = folder.parent
    check_space(shared, needed=300_000_000)
    build = shared / f"{folder.name}.part"
    shutil.rmtree(shared / "maven", ignore_errors=True)  # a killed process may have left half a file there
    make_folder(build / "bin")  # OpenSearch requires this folder, and has no permission to make it
    missing = [entry for entry in entries if not _kept(entry, build, folder)]
    _describe(missing, build)
    _fetch([entry for entry in missing if entry.origin != GENERATED], build, shared / "maven", say=say)
    for entry in entries:
        (build / entry.path).chmod(0o644)  # readable by the node's account, whatever the umask
    shutil.rmtree(folder, ignore_errors=True)
    build.rename(folder)
    shutil.rmtree(shared / "maven", ignore_errors=True)


def _kept(entry: Entry, build: Path, folder: Path) -> bool:
    """Whether an interrupted attempt, or the incomplete folder, has the file already, so it need not be fetched."""
    make_folder((build / entry.path).parent)
    for place in (build, folder):
        if (place / entry.path).is_file() and sha256_of(place / entry.path) == entry.sha256:
            if place == folder:
                shutil.copy(folder / entry.path, build / entry.path)
            return True
    return False


def _describe(entries: Iterable[Entry], build: Path) -> None:
    texts = {module.descriptor: module.describe() for module in MODULES}
    for entry in entries:
        if entry.origin == GENERATED:
            (build / entry.path).write_text(texts[entry.path], encoding="utf-8")


def _fetch(entries: list[Entry], build: Path, maven: Path, *, say: Say) -> None:
    by_origin = {origin: list(group) for origin, group in groupby(entries, key=lambda entry: entry.origin)}
    for count, (origin, fetched) in enumerate(download(list(by_origin), maven), start=1):
        say(f"Fetched {count} of {len(by_origin)} artifacts from Maven Central")
        for entry in by_origin[origin]:
            _place(fetched, entry, build / entry.path)


def _place(fetched: Path, entry: Entry, target: Path) -> None:
    if fetched.suffix == ".zip":
        with zipfile.ZipFile(fetched) as archive:
            target.write_bytes(archive.read(target.name))
    else:
        shutil.copyfile(fetched, target)
    if sha256_of(target) != entry.sha256:
        target.unlink()
        refuse(fetched)


def download(origins: list[str], maven: Path) -> Iterator[tuple[str, Path]]:
    """Yields each artifact's coordinate and its file below `maven`, in the order of arrival; eight at a time."""
    with ThreadPoolExecutor(8) as pool:
        waiting = {pool.submit(_download, origin, maven): origin for origin in origins}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _download(origin: str, maven: Path) -> Path:
    try:
        from jgo.maven import MavenContext
    except ImportError as error:
        raise EngineError("The embedded engine is not installed; run `pip install 'lexel[engine]'`.") from error
    group, name, version, *packaging = origin.split(":")
    component = MavenContext(repo_cache=maven).project(group, name).at_version(version)
    artifact = component.artifact(packaging=packaging[0] if packaging else "jar")
    for attempt in (1, 2, 3):
        try:
            return Path(artifact.resolve())
        except BaseException as error:
            # jgo writes in place and would reuse a file that a broken connection left incomplete
            if artifact.cached_path:
                artifact.cached_path.unlink(missing_ok=True)
            if not _passing(error) or attempt == 3:
                raise _explained(error, origin) from error
        time.sleep(attempt)
    raise AssertionError("the last attempt returns or raises")


def _passing(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno != errno.ENOSPC  # the errors of `requests` are OSErrors


def _explained(error: BaseException, origin: str) -> BaseException:
    if _passing(error):
        return EngineError(
            f"Maven Central could not be reached ({type(error).__name__}), so OpenSearch cannot be assembled; "
            "connect to the network and try again, or set OPENSEARCH_URL to an OpenSearch that runs elsewhere."
        )
    if isinstance(error, OSError):
        return EngineError("The disk is full; free some space, or set LEXEL_HOME to a folder on a larger disk.")
    if isinstance(error, RuntimeError):
        return EngineError(
            f"Maven Central did not hand out {origin}; try again later, "
            "or set OPENSEARCH_URL to an OpenSearch that runs elsewhere."
        )
    return error
