"""What the Search Relevance Workbench imports: within its limits, and searches that a real node answers as lexel does.

The plugin is in no node that can run here: the shapes are those of its documentation and its source.
"""

import json
import re
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pytest
from opensearchpy import OpenSearch
from support.indices import Names

from lexel.encoders import open_encoder
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.evaluate.evaluate_options import EvaluateOptions
from lexel.pipeline.evaluate.export import workbench
from lexel.pipeline.evaluate.queries.directions import Direction, Judgments, Query
from lexel.pipeline.evaluate.run import evaluate_encoder
from lexel.pipeline.load.documents.document_id import document_id
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.scenes import write
from lexel.pipeline.search.query_dsl import MODES


def asked(*texts: str | None) -> Direction:
    """A direction whose n-th query has the items a and n as right answers."""
    queries = [Query(f"q{n}", f"q{n}", text, {}, np.zeros(2)) for n, text in enumerate(texts)]
    right: Judgments = {query.id: {"a": 1, f"i{n}": 2} for n, query in enumerate(queries)}
    return Direction("text_to_image", "text", queries, right)


def written(folder: Path, direction: Direction, **about: Any) -> dict[str, Any]:
    workbench.write(folder, direction, **{"modes": MODES, "index": "photos", "name": "x", **about})
    files = sorted(folder.glob("*/*.json"))
    return {path.relative_to(folder).as_posix(): json.loads(path.read_text()) for path in files}


def as_imported(body: Any) -> dict[str, dict[str, float]]:
    """Ratings as `ImportJudgmentsProcessor` reads them: ids and numbers are texts."""
    assert body["type"] == "IMPORT_JUDGMENT"
    found: dict[str, dict[str, float]] = {}
    for one in body["judgmentRatings"]:
        assert set(one) == {"query", "ratings"}
        for rating in one["ratings"]:
            assert set(rating) == {"docId", "rating"}
            assert isinstance(rating["rating"], str)
            found.setdefault(one["query"], {})[rating["docId"]] = float(rating["rating"])
    return found


def test_the_files_are_bodies_for_the_addresses_of_their_folders(tmp_path: Path) -> None:
    files = written(tmp_path, asked("a dog", "snow"))
    assert list(files) == [
        "judgments/1.json",
        "query_sets/1.json",
        *(f"search_configurations/{mode}.json" for mode in sorted(MODES)),
    ]
    queries = files["query_sets/1.json"]
    assert set(queries) == {"name", "sampling", "querySetQueries"}
    assert queries["sampling"] == "manual"
    assert queries["querySetQueries"] == [{"queryText": "a dog"}, {"queryText": "snow"}]
    ratings = as_imported(files["judgments/1.json"])
    assert ratings == {"a dog": {"a": 1, "i0": 2}, "snow": {"a": 1, "i1": 2}}


def test_searches_are_texts_of_json_with_a_place_for_the_query(tmp_path: Path) -> None:
    files = written(tmp_path, asked("a dog"))
    kinds = {"words": {"bool"}, "terms": {"neural_sparse"}, "vector": {"neural"}, "hybrid": {"hybrid"}}
    for mode, kind in kinds.items():
        body = files[f"search_configurations/{mode}.json"]
        assert body["index"] == "photos"
        assert ("searchPipeline" in body) == (mode == "hybrid")
        query = json.loads(body["query"].replace("%SearchText%", "two dogs"))["query"]
        assert set(query) == kind
        assert "two dogs" in json.dumps(query)
        models = set(re.findall(r"\w+_MODEL_ID", body["query"]))
        assert models == {"words": set(), "terms": {"TERMS_MODEL_ID"}, "vector": {"VECTORS_MODEL_ID"}}.get(
            mode, {"TERMS_MODEL_ID", "VECTORS_MODEL_ID"}
        )


ODD = 'a "red" dog\\ <b>\n#1: at\tthe sea'


def test_what_the_plugin_refuses_is_left_out_of_texts_and_names(tmp_path: Path) -> None:
    files = written(tmp_path, asked(ODD, "a" * 3000, "<>"), name=ODD * 9)
    texts = [one["queryText"] for one in files["query_sets/1.json"]["querySetQueries"]]
    assert texts == ["a red dog b 1 at the sea", "a" * 2000]
    assert list(as_imported(files["judgments/1.json"])) == texts
    names = {body["name"] for body in files.values()}
    assert all(re.fullmatch(r'[^"\\<>]{1,50}', name) for name in names)


