"""`lexel load`."""

from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import AllowShrinkOpt, EngineOpt, IndexOpt, MergeOpt, ReplicasOpt, ShardsOpt
from lexel.pipeline.cli.views.job_progress import Bar
from lexel.pipeline.cli.views.job_reports import say_loaded


def load(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder of shards, from `lexel encode`.")],
    index: IndexOpt = "images",
    shards: ShardsOpt = 1,
    replicas: ReplicasOpt = 0,
    engine: EngineOpt = "lucene",
    merge: MergeOpt = False,
    allow_shrink: AllowShrinkOpt = False,
    config: ConfigFile = None,
) -> None:
    """Load shards into a new OpenSearch index, and switch the alias to it when it is complete.

    Example: lexel load shards --index photos
    """
    from lexel.pipeline.cluster.client import connect
    from lexel.pipeline.load.load_options import LoadOptions
    from lexel.pipeline.load.run import load_shards

    options = LoadOptions(shard_count=shards, replicas=replicas, engine=engine, merge=merge, allow_shrink=allow_shrink)
    with Bar("Loading") as bar:
        report = load_shards(out, index=index, client=connect(), options=options, progress=bar)
    say_loaded(report, index)
