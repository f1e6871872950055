"""The commands that judge an encoder: evaluate, and tune."""

import signal
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import BatchOpt, DeviceOpt, EncoderOpt
from lexel.pipeline.cli.views import console
from lexel.pipeline.cli.views.console import Bar, short
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.progress import Progress

if TYPE_CHECKING:
    from lexel.pipeline.evaluate.report import EvaluationReport
    from lexel.pipeline.search.query_dsl import Mode

SplitOpt = Annotated[str | None, typer.Option(help="Only rows whose column `split` says this.")]


def evaluate(
    captions: Annotated[
        str | None,
        typer.Argument(metavar="CAPTIONS", help="A manifest of pictures with captions, or with labels."),
    ] = None,
    encoder: EncoderOpt = "lexel-tiny",
    split: SplitOpt = None,
    modes: Annotated[str, typer.Option(help="Which of the four.")] = "terms,words,vector,hybrid",
    keep: Annotated[int | None, typer.Option(min=1, help="Cut the pictures to this many terms first.")] = None,
    curve: Annotated[
        str | None, typer.Option(metavar="N,N,...", help="Also print recall and bytes for these numbers of terms.")
    ] = None,
    qrels: Annotated[Path | None, typer.Option(help="Graded judgments in TREC's format, by id or path.")] = None,
    depth: Annotated[int, typer.Option(min=50, max=1000, help="How many items each query retrieves.")] = 100,
    as_json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the report as JSON.")] = None,
    run: Annotated[Path | None, typer.Option(metavar="DIR", help="Write TREC run and qrels files.")] = None,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(metavar="A.json B.json", help="Compare two reports instead.")
    ] = None,
    batch_size: BatchOpt = 32,
    device: DeviceOpt = "auto",
    config: ConfigFile = None,
) -> None:
    """Measure how well an encoder finds pictures and captions, through the live cluster, in both directions.

    Every caption and every picture is asked as a query, of temporary indices that are removed after.

    Example: lexel evaluate pictures/scenes.jsonl --json tiny.json

    Example: lexel evaluate --compare tiny.json mine.json
    """
    if (captions is None) == (compare is None):
        raise ConfigError("Give CAPTIONS to evaluate on, or --compare A.json B.json, one of the two.")
    if compare is not None:
        _compare(*compare)
        return
    from lexel.encoders import open_encoder
    from lexel.pipeline.cluster.client import connect
    from lexel.pipeline.evaluate import report
    from lexel.pipeline.evaluate import run as job
    from lexel.pipeline.evaluate.term_budget import budgets

    # A job that is told to end removes its indices first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = job.evaluate_encoder(
        captions or "",
        encoder=open_encoder(encoder),
        client=connect(),
        split=split,
        modes=_modes(modes),
        qrels=qrels,
        keep=keep,
        budgets=budgets(curve) if curve else (),
        depth=depth,
        run_folder=run,
        device=device,
        batch_size=batch_size,
        watch=_watch,
    )
    if as_json is not None:
        report.write(found, as_json)
    _say(found, depth)


def tune(
    captions: Annotated[
        str, typer.Argument(metavar="CAPTIONS", help="A manifest of pictures with captions, or with labels.")
    ],
    encoder: EncoderOpt = "lexel-tiny",
    split: SplitOpt = None,
    out: Annotated[Path | None, typer.Option(help="A new folder for the tuned encoder; else it is changed.")] = None,
    batch_size: BatchOpt = 32,
    device: DeviceOpt = "auto",
    config: ConfigFile = None,
) -> None:
    """Find the weight of the vector in hybrid queries, and score cut-offs, and store them with the encoder.

    Example: lexel tune pictures/scenes.jsonl --out tuned
    """
    from lexel.encoders import open_encoder
    from lexel.pipeline.calibrate import calibration_file
    from lexel.pipeline.calibrate.run import tune_encoder as run
    from lexel.pipeline.cli.views import evaluation

    opened = open_encoder(encoder)
    calibration_file.check(opened, out)
    found = run(captions, encoder=opened, split=split, device=device, batch_size=batch_size, watch=_watch)
    path = calibration_file.store(opened, found, out, device=device)
    console.out.print(evaluation.weights(found))
    console.out.print(evaluation.cutoffs(found))
    console.out.print(
        f"Stored in {short(path.resolve())}. Searches of its indices use it from now on.",
        soft_wrap=True,
    )


def _compare(a: Path, b: Path) -> None:
    from lexel.pipeline.cli.views import evaluation
    from lexel.pipeline.evaluate.compare import compare

    found = compare(a, b)
    console.out.print(f"A [bold]{found.a}[/]\nB [bold]{found.b}[/]")
    console.out.print(evaluation.comparison(found))


def _modes(text: str) -> list["Mode"]:
    from lexel.pipeline.search.query_dsl import MODES

    wanted = {part.strip() for part in text.split(",")}
    if strangers := wanted - set(MODES):
        raise ConfigError(f"There is no mode {sorted(strangers)[0]!r}; choose among {', '.join(MODES)}.")
    return [mode for mode in MODES if mode in wanted]


def _watch(step: str) -> AbstractContextManager[Progress]:
    return Bar(step)


def _say(found: "EvaluationReport", depth: int) -> None:
    from lexel.pipeline.cli.views import evaluation

    console.out.print(evaluation.heading(found), soft_wrap=True)
    for name, asked in found.directions.items():
        console.out.print()
        console.out.print(evaluation.direction(name, asked, depth=depth))
    if found.curve:
        console.out.print()
        console.out.print(evaluation.curve(found.curve))
    console.out.print()
    console.out.print(evaluation.cost(found), soft_wrap=True)
