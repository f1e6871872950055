"""The command that learns: captions to an encoder."""

import hashlib
import time
from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import BatchOpt, DeviceOpt
from lexel.pipeline.cli.views import console
from lexel.pipeline.cli.views.console import Bar, err, short

CaptionsArg = Annotated[
    str,
    typer.Argument(
        metavar="CAPTIONS", help="A manifest of pictures with captions; a column `split` says train or val."
    ),
]
OutArg = Annotated[Path, typer.Argument(metavar="OUT", help="The folder for the encoder.")]
BaseOpt = Annotated[
    str,
    typer.Option(
        metavar="BASE",
        help="What to start from: an encoder by name or folder, or an untrained pair IMAGE+TEXT, e.g. "
        "google/mobilenet_v2_1.0_224+sentence-transformers/all-MiniLM-L6-v2, torchvision:resnet50+gru, "
        "regions:fasterrcnn_resnet50_fpn+words:glove.txt.",
    ),
]


def train(
    captions: CaptionsArg,
    out: OutArg,
    encoder: BaseOpt = "lexel-tiny",
    head: Annotated[str, typer.Option(help="lexicon, expand, bce, zeroshot or labels.")] = "lexicon",
    tower: Annotated[
        str,
        typer.Option(
            help="How the vectors are trained: infonce, vse (hardest negatives), labels (image to image), or keep; "
            "auto trains a pair by infonce and keeps an encoder's."
        ),
    ] = "auto",
    views: Annotated[int, typer.Option(min=1, help="Looks at each picture: the whole, and crops beside it.")] = 4,
    keep: Annotated[int, typer.Option(min=1, help="Terms kept a picture.")] = 128,
    dim: Annotated[int, typer.Option(min=2, help="Length of the vectors of a pair.")] = 512,
    hidden: Annotated[int, typer.Option(min=0, help="Units beside each linear map, 0 for none.")] = 512,
    min_count: Annotated[int, typer.Option(min=1, help="Captions that must hold a term for it to be one.")] = 5,
    size: Annotated[int | None, typer.Option(min=2, help="The commonest terms only.", show_default="all")] = None,
    aliases: Annotated[Path | None, typer.Option(help="A file of lines `form = term`.")] = None,
    ban: Annotated[Path | None, typer.Option(help="A file of terms to leave out, one a line.")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the captions, a stage.", show_default="the recipe's")
    ] = None,
    sparsity: Annotated[
        float | None, typer.Option(min=0, help="Pressure towards few terms.", show_default="the recipe's")
    ] = None,
    soft: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of the dense pair's opinion in targets.", show_default="the recipe's"),
    ] = None,
    query_weights: Annotated[
        bool, typer.Option("--query-weights/--no-query-weights", help="Learn how much each word of a query counts.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    batch_size: BatchOpt = 32,
    device: DeviceOpt = "auto",
    work: Annotated[
        Path | None,
        typer.Option(help="The folder for what is encoded and half-trained.", show_default="one of lexel's own"),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Learn words and vectors from captions; the result is an encoder that every other command takes.

    Pictures are encoded once; the same command again goes on where it stopped.

    Example: lexel train captions.jsonl words --encoder google/mobilenet_v2_1.0_224+gru
    """
    from lexel.encoders.vocabulary.aliases import read_aliases, read_ban_list
    from lexel.pipeline.sources.source import open_source
    from lexel.pipeline.train import TrainingReporter, TrainOptions
    from lexel.pipeline.train import train_encoder as run

    options = TrainOptions(
        head=head,  # type: ignore[arg-type]  # Options refuses what is none
        tower=tower,  # type: ignore[arg-type]
        views=views,
        keep=keep,
        dim=dim,
        hidden=hidden,
        min_count=min_count,
        size=size,
        aliases=read_aliases(aliases) if aliases else {},
        banned=frozenset(read_ban_list(ban)) if ban else frozenset(),
        epochs=epochs,
        sparsity=sparsity,
        soft=soft,
        query_weights=query_weights,
        seed=seed,
        device=device,
        batch_size=batch_size,
    )
    began = time.monotonic()
    trained = run(
        open_source(captions),
        out,
        encoder=encoder,
        work=work or work_folder(captions),
        options=options,
        teller=TrainingReporter(Bar, say_epoch),
    )
    console.out.print(
        f"{trained.encoder.name} {trained.encoder.fingerprint}, {len(trained.encoder.vocabulary):,} terms, "
        f"in {(time.monotonic() - began) / 60:.1f} min: {short(out.resolve())}",
        soft_wrap=True,
    )


def work_folder(captions: str) -> Path:
    """One folder for each collection, so that another head or vocabulary finds its features there."""
    from lexel.pipeline.paths import data_folder

    place = Path(captions).expanduser().resolve()
    return data_folder() / "train" / f"{place.stem}-{hashlib.blake2b(str(place).encode(), digest_size=4).hexdigest()}"


def say_epoch(stage: str, epoch: int, epochs: int, figures: dict[str, float]) -> None:
    """One line on standard error."""
    shown = "  ".join(f"[dim]{name}[/] {value:.4g}" for name, value in figures.items() if name != "R")
    err.print(f"{stage} {epoch + 1:>3}/{epochs}  {shown}", soft_wrap=True)
