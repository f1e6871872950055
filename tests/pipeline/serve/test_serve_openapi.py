"""Whatever the OpenAPI description allows, and much that it does not, the server answers without breaking."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from opensearchpy import OpenSearch
from schemathesis import GenerationMode
from support.drawn import Drawn
from support.serving import served

from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index

ROUTES = {
    "/search": {"get", "post"},
    "/explain": {"get", "post"},
    "/encode": {"post"},
    "/similar": {"get"},
    "/rank": {"get"},
    "/images/{id}": {"get"},
    "/images/{id}/thumbnail": {"get"},
    "/images/{id}/original": {"get"},
    "/terms": {"get"},
    "/examples": {"get"},
    "/indices": {"get"},
    "/healthz": {"get"},
    "/metrics": {"get"},
}
# There is no way of asking these wrongly.
WITHOUT_PARAMETERS = {"/indices", "/healthz", "/metrics"}
ASKED = [
    (path, method, mode)
    for path, methods in ROUTES.items()
    for method in sorted(methods)
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE or path not in WITHOUT_PARAMETERS
]


@pytest.fixture(scope="module")
def described(drawn: Drawn, client: OpenSearch) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", served(client, hosts=None))


def test_the_description_has_every_route_in_words(described: Any) -> None:
    paths = described.raw_schema["paths"]
    assert {path: set(methods) for path, methods in paths.items()} == ROUTES
    for methods in paths.values():
        assert all(about["description"] for about in methods.values())


@pytest.mark.parametrize(("path", "method", "mode"), ASKED)
def test_no_question_breaks_the_server(
    described: Any, drawn: Drawn, path: str, method: str, mode: GenerationMode
) -> None:
    codes = set()
    known = search_index(drawn.images, SearchRequest("dog", mode="words", k=1)).hits[0].id

    @given(case=described[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=20, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:  # else nearly all would be about what is not there
            asked = {name: value for name, value in (case.query or {}).items() if name != "index"}
            case.query = asked | ({"id": known} if "id" in asked else {})
            case.path_parameters = {"id": known}
        answer = case.call()
        codes.add(answer.status_code)
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)

    ask()
    assert codes
