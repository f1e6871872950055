"""One peer, in a process and an environment of its own: `python peer.py NAME FOLDER` prints what it measured as JSON.

It imports nothing of lexel. Each peer is given the data as its own documentation says, with indexes where it has them.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

K = 10
# It is built on one thread, and shows a floor with fewer too.
FAISS_AT_MOST = 50_000


class Data:
    def __init__(self, folder: Path) -> None:
        load = lambda name: np.load(folder / f"{name}.npy", mmap_mode="r")  # noqa: E731
        self.ranks, self.weights, self.vectors = load("ranks"), load("weights"), load("vectors")
        self.asked_ranks, self.asked_vectors = load("asked_ranks"), load("asked_vectors")
        about = json.loads((folder / "about.json").read_text())
        self.words, self.folder = about["words"], folder


def milvus(data: Data) -> dict[str, Any]:
    from pymilvus import AnnSearchRequest, DataType, MilvusClient, WeightedRanker

    count = len(data.ranks)
    client = MilvusClient(str(data.folder / "milvus.db"))
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("terms", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=data.vectors.shape[1])
    indexes = client.prepare_index_params()
    indexes.add_index("terms", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    indexes.add_index("vector", index_type="HNSW", metric_type="IP", params={"M": 16, "efConstruction": 100})
    client.create_collection("many", schema=schema, index_params=indexes)
    began = time.perf_counter()
    for start in range(0, count, 2_000):
        rows = range(start, min(count, start + 2_000))
        client.insert("many", [_milvus_row(data, i) for i in rows])
    client.flush("many")  # what is not flushed is searched without an index
    client.load_collection("many")
    took = time.perf_counter() - began
    asked = [dict.fromkeys(ranks, 1.0) for ranks in data.asked_ranks.tolist()]
    dense = data.asked_vectors.tolist()

    def hybrid(i: int) -> object:
        requests = [
            AnnSearchRequest([asked[i]], "terms", {"metric_type": "IP"}, limit=100),
            AnnSearchRequest([dense[i]], "vector", {"metric_type": "IP"}, limit=100),
        ]
        return client.hybrid_search("many", requests, WeightedRanker(0.5, 0.5), limit=K)

    times = {
        "terms": _times(lambda i: client.search("many", [asked[i]], anns_field="terms", limit=K), len(asked)),
        "vector": _times(lambda i: client.search("many", [dense[i]], anns_field="vector", limit=K), len(asked)),
        "hybrid": _times(hybrid, len(asked)),
    }
    return {"count": count, "seconds": took, "how": "sparse inverted index and HNSW, weighted ranker", "times": times}


def _milvus_row(data: Data, i: int) -> dict[str, Any]:
    terms = dict(zip(data.ranks[i].tolist(), data.weights[i].tolist(), strict=True))
    return {"id": i, "terms": terms, "vector": data.vectors[i]}


def lancedb(data: Data) -> dict[str, Any]:
    import lancedb as lance

    count = len(data.vectors)
    began = time.perf_counter()
    table = lance.connect(str(data.folder / "lance")).create_table("many", _lance_batches(data))
    table.create_fts_index("words", with_position=False)
    table.create_index(metric="dot", vector_column_name="vector", index_type="IVF_HNSW_SQ", num_partitions=1)
    took = time.perf_counter() - began
    texts = [" ".join(data.words[rank] for rank in ranks) for ranks in data.asked_ranks.tolist()]
    dense = np.asarray(data.asked_vectors)

    def hybrid(i: int) -> object:
        return table.search(query_type="hybrid").vector(dense[i]).text(texts[i]).limit(K).to_arrow()

    times = {
        "words": _times(lambda i: table.search(texts[i], query_type="fts").limit(K).to_arrow(), len(texts)),
        "vector": _times(lambda i: table.search(dense[i]).limit(K).to_arrow(), len(texts)),
        "hybrid": _times(hybrid, len(texts)),
    }
    how = "full text by BM25, for it has no learned weights; IVF_HNSW_SQ; reciprocal ranks"
    return {"count": count, "seconds": took, "how": how, "times": times}


def _lance_batches(data: Data) -> Any:
    import pyarrow as pa

    words, width = pa.array(data.words), data.vectors.shape[1]
    tables = []
    for start in range(0, len(data.ranks), 50_000):
        ranks = np.asarray(data.ranks[start : start + 50_000])
        offsets = np.arange(0, ranks.size + 1, ranks.shape[1], dtype=np.int32)
        texts = pa.compute.binary_join(pa.ListArray.from_arrays(offsets, words.take(pa.array(ranks.ravel()))), " ")
        vectors = pa.array(np.asarray(data.vectors[start : start + 50_000]).ravel())
        columns = {
            "id": pa.array(np.arange(start, start + len(ranks))),
            "words": texts,
            "vector": pa.FixedSizeListArray.from_arrays(vectors, width),
        }
        tables.append(pa.table(columns))
    return pa.concat_tables(tables)


def arrays(data: Data) -> dict[str, Any]:
    import faiss
    import scipy.sparse as sp

    faiss.omp_set_num_threads(1)
    count, width = data.vectors.shape
    began = time.perf_counter()
    columns, rows = data.ranks.ravel(), np.repeat(np.arange(count), data.ranks.shape[1])
    terms = sp.csc_matrix((data.weights.ravel(), (rows, columns)), shape=(count, len(data.words)))
    index = faiss.IndexHNSWFlat(width, 16, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 100
    index.add(np.ascontiguousarray(data.vectors[:FAISS_AT_MOST]))
    index.hnsw.efSearch = 100
    took = time.perf_counter() - began
    dense = np.ascontiguousarray(data.asked_vectors)

    def sparse(i: int) -> object:
        scores = np.asarray(terms[:, data.asked_ranks[i]].sum(axis=1)).ravel()
        return np.argpartition(-scores, K)[:K]

    times = {
        "terms": _times(sparse, len(dense)),
        "vector": _times(lambda i: index.search(dense[i : i + 1], K), len(dense)),
    }
    how = f"a floor, no engine: no hits' contents, no filters; faiss HNSW of {min(count, FAISS_AT_MOST):,}"
    return {"count": count, "seconds": took, "how": how, "times": times}


def _times(ask: Callable[[int], object], count: int) -> list[float]:
    """Seconds that each query takes, the first ones not counted; no more of them than 20 seconds hold."""
    for i in range(min(count, 2)):
        ask(i)
    found, until = [], time.perf_counter() + 20
    for i in range(count):
        began = time.perf_counter()
        ask(i)
        found.append(time.perf_counter() - began)
        if began > until:
            break
    return found


if __name__ == "__main__":
    peer = {"milvus": milvus, "lancedb": lancedb, "arrays": arrays}[sys.argv[1]]
    print(json.dumps(peer(Data(Path(sys.argv[2])))))
