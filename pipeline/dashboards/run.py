"""Installs a dashboard for an index in OpenSearch Dashboards, in one call."""

from collections.abc import Sequence
from dataclasses import replace

from opensearchpy import OpenSearch

from lexel.mappings.dashboard_pack import Saved, dashboards_pack
from lexel.pipeline.cluster.client import Address
from lexel.pipeline.dashboards.dashboards_client import DashboardsClient
from lexel.pipeline.dashboards.index_facts import index_facts
from lexel.pipeline.dashboards.saved_objects import Imported, import_saved_objects

# The default URLs of Dashboards and `lexel serve`.
DASHBOARDS_URL, IMAGES_URL = "http://127.0.0.1:5601", "http://127.0.0.1:8600"
_DOTS = (
    "The map shows dots and no images: {why}; set it to true in opensearch_dashboards.yml, and give this command again."
)
_OFF, _UNKNOWN = (
    "vis_type_vega.enableExternalUrls is off",
    "whether vis_type_vega.enableExternalUrls is on could not be read (--external-urls says that it is)",
)


def make_pack(
    client: OpenSearch, index: str, *, images: str = IMAGES_URL, external_urls: bool = False
) -> Sequence[Saved]:
    """The saved objects of `index`, whose images `lexel serve` shows at the URL `images`.

    The map shows images only with `external_urls`, which Dashboards must allow (`vis_type_vega.enableExternalUrls`).
    """
    return dashboards_pack(replace(index_facts(client, index, images=images), external_urls=external_urls))


def install_dashboard(
    client: OpenSearch,
    index: str,
    *,
    where: Address,
    url: str = DASHBOARDS_URL,
    images: str = IMAGES_URL,
    external_urls: bool | None = None,
) -> Imported:
    """Import a dashboard of `index` into the Dashboards at `url` with the credentials of `where`.

    Dashboards is asked whether it allows `external_urls` if that is None. Raises ClusterError if OpenSearch or
    Dashboards cannot be reached or refuses.
    """
    dashboards = DashboardsClient(url, where)
    allowed = dashboards.external_urls() if external_urls is None else external_urls
    pack = make_pack(client, index, images=images, external_urls=bool(allowed))
    found = import_saved_objects(pack, dashboards)
    if allowed or external_urls is False:
        return found
    return replace(found, notes=[*found.notes, _DOTS.format(why=_UNKNOWN if allowed is None else _OFF)])
