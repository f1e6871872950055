"""Options that several commands share, each with its help."""

from typing import Annotated

import typer

SourceArg = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="A folder, a CSV/JSONL/Parquet manifest, a WebDataset tar or a text file."),
]
EncoderOpt = Annotated[
    str, typer.Option(help="A name, a folder, or a transformers dual encoder such as openai/clip-vit-base-patch32.")
]
IndexOpt = Annotated[str, typer.Option(help="The index (an alias) in OpenSearch.")]
PartOpt = Annotated[
    str, typer.Option(metavar="I/N", help="The share of this worker, e.g. 1/4, for many GPUs or machines.")
]
BatchOpt = Annotated[int, typer.Option(min=1, help="Items the network takes at once.")]
DeviceOpt = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.")]
WorkersOpt = Annotated[
    int | None,
    typer.Option(min=1, help="Threads that read and decode, and on a CPU compute.", show_default="one a core"),
]
ShardSizeOpt = Annotated[int, typer.Option(min=1, help="Items a shard; a crash costs one shard at most.")]
CaptionsOpt = Annotated[
    bool, typer.Option("--captions", help="Take the manifest's captions as the items, not its pictures.")
]
ThumbnailOpt = Annotated[
    int, typer.Option(min=0, max=1024, help="The longest side of the thumbnails kept for showing; 0 keeps none.")
]
RetryOpt = Annotated[bool, typer.Option("--retry", help="Try the items again that failed before.")]
RayOpt = Annotated[
    bool, typer.Option("--ray", help="Spread the job over the Ray cluster of RAY_ADDRESS, or of this machine.")
]
ExactOpt = Annotated[
    bool, typer.Option("--exact", help="Compute in float32 on a CPU, also where bfloat16 is faster and agrees.")
]
ShardsOpt = Annotated[int, typer.Option(min=1, help="Primary shards of the index.")]
ReplicasOpt = Annotated[int, typer.Option(min=0, help="Copies of each shard, made when all is loaded.")]
MergeOpt = Annotated[
    bool, typer.Option("--merge", help="Merge each shard into one segment: a longer load, faster searches.")
]
EngineOpt = Annotated[str, typer.Option(help="The k-NN engine: lucene, or faiss on a full distribution.")]
