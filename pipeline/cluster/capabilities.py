"""Which plugins a cluster has, and whether it is the embedded node."""

from opensearchpy import OpenSearch

# A node attribute that only the embedded node has. It lacks native libraries, and a faiss field would crash it.
_EMBEDDED = ("lexel", "embedded")


def is_embedded(client: OpenSearch) -> bool:
    """Whether a node of the cluster is an embedded one."""
    nodes = client.nodes.info(metric="settings")["nodes"].values()
    return any(node.get("attributes", {}).get(_EMBEDDED[0]) == _EMBEDDED[1] for node in nodes)


_NEURAL = "opensearch-neural-search"


def has_neural(client: OpenSearch) -> bool:
    """Whether every node of the cluster has the neural-search plugin."""
    nodes = client.nodes.info(metric="plugins")["nodes"].values()
    return all(any(plugin["name"] == _NEURAL for plugin in node.get("plugins", ())) for node in nodes)
