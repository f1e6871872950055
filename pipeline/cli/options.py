"""Options of several commands, with their help texts and panels."""

from typing import Annotated

import typer

from lexel.pipeline.errors import ConfigError

# The panels of options in `--help`.
READ, ENCODER, SPEED, OUTPUT, OPENSEARCH = "Input", "Encoder", "Speed", "Output", "OpenSearch"
ASKED, RANKING, LEARNING = "Query", "Ranking", "Training"


def known_encoders(incomplete: str) -> list[str]:
    """Names of encoders that begin with `incomplete`, for shell completion."""
    from lexel.encoders.registry import names

    return [name for name in names() if name.startswith(incomplete)]


def _modes(incomplete: str) -> list[str]:
    from lexel.pipeline.search.query_dsl import MODES

    return [mode for mode in MODES if mode.startswith(incomplete)]


SourceArg = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A folder, a CSV/JSONL/Parquet manifest, a WebDataset tar, a data set as downloaded, a text file, "
        "or an address such as https:// or s3:// of one.",
    ),
]
EncoderOpt = Annotated[
    str,
    typer.Option(
        help="A name, a folder, or a transformers dual encoder such as openai/clip-vit-base-patch32.",
        envvar="LEXEL_ENCODER",
        autocompletion=known_encoders,
        rich_help_panel=ENCODER,
    ),
]
DeviceOpt = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.", rich_help_panel=SPEED)]
BatchOpt = Annotated[int, typer.Option(min=1, help="Items per batch of the network.", rich_help_panel=SPEED)]
AutoBatchOpt = Annotated[
    int | None,
    typer.Option(
        min=1, help="Items per batch of the network.", show_default="32; 256 on a large GPU", rich_help_panel=SPEED
    ),
]
WorkersOpt = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Threads that read and decode images, and on a CPU also compute.",
        show_default="one per core",
        rich_help_panel=SPEED,
    ),
]
PartOpt = Annotated[
    str,
    typer.Option(
        metavar="I/N",
        help="The part of the job to do, e.g. 1/4 on the first of four GPUs or machines.",
        rich_help_panel=SPEED,
    ),
]
RayOpt = Annotated[
    bool,
    typer.Option(
        "--ray", help="Run on the Ray cluster of RAY_ADDRESS, or on one of this machine.", rich_help_panel=SPEED
    ),
]


def check_whole(part: str, *, ray: bool) -> None:
    """Raise ConfigError for --part beside --ray."""
    if ray and part != "0/1":
        raise ConfigError("--ray divides the job itself; leave out --part.")


ExactOpt = Annotated[
    bool,
    typer.Option(
        "--exact",
        help="Compute in float32 by torch on a CPU, even if what is faster gives the same vectors.",
        rich_help_panel=ENCODER,
    ),
]
CaptionsOpt = Annotated[
    bool,
    typer.Option("--captions", help="Index the manifest's captions instead of its images.", rich_help_panel=READ),
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
EncoderOfIndexOpt = Annotated[
    str | None,
    typer.Option(
        help="A name, a folder, or a transformers dual encoder such as openai/clip-vit-base-patch32.",
        autocompletion=known_encoders,
        show_default="that of the index, or lexel-photo",
        rich_help_panel=ENCODER,
    ),
]
VerifyOpt = Annotated[
    bool,
    typer.Option(
        "--verify",
        help="Read every file, to find changes that left its size and time as they were.",
        rich_help_panel=READ,
    ),
]
LabelsFromFoldersOpt = Annotated[
    bool,
    typer.Option(
        "--labels-from-folders",
        help="The folder that a picture lies in is its label, where it has none of its own.",
        rich_help_panel=READ,
    ),
]
RetryOpt = Annotated[
    bool,
    typer.Option(
        "--retry",
        help="Try all items again that failed before, not only those that could not be read.",
        rich_help_panel=READ,
    ),
]
SplitOpt = Annotated[
    str | None, typer.Option(help="Use only the rows with this value in the column `split`.", rich_help_panel=READ)
]
ShardSizeOpt = Annotated[
    int,
    typer.Option(
        min=1, help="Items per shard; a crash loses at most the shards being encoded.", rich_help_panel=OUTPUT
    ),
]
ThumbnailOpt = Annotated[
    int,
    typer.Option(
        min=0,
        max=1024,
        help="The longest side of stored thumbnails in pixels; 0 stores none.",
        rich_help_panel=OUTPUT,
    ),
]
NoExifOpt = Annotated[
    bool,
    typer.Option(
        "--no-exif",
        help="Leave out what cameras and people wrote into the files: date, place, camera, title, keywords.",
        rich_help_panel=READ,
    ),
]
LikeOpt = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ITEM",
        help="Find items similar to this one, by its id or path; can be repeated.",
        rich_help_panel=ASKED,
    ),
]
UnlikeOpt = Annotated[
    list[str] | None,
    typer.Option(metavar="ITEM", help="Find items less similar to this one; can be repeated.", rich_help_panel=ASKED),
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
        min=0, help="Weight of the vector in mode hybrid.", show_default="the encoder's", rich_help_panel=RANKING
    ),
]
WrittenWeightOpt = Annotated[
    float,
    typer.Option(
        min=0,
        help="Weight of each word of the query that people wrote: in titles, captions, descriptions, keywords.",
        rich_help_panel=RANKING,
    ),
]
ShardsOpt = Annotated[int, typer.Option(min=1, help="Primary shards of the index.", rich_help_panel=OPENSEARCH)]
ReplicasOpt = Annotated[
    int, typer.Option(min=0, help="Replicas of each shard, created after loading.", rich_help_panel=OPENSEARCH)
]
MergeOpt = Annotated[
    bool | None,
    typer.Option(
        "--merge/--no-merge",
        help="Merge each shard of a new index into one segment, for faster searches, and wait for it, or do not.",
        show_default="where that takes little",
        rich_help_panel=OPENSEARCH,
    ),
]
AllowShrinkOpt = Annotated[
    bool,
    typer.Option(
        "--allow-shrink",
        help="Load also where the index loses more than a tenth of what it shows.",
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
    bool, typer.Option("-v", "--verbose", help="Also print the time of each step of a job.", show_default=False)
]
QuietOpt = Annotated[
    bool, typer.Option("-q", "--quiet", help="Print only results, warnings and errors.", show_default=False)
]
