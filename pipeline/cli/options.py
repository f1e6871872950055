"""Options that several commands share, each with its help and the panel that it stands in."""

from typing import Annotated

import typer

# The panels of a command's help, in the order in which a person decides.
READ, ENCODER, SPEED, OUTPUT, OPENSEARCH = "What is read", "Encoder", "Speed", "Output", "OpenSearch"
ASKED, RANKING, LEARNING = "What is asked", "Ranking", "Learning"


def known_encoders(incomplete: str) -> list[str]:
    """Names of encoders that begin like this, for the shell's completion."""
    from lexel.encoders.registry import names

    return [name for name in names() if name.startswith(incomplete)]


def _modes(incomplete: str) -> list[str]:
    from lexel.pipeline.search.query_dsl import MODES

    return [mode for mode in MODES if mode.startswith(incomplete)]


SourceArg = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE", help="A folder, a CSV/JSONL/Parquet manifest, a WebDataset tar, captions or a text file."
    ),
]
EncoderOpt = Annotated[
    str,
    typer.Option(
        help="A name, a folder, or a transformers dual encoder such as openai/clip-vit-base-patch32.",
        autocompletion=known_encoders,
        rich_help_panel=ENCODER,
    ),
]
DeviceOpt = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.", rich_help_panel=SPEED)]
BatchOpt = Annotated[int, typer.Option(min=1, help="Items the network takes at once.", rich_help_panel=SPEED)]
WorkersOpt = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Threads that read and decode, and on a CPU compute.",
        show_default="one a core",
        rich_help_panel=SPEED,
    ),
]
PartOpt = Annotated[
    str,
    typer.Option(
        metavar="I/N", help="The share of this worker, e.g. 1/4, for many GPUs or machines.", rich_help_panel=SPEED
    ),
]
RayOpt = Annotated[
    bool,
    typer.Option(
        "--ray", help="Spread the job over the Ray cluster of RAY_ADDRESS, or of this machine.", rich_help_panel=SPEED
    ),
]
ExactOpt = Annotated[
    bool,
    typer.Option(
        "--exact",
        help="Compute in float32 on a CPU, also where bfloat16 is faster and agrees.",
        rich_help_panel=ENCODER,
    ),
]
CaptionsOpt = Annotated[
    bool,
    typer.Option(
        "--captions", help="Take the manifest's captions as the items, not its pictures.", rich_help_panel=READ
    ),
]
IncludeOpt = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GLOB",
        help="Only pictures whose name, or a folder on its way, is like this; may be repeated.",
        rich_help_panel=READ,
    ),
]
ExcludeOpt = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GLOB",
        help="No pictures whose name, or a folder on its way, is like this; may be repeated.",
        rich_help_panel=READ,
    ),
]
RetryOpt = Annotated[
    bool, typer.Option("--retry", help="Try the items again that failed before.", rich_help_panel=READ)
]
SplitOpt = Annotated[str | None, typer.Option(help="Only rows whose column `split` says this.", rich_help_panel=READ)]
ShardSizeOpt = Annotated[
    int, typer.Option(min=1, help="Items a shard; a crash costs one shard at most.", rich_help_panel=OUTPUT)
]
ThumbnailOpt = Annotated[
    int,
    typer.Option(
        min=0,
        max=1024,
        help="The longest side of the thumbnails kept for showing; 0 keeps none.",
        rich_help_panel=OUTPUT,
    ),
]
JsonOpt = Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel=OUTPUT)]
IndexOpt = Annotated[str, typer.Option(help="The index (an alias) in OpenSearch.", rich_help_panel=OPENSEARCH)]
ModeOpt = Annotated[
    str,
    typer.Option(help="terms, words, vector or hybrid.", autocompletion=_modes, rich_help_panel=RANKING),
]
WeightOpt = Annotated[
    float | None,
    typer.Option(
        min=0, help="Weight of the vector beside the terms.", show_default="the encoder's", rich_help_panel=RANKING
    ),
]
ShardsOpt = Annotated[int, typer.Option(min=1, help="Primary shards of the index.", rich_help_panel=OPENSEARCH)]
ReplicasOpt = Annotated[
    int, typer.Option(min=0, help="Copies of each shard, made when all is loaded.", rich_help_panel=OPENSEARCH)
]
MergeOpt = Annotated[
    bool,
    typer.Option(
        "--merge",
        help="Merge each shard into one segment: a longer load, faster searches.",
        rich_help_panel=OPENSEARCH,
    ),
]
EngineOpt = Annotated[
    str,
    typer.Option(
        help="The k-NN engine: lucene, or faiss on a full distribution.",
        autocompletion=lambda: ["lucene", "faiss"],
        rich_help_panel=OPENSEARCH,
    ),
]
SeedOpt = Annotated[int, typer.Option(help="Random seed.", rich_help_panel=LEARNING)]
VerboseOpt = Annotated[
    bool, typer.Option("-v", "--verbose", help="Say where the time of a job went.", show_default=False)
]
QuietOpt = Annotated[bool, typer.Option("-q", "--quiet", help="Print answers and errors alone.", show_default=False)]
