"""The training loop of all tasks: epochs, averaged weights, early stopping, resuming."""

import copy
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from lexel.pipeline.atomic import replacing_file
from lexel.pipeline.train.tasks.schedule import Schedule

Figures = dict[str, float]
T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Task(Protocol[T_contra]):
    """A training task; `watched` is the figure of `judge` to maximise."""

    watched: str

    @property
    def module(self) -> nn.Module:
        """The module to train; `judge` gets a copy with averaged weights."""

    def loss(self, batch: T_contra, progress: float) -> tuple[Tensor, Figures]:
        """The loss of a batch and figures to report, at `progress` (0..1) of the training."""

    def judge(self, module: nn.Module) -> Figures:
        """The figures of `module` on val."""


@dataclass
class History:
    """The figures of each epoch so far, and the index of the best epoch."""

    epochs: list[Figures] = field(default_factory=list)
    best: int = -1

    def add(self, figures: Figures, watched: str) -> bool:
        """Append an epoch and return whether it is the best so far."""
        self.epochs.append(figures)
        if self.best < 0 or figures[watched] > self.epochs[self.best][watched]:
            self.best = len(self.epochs) - 1
        return self.best == len(self.epochs) - 1


@dataclass
class _State:
    """Everything that is needed to resume a training with the same result."""

    average: nn.Module
    adam: torch.optim.Optimizer
    best: dict[str, Tensor]
    history: History
    step: int = 0


def fit(
    task: Task[T],
    batches: Callable[[int], Iterable[T]],
    *,
    steps: int,
    schedule: Schedule,
    clip: float = math.inf,
    saved: Path | None = None,
    identity: str = "",
    tell: Callable[[int, Figures], None] = lambda epoch, figures: None,
) -> History:
    """Train `task` and leave it with the weights that were best on val.

    `steps` is the number of batches per epoch, `clip` the maximum gradient norm; `tell` is called after each epoch. The
    state is written to `saved` after each epoch, and a later call with the same `identity` resumes from it, with the
    same result as without interruption.
    """
    state = _begin(task, schedule)
    if saved is not None and saved.exists():
        _restore(task, state, saved, identity)
    total = steps * schedule.epochs
    while len(state.history.epochs) < schedule.epochs and not _tired(state.history, schedule):
        epoch = len(state.history.epochs)
        # The random numbers of dropout depend on the epoch alone, for resuming.
        torch.manual_seed(schedule.seed * 100_003 + epoch)
        figures = _epoch(task, batches(epoch), state, schedule, total, clip)
        figures |= task.judge(state.average)
        if state.history.add(figures, task.watched):
            state.best = {key: value.clone() for key, value in state.average.state_dict().items()}
        tell(epoch, figures)
        if saved is not None:
            _save(task, state, saved, identity)
    task.module.load_state_dict(state.best)
    task.module.eval()
    return state.history


def _begin(task: Task[Any], schedule: Schedule) -> _State:
    # Weight decay for matrices only, not for biases, scales and per-term weights.
    weights = [p for p in task.module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in weights if p.dim() > 1], "weight_decay": schedule.decay},
        {"params": [p for p in weights if p.dim() <= 1], "weight_decay": 0.0},
    ]
    average = copy.deepcopy(task.module).eval()
    return _State(average, torch.optim.AdamW(groups, lr=schedule.rate), {}, History())


def _tired(history: History, schedule: Schedule) -> bool:
    return len(history.epochs) - 1 - history.best >= schedule.patience


def _epoch(task: Task[T], batches: Iterable[T], state: _State, schedule: Schedule, total: int, clip: float) -> Figures:
    task.module.train()
    sums: dict[str, float] = {}
    count = 0
    for batch in batches:
        progress = state.step / max(1, total)
        for group in state.adam.param_groups:
            group["lr"] = schedule.rate * schedule.rate_at(progress, step=state.step)
        loss, told = task.loss(batch, progress)
        state.adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if clip < math.inf:
            nn.utils.clip_grad_norm_(task.module.parameters(), clip)
        state.adam.step()
        _average(state, task.module, schedule.averaged(state.step))
        state.step += 1
        count += 1
        for name, value in ({"loss": float(loss.detach())} | told).items():
            sums[name] = sums.get(name, 0.0) + value
    return {name: value / max(1, count) for name, value in sums.items()}


@torch.no_grad()
def _average(state: _State, module: nn.Module, keep: float) -> None:
    for mean, now in zip(state.average.state_dict().values(), module.state_dict().values(), strict=True):
        mean.lerp_(now, 1 - keep) if mean.is_floating_point() else mean.copy_(now)


def _save(task: Task[Any], state: _State, path: Path, identity: str) -> None:
    content = {
        "identity": identity,
        "module": task.module.state_dict(),
        "average": state.average.state_dict(),
        "adam": state.adam.state_dict(),
        "best": state.best,
        "history": json.dumps({"epochs": state.history.epochs, "best": state.history.best}),
        "step": state.step,
    }
    # To an open file: given a path, torch.save raises RuntimeError instead of OSError on a full disk.
    with replacing_file(path) as temporary, temporary.open("wb") as file:
        torch.save(content, file)


def _restore(task: Task[Any], state: _State, path: Path, identity: str) -> None:
    """Load a saved state; ignore one of another training, or a broken file."""
    try:
        content = torch.load(path, weights_only=True, map_location="cpu")
    except Exception:  # a file cut short raises errors of four libraries
        return
    if content.get("identity") != identity:
        return
    task.module.load_state_dict(content["module"])
    state.average.load_state_dict(content["average"])
    state.adam.load_state_dict(content["adam"])
    state.best, state.step = content["best"], content["step"]
    state.history = History(**json.loads(content["history"]))
