"""How lexel makes itself known: API keys and AWS signatures as they arrive, and that no secret shows anywhere."""

import hashlib
import hmac
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from support.synthetic import collection

from lexel.pipeline.cluster.client import Address, address, connect
from lexel.pipeline.cluster.retry import with_retries
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load.run import load_shards

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@dataclass(frozen=True)
class Arrived:
    """A request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def signature(request: Arrived, *, secret: str) -> str:
    """AWS Signature Version 4 of a request, written from its specification, as a server would check it.

    Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    about = dict(part.strip().split("=", 1) for part in request.headers["authorization"].partition(" ")[2].split(","))
    _, day, region, service, _ = about["Credential"].split("/")
    parts = urlsplit(request.path)
    query = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(parts.query, True))
    names = about["SignedHeaders"].split(";")
    canonical = "\n".join(
        [
            request.method,
            quote(parts.path, safe="/-_.~") or "/",
            "&".join(f"{k}={v}" for k, v in query),
            *(f"{name}:{' '.join(request.headers[name].split())}" for name in names),
            "",
            about["SignedHeaders"],
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{request.headers['x-amz-date']}\n{scope}\n{digest}"
    key = f"AWS4{secret}".encode()
    for step in (day, region, service, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def test_the_checker_knows_a_published_signature() -> None:
    """The `get-vanilla-query-order-key` and `post-vanilla` vectors of AWS's Signature Version 4 test suite."""
    scope = "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
    headers = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"}
    wanted = {
        ("GET", "/"): "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ("POST", "/"): "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    }
    for (method, path), published in wanted.items():
        signed = {"authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host;x-amz-date, Signature={published}"}
        request = Arrived(method, path, headers | signed, b"")
        assert signature(request, secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY") == published


@dataclass
class Cluster:
    """Something that listens where a cluster would, and keeps what arrives."""

    url: str
    arrived: list[Arrived] = field(default_factory=list)


@contextmanager
def listening(answer: bytes = b"{}", status: int = 200) -> Iterator[Cluster]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            cluster.arrived.append(Arrived(self.command, self.path, headers, body))
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _any  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cluster = Cluster(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("OPENSEARCH_", "AWS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.parametrize("service", ["es", "aoss"])
def test_what_arrives_is_signed_as_aws_asks(clean: None, monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-token/with+signs=")
    with listening() as cluster:
        for name, value in {"URL": cluster.url, "AWS_REGION": "eu-central-1", "AWS_SERVICE": service}.items():
            monkeypatch.setenv(f"OPENSEARCH_{name}", value)
        client = with_retries(connect())
        client.search(index="photos", body={"query": {"match": {"words": "a café at night"}}})
        client.indices.exists(index="photos-1a2b3c4d")
        client.indices.get(index="photos-*", params={"filter_path": "*.aliases,*.mappings._meta"})
        body = b'{"index":{"_id":"\xc3\xa9"}}\n{"a":1}\n'
        client.transport.perform_request("POST", "/photos.loading/_bulk?timeout=30s&require_alias=true", body=body)
        # No space: the client library sends one as "+", and lexel sends none in an address.
        client.transport.perform_request("GET", "/photos/_search", params={"q": "words:(dog^2)&100%"})
    assert len(cluster.arrived) == 5
    for request in cluster.arrived:
        signed = request.headers["authorization"]
        assert signed.startswith(f"AWS4-HMAC-SHA256 Credential={KEY}/")
        assert f"/eu-central-1/{service}/aws4_request" in signed
        assert signed.endswith(f"Signature={signature(request, secret=SECRET)}"), request.path
        assert request.headers["x-amz-security-token"] == "a-token/with+signs="
        assert request.headers["x-amz-content-sha256"] == hashlib.sha256(request.body).hexdigest()
        assert not any(SECRET in part for part in (request.path, *request.headers.values()))


def test_aws_without_credentials_is_one_sentence(clean: None) -> None:
    with pytest.raises(ClusterError, match=r"^No AWS credentials were found; set AWS_ACCESS_KEY_ID"):
        connect(Address("http://127.0.0.1:9", aws_region="eu-central-1"))


def test_aws_without_botocore_is_one_sentence(clean: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    with pytest.raises(ClusterError, match=r"pip install 'lexel\[aws\]'"):
        connect(Address("http://127.0.0.1:9", aws_region="eu-central-1"))


def test_an_api_key_goes_as_its_header(clean: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as cluster:
        monkeypatch.setenv("OPENSEARCH_URL", cluster.url)
        monkeypatch.setenv("OPENSEARCH_API_KEY", "VnVhQ2ZHY0JDZGJrU==")
        connect().search(index="photos", body={})
    assert cluster.arrived[0].headers["authorization"] == "ApiKey VnVhQ2ZHY0JDZGJrU=="


def test_two_ways_in_are_refused(clean: None) -> None:
    with pytest.raises(ClusterError, match="three ways in; set one"):
        connect(Address("http://127.0.0.1:9", user="me", api_key="mine"))


def test_what_stands_in_the_address_lets_in_and_is_not_shown(clean: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_URL", "https://me:p%40ss%2Fword@search.example.com:9200/prefix")
    there = address()
    assert (there.url, there.user, there.password) == ("https://search.example.com:9200/prefix", "me", "p@ss/word")
    for shown in (repr(there), repr(Address("https://me:p%40ss%2Fword@search.example.com")), repr(connect(there))):
        assert "word@" not in shown
        assert "p@ss" not in shown
        assert "p%40" not in shown
    monkeypatch.setenv("OPENSEARCH_USER", "another")
    monkeypatch.setenv("OPENSEARCH_PASSWORD", "other")
    assert (address().user, address().password) == ("another", "other")
    monkeypatch.setenv("OPENSEARCH_URL", "https://[half")
    with pytest.raises(ClusterError, match="is not an address"):
        address()


PLANTED = {"PASSWORD": "swordfish-77aa", "API_KEY": "apikey-55bb", "SECRET": "awssecret-33cc"}


@pytest.mark.parametrize("way", ["user", "url", "key", "aws"])
@pytest.mark.parametrize("status", [200, 401, 403, 500])
def test_no_secret_is_printed_logged_or_written(clean: None, tmp_path: Path, way: str, status: int) -> None:
    """Against something that answers so, with every log on and warnings shown: load, search and a traceback."""
    items = collection(tmp_path / "shards", count=5)
    error = json.dumps({"error": {"type": "x", "reason": "no", "root_cause": [{"reason": "no"}]}, "status": status})
    with listening(b"{}" if status == 200 else error.encode(), status) as cluster:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENSEARCH_")}
        environment |= {"OPENSEARCH_URL": cluster.url} | _let_in(way, cluster.url)
        said = ""
        for words in (["load", str(items.folder), "--index", "a"], ["search", "dog", "--mode", "words"]):
            said += _run(words, environment, tmp_path)
    assert cluster.arrived
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in PLANTED.values():
        assert secret not in said
        assert secret.encode() not in written


def _let_in(way: str, url: str) -> dict[str, str]:
    match way:
        case "user":
            return {"OPENSEARCH_USER": "me", "OPENSEARCH_PASSWORD": PLANTED["PASSWORD"]}
        case "url":
            return {"OPENSEARCH_URL": url.replace("//", f"//me:{PLANTED['PASSWORD']}@")}
        case "key":
            return {"OPENSEARCH_API_KEY": PLANTED["API_KEY"]}
    return {
        "OPENSEARCH_AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": PLANTED["SECRET"],
    }


def _run(words: list[str], environment: dict[str, str], folder: Path) -> str:
    code = (
        f"import logging, sys, time; logging.basicConfig(level=logging.INFO, filename={str(folder / 'log')!r})\n"
        "from lexel.pipeline.cluster import retry; retry._FIRST = retry._LONGEST = 0.01\n"
        "from lexel.pipeline.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "default", "-c", code, *words],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout + answer.stderr


def test_shards_and_index_hold_no_secret(
    at_node: str, tmp_path: Path, index_name: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A load that goes well: what the cluster keeps of it, and what the log says."""
    items, index = collection(tmp_path / "a", count=5), index_name("secret")  # type: ignore[operator]
    monkeypatch.setenv("OPENSEARCH_URL", at_node.replace("//", f"//me:{PLANTED['PASSWORD']}@"))
    with caplog.at_level(logging.INFO):
        client = connect()
        load_shards(items.folder, index=index, client=client)
    kept = json.dumps(client.indices.get(index=f"{index}-*")) + json.dumps(client.search(index=index))
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()).decode("latin-1")
    assert caplog.records
    for place in (kept, written, caplog.text):
        assert PLANTED["PASSWORD"] not in place
