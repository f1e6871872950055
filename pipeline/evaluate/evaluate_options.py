"""How an encoder is evaluated."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lexel.pipeline.search.query_dsl import MODES, Mode


@dataclass(frozen=True)
class EvaluateOptions:
    """How `evaluate_encoder` measures.

    `split` keeps the rows whose column of that name says so. `qrels` is a file of graded judgments in TREC's format.
    `keep` cuts the pictures to that many terms first; `budgets` asks for the curve over terms per picture. Each query
    retrieves `depth` items; `run_folder` receives TREC files. `device` and `batch_size` are those of encoding.
    """

    split: str | None = None
    modes: Sequence[Mode] = MODES
    qrels: Path | None = None
    keep: int | None = None
    budgets: Sequence[int] = ()
    depth: int = 100
    run_folder: Path | None = None
    device: str = "auto"
    batch_size: int = 32
