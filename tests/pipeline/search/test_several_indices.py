"""One name for several indices: of one encoder they are one collection, of several they are refused."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opensearchpy import OpenSearch
from support.jobs import run
from support.making import photo_folder

from lexel.encoders import open_encoder
from lexel.pipeline.errors import ClusterError
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.search.browse import browse
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import MODES, Mode
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index
from lexel.pipeline.shards.job import read_job

Alias = Callable[..., SearchIndex]
WORDS = "dog man people snow water street red food sky grass"


@pytest.fixture(scope="module")
def two(client: OpenSearch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Two indices of pictures in folders of their own, by the shipped encoder."""
    folder, made = tmp_path_factory.mktemp("two"), dict[str, Path]()
    for name, count in (("several-a", 5), ("several-b", 4)):
        photos = photo_folder(folder / name, count=count)
        for path in photos.glob("*.jpg"):
            path.rename(path.with_name(f"{name}-{path.name}"))
        run(photos, folder / f"{name}-shards", open_encoder())
        made[load_shards(folder / f"{name}-shards", index=name, client=client).index] = photos
    yield made
    client.indices.delete(index="several-*")


@pytest.fixture
def alias(client: OpenSearch) -> Iterator[Alias]:
    """Gives several indices one name."""
    made = []

    def of(*indices: str) -> SearchIndex:
        made.append(f"together-{len(indices)}-{len(made)}")
        client.indices.update_aliases(body={"actions": [{"add": {"index": one, "alias": made[-1]}} for one in indices]})
        return SearchIndex(client, made[-1], device="cpu")

    yield of
    for name in made:
        client.indices.delete_alias(index="*", name=name)


@pytest.mark.parametrize("mode", MODES)
def test_hits_of_each_have_paths_of_their_own(two: dict[str, Path], alias: Alias, mode: Mode) -> None:
    index = alias(*two)
    hits = search_index(index, SearchRequest(WORDS, mode=mode, k=9)).hits
    assert {hit.path.parent for hit in hits} == set(two.values())
    assert all(hit.path.is_file() for hit in hits)
    # One after another, as the pages of one list.
    paged, cursor = list[str](), None
    for _ in range(9):
        page = search_index(index, SearchRequest(WORDS, mode=mode, k=2, paged=True, after=cursor))
        paged += [hit.id for hit in page.hits]
        cursor = page.next
        if cursor is None:
            break
    assert len(paged) == len(set(paged)) == len(hits)


def test_items_of_each_are_found_and_browsed(two: dict[str, Path], alias: Alias) -> None:
    index = alias(*two)
    found = browse(index, k=20)
    assert found.total == len(found.hits) == 9
    assert all(hit.path.is_file() for hit in found.hits)
    for hit in found.hits:
        assert index.item(hit.id)["uri"] == hit.uri
        like = search_index(index, SearchRequest(like=(hit.id,), mode="vector", k=2)).hits
        assert hit.id in {one.id for one in like}  # the first pictures are in both


@pytest.mark.parametrize("mode", MODES)
def test_of_different_encoders_they_are_refused(
    two: dict[str, Path], alias: Alias, client: OpenSearch, mode: Mode
) -> None:
    other = f"several-other-{mode}"
    about = client.indices.get_mapping(index=next(iter(two)))[next(iter(two))]["mappings"]
    about["_meta"]["lexel"] |= {"fingerprint": "0123456789abcdef", "name": "another"}
    client.indices.create(index=other, body={"settings": {"index.knn": True}, "mappings": {"_meta": about["_meta"]}})
    with pytest.raises(ClusterError, match=r"different encoders .*another 0123456789abcdef.*search one of them"):
        search_index(alias(next(iter(two)), other), SearchRequest("dog", mode=mode))


def test_one_that_is_not_of_lexel_is_named(two: dict[str, Path], alias: Alias, client: OpenSearch) -> None:
    client.indices.create(index="several-foreign", body={})
    with pytest.raises(ClusterError, match=r"several-foreign, an index behind together-.*not made by lexel"):
        search_index(alias(next(iter(two)), "several-foreign"), "dog")


def test_a_root_that_has_moved_is_that_of_the_index_now(
    two: dict[str, Path], client: OpenSearch, tmp_path: Path
) -> None:
    index = SearchIndex(client, "several-moved", device="cpu")
    photos = photo_folder(tmp_path / "first", count=4)
    for place in (tmp_path / "first", tmp_path / "second"):
        if place != photos:
            photos.rename(place)
        run(place, tmp_path / f"{place.name}-shards", open_encoder())
        assert read_job(tmp_path / f"{place.name}-shards").root == str(place)
        load_shards(tmp_path / f"{place.name}-shards", index="several-moved", client=client)
        hits = search_index(index, SearchRequest(WORDS, mode="vector")).hits
        assert hits
        assert all(hit.path.is_file() for hit in hits)
