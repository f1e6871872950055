"""How sure a mean over queries is: bootstrap intervals, and the paired randomisation test.

Both draw whole groups: the captions of one picture are not independent questions, and drawing them one by one would
make the intervals too narrow.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.int64]

_SEED = 20_260_101
_TIMES = 2000
_FLIPS = 10_000
# Draws at once; keeps memory flat.
_STEP = 100
_LOW, _HIGH = 2.5, 97.5


def numbered(groups: Sequence[str]) -> Groups:
    """The number of each query's group, [Q]."""
    return np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)


def interval(values: Floats, groups: Groups) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the mean of `values` [Q] (Efron and Tibshirani 1993, ch. 13)."""
    sums, sizes = np.bincount(groups, values), np.bincount(groups)
    means = [draws @ sums / (draws @ sizes) for draws in _draws(len(sizes))]
    return _ends(np.concatenate(means))


def median_interval(ranks: Floats, groups: Groups) -> tuple[float, float]:
    """The same of the median of `ranks` [Q], some of which may be infinite."""
    order = np.argsort(ranks, kind="stable")
    medians = []
    for draws in _draws(int(groups.max()) + 1):
        reached = np.cumsum(draws[:, groups[order]], axis=1)
        medians.append(ranks[order][(reached >= reached[:, -1:] / 2).argmax(axis=1)])
    return _ends(np.concatenate(medians))


def p_value(differences: Floats, groups: Groups) -> float:
    """The two-sided p of a mean difference [Q] under random signs, the paired randomisation test.

    Smucker, Allan and Carterette, A comparison of statistical significance tests for information retrieval evaluation
    (CIKM 2007), section 2.3.
    """
    sums = np.bincount(groups, differences)
    dice = np.random.default_rng(_SEED)
    flipped = [np.abs((dice.integers(0, 2, (_STEP, len(sums))) * 2 - 1) @ sums) for _ in range(_FLIPS // _STEP)]
    # Sums in another order differ in the last bits, and a mirrored draw is as extreme as what was seen.
    as_extreme = np.concatenate(flipped) >= abs(sums.sum()) - 1e-9
    return float((1 + as_extreme.sum()) / (1 + _FLIPS))


def _draws(groups: int) -> Iterator[Floats]:
    """How often each group is drawn: [_STEP, groups] at a time, the same ones each time this is asked."""
    dice = np.random.default_rng(_SEED)
    for _ in range(_TIMES // _STEP):
        drawn = dice.integers(0, groups, (_STEP, groups))
        offsets = np.arange(_STEP)[:, None] * groups
        yield np.bincount((drawn + offsets).ravel(), minlength=_STEP * groups).reshape(_STEP, groups).astype(float)


def _ends(samples: Floats) -> tuple[float, float]:
    # By order, not between two: a rank can be infinite.
    low, high = np.percentile(samples, [_LOW, _HIGH], method="nearest")
    return float(low), float(high)
