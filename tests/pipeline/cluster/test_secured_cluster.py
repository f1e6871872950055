"""A real OpenSearch with TLS, users and roles: who is let in, who is not, and what nobody gets to see."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from support.indices import contents
from support.secured_node import ADMIN, DATA_READER, READER, CannotBeHadError, Secured, secured_node
from support.synthetic import collection

from lexel.pipeline.cluster.client import Address, connect
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.search.query_dsl import words

WRONG = "swordfish-9f3e"


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    try:
        with secured_node() as node:
            yield node
    except CannotBeHadError as error:
        pytest.skip(f"OpenSearch's security plugin cannot be had here: {error}")


@pytest.fixture(scope="module")
def photos(secured: Secured, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of shards that `photos` holds, loaded by one who may write."""
    items = collection(tmp_path_factory.mktemp("shards") / "a", count=60)
    client = connect(Address(secured.url, *ADMIN, str(secured.ca)))
    load_shards(items.folder, index="photos", client=client)
    assert set(contents(client, "photos")) == set(items.ids)
    return items.folder


def run(secured: Secured, *words: str, ca: str | None = None, url: str | None = None, **let_in: str) -> tuple[int, str]:
    """The exit code of `lexel`, and all that it said."""
    names = ("OPENSEARCH_USER", "OPENSEARCH_PASSWORD", "OPENSEARCH_CA", "OPENSEARCH_API_KEY")
    environment = {k: v for k, v in os.environ.items() if k not in names}
    environment |= {"OPENSEARCH_URL": url or secured.url, "COLUMNS": "200"}
    environment |= {"OPENSEARCH_CA": str(secured.ca) if ca is None else ca} if ca != "" else {}
    environment |= {f"OPENSEARCH_{name}": value for name, value in let_in.items()}
    code = "from lexel.pipeline.cli.main import main; main()"
    answer = subprocess.run(
        [sys.executable, "-W", "default", "-c", code, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.returncode, answer.stdout + answer.stderr


def refused(answer: tuple[int, str]) -> str:
    code, said = answer
    assert code == 1, said
    assert len(said.strip().splitlines()) == 1, said
    assert said.startswith("lexel: ")
    return said


SEARCH = ("search", "word1", "--mode", "words", "-k", "3")


def test_who_may_write_loads_and_searches_by_the_command_line(secured: Secured, photos: Path) -> None:
    user, password = ADMIN
    code, said = run(secured, "load", str(photos), "--index", "mine", USER=user, PASSWORD=password)
    assert (code, "60 documents in the index mine" in said) == (0, True), said
    code, said = run(secured, *SEARCH, "--index", "mine", USER=user, PASSWORD=password)
    assert (code, ".jpg" in said) == (0, True), said


def test_a_reader_searches_and_may_not_load(secured: Secured, photos: Path) -> None:
    user, password = READER
    code, said = run(secured, *SEARCH, "--index", "photos", USER=user, PASSWORD=password)
    assert (code, ".jpg" in said) == (0, True), said
    code, said = run(secured, *SEARCH, "--index", "photos", "--page", "first", USER=user, PASSWORD=password)
    assert (code, ".jpg" in said) == (0, True), said
    client = connect(Address(secured.url, *READER, str(secured.ca)))
    assert client.search(index="photos", body=words("word1", k=3))["hits"]["hits"]
    before = contents(client, "photos")
    for index in ("photos", "others"):
        said = refused(run(secured, "load", str(photos), "--index", index, USER=user, PASSWORD=password))
        assert "; ask for the right, or use another user" in said
    assert contents(client, "photos") == before
    assert not connect(Address(secured.url, *ADMIN, str(secured.ca))).indices.exists(
        index="others*", allow_no_indices=False
    )


def test_the_right_that_is_missing_is_named(secured: Secured, photos: Path) -> None:
    user, password = DATA_READER
    said = refused(run(secured, *SEARCH, "--index", "photos", USER=user, PASSWORD=password))
    assert "may not do that (indices:admin/" in said


def test_a_wrong_password_is_one_sentence_without_it(secured: Secured, photos: Path) -> None:
    for words_ in (SEARCH, ("load", str(photos), "--index", "photos")):
        said = refused(run(secured, *words_, USER="admin", PASSWORD=WRONG))
        assert "refused the login; set OPENSEARCH_USER and OPENSEARCH_PASSWORD" in said
        assert WRONG not in said
    url = secured.url.replace("//", f"//admin:{WRONG}@")
    said = refused(run(secured, *SEARCH, url=url))
    assert "refused the login" in said
    assert WRONG not in said
    assert "refused the login" in refused(run(secured, *SEARCH))


def test_the_password_may_stand_in_the_address(secured: Secured, photos: Path) -> None:
    code, said = run(secured, *SEARCH, "--index", "photos", url=secured.url.replace("//", "//{}:{}@".format(*READER)))
    assert (code, ".jpg" in said) == (0, True), said


def test_an_api_key_that_is_unknown_is_refused(secured: Secured, photos: Path) -> None:
    """That the header is sent as it should be is seen in `test_signing`; this cluster knows no keys."""
    said = refused(run(secured, *SEARCH, API_KEY=WRONG))
    assert "OPENSEARCH_API_KEY" in said
    assert WRONG not in said


def test_a_certificate_of_another_ca_is_refused(secured: Secured, photos: Path, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    user, password = ADMIN
    for ca in (str(stranger), ""):  # another, and those that the system trusts
        for words_ in (SEARCH, ("load", str(photos), "--index", "photos")):
            said = refused(run(secured, *words_, ca=ca, USER=user, PASSWORD=password))
            assert "certificate is not trusted; set OPENSEARCH_CA" in said
    said = refused(run(secured, *SEARCH, ca=str(tmp_path / "none.pem"), USER=user, PASSWORD=password))
    assert "no file of certificates" in said


def test_a_certificate_for_another_name_is_refused(secured: Secured, photos: Path) -> None:
    """The node's certificate is for localhost and 127.0.0.1; 127.0.0.2 is the same machine by a name it lacks."""
    client = connect(Address(secured.url.replace("127.0.0.1", "127.1"), *ADMIN, str(secured.ca)))
    with pytest.raises(ClusterError, match="certificate is not trusted"):
        load_shards(photos, index="photos", client=client)


def test_plain_http_to_a_secured_node_is_one_sentence(secured: Secured, photos: Path) -> None:
    said = refused(run(secured, *SEARCH, url=secured.url.replace("https", "http"), USER="admin", PASSWORD=WRONG))
    assert "does not answer; see that it runs and that OPENSEARCH_URL is right" in said
    assert WRONG not in said
