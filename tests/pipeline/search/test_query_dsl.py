"""The queries, on a real node: every view of an item gives the score that plain arithmetic gives."""

from collections.abc import Iterator

import numpy as np
import pytest
from opensearchpy import OpenSearch
from support.synthetic import VOCABULARY, Collection, collection, units

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.load.run import load_shards
from lexel.pipeline.search import query_dsl
from lexel.pipeline.search.filters import parse_filter

COUNT = 3000
TEXTS = [
    "word0 word3",
    "words word1 word5s",
    "word2s word2 word9",
    "word40 word41 word42 word7",
    "word0 word1 word2 word3 word4 word5",
]


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return collection(tmp_path_factory.mktemp("items"), count=COUNT, shard_size=1000)


@pytest.fixture(scope="module")
def index(client: OpenSearch, items: Collection) -> Iterator[str]:
    loaded = load_shards(items.folder, index="queries", client=client)
    yield "queries"
    client.indices.delete(index=loaded.index)


def run(client: OpenSearch, index: str, body: query_dsl.Dsl) -> dict[str, float]:
    # A score is a float32, which JSON carries in just enough digits to be told from its neighbours.
    return {
        hit["_id"]: float(np.float32(hit["_score"])) for hit in client.search(index=index, body=body)["hits"]["hits"]
    }


def weights_of(text: str) -> dict[str, float]:
    return {term: float(n) for term, n in VOCABULARY.count(text).items()}


def by_numpy(items: Collection, weights: dict[str, float]) -> np.ndarray:
    query = np.zeros(len(VOCABULARY), np.float32)
    for term, weight in weights.items():
        query[VOCABULARY.index[term]] = weight
    return items.weights @ query


@pytest.mark.parametrize("text", TEXTS)
def test_terms_words_and_numpy_agree_to_the_last_bit(
    client: OpenSearch, index: str, items: Collection, text: str
) -> None:
    exact = by_numpy(items, weights_of(text))
    expected = {items.ids[i]: float(exact[i]) for i in np.flatnonzero(exact)}
    by_terms = run(client, index, query_dsl.terms(weights_of(text), k=COUNT))
    by_words = run(client, index, query_dsl.words(text, k=COUNT))
    assert by_terms == expected
    assert by_words == expected
    ranks = [sorted(scores.values(), reverse=True) for scores in (by_terms, by_words)]
    assert list(by_terms.values()) == ranks[0]
    assert list(by_words.values()) == ranks[1]


def test_terms_take_any_query_weight(client: OpenSearch, index: str, items: Collection) -> None:
    weights = {"word0": 0.25, "word3": 7.5, "word9": 0.0, "word11": -1.0}
    exact = by_numpy(items, {"word0": 0.25, "word3": 7.5})
    found = run(client, index, query_dsl.terms(weights, k=COUNT))
    assert found == pytest.approx({items.ids[i]: float(exact[i]) for i in np.flatnonzero(exact)}, rel=1e-6)


def test_words_unknown_to_the_vocabulary_match_nothing(client: OpenSearch, index: str) -> None:
    assert run(client, index, query_dsl.words("zebra crossing")) == {}
    assert run(client, index, query_dsl.terms({})) == {}


def test_vector_finds_the_nearest(client: OpenSearch, index: str, items: Collection) -> None:
    dice = np.random.default_rng(5)
    overlap = []
    for query in units(dice.normal(size=(20, items.vectors.shape[1]))):
        cosines = items.vectors @ query
        best = {items.ids[i] for i in np.argsort(-cosines)[:10]}
        found = run(client, index, query_dsl.vector(query.tolist(), k=10))
        overlap.append(len(best & found.keys()) / 10)
        for id_, score in found.items():
            cosine = float(cosines[items.ids.index(id_)])
            assert score == pytest.approx(1 + cosine if cosine >= 0 else 1 / (1 - cosine), abs=1e-5)
    assert np.mean(overlap) >= 0.97


def test_hybrid_is_exact_fusion(client: OpenSearch, index: str, items: Collection) -> None:
    dice = np.random.default_rng(6)
    overlap = []
    for text, query in zip(TEXTS * 4, units(dice.normal(size=(20, items.vectors.shape[1]))), strict=True):
        fused = by_numpy(items, weights_of(text)) + 4.0 * (1 + items.vectors @ query)
        found = run(client, index, query_dsl.hybrid(weights_of(text), vector=query.tolist(), weight=4.0, k=10))
        best = {items.ids[i] for i in np.argsort(-fused)[:10]}
        overlap.append(len(best & found.keys()) / 10)
        assert len(found) == 10
        for id_, score in found.items():
            assert score == pytest.approx(float(fused[items.ids.index(id_)]), abs=1e-4)
    assert np.mean(overlap) >= 0.99


def test_hybrid_without_known_words_is_the_vector_alone(client: OpenSearch, index: str, items: Collection) -> None:
    query = items.vectors[17].tolist()
    found = run(client, index, query_dsl.hybrid({}, vector=query, weight=3.0, k=5))
    assert next(iter(found)) == items.ids[17]
    assert next(iter(found.values())) == pytest.approx(6.0, abs=1e-4)


@pytest.mark.parametrize("filters", [["place=snow"], ["meta.place=snow", "stars=2"]])
def test_a_filter_holds_in_every_part_and_costs_no_results(
    client: OpenSearch, index: str, items: Collection, filters: list[str]
) -> None:
    where = [parse_filter(text) for text in filters]
    passing = {items.ids[i] for i in range(COUNT) if i % 3 == 1 and (len(filters) == 1 or i % 5 == 2)}
    vector = items.vectors[0].tolist()
    weights = weights_of("word0 word1")
    for body in (
        query_dsl.terms(weights, filters=where),
        query_dsl.words("word0 word1", filters=where),
        query_dsl.vector(vector, filters=where),
        query_dsl.hybrid(weights, vector=vector, weight=4.0, filters=where),
    ):
        found = run(client, index, body)
        assert len(found) == 10
        assert found.keys() <= passing


def test_filters_that_make_no_sense_are_refused() -> None:
    for text in ("place", "=beach", "place=", ""):
        with pytest.raises(ConfigError, match="field=value"):
            parse_filter(text)


def test_the_heaviest_terms_stay_where_there_are_too_many() -> None:
    body = query_dsl.terms({f"t{i}": 1 + i / 1000 for i in range(3000)})
    clauses = body["query"]["bool"]["should"]
    assert len(clauses) < query_dsl.MAX_CLAUSES
    assert clauses[0]["rank_feature"]["field"] == "terms.t2999"


def test_queries_are_pure_and_light() -> None:
    weights = {"dog": 1.0}
    assert query_dsl.terms(weights) == query_dsl.terms(weights)
    assert weights == {"dog": 1.0}
