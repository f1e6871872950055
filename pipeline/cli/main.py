"""The `lexel` command: the table of commands, which are defined in `lexel.pipeline.cli.commands`."""

import io
import sys
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

from lexel.encoders.encoder_error import EncoderError
from lexel.pipeline.cli.commands import engine
from lexel.pipeline.cli.commands.indexing.compact import compact
from lexel.pipeline.cli.commands.indexing.encode import encode
from lexel.pipeline.cli.commands.indexing.index import index
from lexel.pipeline.cli.commands.indexing.load import load
from lexel.pipeline.cli.commands.indexing.reterm import reterm
from lexel.pipeline.cli.commands.indexing.scenes import scenes
from lexel.pipeline.cli.commands.indexing.sources import sources
from lexel.pipeline.cli.commands.indexing.stats import stats
from lexel.pipeline.cli.commands.indexing.sync import sync
from lexel.pipeline.cli.commands.learning.caption import caption
from lexel.pipeline.cli.commands.learning.compile import compile_
from lexel.pipeline.cli.commands.learning.encoders import encoders
from lexel.pipeline.cli.commands.learning.evaluate import evaluate
from lexel.pipeline.cli.commands.learning.finetune import finetune
from lexel.pipeline.cli.commands.learning.train import train
from lexel.pipeline.cli.commands.learning.tune import tune
from lexel.pipeline.cli.commands.searching import dashboards
from lexel.pipeline.cli.commands.searching.explain import explain
from lexel.pipeline.cli.commands.searching.search import search
from lexel.pipeline.cli.commands.searching.serve import serve
from lexel.pipeline.cli.commands.searching.terms import terms
from lexel.pipeline.cli.options import QuietOpt, VerboseOpt
from lexel.pipeline.cli.views import console
from lexel.pipeline.cli.views.console import err
from lexel.pipeline.errors import LexelError


class Commands(typer.core.TyperGroup):
    """Prints the errors of all commands as one line."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; expected errors end with exit code 1 and no traceback, Ctrl-C with 130."""
        try:
            return super().invoke(ctx)
        except (LexelError, EncoderError) as error:
            err.print(f"lexel: {error}", style="red", markup=False, soft_wrap=True)
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            err.print(f"lexel: {error.strerror or error}{where}", style="red", markup=False, soft_wrap=True)
        except KeyboardInterrupt:
            stopped = "lexel: stopped; finished work is kept, run the same command to resume."
            err.print(stopped, soft_wrap=True)
            raise typer.Exit(130) from None
        raise typer.Exit(1)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """`function` with the options `-v` and `-q` added."""

    @wraps(function)
    def run(*arguments: Any, verbose: bool = False, quiet: bool = False, **options: Any) -> None:
        console.choose(verbose=verbose, quiet=quiet)
        function(*arguments, **options)

    own = signature(function, eval_str=True)
    added = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in (("verbose", VerboseOpt), ("quiet", QuietOpt))
    ]
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), *added])  # type: ignore[attr-defined]
    run.__annotations__ = {name: one.annotation for name, one in run.__signature__.parameters.items()}  # type: ignore[attr-defined]
    return run


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "Search": {"search": search, "explain": explain, "terms": terms, "serve": serve},
    "Index": {
        "index": index,
        "sync": sync,
        "sources": sources,
        "encode": encode,
        "load": load,
        "compact": compact,
        "reterm": reterm,
        "stats": stats,
        "scenes": scenes,
    },
    "Encoders": {
        "encoders": encoders,
        "train": train,
        "finetune": finetune,
        "caption": caption,
        "compile": compile_,
        "evaluate": evaluate,
        "tune": tune,
    },
}
for panel, named in COMMANDS.items():
    for name, function in named.items():
        app.command(name, rich_help_panel=panel)(command(function))
app.add_typer(engine.app, name="engine", rich_help_panel="OpenSearch")
app.add_typer(dashboards.app, name="dashboards", rich_help_panel="OpenSearch")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lexel {version('lexel')}")
        raise typer.Exit


@app.callback()
def lexel(
    _: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)] = False,
    verbose: VerboseOpt = False,
    quiet: QuietOpt = False,
) -> None:
    """Learned sparse image retrieval on OpenSearch: images as weighted words.

    Begin with `lexel engine start`, then `lexel index FOLDER`, then `lexel search "a dog"`.
    """
    console.choose(verbose=verbose, quiet=quiet)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # characters that the terminal's encoding lacks become "?"
            stream.reconfigure(errors="replace")
    app()
