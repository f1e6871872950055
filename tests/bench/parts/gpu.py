"""On a GPU: CLIP in bfloat16 beside decoding alone and the network alone, idle gaps, and training heads."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from time import monotonic

import torch
from torch.profiler import ProfilerActivity, profile

from bench import networks
from bench.figure import Figure, absent
from bench.parts.encode import Pipeline, ceilings
from bench.pictures import pictures
from lexel.encoders import Encoder
from lexel.encoders.runtime.device import resolve_device
from lexel.pipeline.scenes import write
from lexel.pipeline.sources.source import open_source
from lexel.pipeline.train.run import train_encoder
from lexel.pipeline.train.training_options import Head, TrainOptions

Spans = Sequence[tuple[float, float]]


def run(quick: bool) -> Iterator[Figure]:
    device = resolve_device("auto")
    if device.type != "cuda" and not quick:
        yield absent("on a GPU", "images/s", "there is no GPU here; --quick shows that all runs")
        return
    with tempfile.TemporaryDirectory(prefix="lexel-bench-") as name:
        folder = Path(name)
        files, what = pictures(folder, quick=quick)
        yield Figure("pictures", float(len(files)), "files", note=what)
        clip = networks.clip(folder / "clip", quick=quick)
        yield from ceilings("CLIP ViT-B/32", clip, files, folder, quick, count=8 if quick else 20_000)
        yield from _idle(clip, files, folder, device, count=8 if quick else 8_000)
        yield from _heads(folder, "lexel-tiny" if quick else "lexel-photo", count=24 if quick else 4_000, quick=quick)


def _idle(
    encoder: Encoder, files: Sequence[Path], folder: Path, device: torch.device, *, count: int
) -> Iterator[Figure]:
    """The share of the time from the first kernel to the last in which one runs, and the longest gap between two."""
    kind = ProfilerActivity.CUDA if device.type == "cuda" else ProfilerActivity.CPU
    pipeline = Pipeline(encoder, files, folder, count)
    with profile(activities=[kind]) as seen:
        pipeline()
    events = [event.time_range for event in seen.events() or () if event.device_type.name == kind.name]
    spans = merged((one.start, one.end) for one in events)
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(spans)]
    whole, busy = spans[-1][1] - spans[0][0], sum(end - start for start, end in spans)
    note = f"of {device.type}, from the first to the last of {len(events):,} kernels"
    yield Figure("busy", busy / whole, "of the time", wanted=">= 0.9", note=note)
    yield Figure("the longest gap", max(gaps, default=0.0) / 1e3, "ms", note="between two kernels")


def merged(spans: Iterable[tuple[float, float]]) -> Spans:
    """Spans that overlap as one, in order."""
    found: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _heads(folder: Path, base: str, *, count: int, quick: bool) -> Iterator[Figure]:
    """Heads trained on drawn scenes, on features that are there already."""
    write(folder / "scenes", count=count)
    source = open_source(folder / "scenes" / "scenes.jsonl")
    once = TrainOptions(views=1, epochs=1, words="new")
    train_encoder(source, folder / "first", encoder=base, work=folder / "work", options=once)
    heads: tuple[Head, ...] = ("lexicon",) if quick else ("lexicon", "expand")
    epochs = 1 if quick else 24
    for head in heads:
        options = TrainOptions(head=head, views=1, epochs=epochs, words="new", seed=1)
        began = monotonic()
        train_encoder(source, folder / head, encoder=base, work=folder / "work", options=options)
        took = (monotonic() - began) / epochs
        yield Figure(f"{base}: head {head}", took, "s/epoch", note=f"{count:,} pictures; all but encoding them")
