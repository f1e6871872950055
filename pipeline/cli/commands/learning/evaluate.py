"""`lexel evaluate`."""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import ENCODER, OUTPUT, RANKING, READ, AutoBatchOpt, DeviceOpt, EncoderOpt, SplitOpt
from lexel.pipeline.cli.views.console import out, short
from lexel.pipeline.cli.views.job_progress import Bar
from lexel.pipeline.errors import ConfigError

if TYPE_CHECKING:
    from lexel.pipeline.evaluate.evaluate_options import Queries
    from lexel.pipeline.evaluate.report import EvaluationReport
    from lexel.pipeline.search.query_dsl import Mode


def evaluate(
    captions: Annotated[
        str | None,
        typer.Argument(metavar="CAPTIONS", help="A manifest of images with captions or labels."),
    ] = None,
    split: SplitOpt = None,
    qrels: Annotated[
        Path | None, typer.Option(help="Graded judgments in TREC qrels format, by id or path.", rich_help_panel=READ)
    ] = None,
    queries: Annotated[
        str,
        typer.Option(
            metavar="KIND", help="captions: whole captions and images; short: one or two words.", rich_help_panel=READ
        ),
    ] = "captions",
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="A.json B.json", help="Compare two reports instead.", rich_help_panel=READ),
    ] = None,
    encoder: EncoderOpt = "lexel-photo",
    keep: Annotated[
        int | None, typer.Option(min=1, help="Keep only so many terms per image.", rich_help_panel=ENCODER)
    ] = None,
    modes: Annotated[
        str, typer.Option(help="The modes to evaluate.", rich_help_panel=RANKING)
    ] = "terms,words,vector,hybrid",
    depth: Annotated[int, typer.Option(min=50, max=1000, help="Results per query.", rich_help_panel=RANKING)] = 100,
    device: DeviceOpt = "auto",
    batch_size: AutoBatchOpt = None,
    curve: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,...",
            help="Also print recall and index size for these numbers of terms.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    as_json: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the report as JSON.", rich_help_panel=OUTPUT),
    ] = None,
    run: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write TREC run and qrels files.", rich_help_panel=OUTPUT)
    ] = None,
    workbench: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write query sets, judgments and searches for OpenSearch's Search Relevance Workbench.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    index: Annotated[
        str,
        typer.Option(help="The index of this collection that the workbench's searches ask.", rich_help_panel=OUTPUT),
    ] = "images",
    config: ConfigFile = None,
) -> None:
    """Measure the retrieval of an encoder on OpenSearch: text to image, and image to text or image.

    Every caption and every image is a query, or with --queries short the noun phrases of captions, or labels.
    Temporary indices are used, and removed afterwards.

    Example: lexel evaluate pictures/scenes.jsonl --json tiny.json

    Example: lexel evaluate --compare tiny.json mine.json
    """
    if (captions is None) == (compare is None):
        raise ConfigError("Give either CAPTIONS to evaluate on, or --compare A.json B.json.")
    if compare is not None:
        _compare(*compare)
        return
    from lexel.encoders import open_encoder
    from lexel.pipeline.cluster.client import connect
    from lexel.pipeline.evaluate import report
    from lexel.pipeline.evaluate.evaluate_options import EvaluateOptions
    from lexel.pipeline.evaluate.run import evaluate_encoder
    from lexel.pipeline.evaluate.term_budget import budgets

    # So that temporary indices are also removed on SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = EvaluateOptions(
        split=split,
        modes=_modes(modes),
        qrels=qrels,
        queries=_queries(queries),
        keep=keep,
        budgets=budgets(curve) if curve else (),
        depth=depth,
        run_folder=run,
        workbench_folder=workbench,
        workbench_index=index,
        device=device,
        batch_size=batch_size,
    )
    opened = open_encoder(encoder)
    found = evaluate_encoder(captions or "", encoder=opened, client=connect(), options=options, watch=Bar)
    if as_json is not None:
        report.write(found, as_json)
    _print_report(found, depth)
    for path in filter(None, (as_json, run, workbench)):
        out.print(f"written: {short(path)}", style="dim", markup=False, soft_wrap=True)


def _compare(a: Path, b: Path) -> None:
    from lexel.pipeline.cli.views import evaluation
    from lexel.pipeline.evaluate.compare import compare

    found = compare(a, b)
    out.print(f"A [bold]{found.a}[/]\nB [bold]{found.b}[/]")
    out.print(evaluation.comparison(found))


def _queries(text: str) -> "Queries":
    from lexel.pipeline.evaluate.evaluate_options import Queries

    if text not in get_args(Queries):
        raise ConfigError(f"There are no queries {text!r}; choose captions or short.")
    return cast("Queries", text)


def _modes(text: str) -> list["Mode"]:
    from lexel.pipeline.search.query_dsl import MODES

    chosen = {part.strip() for part in text.split(",")}
    if unknown := chosen - set(MODES):
        raise ConfigError(f"There is no mode {sorted(unknown)[0]!r}; choose among {', '.join(MODES)}.")
    return [mode for mode in MODES if mode in chosen]


def _print_report(found: "EvaluationReport", depth: int) -> None:
    from lexel.pipeline.cli.views import evaluation

    out.print(evaluation.heading(found), soft_wrap=True)
    for name, result in found.directions.items():
        out.print()
        out.print(evaluation.direction(name, result, depth=depth))
    if found.curve:
        out.print()
        out.print(evaluation.curve(found.curve))
    out.print()
    out.print(evaluation.cost(found), soft_wrap=True)
    if found.truth:
        out.print(evaluation.truth(found.truth), soft_wrap=True)
