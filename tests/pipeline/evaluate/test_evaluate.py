"""lexel evaluate on a real node, against rankings by brute force in memory; and nothing of it stays behind."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pytest
import torch
from opensearchpy import OpenSearch
from typer.testing import CliRunner

from lexel.encoders import open_encoder
from lexel.encoders.model import load_model
from lexel.pipeline.calibrate.hybrid_weight import ranks, recalls, term_scores
from lexel.pipeline.cli.main import app
from lexel.pipeline.errors import ClusterError, ConfigError, SourceError
from lexel.pipeline.evaluate import retrieve, temporary_index
from lexel.pipeline.evaluate.evaluate_options import EvaluateOptions
from lexel.pipeline.evaluate.evaluation_set import EvaluationSet, load_evaluation_set
from lexel.pipeline.evaluate.queries.directions import Direction, directions
from lexel.pipeline.evaluate.report import EvaluationReport, as_json
from lexel.pipeline.evaluate.run import evaluate_encoder
from lexel.pipeline.scenes import write
from lexel.pipeline.search.query_dsl import MODES

COUNT, SEED = 40, 40_000
BOTH = ("text_to_image", "image_to_text")


@dataclass(frozen=True)
class Done:
    """One evaluation of drawn scenes by the shipped encoder, and what it judged."""

    manifest: Path
    runs: Path
    home: Path
    report: EvaluationReport
    collection: EvaluationSet
    directions: dict[str, Direction]


@pytest.fixture(scope="module")
def done(client: OpenSearch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("evaluate")
    manifest, encoder = write(folder / "drawn", count=COUNT, seed=SEED), open_encoder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEXEL_HOME", str(folder / "home"))
        report = evaluate_encoder(
            manifest, encoder=encoder, client=client, options=EvaluateOptions(run_folder=folder / "runs", device="cpu")
        )
        collection = load_evaluation_set(manifest, encoder=encoder, device="cpu")
        found = {one.name: one for one in directions(collection, encoder)}
        yield Done(manifest, folder / "runs", folder / "home", report, collection, found)


def left_behind(client: OpenSearch) -> list[str]:
    return list(client.indices.get_alias(index=f"{temporary_index.PREFIX}*"))


def in_memory(done: Done, name: str) -> dict[str, np.ndarray]:
    """Every pair's score in each mode, [Q, N], and what is right."""
    direction = done.directions[name]
    items = done.collection.captions if direction.captions_sought else done.collection.pictures
    assert items is not None
    terms = term_scores([query.terms for query in direction.queries], items.terms)
    cosines = np.stack([query.vector for query in direction.queries]) @ items.vectors.T
    weight = open_encoder().vector_weight(direction.side)
    right = np.array([[id_ in direction.right[query.id] for id_ in items.ids] for query in direction.queries])
    return {
        "terms": terms, "words": terms, "vector": 1 + cosines, "hybrid": terms + weight * (1 + cosines), "right": right,
    }  # fmt: skip


def test_nothing_stays_in_the_cluster(done: Done, client: OpenSearch) -> None:
    assert left_behind(client) == []


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("mode", MODES)
def test_recalls_are_those_of_brute_force(done: Done, name: str, mode: str) -> None:
    scores = in_memory(done, name)
    found = done.report.directions[name].modes[mode].means
    # By lot, a tie goes all to one side or the other; in memory half of it does.
    tied = 100 * (ranks(scores[mode], scores["right"]) % 1 > 0).mean() + 1e-6
    expected = recalls(scores[mode], scores["right"])
    tolerance = max(tied, 2.0 if mode in {"vector", "hybrid"} else 0.0)
    assert [found[f"R@{k}"] for k in (1, 5, 10)] == pytest.approx(expected, abs=tolerance)
    assert found["median_rank"] == pytest.approx(np.median(ranks(scores[mode], scores["right"])), abs=1)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("mode", ["terms", "words"])
def test_scores_are_those_of_brute_force(done: Done, name: str, mode: str) -> None:
    scores, direction = in_memory(done, name), done.directions[name]
    items = done.collection.captions if direction.captions_sought else done.collection.pictures
    assert items is not None
    place = {id_: i for i, id_ in enumerate(items.ids)}
    rows = {query.id: row for query, row in zip(direction.queries, scores[mode], strict=True)}
    found = list(ir_measures.read_trec_run(str(done.runs / f"{name}.{mode}.run")))
    assert len(found) > len(rows)
    expected = [rows[hit.query_id][place[hit.doc_id]] for hit in found]
    assert [hit.score for hit in found] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", BOTH)
