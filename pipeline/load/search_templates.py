"""What a load leaves in the cluster beside its index, so that any client can ask by name: templates and pipelines.

POST photos/_search/template {"id": "lexel-words", "params": {"q": "two dogs", "ban": "cat"}}
"""

from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

from lexel.mappings import pipelines, templates
from lexel.pipeline.cluster.capabilities import has_neural


def store_search_templates(client: OpenSearch) -> tuple[str, ...]:
    """Store the search templates, and the pipelines where the cluster has neural-search. Returns the names stored.

    A user who may write the index and not the cluster's settings gets none: searches by lexel itself need none of them.
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
