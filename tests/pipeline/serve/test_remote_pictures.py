"""The server and pictures that are elsewhere: it shows what the index holds, and fetches nothing."""

from collections.abc import Callable
from pathlib import Path

from opensearchpy import OpenSearch
from support.commands import lexel
from support.listing import written
from support.making import jpeg, random_encoder
from support.serving import asking, served
from support.web.file_server import file_server

from lexel.pipeline.encode.run import encode_source
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.sources.source import open_source


def test_it_shows_thumbnails_and_fetches_nothing(
    client: OpenSearch, at_node: str, index_name: Callable[[str], str], tmp_path: Path
) -> None:
    name, encoder = index_name("remote"), random_encoder(tmp_path / "encoder")
    with file_server() as web:
        web.files |= {"set/a.jpg": jpeg(1), "set/b.jpg": jpeg(2)}
        table = written(tmp_path / "m.csv", f"image\n{web.url}/set/a.jpg\n")
        web.files["set/m.csv"] = b"image\nb.jpg\n"
        for number, source in enumerate((str(table), f"{web.url}/set/m.csv")):
            encode_source(open_source(source), tmp_path / f"{number}", encoder=encoder)
            load_shards(tmp_path / f"{number}", index=f"{name}-{number}", client=client)
        before = web.asked.copy()
        for number, uri in enumerate((f"{web.url}/set/a.jpg", "b.jpg")):
            with asking(served(client, f"{name}-{number}")) as api:
                (hit,) = api.get("/search").json()["hits"]
                assert hit["uri"] == uri
                about = f"/images/{hit['id']}"
                assert api.get(f"{about}/thumbnail").headers["content-type"] == "image/jpeg"
                assert api.get(f"{about}/original").status_code == 404
                assert not api.get(about).json()["original"]
                picture = f"{web.url}/set/a.jpg"
                assert api.get("/search", params={"image": picture}).status_code == 422
                assert api.post("/search", json={"image": picture}).status_code == 422
                assert api.post("/search", data={"image": picture}).status_code == 422
            said = lexel("search", "--like", hit["id"], "--index", f"{name}-{number}")
            shown = lexel("search", "dog", "--mode", "vector", "--index", f"{name}-{number}")
            assert said.returncode == shown.returncode == 0, said.stderr + shown.stderr
            assert f"{web.url}/set/" in shown.stdout
        assert web.asked == before
