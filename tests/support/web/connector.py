"""What ml-commons does with a connector, and neural-search with its answer, as far as lexel's documents use it.

Sources: `ConnectorUtils`, `HttpConnector`, `MLPreProcessFunction`, `MLPostProcessFunction` and
`EmbeddingPostProcessFunction` of ml-commons; `TokenWeightUtil` of neural-search.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from fastapi.testclient import TestClient

_PRE, _POST = "connector.pre_process.default.embedding", "connector.post_process.default.embedding"
# What a connector may have, and one of its actions.
_KEYS = {"name", "description", "version", "protocol", "parameters", "credential", "actions"}
_ACTION = {"action_type", "method", "url", "headers", "request_body", "pre_process_function", "post_process_function"}


def predict(connector: Mapping[str, Any], inputs: Mapping[str, str], api: TestClient) -> Any:
    """The answer to a prediction with these parameters, as it is handed on: JSON, filtered if the connector says so."""
    assert set(connector) <= _KEYS
    assert connector["protocol"] == "http"
    assert connector["credential"], "ml-commons refuses a connector without one"
    (action,) = connector["actions"]
    assert set(action) <= _ACTION
    assert (action["action_type"], action["method"]) == ("predict", "POST")
    body = _filled(action["request_body"], "parameters", connector.get("parameters", {}) | dict(inputs))
    headers = {key: _filled(value, "credential", connector["credential"]) for key, value in action["headers"].items()}
    json.loads(body)  # it sends nothing else
    answer = api.post(urlsplit(action["url"]).path, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    wanted = connector.get("parameters", {}).get("response_filter")
    return answer.json() if wanted is None else at(answer.json(), wanted)


def texts(connector: Mapping[str, Any], docs: Sequence[str], api: TestClient) -> Any:
    """The answer to a list of texts, through the default pre-processing."""
    assert connector["actions"][0]["pre_process_function"] == _PRE
    return predict(connector, {"input": json.dumps(list(docs))}, api)


def token_weights(connector: Mapping[str, Any], docs: Sequence[str], api: TestClient) -> list[dict[str, float]]:
    """What `neural_sparse` and `sparse_encoding` make of it: without post-processing, the answer is `response`."""
    assert "post_process_function" not in connector["actions"][0]
    response = texts(connector, docs, api)
    assert isinstance(response, list)
    for one in response:
        assert isinstance(one, dict)
        assert all(isinstance(key, str) and isinstance(value, int | float) for key, value in one.items())
    return response


def embeddings(connector: Mapping[str, Any], docs: Sequence[str], api: TestClient) -> list[list[float]]:
    """What `neural` and `text_embedding` make of it: a list of lists of numbers."""
    assert connector["actions"][0]["post_process_function"] == _POST
    response = texts(connector, docs, api)
    assert isinstance(response, list)
    assert all(isinstance(row, list) and row and all(isinstance(x, float) for x in row) for row in response)
    return response


def at(found: Any, path: str) -> Any:
    """What is at a JSON path of names and places: `$.terms[0]`."""
    assert re.fullmatch(r"\$(\.\w+|\[\d+\])+", path), path
    for name, place in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        found = found[name] if name else found[int(place)]
    return found


def _filled(template: str, group: str, values: Mapping[str, str]) -> str:
    return re.sub(rf"\$\{{{group}\.(\w+)\}}", lambda found: values[found[1]], template)
