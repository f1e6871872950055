"""Installs a dashboard for an index in OpenSearch Dashboards, in one call."""

from collections.abc import Sequence

from opensearchpy import OpenSearch

from lexel.mappings.dashboard_pack import Saved, dashboards_pack
from lexel.pipeline.cluster.client import Address
from lexel.pipeline.dashboards.index_facts import index_facts
from lexel.pipeline.dashboards.saved_objects import import_saved_objects

# The default URLs of Dashboards and `lexel serve`.
DASHBOARDS_URL, IMAGES_URL = "http://127.0.0.1:5601", "http://127.0.0.1:8600"


def make_pack(client: OpenSearch, index: str, *, images: str = IMAGES_URL) -> Sequence[Saved]:
    """The saved objects of `index`, whose images `lexel serve` shows at the URL `images`."""
    return dashboards_pack(index_facts(client, index, images=images))


def install_dashboard(
    client: OpenSearch, index: str, *, where: Address, url: str = DASHBOARDS_URL, images: str = IMAGES_URL
) -> str:
    """Import a dashboard of `index` into the Dashboards at `url` with the credentials of `where`; return its URL.

    Raises ClusterError if OpenSearch or Dashboards cannot be reached or refuses.
    """
    return import_saved_objects(make_pack(client, index, images=images), url=url, where=where)