def test_words_are_terms(done: Done, name: str) -> None:
    def ranking(mode: str) -> list[tuple[str, str, float]]:
        return [
            (h.query_id, h.doc_id, h.score) for h in ir_measures.read_trec_run(str(done.runs / f"{name}.{mode}.run"))
        ]

    for a, b in zip(ranking("words"), ranking("terms"), strict=True):
        assert a == pytest.approx(b)
    modes = done.report.directions[name].modes
    assert modes["words"].means == modes["terms"].means


def test_the_files_give_the_reported_figures_again(done: Done) -> None:
    for name in BOTH:
        for mode, measured in done.report.directions[name].modes.items():
            found = ir_measures.calc_aggregate(
                [ir_measures.parse_measure(m) for m in ("Success@1", "Success@10", "RR", "nDCG@10", "AP@10", "P@10")],
                ir_measures.read_trec_qrels(str(done.runs / f"{name}.qrels")),
                ir_measures.read_trec_run(str(done.runs / f"{name}.{mode}.run")),
            )
            again = {str(measure): 100 * value for measure, value in found.items()}
            names = {"Success@1": "R@1", "Success@10": "R@10", "RR": "MRR", "nDCG@10": "nDCG@10", "AP@10": "mAP@10"}
            for theirs, ours in names.items():
                assert again[theirs] == pytest.approx(measured.means[ours])
    assert len((done.runs / "text_to_image.queries.tsv").read_text().splitlines()) == len(
        done.directions["text_to_image"].queries
    )


def test_the_json_has_a_table_of_modes_in_per_cent(done: Done) -> None:
    table = as_json(done.report)
    assert list(table)[:2] == list(BOTH)
    for name in BOTH:
        assert list(table[name]) == list(MODES)
        for one in table[name].values():
            assert {"R@1", "R@5", "R@10", "MRR", "nDCG@10", "mAP@10", "P@10", "median_rank", "interval"} <= one.keys()
            low, high = one["interval"]["R@10"]
            assert 0 <= low <= one["R@10"] <= high <= 100
    assert table["about"]["pictures"] == COUNT
    assert table["text_to_image"]["hybrid"]["R@10"] > 3 * 100 * 10 / COUNT  # far above chance
    assert 0 < table["cost"]["terms"] < table["cost"]["whole"]
    # Four bytes a number and its neighbours, once: neither the source nor what was merged is counted.
    dim = load_model(open_encoder(), device="cpu").dim
    assert 4 * dim <= table["cost"]["vector"] < 6 * dim


def test_a_cut_changes_what_is_stored_and_encodes_nothing(done: Done, client: OpenSearch) -> None:
    kept = {path: path.stat().st_mtime_ns for path in done.home.rglob("shard-*.parquet")}
    report = evaluate_encoder(
        done.manifest,
        encoder=open_encoder(),
        client=client,
        options=EvaluateOptions(modes=["terms"], keep=16, budgets=[4], device="cpu"),
    )
    assert {path: path.stat().st_mtime_ns for path in done.home.rglob("shard-*.parquet")} == kept
    assert report.directions["text_to_image"].item_terms <= 16
    assert report.cost["terms"] < done.report.cost["terms"]
    (step,) = report.curve
    assert step.terms <= 4
    assert step.bytes["terms"] < report.cost["terms"]
    assert step.means["terms"]["R@1"] < done.report.directions["text_to_image"].modes["terms"].means["R@1"]
    assert left_behind(client) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ClusterError("refused")])
