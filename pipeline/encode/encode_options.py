"""The options of an encoding job."""

from dataclasses import dataclass

from lexel.pipeline.encode.prepare import View, whole
from lexel.pipeline.images.preview import PreviewOptions


@dataclass(frozen=True)
class EncodeOptions:
    """The options of `encode_source`. Batch size, workers and device change the speed, not the result.

    `device` is "auto", "cpu", "cuda" or e.g. "cuda:1"; `workers` the number of threads, by default one per core;
    `batch_size` the items of a batch, by default as many as suit the device.
    `exact` computes in float32 by torch on a CPU, even if bfloat16 or OpenVINO is faster and gives the same vectors
    (see `precision_check` and `compiled_network`).
    `retry` encodes all failed items again, not only those that could not be read. `verify` reads every file, so that a
    change is found that left size and time as they were. `preview` stores a thumbnail and a perceptual hash of each
    image, None neither. `exif` keeps what camera and people wrote into a file as metadata (see `images.embedded`).
    `view` transforms each image before encoding
    (training uses crops). `write_map` also computes the map of the collection, if this part is the whole job.
    """

    batch_size: int | None = None
    device: str = "auto"
    workers: int | None = None
    shard_size: int = 1024
    retry: bool = False
    verify: bool = False
    exact: bool = False
    preview: PreviewOptions | None = PreviewOptions()
    exif: bool = True
    view: View = whole
    write_map: bool = False
