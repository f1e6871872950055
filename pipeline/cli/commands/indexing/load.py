"""`lexel load`."""

from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.config_file import ConfigFile
from lexel.pipeline.cli.options import (
    SPEED,
    AllowShrinkOpt,
    EngineOpt,
    IndexOpt,
    MergeOpt,
    PartOpt,
    RayOpt,
    ReplicasOpt,
    ShardsOpt,
    check_whole,
)
from lexel.pipeline.cli.views.job_progress import Bar
from lexel.pipeline.cli.views.job_reports import say_loaded


def load(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder of shards, from `lexel encode`.")],
    index: IndexOpt = "images",
    shards: ShardsOpt = 1,
    replicas: ReplicasOpt = 0,
    engine: EngineOpt = "lucene",
    merge: MergeOpt = None,
    allow_shrink: AllowShrinkOpt = False,
    connections: Annotated[
        int, typer.Option(min=1, help="Requests sent to OpenSearch at once.", rich_help_panel=SPEED)
    ] = 2,
    part: PartOpt = "0/1",
    ray: RayOpt = False,
    config: ConfigFile = None,
) -> None:
    """Load shards into a new OpenSearch index, and switch the alias to it when it is complete.

    With --part, several machines send their shares of the shards into one new index, and the last one switches.

    Example: lexel load shards --index photos
    """
    from lexel.pipeline.cluster.client import connect
    from lexel.pipeline.load.load_options import LoadOptions
    from lexel.pipeline.load.ray_loaders import load_on_ray
    from lexel.pipeline.load.run import load_shards
    from lexel.pipeline.shards.part import Part

    check_whole(part, ray=ray)
    share = Part.parse(part)
    options = LoadOptions(
        shard_count=shards,
        replicas=replicas,
        engine=engine,
        connections=connections,
        merge=merge,
        allow_shrink=allow_shrink,
    )
    with Bar("Loading") as bar:
        if ray:
            report = load_on_ray(out, index=index, options=options, progress=bar)
        else:
            report = load_shards(out, index=index, client=connect(), part=share, options=options, progress=bar)
    say_loaded(report, index)
