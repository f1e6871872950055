"""The options of a training, and the recipes behind their defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.train.tasks.head_task import HeadRecipe
from lexel.pipeline.train.tasks.schedule import Schedule
from lexel.pipeline.train.tasks.tower_task import Loss, TowerRecipe

Words = Literal["auto", "keep", "new"]
Head = Literal["labels", "zeroshot", "bce", "lexicon", "expand"]
Tower = Literal["auto", "keep", "infonce", "vse", "labels"]
HEADS: tuple[Head, ...] = get_args(Head)
TOWERS: tuple[Tower, ...] = get_args(Tower)

# Chosen on Flickr8k's val split; docs/results.md has the ablations.
_TOWER_RECIPES: Mapping[Loss, TowerRecipe] = {
    "infonce": TowerRecipe(),
    # The batch size of VSE++; in larger batches the hardest negatives make all vectors collapse to one point.
    "vse": TowerRecipe("vse", Schedule(epochs=30, batch=128, rate=5e-4, decay=0.05), dropout=0.5),
    "labels": TowerRecipe("labels", Schedule(epochs=40, batch=512, rate=1e-3, decay=0.05), dropout=0.5),
}
_HEAD_RECIPES: Mapping[str, HeadRecipe] = {
    "lexicon": HeadRecipe(),
    "expand": HeadRecipe(soft=0.3),
    "bce": HeadRecipe(Schedule(epochs=12, batch=500, rate=1e-3), dropout=0.5),
}


@dataclass(frozen=True)
class TrainOptions:
    """The options of `train_encoder`; None means the value of the recipe.

    `words` says whether the words of the starting encoder and their weights are kept and trained further, or all are
    "new"; "auto" keeps those of an encoder that knows which words are likely to be said, such as lexel-photo.
    Raises ConfigError for an unknown `head` or `tower`.
    """

    head: Head = "lexicon"
    tower: Tower = "auto"
    views: int = 4
    words: Words = "auto"
    keep: int = 128
    dim: int = 512
    hidden: int = 512
    min_count: int = 5
    size: int | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    banned: frozenset[str] = frozenset()
    epochs: int | None = None
    sparsity: float | None = None
    soft: float | None = None
    query_weights: bool = True
    seed: int = 0
    device: str = "auto"
    batch_size: int | None = None  # for encoding

    def __post_init__(self) -> None:
        if self.head not in HEADS:
            raise ConfigError(f"There is no head {self.head!r}; choose {', '.join(HEADS)}.")
        if self.tower not in TOWERS:
            raise ConfigError(f"There is no training of towers {self.tower!r}; choose {', '.join(TOWERS)}.")
        if self.words not in get_args(Words):
            raise ConfigError(f"Words cannot be {self.words!r}; choose {', '.join(get_args(Words))}.")

    def tower_recipe(self, loss: Loss) -> TowerRecipe:
        """The recipe for training the towers with `loss`, with these options applied."""
        recipe = _TOWER_RECIPES[loss]
        return replace(recipe, schedule=self._schedule(recipe.schedule))

    def head_recipe(self) -> HeadRecipe:
        """The recipe for the head, with these options applied; KeyError for a head that is not trained."""
        recipe = _HEAD_RECIPES[self.head]
        return replace(
            recipe,
            schedule=self._schedule(recipe.schedule),
            keep=self.keep,
            sparsity=recipe.sparsity if self.sparsity is None else self.sparsity,
            soft=recipe.soft if self.soft is None else self.soft,
            query_weights=self.query_weights,
        )

    def _schedule(self, schedule: Schedule) -> Schedule:
        return replace(schedule, epochs=self.epochs or schedule.epochs, seed=self.seed)