def test_nothing_stays_after_a_failure(
    done: Done, client: OpenSearch, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    there: list[str] = []

    def fail(*_: Any, **__: Any) -> None:
        there.extend(left_behind(client))
        raise error

    monkeypatch.setattr("lexel.pipeline.evaluate.run.retrieve", fail)
    with pytest.raises(error if isinstance(error, type) else type(error)):
        evaluate_encoder(done.manifest, encoder=open_encoder(), client=client, options=EvaluateOptions(device="cpu"))
    assert there
    assert left_behind(client) == []


def test_an_index_that_was_only_half_loaded_goes_too(
    done: Done, client: OpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Iterator[None]:
        assert left_behind(client)
        raise ClusterError("away")

    monkeypatch.setattr("lexel.pipeline.load.run._send", broken)
    with pytest.raises(ClusterError, match="away"), temporary_index.indexed(client, done.collection.folder):
        pass
    assert left_behind(client) == []


def test_a_refused_query_is_one_sentence(done: Done, client: OpenSearch) -> None:
    with (
        temporary_index.indexed(client, done.collection.folder) as index,
        pytest.raises(ClusterError, match="refused a query"),
    ):
        retrieve.retrieve(client, index, done.directions["text_to_image"], "terms", weight=1.0, depth=20_000)


def test_labels_are_judged_image_to_image_without_the_query_itself(
    client: OpenSearch, done: Done, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in done.manifest.read_text().splitlines()]
    labels = ["day" if i % 2 else "night" for i in range(len(rows))]
    labels[0] = "alone"  # nothing else has it, so it asks nothing
    manifest = done.manifest.with_name("labels.jsonl")
    manifest.write_text(
        "\n".join(json.dumps({"image": r["image"], "label": label}) for r, label in zip(rows, labels, strict=True))
    )
    report = evaluate_encoder(
        manifest,
        encoder=open_encoder(),
        client=client,
        options=EvaluateOptions(modes=["terms", "vector"], run_folder=tmp_path, device="cpu"),
    )
    asked = report.directions["image_to_image"]
    assert len(asked.queries) == COUNT - 1
    means = asked.modes["vector"].means
    assert {"mAP@10", "P@10", "F1@10", "mAP@50"} <= means.keys()
    assert 20 < means["P@10"] < 80  # the labels mean nothing
    found = list(ir_measures.read_trec_run(str(tmp_path / "image_to_image.vector.run")))
    assert found
    assert all(hit.query_id != hit.doc_id for hit in found)


def test_graded_judgments_are_used_instead(done: Done, client: OpenSearch, tmp_path: Path) -> None:
    pictures = done.collection.pictures
    judged = tmp_path / "some.qrels"
    judged.write_text(
        f"{pictures.uris[0]}#1 0 {pictures.uris[3]} 2\n{pictures.uris[0]}#1 0 {pictures.ids[0]} 1\nelsewhere 0 x 1\n"
    )
    found = directions(done.collection, open_encoder(), qrels=judged)
    (query,) = found[0].queries
    assert found[0].right[query.id] == {pictures.ids[3]: 2, pictures.ids[0]: 1}
    assert done.collection.captions is not None
    assert query.text == done.collection.captions.texts[1]
    assert {q.group for q in found[1].queries} == {pictures.uris[0], pictures.uris[3]}  # read the other way round
    judged.write_text("nobody 0 nothing 1\n")
    with pytest.raises(ConfigError, match="path#n"):
        directions(done.collection, open_encoder(), qrels=judged)
    judged.write_text("three columns only\n")
    with pytest.raises(ConfigError, match="four columns"):
        directions(done.collection, open_encoder(), qrels=judged)


def test_two_reports_are_compared_query_by_query(done: Done, at_node: str, tmp_path: Path) -> None:
    commands = CliRunner()
    for name, options in (("a", ["--keep", "4"]), ("b", [])):
        command = ["evaluate", str(done.manifest), "--modes", "terms", "--json", str(tmp_path / f"{name}.json")]
        answer = commands.invoke(app, [*command, "--device", "cpu", *options])
        assert answer.exit_code == 0, answer.output
        assert "text → image" in answer.output
        assert "bytes a picture" in answer.output
        assert answer.output.rstrip().endswith(f"written: {tmp_path / f'{name}.json'}")
    a, b = (json.loads((tmp_path / f"{name}.json").read_text()) for name in "ab")
    answer = commands.invoke(app, ["evaluate", "--compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")])
    assert answer.exit_code == 0, answer.output
    gain = b["text_to_image"]["terms"]["R@1"] - a["text_to_image"]["terms"]["R@1"]
    assert gain > 10
    row = next(line.split() for line in answer.output.splitlines() if "R@1 " in line)
    assert float(row[row.index("R@1") + 3]) == pytest.approx(gain, abs=0.06)
    assert float(row[-1]) < 0.01
    b["queries"]["text_to_image"]["digest"] = "other"
    (tmp_path / "b.json").write_text(json.dumps(b))
    answer = commands.invoke(app, ["evaluate", "--compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")])
    assert answer.exit_code == 1
    assert "cannot be paired" in " ".join(answer.output.split())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "Give either CAPTIONS"),
        (["x.jsonl", "--modes", "magic"], "no mode 'magic'"),
        (["x.jsonl", "--curve", "a"], "--curve a is invalid"),
        (["--compare", "nowhere.json", "nowhere.json"], "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(at_node: str, arguments: list[str], reason: str) -> None:
    answer = CliRunner().invoke(app, ["evaluate", *arguments])
    assert answer.exit_code == 1
    assert reason in " ".join(answer.output.split())


def test_a_split_that_is_not_there_is_named(done: Done, tmp_path: Path) -> None:
    manifest = tmp_path / "split.jsonl"
    manifest.write_text('{"image": "a.jpg", "split": "val", "caption": "a dog"}\n')
    with pytest.raises(SourceError, match="its splits are val"):
        load_evaluation_set(manifest, encoder=open_encoder(), split="test")
    with pytest.raises(SourceError, match="no column `split`"):
        load_evaluation_set(done.manifest, encoder=open_encoder(), split="test")
    manifest.write_text('{"image": "a.jpg"}\n')
    with pytest.raises(SourceError, match="neither captions nor labels"):
        load_evaluation_set(manifest, encoder=open_encoder())
