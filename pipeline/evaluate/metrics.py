"""The measures per query, by ir_measures (pytrec_eval, NIST's trec_eval).

- R@k: 1 if a relevant item is among the first k, else 0 (trec_eval's success); "recall" in text-to-image papers.
- MRR: 1 / rank of the first relevant item, 0 if it is not among the retrieved ones.
- nDCG@k: with the grades as gains and a logarithmic discount.
- mAP@k: the sum of the precision at the rank of each relevant item found, divided by min(k, number of relevant items)
  (Weyand et al., Google Landmarks v2, CVPR 2020, eq. 1). With at most k relevant items it is trec_eval's map_cut.
- P@k: the share of relevant items among the first k. F1@k: its harmonic mean with the share of relevant items found.
- median rank: of the first relevant item.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lexel.pipeline.evaluate.queries.directions import Judgments
from lexel.pipeline.evaluate.retrieve import Run

Floats = npt.NDArray[np.float64]

CAPTIONED = ("R@1", "R@5", "R@10", "MRR", "nDCG@10", "mAP@10", "P@10")
SHORT = ("P@10", "nDCG@10", "mAP@10", "mAP@100")
LABELLED = tuple(f"{name}@{k}" for k in (1, 5, 10, 50) for name in ("mAP", "P", "F1"))
MEDIAN = "median_rank"


def measure_queries(run: Run, right: Judgments, names: Sequence[str]) -> dict[str, Floats]:
    """The values (0 to 1) of each measure in `names` for the queries of `right`, in their order, [Q] each.

    Also `rank`, that of the first relevant item, from 1, infinite if none was retrieved.
    """
    raw = _measured(run, right, {measure for name in names for measure in _needs(name)} | {"RR"})
    count = np.array([sum(grade > 0 for grade in grades.values()) for grades in right.values()], np.float64)
    values = {name: _value(name, raw, count) for name in names}
    with np.errstate(divide="ignore"):
        return values | {"rank": np.round(1 / raw["RR"])}


def _needs(name: str) -> tuple[str, ...]:
    kind, _, k = name.partition("@")
    kinds = {"R": ("Success",), "MRR": ("RR",), "mAP": ("AP",), "F1": ("P", "R")}
    return tuple(f"{one}@{k}" if k else one for one in kinds.get(kind, (kind,)))


def _value(name: str, raw: Mapping[str, Floats], count: Floats) -> Floats:
    kind, _, k = name.partition("@")
    first, *more = (raw[need] for need in _needs(name))
    if kind == "mAP":
        return first * count / np.minimum(count, int(k))
    if kind == "F1":
        return 2 * first * more[0] / np.maximum(first + more[0], 1e-12)
    return first


def _measured(run: Run, right: Judgments, names: set[str]) -> dict[str, Floats]:
    import ir_measures

    measures = {ir_measures.parse_measure(name): name for name in names}
    place = {query: i for i, query in enumerate(right)}
    values = {name: np.zeros(len(right)) for name in names}
    asked: Any = {query: dict(run.get(query, {})) for query in right}
    judged: Any = {query: dict(grades) for query, grades in right.items()}
    for one in ir_measures.pytrec_eval.evaluator(list(measures), judged).iter_calc(asked):
        values[measures[one.measure]][place[one.query_id]] = one.value
    return values
