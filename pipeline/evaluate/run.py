"""Evaluates an encoder: encodes a collection, loads it into temporary indices, runs all queries, and measures."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from opensearchpy import OpenSearch

from lexel.encoders.encoder import Encoder
from lexel.pipeline.evaluate.encoded_items import EncodedItems
from lexel.pipeline.evaluate.evaluate_options import EvaluateOptions
from lexel.pipeline.evaluate.evaluation_set import EvaluationSet, load_evaluation_set, shortened
from lexel.pipeline.evaluate.export import trec_files, workbench
from lexel.pipeline.evaluate.queries.directions import Direction, directions, mean_query_terms
from lexel.pipeline.evaluate.queries.short_queries import short_queries
from lexel.pipeline.evaluate.report import DirectionResult, EvaluationReport, measure
from lexel.pipeline.evaluate.retrieve import Run, retrieve
from lexel.pipeline.evaluate.significance import numbered
from lexel.pipeline.evaluate.temporary_index import VIEWS, indexed, size, view_size
from lexel.pipeline.evaluate.term_budget import curve
from lexel.pipeline.evaluate.word_truth import word_truth
from lexel.pipeline.progress import Watch, unwatched
from lexel.pipeline.search.query_dsl import Mode


def evaluate_encoder(
    path: str | Path,
    *,
    encoder: Encoder,
    client: OpenSearch,
    options: EvaluateOptions = EvaluateOptions(),
    watch: Watch = unwatched,
) -> EvaluationReport:
    """Measure `encoder` on the images with captions or labels of `path`, on the cluster of `client`.

    Temporary indices are removed, also after an error. Raises SourceError if the collection cannot be evaluated on, and
    ClusterError if OpenSearch fails.
    """
    depth, keep = options.depth, options.keep
    with ExitStack() as stack:
        collection = load_evaluation_set(
            path,
            encoder=encoder,
            split=options.split,
            device=options.device,
            batch_size=options.batch_size,
            watch=watch,
        )
        if keep is not None:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="lexel-")))
            collection = shortened(collection, folder, keep=keep)
        query_sets = _query_sets(collection, encoder, options)
        if options.workbench_folder is not None:  # before what takes long
            workbench.require_texts(query_sets)
        weights = {side: encoder.vector_weight(side) for side in ("text", "image")}
        tag = f"{encoder.name}-{encoder.fingerprint}"
        found: dict[str, DirectionResult] = {}
        cost: dict[str, float] = {}
        for direction in query_sets:
            folder, items = _searched_items(collection, direction)
            with indexed(client, folder, watch=watch) as index:
                runs = _runs(client, index, direction, options.modes, weights[direction.side], depth, watch)
                if not direction.captions_sought:
                    cost = _cost(client, index, folder, len(items))
            found[direction.name] = _result(direction, runs, items)
            if options.run_folder is not None:
                trec_files.write(options.run_folder, direction, items, runs, tag=tag)
            if options.workbench_folder is not None and direction.side == "text":
                workbench.write(
                    options.workbench_folder,
                    direction,
                    modes=options.modes,
                    index=options.workbench_index,
                    name=collection.name,
                )
        steps = curve(
            collection,
            query_sets[0],
            client=client,
            budgets=options.budgets,
            weight=weights[query_sets[0].side],
            depth=depth,
            watch=watch,
        )
    about = _about(collection, encoder, weights, depth, keep)
    return EvaluationReport(about, cost, found, steps, word_truth(collection, encoder.vocabulary))


def _query_sets(collection: EvaluationSet, encoder: Encoder, options: EvaluateOptions) -> list[Direction]:
    if options.queries == "short":
        return [short_queries(collection, encoder, device=options.device)]
    return directions(collection, encoder, qrels=options.qrels, device=options.device)


def _searched_items(collection: EvaluationSet, direction: Direction) -> tuple[Path, EncodedItems]:
    if direction.captions_sought and collection.caption_folder and collection.captions:
        return collection.caption_folder, collection.captions
    return collection.folder, collection.pictures


def _runs(
    client: OpenSearch,
    index: str,
    direction: Direction,
    modes: Sequence[Mode],
    weight: float,
    depth: int,
    watch: Watch,
) -> dict[str, Run]:
    runs: dict[str, Run] = {}
    for mode in modes:
        with watch(f"{direction.name.replace('_', ' ')}, {mode}") as progress:
            runs[mode] = retrieve(client, index, direction, mode, weight=weight, depth=depth, progress=progress)
    return runs


def _result(direction: Direction, runs: Mapping[str, Run], items: EncodedItems) -> DirectionResult:
    return DirectionResult(
        {mode: measure(run, direction) for mode, run in runs.items()},
        [query.id for query in direction.queries],
        numbered([query.group for query in direction.queries]).tolist(),
        mean_query_terms(direction),
        items.mean_terms,
    )


def _cost(client: OpenSearch, index: str, folder: Path, count: int) -> dict[str, float]:
    """Bytes per image: in the whole index, and in an index with each field group alone."""
    return {"whole": size(client, index) / count} | {view: view_size(client, folder, view) / count for view in VIEWS}


def _about(
    collection: EvaluationSet, encoder: Encoder, weights: Mapping[str, float], depth: int, keep: int | None
) -> dict[str, Any]:
    return {
        "encoder": encoder.name,
        "fingerprint": encoder.fingerprint,
        "source": collection.name,
        "split": collection.split,
        "pictures": len(collection.pictures),
        "captions": len(collection.captions) if collection.captions else 0,
        "failed": collection.failed,
        "vector_weight": dict(weights),
        "depth": depth,
        "keep": keep,
    }
