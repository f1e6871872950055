"""Caption features of frozen text models, computed once and cached on disk in parts."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lexel.pipeline.atomic import write_atomically
from lexel.pipeline.iterators import batched
from lexel.pipeline.progress import Progress

_PART = 2048


def text_features(
    texts: Sequence[str], folder: Path, *, model: Callable[[Sequence[str]], Tensor], progress: Progress
) -> Tensor:
    """Features [C, T] of `texts`, float16; parts that are in `folder` already are read."""
    folder.mkdir(parents=True, exist_ok=True)
    progress.plan(total=len(texts), done=0)
    parts = []
    for number, some in enumerate(batched(texts, _PART)):
        path = folder / f"part-{number:05d}.npy"
        if not path.exists():
            file = io.BytesIO()
            np.save(file, _features(some, model))
            write_atomically(path, file.getvalue())
        parts.append(torch.from_numpy(np.load(path)))
        progress.advance(encoded=len(some), failed=0)
    return torch.cat(parts)


@torch.inference_mode()
def _features(texts: Sequence[str], model: Callable[[Sequence[str]], Tensor]) -> np.ndarray:
    # Sorted by length, to avoid padding.
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    found: list[Tensor] = [model([texts[i] for i in some]) for some in batched(order, 128)]
    rows = torch.cat(found).float().cpu().numpy().astype(np.float16)
    back = np.empty_like(rows)
    back[order] = rows
    return back