def test_queries_of_one_text_are_one(tmp_path: Path) -> None:
    files = written(tmp_path, asked("a dog", "a  dog"))
    assert as_imported(files["judgments/1.json"]) == {"a dog": {"a": 1, "i0": 2, "i1": 2}}


def test_sets_are_divided_where_the_plugin_takes_no_more(tmp_path: Path) -> None:
    files = written(tmp_path, asked(*(f"word {n}" for n in range(2500))))
    sets = [files[f"query_sets/{n}.json"]["querySetQueries"] for n in (1, 2, 3)]
    assert [len(one) for one in sets] == [1000, 1000, 500]
    for n, queries in enumerate(sets, 1):
        assert list(as_imported(files[f"judgments/{n}.json"])) == [one["queryText"] for one in queries]
    assert "query_sets/4.json" not in files
    again = written(tmp_path, asked("a dog"))  # nothing of before is left to be sent too
    assert [name for name in again if name.startswith(("query_sets", "judgments"))] == [
        "judgments/1.json",
        "query_sets/1.json",
    ]


def test_judgments_are_no_more_than_a_document_holds(tmp_path: Path) -> None:
    right: Judgments = {f"q{n}": {f"i{i}": 1 + (i == 0) for i in range(6000 + 6000 * (n == 2))} for n in range(3)}
    queries = [Query(id_, id_, f"word {id_}", {}, np.zeros(2)) for id_ in right]
    files = written(tmp_path, Direction("short_to_image", "text", queries, right), modes=["words"])
    for n in (1, 2, 3):
        found = as_imported(files[f"judgments/{n}.json"])
        assert len(found) + sum(map(len, found.values())) <= 10_000
        assert all(max(grades.values()) == 2 for grades in found.values())
    assert len(found["word q2"]) == 9_999


def test_long_ids_are_those_of_documents(tmp_path: Path) -> None:
    query = Query("q", "q", "a dog", {}, np.zeros(2))
    files = written(tmp_path, Direction("text_to_image", "text", [query], {"q": {"x" * 600: 1}}))
    assert as_imported(files["judgments/1.json"]) == {"a dog": {document_id("x" * 600): 1}}


def test_queries_that_are_images_are_refused(tmp_path: Path) -> None:
    images = Direction("image_to_image", "image", [], {})
    with pytest.raises(ConfigError, match="add --queries short"):
        workbench.write(tmp_path, images, modes=MODES, index="photos", name="x")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        written(tmp_path / "file", asked("a dog"))


def test_a_node_answers_the_search_as_the_evaluation_did(
    client: OpenSearch, tmp_path: Path, index_name: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXEL_HOME", str(tmp_path / "home"))
    index = index_name("workbench")
    options = EvaluateOptions(
        modes=("words",), run_folder=tmp_path / "runs", workbench_folder=tmp_path / "bench", workbench_index=index
    )
    manifest = write(tmp_path / "drawn", count=20, seed=7)
    evaluate_encoder(manifest, encoder=open_encoder(), client=client, options=options)
    (pictures,) = (tmp_path / "home").rglob("pictures/job.json")
    load_shards(pictures.parent, index=index, client=client)
    files = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "bench").glob("search_conf*/*.json")}
    ratings = as_imported(json.loads((tmp_path / "bench/judgments/1.json").read_text()))
    run: dict[str, list[float]] = {}
    for hit in ir_measures.read_trec_run(str(tmp_path / "runs/text_to_image.words.run")):
        run.setdefault(hit.query_id, []).append(hit.score)
    table = (tmp_path / "runs/text_to_image.queries.tsv").read_text().splitlines()
    texts = dict(line.split("\t") for line in table)
    assert set(files) == {"words"}
    for id_, text in list(texts.items())[:20]:
        body = json.loads(files["words"]["query"].replace("%SearchText%", text))
        hits = client.search(index=files["words"]["index"], body=body | {"size": 100})["hits"]["hits"]
        assert [hit["_score"] for hit in hits] == pytest.approx(run[id_], rel=1e-5)
        assert set(ratings[text]) & {hit["_id"] for hit in hits}
