"""A real OpenSearch with TLS, users and roles: who is let in and who is not; signatures; planted secrets."""

from collections.abc import Iterator

from soak.asked import tests
from soak.ground import Ground, Tried


def soak(ground: Ground) -> Iterator[Tried]:
    yield from tests(
        "TLS, users, roles, wrong certificates and passwords", "tests/pipeline/cluster/test_secured_cluster.py"
    )
    yield from tests("API key, AWS signatures, planted secrets", "tests/pipeline/cluster/test_authentication.py")
