"""Pictures a second from files to shards, beside the bare forward pass and beside the usual loops."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from bench import loops, networks
from bench.clock import Spent, core_seconds, in_turn, rate, repeated, spending
from bench.figure import Figure, absent, beside
from bench.pictures import many, pictures
from lexel.encoders import Encoder, EncoderError, open_encoder
from lexel.encoders.model import Model, load_model
from lexel.encoders.runtime.device import available_cores, batch_size
from lexel.pipeline.encode import run as job
from lexel.pipeline.encode.compiled_network import compiled_if_equal
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.encode.precision_check import AGREES, low_precision_if_equal
from lexel.pipeline.encode.prepare import PreparedItem, min_side, prepare
from lexel.pipeline.encode.workers import threads
from lexel.pipeline.images.decode import decode
from lexel.pipeline.images.preview import PreviewOptions
from lexel.pipeline.scenes import write
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.sources.item import Item, read_file
from lexel.pipeline.sources.source import open_source
from lexel.pipeline.train.compile import compile_encoder

_COUNT = 576


def run(quick: bool) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="lexel-bench-") as name:
        folder = Path(name)
        files, what = pictures(folder, quick=quick)
        yield Figure("pictures", float(len(files)), "files", note=what)
        yield from ceilings("lexel-tiny", open_encoder("lexel-tiny"), files, folder, quick, count=8 if quick else 1024)
        clip = networks.clip(folder / "clip", quick=quick)
        yield from ceilings("CLIP ViT-B/32", clip, files, folder, quick, count=8 if quick else _COUNT)
        yield from _compiled("CLIP ViT-B/32", clip, folder / "clip-compiled", quick)
        yield from _peers(clip, folder / "clip-compiled", files, folder, quick)
        yield from _large(files, folder, quick)
    if not torch.cuda.is_available():
        yield absent("CLIP ViT-B/32 on a GPU", "images/s", "there is no GPU here, so this was not measured")


def ceilings(
    name: str, encoder: Encoder, files: Sequence[Path], folder: Path, quick: bool, *, count: int
) -> Iterator[Figure]:
    """The pipeline beside the network alone, beside preparing alone, and beside the seconds that both need."""
    # As a job of so many pictures has it.
    model = low_precision_if_equal(compiled_if_equal(load_model(encoder), encoder, pictures=count))
    job_ = Pipeline(encoder, files, folder, count)
    prepare_item = partial(prepare, model, preview=PreviewOptions(), least=min_side(model, preview=PreviewOptions()))
    seconds = 0.01 if quick else 2.0
    with threads(available_cores()) as pool:
        found = in_turn(
            {
                "pipeline": job_,
                "network": partial(repeated, Bare(model, files, pool), seconds=seconds),
                "one batch": partial(repeated, Bare(model, files, None), seconds=seconds),
                "preparing": partial(repeated, partial(_prepare, pool, prepare_item, files), seconds=seconds),
            },
            rounds=1 if quick else 3,
        )
    alone = max(rate(found["network"]), rate(found["one batch"]))
    one = rate(found["pipeline"])
    how = f"{model.computes}, batch {batch_size(model.device)}"
    if model.device.type == "cuda":
        lower = min(alone, rate(found["preparing"]))
        note = f"{how}; ready tensors without preparing, preparing without a network"
        yield beside(
            f"{name}: pipeline / the lower of both", one, "images/s", ceiling=lower, wanted=">= 0.9", note=note
        )
        return
    needed = core_seconds(found["network"]) + core_seconds(found["preparing"])
    yield beside(
        f"{name}: pipeline / network alone",
        one,
        "images/s",
        ceiling=alone,
        wanted=">= 0.95",
        note=f"{how}; the network has all cores for itself, on ready tensors",
    )
    yield beside(
        f"{name}: pipeline / all that is needed",
        one,
        "images/s",
        ceiling=available_cores() / needed,
        note=f"{1e3 * core_seconds(found['network']):.2f} ms of a core for the network and "
        f"{1e3 * core_seconds(found['preparing']):.2f} to read, decode and shrink a picture and make its thumbnail",
    )
    yield Figure(f"{name}: preparing alone", rate(found["preparing"]), "images/s", note="all cores, no network")
    # Of the cores' time rather than the clock's: it stays true where something else runs beside the bench.
    took = core_seconds(found["pipeline"])
    note = "of a core, the ceiling being the network and the preparing alone; the rest is terms, rows and shards"
    yield Figure(f"{name}: time of the pipeline", 1e3 * took, "ms/image", 1e3 * needed, needed / took, note=note)


def _compiled(name: str, encoder: Encoder, place: Path, quick: bool) -> Iterator[Figure]:
    """What `lexel compile` says of an encoder; both of its kinds are kept in `place`."""
    write(place / "drawn", count=4 if quick else 32)
    source = open_source(place / "drawn")
    precision = "bfloat16" if low_precision_if_equal(load_model(encoder)).low_precision else "float32"
    for kind in ("float32", "int8"):
        try:
            found = compile_encoder(encoder, place / kind, source=source, int8=kind == "int8")
        except EncoderError as error:
            yield absent(f"{name}: network, compiled", "ms/image", str(error))
            return
        ratio = found.before / found.after
        note = f"of a core; beside it torch's {precision}, of {precision if kind == 'float32' else '8 bits'}"
        yield Figure(
            f"{name}: network, compiled{', 8 bits' * (kind == 'int8')}",
            found.after,
            "ms/image",
            found.before,
            ratio,
            note=note,
        )


def _large(files: Sequence[Path], folder: Path, quick: bool) -> Iterator[Figure]:
    """Photographs as cameras make them, where decoding is most of the work."""
    place = folder / "large"
    place.mkdir()
    size = (800, 600) if quick else (4000, 3000)
    for i, path in enumerate(files[: 2 if quick else 12]):
        decode(path.read_bytes()).image.resize(size).save(place / f"{i}.jpg", quality=90)
    large = sorted(place.iterdir())
    job_ = Pipeline(open_encoder("lexel-tiny"), large, folder, 4 if quick else 96)
    with threads(available_cores()) as pool:
        whole = partial(repeated, partial(_decoded, pool, large), seconds=0.01 if quick else 3.0)
        found = in_turn({"pipeline": job_, "whole": whole}, rounds=1 if quick else 2)
    own, other = rate(found["pipeline"]), rate(found["whole"])
    note = (
        f"lexel-tiny; what stands under ceiling decodes the same {size[0]} x {size[1]} pixels whole, and does no more"
    )
    yield Figure("12 megapixels: pipeline", own, "images/s", other, own / other, None, note)


def _peers(encoder: Encoder, compiled: Path, files: Sequence[Path], folder: Path, quick: bool) -> Iterator[Figure]:
    """The usual loops on the same pictures and network, and how well vectors agree; it may lie `compiled` there."""
    some = files[: 2 if quick else 24]
    one_by_one = loops.one_by_one(encoder.folder)
    batched, what = loops.sentence_transformers(encoder.folder)
    wanted = batched(files)
    kinds = {"as it comes": encoder}  # which is compiled by itself, as large jobs do it
    if compiled.exists():
        kinds |= {"8 bits": open_encoder(str(compiled / "int8"))}
    jobs = {kind: Pipeline(one, files, folder, len(files) if quick else _COUNT) for kind, one in kinds.items()}
    usual = {"one": partial(_looped, one_by_one, some), "batched": partial(_looped, batched, files)}
    found = in_turn({**jobs, **usual}, rounds=1 if quick else 3)
    for kind, job_ in jobs.items():
        # Those are to be beaten at equal vectors, which 8 bits do not have.
        own, exact = rate(found[kind]), kind != "8 bits"
        for name, times, note in (("one", ">= 6", "PIL + processor + model, batch 1"), ("batched", ">= 3", what)):
            other = rate(found[name])
            yield Figure(
                f"CLIP ViT-B/32, {kind}: pipeline / {note}",
                own,
                "images/s",
                other,
                own / other,
                times if exact else None,
                "what stands under ceiling is theirs, in float32 as they come",
            )
        theirs = np.concatenate([wanted] * (-(-job_.count // len(wanted))))[: job_.count]
        least_ = float((job_.vectors() * theirs).sum(axis=1).min())
        wanted_ = f">= {AGREES}" if exact else None
        yield Figure(f"CLIP ViT-B/32, {kind}: least cosine with theirs", least_, "", wanted=wanted_)


@dataclass
class Bare:
    """The forward pass on a batch that is ready: a batch to each thread of `pool`, or one on all cores."""

    model: Model
    files: Sequence[Path]
    pool: ThreadPoolExecutor | None

    def __post_init__(self) -> None:
        self.size = batch_size(self.model.device)
        rows = [self.model.pixels(decode(path.read_bytes()).image) for path in self.files[: self.size]]
        batch = torch.stack((rows * self.size)[: self.size])
        self.batch = batch.to(self.model.device, memory_format=torch.channels_last)

    def __call__(self) -> int:
        if self.pool is None:
            torch.set_num_threads(available_cores())
            self.forward()
            return self.size
        for future in [self.pool.submit(self.forward) for _ in range(available_cores())]:
            future.result()
        return self.size * available_cores()

    def forward(self) -> None:
        with torch.inference_mode():
            self.model.features(self.batch).cpu()


class Pipeline:
    """`lexel encode` on `count` links to these files, from when all is loaded to the last shard."""

    def __init__(self, encoder: Encoder, files: Sequence[Path], folder: Path, amount: int) -> None:
        self.encoder, self.count = encoder, amount
        self._place = Path(tempfile.mkdtemp(dir=folder))
        self._source = open_source(many(files, self._place / "pictures", amount))
        self._runs = count()

    def __call__(self) -> Spent:
        began = _Began()
        self._out = self._place / f"shards-{next(self._runs)}"
        torch.set_num_threads(available_cores())
        job.encode_source(self._source, self._out, encoder=self.encoder, options=EncodeOptions(), progress=began)
        return began.ended(self.count)

    def vectors(self) -> npt.NDArray[np.float32]:
        """Of the last run."""
        return np.array([v for s in finished_shards(self._out) for v in s.table()["vector"].to_pylist()], np.float32)


class _Began:
    """A progress that looks at the clock when the work begins, the networks being loaded."""

    def plan(self, *, total: int, done: int) -> None:
        self._measure = spending(total)
        self._spent = self._measure.__enter__()

    def advance(self, *, encoded: int, failed: int) -> None:
        assert not failed

    def ended(self, items: int) -> Spent:
        self._measure.__exit__(None, None, None)
        assert self._spent.items == items
        return self._spent


def _prepare(pool: ThreadPoolExecutor, prepare: Callable[[Item], object], files: Sequence[Path]) -> int:
    done = list(pool.map(prepare, [Item(path.name, partial(read_file, path)) for path in files]))
    assert all(isinstance(one, PreparedItem) for one in done)
    return len(done)


def _decoded(pool: ThreadPoolExecutor, files: Sequence[Path]) -> int:
    return len(list(pool.map(lambda path: decode(path.read_bytes()), files)))


def _looped(loop: loops.Loop, files: Sequence[Path]) -> Spent:
    torch.set_num_threads(available_cores())
    with spending(len(files)) as spent:
        loop(files)
    return spent
