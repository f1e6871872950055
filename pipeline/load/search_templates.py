"""Stores search templates and search pipelines in the cluster, so that any client can search with them by name.

POST photos/_search/template {"id": "lexel-words", "params": {"q": "two dogs", "ban": "cat"}}
"""

from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

from lexel.mappings import pipelines, templates
from lexel.pipeline.cluster.capabilities import has_neural


def store_search_templates(client: OpenSearch) -> tuple[str, ...]:
    """Store the search templates, and the pipelines if the cluster has neural-search. Returns the names stored.

    Without the permission to change cluster settings nothing is stored; lexel's own searches need none of them.
    """
    stored: list[str] = []
    try:
        for name, source in templates().items():
            client.put_script(id=name, body={"script": {"lang": "mustache", "source": source}})
            stored.append(name)
        if has_neural(client):
            for name, body in pipelines().items():
                client.search_pipeline.put(id=name, body=body)
                stored.append(name)
    except errors.AuthorizationException:
        pass
    return tuple(stored)
