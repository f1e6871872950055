"""The `lexel` command: a table of what there is; the commands stand in `lexel.pipeline.cli.commands`."""

import io
import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer

from lexel.encoders.encoder_error import EncoderError
from lexel.pipeline.cli.commands import engine as engine_cli
from lexel.pipeline.cli.commands.indexing import ingest
from lexel.pipeline.cli.commands.indexing.reterm import reterm
from lexel.pipeline.cli.commands.indexing.stats import stats
from lexel.pipeline.cli.commands.learning.caption import caption
from lexel.pipeline.cli.commands.learning.compile import compile_
from lexel.pipeline.cli.commands.learning.evaluate import evaluate, tune
from lexel.pipeline.cli.commands.learning.finetune import finetune
from lexel.pipeline.cli.commands.learning.train import train
from lexel.pipeline.cli.commands.searching import dashboards as dashboards_cli
from lexel.pipeline.cli.commands.searching import search
from lexel.pipeline.cli.commands.searching.explain import explain
from lexel.pipeline.cli.commands.searching.serve import serve
from lexel.pipeline.cli.views.console import err
from lexel.pipeline.errors import LexelError


class Commands(typer.core.TyperGroup):
    """Says what went wrong in one line, whatever command it was in."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error that a person can put right ends with exit code 1 and no traceback."""
        try:
            return super().invoke(ctx)
        except (LexelError, EncoderError) as error:
            err.print(f"lexel: {error}", style="red", markup=False, soft_wrap=True)
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            err.print(f"lexel: {error.strerror or error}{where}", style="red", markup=False, soft_wrap=True)
        except KeyboardInterrupt:
            stopped = "lexel: stopped; what was finished is kept, and the same command goes on from here."
            err.print(stopped, soft_wrap=True)
            raise typer.Exit(130) from None
        raise typer.Exit(1)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    ingest.encode,
    ingest.load,
    ingest.index,
    search.search,
    explain,
    search.terms,
    serve,
    ingest.scenes,
    stats,
    reterm,
    caption,
    train,
    finetune,
    evaluate,
    tune,
):
    app.command()(command)
app.command("compile")(compile_)
app.add_typer(engine_cli.app, name="engine")
app.add_typer(dashboards_cli.app, name="dashboards")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lexel {version('lexel')}")
        raise typer.Exit


@app.callback()
def lexel(
    _: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)] = False,
) -> None:
    """Images as weighted words, on OpenSearch.

    Begin with `lexel engine start`, then `lexel index FOLDER`, then `lexel search "a dog"`.
    """


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without a letter or a bar shows a "?" in its place
            stream.reconfigure(errors="replace")
    app()
