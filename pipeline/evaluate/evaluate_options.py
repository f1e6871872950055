"""The options of an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lexel.pipeline.search.query_dsl import MODES, Mode

Queries = Literal["captions", "short"]


@dataclass(frozen=True)
class EvaluateOptions:
    """The options of `evaluate_encoder`.

    `split` selects the rows with that value in the column "split"; `queries` are whole captions and images, or "short"
    ones (see queries/short_queries.py); `qrels` is a file of graded judgments in TREC's format. `keep` prunes images to
    that many terms; `budgets` are the numbers of terms for the curve. Each query retrieves `depth` items; TREC files
    are written to `run_folder`, and to `workbench_folder` what OpenSearch's Search Relevance Workbench imports, whose
    searches are of `workbench_index`. `device` and `batch_size` are for encoding.
    """

    split: str | None = None
    queries: Queries = "captions"
    modes: Sequence[Mode] = MODES
    qrels: Path | None = None
    keep: int | None = None
    budgets: Sequence[int] = ()
    depth: int = 100
    run_folder: Path | None = None
    workbench_folder: Path | None = None
    workbench_index: str = "images"
    device: str = "auto"
    batch_size: int | None = None
