"""An item is named by its id, by its uri, or by its path as results show it, whatever its source is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from opensearchpy import OpenSearch
from support.making import photo_folder
from support.serving import asking, served

from lexel.encoders import open_encoder
from lexel.pipeline.encode.run import encode_source
from lexel.pipeline.errors import NotThereError
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index
from lexel.pipeline.sources.source import open_source


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, client: OpenSearch) -> Iterator[Path]:
    """A folder of bare pictures, and a table beside it that names them by absolute paths; indexed as two."""
    folder = tmp_path_factory.mktemp("named")
    pictures = photo_folder(folder / "pictures", count=4)
    rows = "\n".join(str(path) for path in sorted(pictures.iterdir()))
    (folder / "table.csv").write_text(f"path\n{rows}\n")
    for name, source in (("named-folder", pictures), ("named-table", folder / "table.csv")):
        encode_source(open_source(source), folder / name, encoder=open_encoder("lexel-tiny"))
        load_shards(folder / name, index=name, client=client)
    yield folder
    client.indices.delete(index="named-*")


@pytest.mark.parametrize("name", ["named-folder", "named-table"])
def test_a_copied_line_of_the_results_names_an_item(
    name: str, place: Path, client: OpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = SearchIndex(client, name)
    absolute = str(place / "pictures/002.jpg")
    (id_,) = index.ids([absolute])
    uri = index.item(id_)["uri"]
    assert index.ids([uri, id_]) == (id_, id_)
    monkeypatch.chdir(place)
    assert index.ids(["pictures/002.jpg", "./pictures/002.jpg"]) == (id_, id_)
    monkeypatch.chdir(place / "pictures")
    assert index.ids(["002.jpg"]) == (id_,)
    found = search_index(index, SearchRequest(like=("002.jpg",), unlike=("003.jpg",)))
    assert index.ids(["003.jpg"])[0] not in [hit.id for hit in found.hits]
    with pytest.raises(NotThereError, match=r"no item 009\.jpg in"):
        index.ids(["009.jpg"])


def test_the_page_opens_for_pictures_without_metadata(place: Path, client: OpenSearch) -> None:
    with asking(served(client, "named-folder", "named-table")) as api:
        answer = api.get("/indices")
        assert answer.status_code == 200
        assert [one["facets"] for one in answer.json()["indices"]] == [[], []]
        assert len(api.get("/search", params={"index": "named-folder"}).json()["hits"]) == 4
