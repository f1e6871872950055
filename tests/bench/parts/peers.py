"""Other engines on the same data: Milvus Lite and LanceDB in a place of their own, and what arrays alone would do."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.figure import Figure, absent
from bench.parts.crowd import Batch, Crowd
from lexel.pipeline.engine.folders import shared_folder

_PACKAGES = {"milvus": ("pymilvus", "milvus-lite"), "lancedb": ("lancedb",), "arrays": ("scipy", "faiss-cpu")}
_NAMES = {"milvus": "Milvus Lite", "lancedb": "LanceDB", "arrays": "scipy and faiss, in process"}
# One that takes longer to load or to answer is asked no further.
_SECONDS = 120
_PROGRAM = Path(__file__).with_name("peer.py")


def beside(crowd: Crowd, asked: Batch, *, place: Path, quick: bool) -> Iterator[Figure]:
    """The figures of each peer that can be had here, on the same documents and the same queries."""
    data = _written(crowd, asked, place)
    for name, packages in _PACKAGES.items():
        python = _python(packages, may_install=not quick)
        if python is None:
            yield absent(_NAMES[name], "ms", f"pip cannot bring {' and '.join(packages)} here, or may not")
            continue
        yield from _figures(name, _asked(python, name, data))


def _written(crowd: Crowd, asked: Batch, place: Path) -> Path:
    """The data as plain arrays, which every peer reads its own way."""
    data = place / "arrays"
    data.mkdir()
    batches = list(crowd.batches())
    np.save(data / "ranks.npy", np.concatenate([batch.ranks.astype(np.int32) for batch in batches]))
    np.save(data / "weights.npy", np.concatenate([batch.weights for batch in batches]))
    np.save(data / "vectors.npy", np.concatenate([batch.vectors for batch in batches]))
    np.save(data / "asked_ranks.npy", asked.ranks.astype(np.int32))
    np.save(data / "asked_vectors.npy", asked.vectors)
    (data / "about.json").write_text(json.dumps({"words": crowd.words}))
    return data


def _python(packages: Sequence[str], *, may_install: bool) -> Path | None:
    """A Python that has these packages: in an environment beside the engine's files, so that lexel needs none of it."""
    home = Path(os.environ.get("LEXEL_BENCH_PEERS") or shared_folder() / "peers")
    python = home / "bin" / "python"
    if not python.exists() and may_install:
        subprocess.run([sys.executable, "-m", "venv", home], check=False, capture_output=True)
    if not python.exists():
        return None
    asks = "import sys; from importlib.metadata import version; [version(name) for name in sys.argv[1:]]"
    there = subprocess.run([python, "-c", asks, *packages], check=False, capture_output=True)
    if there.returncode and may_install:
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
        there = subprocess.run(install, check=False, capture_output=True)
    return None if there.returncode else python


def _asked(python: Path, name: str, data: Path) -> dict[str, Any] | str:
    """What a peer measured of itself in a process of its own, or why it did not."""
    try:
        done = subprocess.run(
            [python, _PROGRAM, name, data], check=False, capture_output=True, text=True, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"took longer than {_SECONDS} s"
    if done.returncode:
        return done.stderr.strip().rpartition("\n")[2][:200] or f"ended with {done.returncode}"
    answer: dict[str, Any] = json.loads(done.stdout.strip().rpartition("\n")[2])
    return answer


def _figures(name: str, answer: dict[str, Any] | str) -> Iterator[Figure]:
    if isinstance(answer, str):
        yield absent(_NAMES[name], "ms", answer)
        return
    told = f"{answer['count']:,} documents, loaded in {answer['seconds']:.0f} s; {answer['how']}"
    for mode, times in answer["times"].items():
        yield Figure(f"{_NAMES[name]}: {mode}, p50", float(np.median(times)) * 1e3, "ms", note=told)
        yield Figure(f"{_NAMES[name]}: {mode}, p99", float(np.percentile(times, 99)) * 1e3, "ms", note=told)
