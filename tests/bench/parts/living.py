"""A folder of small pictures and the shards that an encode of it would have left, made without decoding them."""

import io
import os
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bench.parts.crowd import Crowd
from lexel.encoders.encoder import Encoder
from lexel.encoders.model import load_model
from lexel.pipeline.shards.job import Job, job_of, listing, write_job
from lexel.pipeline.shards.ledger import Ledger, row_entries
from lexel.pipeline.shards.ledger_file import write_ledger
from lexel.pipeline.shards.shard import write_shard
from lexel.pipeline.shards.table import Row, rows_digest, table
from lexel.pipeline.sources.item import Item, content_hash
from lexel.pipeline.sources.source import open_source

_A_FOLDER = 1000


@dataclass(frozen=True)
class Living:
    """A collection that changes: `folder` has the pictures, `shards` what is known of them."""

    folder: Path
    shards: Path
    dice: random.Random

    @classmethod
    def make(cls, place: Path, count: int, encoder: Encoder) -> "Living":
        """`count` pictures in folders of a thousand, last changed an hour ago."""
        made = cls(place / "pictures", place / "shards", random.Random(count))
        for i in range(count):
            path = made.folder / f"{i // _A_FOLDER:03d}" / f"{i:07d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_picture(i))
            os.utime(path, ns=(0, 10**9 * (1_700_000_000 + i)))
        made._encode(encoder, count)
        return made

    def change(self, each: int) -> tuple[list[Path], int]:
        """Add, change, move and remove `each` pictures at random: what to encode, and how many documents change."""
        paths = sorted(self.folder.rglob("*.jpg"))
        some = self.dice.sample(paths, 3 * each)
        new = [path.with_name(f"new-{path.name}") for path in self.dice.sample(paths, each)]
        for i, path in enumerate([*new, *some[:each]]):
            path.write_bytes(_picture(self.dice.randrange(1 << 40) + i))
        for path in some[each : 2 * each]:
            path.rename(path.with_name(f"moved-{path.name}"))
        for path in some[2 * each :]:
            path.unlink()
        return [*new, *some[:each]], 6 * each

    def _encode(self, encoder: Encoder, count: int) -> None:
        model = load_model(encoder, device="cpu")
        job = job_of(
            encoder,
            (model.dim, model.feature_dim),
            root=str(self.folder),
            source="",
            captions=False,
            shard_size=1024,
            preview=None,
            exif=True,
        )
        self.shards.mkdir(parents=True, exist_ok=True)
        encoder.vocabulary.save(self.shards / "vocabulary.json")
        write_job(self.shards, job)
        items = open_source(self.folder).items()
        ledger = Ledger(generation=1)
        crowd = Crowd(count, dim=model.dim, encoder=encoder, shard_size=job.shard_size)
        for number, batch in enumerate(crowd.batches()):
            rows = [
                self._row(next(items), job, crowd, batch.ranks[i], batch.weights[i], batch.vectors[i])
                for i in range(len(batch.ranks))
            ]
            made = table(rows, dim=job.dim, feature_dim=job.feature_dim)
            name = listing(job, rows_digest(made, []))
            write_shard(self.shards, number, made, listing=name, failures=[])
            ledger = ledger.with_entries(row_entries(made, number, 1), {number: name})
        write_ledger(self.shards, ledger)

    @staticmethod
    def _row(item: Item, job: Job, crowd: Crowd, *numbers: "np.typing.NDArray[np.float32]") -> Row:
        ranks, weights, vector = numbers
        content = item.content()
        terms = {crowd.words[rank]: float(weight) for rank, weight in zip(ranks, weights, strict=True)}
        features = np.zeros(job.feature_dim, np.float16) if job.feature_dim else None
        known = (content_hash(content), item.state())
        return Row(item, item.identify(content), 32, 32, terms, vector, features, None, *known)


def _picture(number: int) -> bytes:
    """A small JPEG; what follows its end makes it one of its own."""
    pixels = np.random.default_rng(number % 50).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=80)
    return content.getvalue() + number.to_bytes(8, "little")
