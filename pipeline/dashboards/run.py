"""A dashboard of an index in OpenSearch Dashboards, in one call."""

from collections.abc import Sequence

from opensearchpy import OpenSearch

from lexel.mappings.dashboard_pack import Saved, dashboards_pack
from lexel.pipeline.cluster.client import Address
from lexel.pipeline.dashboards.index_facts import index_facts
from lexel.pipeline.dashboards.saved_objects import import_saved_objects

# Where Dashboards and `lexel serve` answer by default.
DASHBOARDS_URL, IMAGES_URL = "http://127.0.0.1:5601", "http://127.0.0.1:8600"


def make_pack(client: OpenSearch, index: str, *, images: str = IMAGES_URL) -> Sequence[Saved]:
    """The saved objects of `index`, whose pictures `lexel serve` shows at `images`."""
    return dashboards_pack(index_facts(client, index, images=images))


def install_dashboard(
    client: OpenSearch, index: str, *, where: Address, url: str = DASHBOARDS_URL, images: str = IMAGES_URL
) -> str:
    """Import a dashboard of `index` into the Dashboards at `url`, and return its address there.

    `where` says who asks. Raises ClusterError where OpenSearch or Dashboards is away or refuses.
    """
    return import_saved_objects(make_pack(client, index, images=images), url=url, where=where)
