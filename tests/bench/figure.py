"""What a part of the bench reports: one measured number, beside the best that it could be."""

import operator
import re
from dataclasses import dataclass

_JUDGES = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    `ceiling` is the best that `value` could be here, measured in the same run; `ratio` is the one over the other.
    `wanted`, such as ">= 0.95" or "<= 5", is of the ratio where there is one, else of the value. `note` says what the
    ceiling is, and how it was measured. A figure that could not be had here has the value None, and `note` says why.
    """

    name: str
    value: float | None
    unit: str
    ceiling: float | None = None
    ratio: float | None = None
    wanted: str | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it is what was wanted; None where nothing was, or where nothing was measured."""
        judged = self.value if self.ratio is None else self.ratio
        if self.wanted is None or judged is None:
            return None
        found = re.fullmatch(r"(>=|<=) (\S+)", self.wanted)
        assert found, f"{self.wanted!r} is not of the form '>= 0.95'"
        return bool(_JUDGES[found[1]](judged, float(found[2])))


def beside(name: str, value: float, unit: str, *, ceiling: float, wanted: str | None = None, note: str = "") -> Figure:
    """A figure with its ceiling, and the one over the other."""
    return Figure(name, value, unit, ceiling, value / ceiling, wanted, note)


def absent(name: str, unit: str, why: str) -> Figure:
    """A figure that could not be had here."""
    return Figure(name, None, unit, note=why)
