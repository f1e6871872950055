"""The health report of terms: its figures against a slow count of the same shards, its warnings, its picture."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from opensearchpy import OpenSearch
from PIL import Image
from rich.console import Console
from support.commands import lexel
from support.making import FORMS, TERMS, vocabulary
from support.synthetic import DIM, FINGERPRINT, VOCABULARY, Collection, collection
from support.synthetic import job as synthetic_job

from lexel.encoders.term_weights import frequencies
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.mappings import index_body
from lexel.pipeline.cli.views.collection_stats import stats_report
from lexel.pipeline.errors import ConfigError, ShardError, SourceError
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.shards.job import write_job
from lexel.pipeline.shards.shard import Failure, Shard, write_shard
from lexel.pipeline.shards.table import Row, table
from lexel.pipeline.sources.item import Item
from lexel.pipeline.stats.counts import count_terms
from lexel.pipeline.stats.health_report import StatsReport, as_json, index_bytes, warnings
from lexel.pipeline.stats.plot import save_picture
from lexel.pipeline.stats.query_frequencies import query_frequencies


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return collection(tmp_path_factory.mktemp("shards"), count=350)


def report_of(folder: Path, queries: str | None = None) -> StatsReport:
    counts = count_terms(folder)
    return StatsReport(counts, query_frequencies(counts.vocabulary, queries))


def made(
    folder: Path, terms: list[dict[str, float]], *, failures: int = 0, captions: bool = False, words: Any = None
) -> Path:
    """Shards of three of items with these terms, over the vocabulary of `making` unless another is given."""
    known: Vocabulary = words or vocabulary()
    folder.mkdir(parents=True, exist_ok=True)
    known.save(folder / "vocabulary.json")
    write_job(folder, replace(synthetic_job(3), vocabulary=known.hash, captions=captions))
    rows = [
        Row(
            Item(f"{i}.jpg", text=f"text {i}" if captions else None, captions=() if captions else ("a dog", "Dogs!")),
            f"id{i}", 8, 8, held, np.ones(DIM, np.float32) / DIM**0.5, None,
        )
        for i, held in enumerate(terms)
    ]  # fmt: skip
    lost = [Failure(None, f"lost{i}.jpg", "empty") for i in range(failures)]
    for number in range(0, max(1, len(rows)), 3):
        part = table(rows[number : number + 3], dim=DIM, feature_dim=None)
        listing = f"{FINGERPRINT}-{number}"
        write_shard(folder, number // 3, part, listing=listing, failures=[] if number else lost)
    return folder


def test_the_counts_are_those_of_the_weights(drawn: Collection) -> None:
    counts, there = count_terms(drawn.folder), drawn.weights > 0
    assert (counts.items, counts.shards, counts.failed, counts.unknown, counts.unusable) == (350, 4, 0, 0, 0)
    assert counts.holds.tolist() == there.sum(0).tolist()
    assert np.allclose(counts.weight, drawn.weights.sum(0))
    assert np.repeat(np.arange(len(counts.active)), counts.active).tolist() == sorted(there.sum(1).tolist())
    assert np.allclose(counts.share, there.mean(0))
    assert set(counts.parquet) == {
        "id", "uri", "text", "captions", "label", "metadata", "width", "height", "thumbnail", "phash", "waves", "terms",
        "vector", "content", "key", "own_id", "described", "size", "changed", "facts",
    }  # fmt: skip
    size = sum(shard.path.stat().st_size for shard in finished_shards(drawn.folder))
    assert 0.5 * size < sum(counts.parquet.values()) < size


def test_the_most_and_least_certain_are_those_with_the_heaviest_ten_terms(drawn: Collection) -> None:
    certainty = np.sort(drawn.weights, axis=1)[:, ::-1][:, :10].astype(np.float64).sum(1) / 10
    rows = [row["uri"] for shard in finished_shards(drawn.folder) for row in shard.table().to_pylist()]
    order = np.argsort(certainty, kind="stable")
    counts = count_terms(drawn.folder)
    assert [name for name, _ in counts.least] == [rows[i] for i in order[:5]]
    assert [value for _, value in counts.most] == pytest.approx(sorted(certainty, reverse=True)[:5])


def test_cost_is_the_expected_number_of_postings(drawn: Collection, tmp_path: Path) -> None:
    """Every query against every item, one by one: how many terms do they share?"""
    dice = np.random.default_rng(5)
    texts = [" ".join(dice.choice(VOCABULARY.terms, size=4, replace=False)) for _ in range(40)]
    (tmp_path / "queries.txt").write_text("\n".join([*texts, "nothing known"]))
    report = report_of(drawn.folder, str(tmp_path / "queries.txt"))
    held = [{VOCABULARY.terms[t] for t in np.flatnonzero(row)} for row in drawn.weights]
    shared = [len(held_by & set(text.split())) for text in [*texts, ""] for held_by in held]
    assert report.flops == pytest.approx(np.mean(shared))
    assert (report.asked.queries, report.asked.unknown) == (41, pytest.approx(1 / 41))
    default = report_of(drawn.folder)
    assert default.flops == pytest.approx(np.array(VOCABULARY.document_frequency) @ (drawn.weights > 0).mean(0))


def test_percentiles_and_the_mean_of_active_terms(tmp_path: Path) -> None:
    weights = [dict.fromkeys(TERMS[:n], 1.0) for n in (0, 1, 1, 2, 2, 2, 3, 4, 5, 12)]
    report = report_of(made(tmp_path / "s", weights))
    assert [report.active(p) for p in (0, 10, 11, 50, 90, 95, 100)] == [0, 0, 1, 2, 5, 12, 12]
    assert report.mean_active == pytest.approx(3.2)
    assert report.postings == 32
    whole = report_of(made(tmp_path / "whole", weights[1:]))
    assert whole.active(0) == 1


def test_terms_that_no_item_has_and_those_that_no_query_has(tmp_path: Path) -> None:
    folder = made(tmp_path / "s", [{"snow": 1.0, "ball": 0.5}, {"snow": 1.0}])
    (tmp_path / "q.txt").write_text("a dog in the snow\ntwo dogs\na cat\n")
    report = report_of(folder, str(tmp_path / "q.txt"))
    assert report.names(report.dead)[:2] == ["dog", "cat"]
    assert len(report.dead) == len(TERMS) - 2
    assert report.dead_asked == pytest.approx(3 / 4)
    assert report.names(report.idle) == ["ball"]
    assert report.idle_postings == pytest.approx(1 / 3)


@pytest.mark.parametrize(("turned", "expected"), [(False, 1.0), (True, -1.0)])
def test_the_correlation_is_spearmans(turned: bool, expected: float, tmp_path: Path) -> None:
    """The terms of `making` fall off from the first to the last; items hold the first ones, or the last."""
    held = [dict.fromkeys(TERMS[n:] if turned else TERMS[: 12 - n], 1.0) for n in range(12)]
    report = report_of(made(tmp_path / "s", held))
    assert report.correlation == pytest.approx(expected)
    assert any("few queries want" in said for said in warnings(report)) == turned
    flat = report_of(made(tmp_path / "flat", [dict.fromkeys(TERMS, 1.0)]))
    assert flat.correlation is None


def test_equal_frequencies_share_their_rank(tmp_path: Path) -> None:
    words = Vocabulary(("a1", "b1", "c1", "d1"), {t: t for t in ("a1", "b1", "c1", "d1")}, (0.4, 0.4, 0.2, 0.1))
    report = report_of(made(tmp_path / "s", [{"a1": 1}, {"a1": 1, "b1": 1, "d1": 1}], words=words))
    # Ranks 3, 1.5, 0, 1.5 of the items and 2.5, 2.5, 1, 0 of the queries, by hand.
    assert report.correlation == pytest.approx(np.corrcoef([3, 1.5, 0, 1.5], [2.5, 2.5, 1, 0])[0, 1])


@pytest.mark.parametrize("batch", [1, 2, 5000])
def test_the_counts_do_not_depend_on_how_the_rows_are_cut(
    batch: int, drawn: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, original = count_terms(drawn.folder), Shard.batches
    monkeypatch.setattr(Shard, "batches", lambda self, **kw: original(self, **{**kw, "size": batch}))
    again = count_terms(drawn.folder)
    for name in ("holds", "weight", "active", "most", "least", "without", "unknown", "unusable"):
        assert np.array_equal(getattr(again, name), getattr(whole, name)), name


def test_what_queries_ask_for_is_measured_where_it_is_given(tmp_path: Path) -> None:
    pictures = made(tmp_path / "pictures", [{"snow": 1.0}, {"dog": 1.0}])
    (tmp_path / "m.csv").write_text('image,captions\na.jpg,"[""two dogs"", ""a dog""]"\nb.jpg,snow\nc.jpg,the\n')
    expanded = made(tmp_path / "texts", [{"dog": 2.0, "cat": 0.5}, {"dog": 1.0}, {}], captions=True)
    known = vocabulary()
    measured = query_frequencies(known, str(tmp_path / "m.csv"))
    assert (measured.share[known.index["dog"]], measured.share[known.index["snow"]]) == (0.5, 0.25)
    assert (measured.queries, measured.unknown) == (4, 0.25)
    of_texts = query_frequencies(known, str(expanded))
    assert (of_texts.share[known.index["dog"]], of_texts.share[known.index["cat"]]) == pytest.approx((2 / 3, 1 / 3))
    assert (of_texts.queries, of_texts.unknown) == (3, pytest.approx(1 / 3))
    of_pictures = query_frequencies(known, str(pictures))  # each has the captions "a dog" and "Dogs!"
    assert (of_pictures.share[known.index["dog"]], of_pictures.queries) == (1.0, 4)


def test_queries_that_cannot_be_counted_are_one_sentence(tmp_path: Path) -> None:
    other = Vocabulary(("dog",), {"dog": "dog"}, (0.5,))
    foreign = made(tmp_path / "texts", [{"dog": 1.0}], captions=True, words=other)
    with pytest.raises(ShardError, match="words of another vocabulary"):
        query_frequencies(vocabulary(), str(foreign))
    (tmp_path / "m.csv").write_text("image,label\na.jpg,dog\n")
    with pytest.raises(SourceError, match="holds no captions to count"):
        query_frequencies(vocabulary(), str(tmp_path / "m.csv"))
    with pytest.raises(SourceError, match="nothing at"):
        query_frequencies(vocabulary(), str(tmp_path / "nowhere.csv"))


def test_healthy_shards_have_no_warning(tmp_path: Path) -> None:
    held = [dict.fromkeys([TERMS[(i + j) % 12] for j in range(5)], 1.0) for i in range(12)]
    assert list(warnings(report_of(made(tmp_path / "s", held)))) == []


HALF = [dict.fromkeys([TERMS[(i + j) % 12] for j in range(5)], 1.0) for i in range(12)]
OFF = {
    "failures": (HALF, {"failures": 2}, "2 images could not be encoded: see failures.parquet"),
    "one without": ([*HALF, {}], {}, r"1 image has no term, such as 12\.jpg: only modes vector and hybrid"),
    "some without": ([*HALF, {}, {}], {}, "2 images have no term, such as 12"),
    "too common": ([row | {"man": 2.0} for row in HALF], {}, "The term 'man' is on 100% of the images: such terms"),
    "several": ([row | {"man": 2.0, "red": 1.0} for row in HALF], {}, "and 1 more are on over 50%"),
    "nothing asked": ([{"grass": 1.0}], {}, r"of what queries ask for is on no image \(dog, cat, snow, \.\.\.\)"),
    "few": ([{"dog": 1.0}], {}, "Half of the images have fewer than 5 terms"),
    "strangers": ([*HALF, {"unicorn": 1.0}], {}, "1 postings are of unknown terms"),
    "no weight": ([*HALF, {"dog": 0.0}, {"dog": float("nan")}], {}, "2 postings are of unknown terms or weigh nothing"),
    "texts": ([*HALF, {}], {"captions": True}, "1 text has no term, such as text 12"),
}


@pytest.mark.parametrize(("held", "options", "says"), OFF.values(), ids=OFF)
def test_what_is_off_is_one_sentence_with_what_to_do(
    held: list[dict[str, float]], options: dict[str, Any], says: str, tmp_path: Path
) -> None:
    import re

    found = [w for w in warnings(report_of(made(tmp_path / "s", held, **options))) if re.search(says, w)]
    assert len(found) == 1
    assert "\n" not in found[0]
    assert found[0].endswith(".")


def test_queries_without_a_known_word_are_warned_of(tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text("a dog\nzebras\n")
    said = " ".join(warnings(report_of(made(tmp_path / "s", HALF), str(tmp_path / "q.txt"))))
    assert "50.0% of the queries have no known word" in said


def test_the_report_for_people_fits_a_page_and_names_the_figures(drawn: Collection) -> None:
    console = Console(width=120, record=True, file=open("/dev/null", "w"), highlight=False)  # noqa: SIM115
    report = report_of(drawn.folder)
    console.print(stats_report(report))
    lines = console.export_text().splitlines()
    assert len(lines) < 30
    text = "\n".join(lines)
    assert lines[0].startswith("350 images by synthetic in 4 shards")
    assert "12.0  min 12" in text
    assert f"{report.flops:.2f} multiplications an item" in text
    assert report.names(report.by_share)[0] in text


def test_shards_without_items_have_a_report_too(tmp_path: Path) -> None:
    report = report_of(made(tmp_path / "s", [], failures=1))
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(stats_report(report))
    assert "0 images" in console.export_text()
    assert json.dumps(as_json(report), allow_nan=False)
    save_picture(report, tmp_path / "p.png")


def test_the_picture_is_drawn_and_its_kind_is_its_ending(drawn: Collection, tmp_path: Path) -> None:
    report = report_of(drawn.folder)
    save_picture(report, tmp_path / "terms.png")
    with Image.open(tmp_path / "terms.png") as image:
        assert image.width > 1000
        assert len(image.convert("RGB").getcolors(1 << 20) or ()) > 20
    with pytest.raises(ConfigError, match="let its name end in"):
        save_picture(report, tmp_path / "terms.doc")


def test_the_command_prints_json_and_draws(drawn: Collection, tmp_path: Path) -> None:
    answer = lexel("stats", str(drawn.folder), "--json", "--picture", str(tmp_path / "p.svg"))
    assert answer.returncode == 0, answer.stderr
    found, report = json.loads(answer.stdout), report_of(drawn.folder)
    assert found == json.loads(json.dumps(as_json(report)))
    assert found["cost"]["postings_per_query"] == pytest.approx(350 * found["cost"]["flops"])
    assert found["terms"]["word0"]["share"] == pytest.approx((drawn.weights[:, 0] > 0).mean())
    assert (tmp_path / "p.svg").stat().st_size > 1000
    assert "350 images" in lexel("stats", str(drawn.folder)).stdout


def test_a_folder_that_cannot_be_reported_on_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="holds no shards"):
        count_terms(tmp_path)
    folder = made(tmp_path / "s", HALF)
    Vocabulary(TERMS, FORMS, (0.1,) * 12).save(folder / "vocabulary.json")
    with pytest.raises(ShardError, match="changed after encoding"):
        count_terms(folder)
    for shard in finished_shards(folder):
        shard.path.unlink()
    with pytest.raises(ShardError, match="no finished shards yet"):
        count_terms(folder)


def test_the_estimate_of_bytes_is_near_what_the_index_takes(client: OpenSearch, tmp_path: Path) -> None:
    drawn = collection(tmp_path / "s", count=4000, shard_size=4000, terms=32)
    found = [{VOCABULARY.terms[t]: float(row[t]) for t in np.flatnonzero(row)} for row in drawn.weights]
    with_fields, without = (_index_size(client, f"stats-{fields}", found, fields) for fields in (True, False))
    assert index_bytes(count_terms(drawn.folder)) == pytest.approx(with_fields - without, rel=0.25)


def _index_size(client: OpenSearch, name: str, found: list[dict[str, float]], fields: bool) -> int:
    """Bytes of an index of one segment, with the fields `terms` and `words` indexed or only stored."""
    name = name.lower()
    body = index_body(
        dim=4, terms=VOCABULARY.terms, forms=VOCABULARY.forms, engine="lucene", shards=1, metadata={}, about={}
    )
    kept = {"terms", "words"} if fields else set()
    body["mappings"]["properties"] = {k: v for k, v in body["mappings"]["properties"].items() if k in kept}
    client.indices.create(index=name, body=body)
    try:
        lines: list[Any] = []
        for i, terms in enumerate(found):
            counts = zip(terms, frequencies(list(terms.values())), strict=True)
            words = " ".join(f"{term}|{count}" for term, count in counts)
            lines += [{"index": {"_id": str(i)}}, {"terms": terms, "words": words}]
        client.bulk(index=name, body=lines)
        client.indices.refresh(index=name)
        client.indices.forcemerge(index=name, max_num_segments=1)
        client.indices.flush(index=name, force=True)
        # The files that were merged are taken away a moment later.
        for _ in range(50):
            about = client.indices.stats(index=name)["indices"][name]["primaries"]
            if about["segments"]["count"] == 1:
                break
            time.sleep(0.1)
        return int(about["store"]["size_in_bytes"])
    finally:
        client.indices.delete(index=name)


def test_a_word_said_of_far_more_pictures_than_captions_say_is_a_warning(tmp_path: Path) -> None:
    rare = Vocabulary(TERMS, dict(FORMS), tuple([0.3] * (len(TERMS) - 1) + [0.01]))
    report = report_of(made(tmp_path / "s", [{TERMS[0]: 1.0, TERMS[-1]: 1.0}] * 120, words=rare))
    assert [one.term for one in report.over_said] == [TERMS[-1]]
    assert report.counts.said.tolist()[0] == 120
    (said,) = [text for text in warnings(report) if "than captions would say" in text]
    assert said.startswith(
        f"1 word is among the first 10 of many more images than captions would say, such as '{TERMS[-1]}'"
    )
    assert as_json(report)["over_said"] == {TERMS[-1]: {"said": 1.0, "expected": pytest.approx(0.029)}}
    few = report_of(made(tmp_path / "few", [{TERMS[-1]: 1.0}] * 20, words=rare))
    assert few.over_said == []
