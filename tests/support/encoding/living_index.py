"""An index that follows a folder, compared with a fresh index of the same folder."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import OpenSearch
from support.encoding.living_folder import LivingFolder
from support.indices import contents

from lexel.encoders.encoder import Encoder
from lexel.pipeline.encode.encode_options import EncodeOptions
from lexel.pipeline.ingest.run import IndexReport, index_source
from lexel.pipeline.ingest.sync import sync_source
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.sources.source import open_source

# Where a document came from and when differs with its history, and so does where the map was drawn.
_HISTORY = {"shard", "map", "checksum", "vector", "terms", "words", "top_terms"}
_OPTIONS = EncodeOptions(device="cpu", workers=1, shard_size=4, exact=True, write_map=True)


@dataclass(frozen=True)
class LivingIndex:
    """`name` follows the folder `living`; the shards are in `place`."""

    living: LivingFolder
    place: Path
    name: str
    encoder: Encoder
    client: OpenSearch

    def sync(self, *, allow_shrink: bool = True) -> IndexReport:
        """Bring the index up to date."""
        return sync_source(
            open_source(self.living.root),
            index=self.name,
            encoder=self.encoder,
            client=self.client,
            out=self.place / "shards",
            encode=_OPTIONS,
            load=LoadOptions(allow_shrink=allow_shrink, templates=False),
        )

    def check(self) -> None:
        """The index is that of a fresh `index` of the same folder, and another sync does nothing."""
        fresh, name = self.place / "fresh", f"{self.name}-fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        index_source(
            open_source(self.living.root),
            index=name,
            encoder=self.encoder,
            client=self.client,
            out=fresh,
            encode=_OPTIONS,
            load=LoadOptions(templates=False, allow_shrink=True),
        )
        self.client.indices.refresh(index=f"{self.name},{name}")
        assert_same_documents(contents(self.client, self.name), contents(self.client, name))
        again = self.sync()
        done = (again.encoded.changes.any, again.loaded.sent, again.loaded.removed)
        assert done == (False, 0, 0), f"another sync did something: {done}"


def assert_same_documents(found: dict[str, dict[str, Any]], wanted: dict[str, dict[str, Any]]) -> None:
    """The same ids, metadata and groups; terms and vectors up to the last bit, which depends on the batch."""
    assert set(found) == set(wanted), f"other documents: {sorted(set(found) ^ set(wanted))[:3]}"
    for id_, document in wanted.items():
        mine = found[id_]
        plain, other = ({k: v for k, v in one.items() if k not in _HISTORY} for one in (mine, document))
        assert plain == other, f"{id_}: {plain} is not {other}"
        assert mine["vector"] == pytest.approx(document["vector"], abs=1e-5), f"{id_}: another vector"
        assert mine["terms"] == pytest.approx(document["terms"], abs=0.01), f"{id_}: other terms"


def aged(folder: Path) -> None:
    """Let a minute pass since files were changed, so that size and time tell whether they are as they were."""
    for path in folder.rglob("*"):
        about = path.stat()
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns - 60 * 10**9))
