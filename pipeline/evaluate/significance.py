"""Bootstrap confidence intervals and the paired randomisation test for means over queries.

Both resample whole groups, because the captions of one image are not independent; resampling single queries would make
the intervals too narrow.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.int64]

_SEED = 20_260_101
_TIMES = 2000
_FLIPS = 10_000
# Draws per batch, to bound memory.
_STEP = 100
_LOW, _HIGH = 2.5, 97.5


def numbered(groups: Sequence[str]) -> Groups:
    """The groups as numbers from 0, [Q]."""
    return np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)


def interval(values: Floats, groups: Groups) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the mean of `values` [Q] (Efron and Tibshirani 1993, ch. 13)."""
    sums, sizes = np.bincount(groups, values), np.bincount(groups)
    means = [draws @ sums / (draws @ sizes) for draws in _draws(len(sizes))]
    return _ends(np.concatenate(means))


def median_interval(ranks: Floats, groups: Groups) -> tuple[float, float]:
    """The same for the median of `ranks` [Q], some of which may be infinite."""
    order = np.argsort(ranks, kind="stable")
    medians = []
    for draws in _draws(int(groups.max()) + 1):
        reached = np.cumsum(draws[:, groups[order]], axis=1)
        medians.append(ranks[order][(reached >= reached[:, -1:] / 2).argmax(axis=1)])
    return _ends(np.concatenate(medians))


def p_value(differences: Floats, groups: Groups) -> float:
    """The two-sided p value of the mean of `differences` [Q] by the paired randomisation test (random signs).

    Smucker, Allan and Carterette, A comparison of statistical significance tests for information retrieval evaluation
    (CIKM 2007), section 2.3.
    """
    sums = np.bincount(groups, differences)
    dice = np.random.default_rng(_SEED)
    flipped = [np.abs((dice.integers(0, 2, (_STEP, len(sums))) * 2 - 1) @ sums) for _ in range(_FLIPS // _STEP)]
    # The tolerance covers rounding: a draw with all signs equal must count as extreme.
    as_extreme = np.concatenate(flipped) >= abs(sums.sum()) - 1e-9
    return float((1 + as_extreme.sum()) / (1 + _FLIPS))


def _draws(groups: int) -> Iterator[Floats]:
    """How often each group is drawn, in batches [_STEP, groups]; the same in every call."""
    dice = np.random.default_rng(_SEED)
    for _ in range(_TIMES // _STEP):
        drawn = dice.integers(0, groups, (_STEP, groups))
        offsets = np.arange(_STEP)[:, None] * groups
        yield np.bincount((drawn + offsets).ravel(), minlength=_STEP * groups).reshape(_STEP, groups).astype(float)


def _ends(samples: Floats) -> tuple[float, float]:
    # "nearest", not interpolated: ranks can be infinite.
    low, high = np.percentile(samples, [_LOW, _HIGH], method="nearest")
    return float(low), float(high)
