"""How a source is encoded: one value for all parts of a job."""

from dataclasses import dataclass

from lexel.pipeline.encode.prepare import View, whole
from lexel.pipeline.images.preview import PreviewOptions


@dataclass(frozen=True)
class EncodeOptions:
    """How `encode_source` works. Batch size, workers and device change the speed and not what is stored.

    `device` is "auto", "cpu", "cuda" or "cuda:1"; `workers` are threads, one a core by default. `exact` computes in
    float32 on a CPU, also where bfloat16 is faster and the vectors agree (see `precision_check`). `retry` tries all
    failed items of finished shards again, not only those that could not be read. `preview` says what is kept to show a
    picture by; None, for pictures that are never shown, keeps neither thumbnail nor hash. `view` is what is encoded of
    each picture: all of it, but in training. `write_map` also lays out the collection's map, where one part is the
    whole job.
    """

    batch_size: int = 32
    device: str = "auto"
    workers: int | None = None
    shard_size: int = 1024
    retry: bool = False
    exact: bool = False
    preview: PreviewOptions | None = PreviewOptions()
    view: View = whole
    write_map: bool = False
