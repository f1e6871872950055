"""The training loop that all tasks share: epochs, the average of the weights, early stopping, going on after a stop."""

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
    """What is learned: `watched` is the figure of `judge` that should be high."""

    watched: str

    @property
    def module(self) -> nn.Module:
        """What is trained; its copy with averaged weights is what `judge` gets."""

    def loss(self, batch: T_contra, progress: float) -> tuple[Tensor, Figures]:
        """What is to be small, and what is worth telling of it, at `progress` in 0..1 of the training."""

    def judge(self, module: nn.Module) -> Figures:
        """How good the weights of `module` are on val."""


@dataclass
class History:
    """The figures of each epoch so far, and the best."""

    epochs: list[Figures] = field(default_factory=list)
    best: int = -1

    def add(self, figures: Figures, watched: str) -> bool:
        """Note an epoch. Whether it is the best so far."""
        self.epochs.append(figures)
        if self.best < 0 or figures[watched] > self.epochs[self.best][watched]:
            self.best = len(self.epochs) - 1
        return self.best == len(self.epochs) - 1


@dataclass
class _State:
    """All that a stopped training needs to go on exactly as it would have."""

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
    """Train `task` and leave it with the weights that were best on val. `steps` is the number of batches an epoch,
    `clip` the longest gradient that is followed.

    After each epoch its state is written to `saved`; a later call with the same `identity` goes on from there, and ends
    with the same weights as if it had never stopped.
    """
    state = _begin(task, schedule)
    if saved is not None and saved.exists():
        _restore(task, state, saved, identity)
    total = steps * schedule.epochs
    while len(state.history.epochs) < schedule.epochs and not _tired(state.history, schedule):
        epoch = len(state.history.epochs)
        # Dropout's numbers depend on the epoch alone, not on what ran before it.
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
    # Matrices shrink as they learn; biases, scales and weights a term do not. What is frozen is no concern of ours.
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
    # To an open file: given a path, torch.save calls a full disk a RuntimeError.
    with replacing_file(path) as temporary, temporary.open("wb") as file:
        torch.save(content, file)


def _restore(task: Task[Any], state: _State, path: Path, identity: str) -> None:
    """Take up a saved state; one of another training, or half a file, is left alone."""
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
