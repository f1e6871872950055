"""A real OpenSearch with TLS, users and roles, for tests: the embedded engine's files and the security plugin.

Maven Central has no security plugin for 3.5.0; the one for 3.4.0 is told that it fits, which does for tests. People
have it from the full distribution.
"""

import ipaddress
import json
import shutil
import ssl
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import HTTPBasicAuthHandler, HTTPPasswordMgrWithDefaultRealm, HTTPSHandler, build_opener

from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.engine import process
from lexel.pipeline.engine.distribution import VERSION, distribution, ensure_files
from lexel.pipeline.engine.folders import account_for, locked, make_folder, shared_folder
from lexel.pipeline.engine.java import ensure_java
from lexel.pipeline.engine.node import prepare, published
from lexel.pipeline.errors import EngineError

PLUGIN = "org.opensearch.plugin:opensearch-security:3.4.0.0:zip"
BESIDE = "org.apache.commons:commons-collections4:4.5.0:jar"
# The users that the plugin brings along for trying it. The last may read documents, and nothing about their index.
ADMIN, DATA_READER = ("admin", "admin"), ("readall", "readall")
# One who may search what lexel loaded, and no more.
READER = ("reader", "reads-9f3e-Only")
_ROLE = {
    "cluster_permissions": ["cluster_composite_ops_ro"],
    "index_permissions": [
        {
            "index_patterns": ["photos*"],
            "allowed_actions": ["read", "indices:admin/get", "indices:admin/mappings/get", "indices:admin/analyze"],
        }
    ],
}

_SETTINGS = {
    "plugins.security.ssl.transport.pemcert_filepath": "cert.pem",
    "plugins.security.ssl.transport.pemkey_filepath": "key.pem",
    "plugins.security.ssl.transport.pemtrustedcas_filepath": "ca.pem",
    "plugins.security.ssl.http.pemcert_filepath": "cert.pem",
    "plugins.security.ssl.http.pemkey_filepath": "key.pem",
    "plugins.security.ssl.http.pemtrustedcas_filepath": "ca.pem",
    "plugins.security.ssl.http.enabled": True,
    "plugins.security.ssl.transport.enforce_hostname_verification": False,
    "plugins.security.allow_default_init_securityindex": True,
    "plugins.security.allow_unsafe_democertificates": True,
    "plugins.security.authcz.admin_dn": ["CN=none"],
    "plugins.security.nodes_dn": ["*"],
    "plugins.security.restapi.roles_enabled": ["all_access"],
}


@dataclass(frozen=True)
class Secured:
    """A node that answers to its users, over TLS with a certificate that only `ca` makes good."""

    url: str
    ca: Path


class CannotBeHadError(Exception):
    """The plugin could not be fetched."""


@contextmanager
def secured_node() -> Iterator[Secured]:
    """The node, until the block ends. Raises CannotBeHadError where its files are neither here nor to be fetched."""
    files = _files()
    with tempfile.TemporaryDirectory(prefix="lexel-secured-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "node"
        make_folder(home)
        account = account_for(home)
        prepare(home, account, port=0)
        _configure(home / "config", files)
        try:
            java = ensure_java(shared_folder(), account, say=lambda _: None)
            pid = process.spawn(home, account, files=files, java=java, heap="512m")
            there = Secured(_wait(home, pid), home / "config" / "ca.pem")
            _add_reader(there)
            yield there
        finally:
            process.end(home)


def _files() -> Path:
    """The engine's files with the plugin beside k-NN, assembled once."""
    plain = ensure_files(shared_folder(), say=lambda _: None)
    folder = plain.with_name(f"secured-{distribution(shared_folder()).name}")
    with locked(shared_folder(), say=lambda _: None):
        if not folder.is_dir():
            part = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(plain, part)
            _add_plugin(part / "plugins" / "opensearch-security")
            for path in (part, *part.rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)
            part.rename(folder)
    return folder


def _add_plugin(place: Path) -> None:
    with tempfile.TemporaryDirectory() as cache:
        with zipfile.ZipFile(_fetched(PLUGIN, Path(cache))) as archive:
            archive.extractall(place)
        shutil.copy(_fetched(BESIDE, Path(cache)), place)
    about = place / "plugin-descriptor.properties"
    lines = [line for line in about.read_text().splitlines() if not line.startswith(("opensearch.version", "extended"))]
    about.write_text("\n".join([*lines, f"opensearch.version={VERSION}", "extended.plugins=", ""]))


def _fetched(coordinate: str, cache: Path) -> Path:
    from lexel.pipeline.engine.distribution import download

    try:
        return next(path for _, path in download([coordinate], cache))
    except EngineError as error:
        raise CannotBeHadError(str(error)) from error


def _configure(config: Path, files: Path) -> None:
    import trustme
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    ca = trustme.CA()
    cert = ca.issue_cert("localhost", str(ipaddress.ip_address("127.0.0.1")))
    key = load_pem_private_key(cert.private_key_pem.bytes(), None)
    ca.cert_pem.write_to_path(str(config / "ca.pem"))
    (config / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in cert.cert_chain_pems))
    # Java reads keys in this form only.
    (config / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    own = config / "opensearch-security"
    shutil.copytree(files / "plugins" / "opensearch-security" / "config", own)
    with (config / "opensearch.yml").open("a") as file:
        file.writelines(f"{key}: {json.dumps(value)}\n" for key, value in _SETTINGS.items())
    for path in (config, own):
        path.chmod(0o755)
    for path in config.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _wait(home: Path, pid: int) -> str:
    """Its address, when it lets its own user in: the users come some seconds after the node."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        url = published(home)
        if url and _lets_in(url.replace("http:", "https:"), home / "config" / "ca.pem"):
            return url.replace("http:", "https:")
        if process.find(process.uses_home(home)) not in {pid, None}:
            break
        time.sleep(0.3)
    raise CannotBeHadError(f"It did not answer; {process.last_words(home)}")


def _add_reader(there: Secured) -> None:
    api = connect(Address(there.url, *ADMIN, str(there.ca))).transport
    place, (name, password) = "/_plugins/_security/api", READER
    api.perform_request("PUT", f"{place}/roles/lexel_reader", body=_ROLE)
    user = {"password": password, "opendistro_security_roles": ["lexel_reader"]}
    api.perform_request("PUT", f"{place}/internalusers/{name}", body=user)


def _lets_in(url: str, ca: Path) -> bool:
    known = HTTPPasswordMgrWithDefaultRealm()
    known.add_password(None, url, *ADMIN)
    opener = build_opener(HTTPSHandler(context=ssl.create_default_context(cafile=str(ca))), HTTPBasicAuthHandler(known))
    try:
        with opener.open(f"{url}/_cluster/health", timeout=5) as answer:
            return json.load(answer)["status"] in {"green", "yellow"}
    except OSError:
        return False
