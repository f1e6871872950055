"""Learned sparse image retrieval on OpenSearch: the public names of lexel.

    from lexel.pipeline import connect, index_source, open_encoder, open_index, open_source

    index_source(open_source("pictures"), index="photos", encoder=open_encoder(), client=connect())
    open_index("photos").search("a dog^2 +beach -people")

Names are imported on first use, so that a search by words loads no torch. The folders are stages, in the order of data
flow: sources, images, shards, encode, collection, cluster, load, search, explain, stats,
evaluate, calibrate, train, serve.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lexel.encoders import Encoder, EncoderError, open_encoder
    from lexel.encoders.model import load_model
    from lexel.pipeline.cluster.client import Address, connect
    from lexel.pipeline.encode.encode_options import EncodeOptions
    from lexel.pipeline.encode.run import encode_source
    from lexel.pipeline.errors import LexelError
    from lexel.pipeline.evaluate.evaluate_options import EvaluateOptions
    from lexel.pipeline.evaluate.run import evaluate_encoder
    from lexel.pipeline.explain.score_parts import explain_item
    from lexel.pipeline.images.preview import PreviewOptions
    from lexel.pipeline.ingest.run import index_source
    from lexel.pipeline.load.load_options import LoadOptions
    from lexel.pipeline.load.run import load_shards
    from lexel.pipeline.notebook import open_index
    from lexel.pipeline.search import query_dsl
    from lexel.pipeline.search.index import SearchIndex
    from lexel.pipeline.search.request import SearchRequest
    from lexel.pipeline.search.run import search_index
    from lexel.pipeline.sources.source import open_source
    from lexel.pipeline.train.run import train_encoder
    from lexel.pipeline.train.training_options import TrainOptions

__all__ = [
    "Address",
    "EncodeOptions",
    "Encoder",
    "EncoderError",
    "EvaluateOptions",
    "LexelError",
    "LoadOptions",
    "PreviewOptions",
    "SearchIndex",
    "SearchRequest",
    "TrainOptions",
    "connect",
    "encode_source",
    "evaluate_encoder",
    "explain_item",
    "index_source",
    "load_model",
    "load_shards",
    "open_encoder",
    "open_index",
    "open_source",
    "query_dsl",
    "search_index",
    "train_encoder",
]

_WHERE = {
    "Address": "lexel.pipeline.cluster.client",
    "EncodeOptions": "lexel.pipeline.encode.encode_options",
    "Encoder": "lexel.encoders",
    "EncoderError": "lexel.encoders",
    "EvaluateOptions": "lexel.pipeline.evaluate.evaluate_options",
    "LexelError": "lexel.pipeline.errors",
    "LoadOptions": "lexel.pipeline.load.load_options",
    "PreviewOptions": "lexel.pipeline.images.preview",
    "SearchIndex": "lexel.pipeline.search.index",
    "SearchRequest": "lexel.pipeline.search.request",
    "TrainOptions": "lexel.pipeline.train.training_options",
    "connect": "lexel.pipeline.cluster.client",
    "encode_source": "lexel.pipeline.encode.run",
    "evaluate_encoder": "lexel.pipeline.evaluate.run",
    "explain_item": "lexel.pipeline.explain.score_parts",
    "index_source": "lexel.pipeline.ingest.run",
    "load_model": "lexel.encoders.model",
    "load_shards": "lexel.pipeline.load.run",
    "open_encoder": "lexel.encoders",
    "open_index": "lexel.pipeline.notebook",
    "open_source": "lexel.pipeline.sources.source",
    "query_dsl": "lexel.pipeline.search",
    "search_index": "lexel.pipeline.search.run",
    "train_encoder": "lexel.pipeline.train.run",
}


def __getattr__(name: str) -> Any:
    """Import a name on first use (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    where = import_module(_WHERE[name])
    # `from package import module` finds a module that has not been imported yet; getattr does not.
    found = import_module(f"{_WHERE[name]}.{name}") if not hasattr(where, name) else getattr(where, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
