"""What a cluster can do: its plugins, and whether it is the embedded node."""

from opensearchpy import OpenSearch

# The embedded node says so by this attribute; it has no native libraries, and a faiss field would end it.
_EMBEDDED = ("lexel", "embedded")


def is_embedded(client: OpenSearch) -> bool:
    """Whether a node of the cluster is the embedded one."""
    nodes = client.nodes.info(metric="settings")["nodes"].values()
    return any(node.get("attributes", {}).get(_EMBEDDED[0]) == _EMBEDDED[1] for node in nodes)


_NEURAL = "opensearch-neural-search"


def has_neural(client: OpenSearch) -> bool:
    """Whether every node of the cluster has the neural-search plugin."""
    nodes = client.nodes.info(metric="plugins")["nodes"].values()
    return all(any(plugin["name"] == _NEURAL for plugin in node.get("plugins", ())) for node in nodes)
