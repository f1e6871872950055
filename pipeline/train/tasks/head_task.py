"""The task of training a head: contrastive retrieval of captions with sparse term weights."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, normalize

from lexel.encoders.heads.expand import ExpandHead
from lexel.encoders.heads.head import Trainable
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.heads.region_labels import RegionHead
from lexel.encoders.heads.word_classifier import WordClassifierHead
from lexel.encoders.image.regions import regions_of
from lexel.encoders.runtime.precision import fast
from lexel.pipeline.train.data.standardize import Standardizer
from lexel.pipeline.train.data.training_set import Batch, Rows, TermCounts, TrainingSet
from lexel.pipeline.train.tasks.dense_teacher import DenseTeacher
from lexel.pipeline.train.tasks.loop import Figures
from lexel.pipeline.train.tasks.losses import caption_bce, l1
from lexel.pipeline.train.tasks.recall import Recall, recalls
from lexel.pipeline.train.tasks.schedule import Schedule

_SCHEDULE = Schedule(epochs=24, batch=1000, rate=1e-3)
# Initial bias of a term's logit, and its initial standard deviation over images.
_AWAKE, _GAIN = 0.1, 0.5


@dataclass(frozen=True)
class HeadRecipe:
    """The hyperparameters of a head's training, chosen on Flickr8k's val split; docs/results.md has the ablations.

    `soft` is the share of the dense teacher in the targets, `sparsity` the weight of the L1 norm, `dropout` that of the
    features. The number of terms per image falls from all to `keep` between the fractions `closing` of the training, so
    that the head does not rely on terms that are pruned later. Without `query_weights` all query terms have weight 1.
    `mix` is the parameter of mixup's Beta distribution, 0 for no mixup.
    """

    schedule: Schedule = _SCHEDULE
    keep: int = 128
    query_keep: int = 64
    soft: float = 0.5
    sparsity: float = 1e-3
    dropout: float = 0.5
    closing: tuple[float, float] = (0.3, 0.7)
    query_weights: bool = True
    mix: float = 0.4

    def budget(self, progress: float, *, most: int, least: int) -> int:
        """The number of terms kept at `progress` (0..1), falling geometrically from `most` to `least`."""
        begin, end = self.closing
        share = min(1.0, max(0.0, (progress - begin) / max(1e-9, end - begin)))
        return least if share == 1 else max(least, round(most * (least / most) ** share))


def further(recipe: HeadRecipe) -> HeadRecipe:
    """The recipe for a head that is trained already: smaller steps, and no more terms than are kept from the start."""
    return replace(recipe, schedule=replace(recipe.schedule, rate=recipe.schedule.rate / 5), closing=(0.0, 0.0))


@dataclass(frozen=True)
class SplitScores:
    """One split: features and captions, the captions' term counts, and the dense teacher."""

    dataset: TrainingSet
    counts: TermCounts
    dense: DenseTeacher


def cut(weights: Tensor, worth: Tensor, keep: int) -> Tensor:
    """Set all but the `keep` largest of weights x worth in each row [B, V] to 0: `terms.prune` with gradients."""
    if keep >= weights.shape[1]:
        return weights
    contribution = weights.detach() * worth
    least = contribution.topk(keep, dim=1).values[:, -1:]
    return weights * ((contribution >= least) & (contribution > 0))


class _Scored(nn.Module):
    """A head and the learned scale of its scores."""

    def __init__(self, head: Trainable) -> None:
        super().__init__()
        self.head = head
        # Expanded queries have ten times as many terms and accordingly larger scores.
        self.log_scale = nn.Parameter(torch.tensor(-1.0 if isinstance(head, ExpandHead) else 0.0))


def _scored(module: nn.Module) -> _Scored:
    """`module` with its type checked: the task's own module, or the loop's copy with averaged weights."""
    if not isinstance(module, _Scored):
        raise TypeError("a head is judged by a copy of its own module")
    return module


class HeadTask:
    """The task of training `head` on standardised features; a `Task` of the training loop.

    The first `begun` terms of the head are trained already, and are trained further.
    """

    watched = "R"

    def __init__(
        self,
        head: Trainable,
        *,
        train: SplitScores,
        val: SplitScores,
        standard: Standardizer,
        worth: Tensor,
        recipe: HeadRecipe,
        device: torch.device,
        begun: int = 0,
    ) -> None:
        self.module = _Scored(head).to(device)
        self.train, self.val, self.standard, self.recipe, self.device = train, val, standard, recipe, device
        self._caption_worth = worth.to(device)
        known = {name: value[:begun].clone() for name, value in head.state_dict().items()} if begun else {}
        _begin(head, train, standard)
        own = head.state_dict()
        for name, value in known.items():
            own[name][: len(value)] = value
        if isinstance(head, LexiconHead) and not recipe.query_weights:
            head.log_query.requires_grad_(False)

    def loss(self, batch: Batch, progress: float) -> tuple[Tensor, Figures]:
        """Binary cross-entropy of caption words for WordClassifierHead; else InfoNCE both ways and sparsity."""
        raw, head = batch.features.to(self.device), self.module.head
        if isinstance(head, WordClassifierHead):  # without mixup, whose targets would be half-present words
            with fast(self.device):
                logits = head.logits(dropout(self.standard(raw), self.recipe.dropout))
            return caption_bce(logits.float(), self._all_words(batch.pictures)), {}
        raw, own = self._mixed(raw, self._own(batch))
        return self._contrast(raw, dropout(self.standard(raw), self.recipe.dropout), own, batch, progress)

    def _mixed(self, raw: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """Mixup (Zhang et al., ICLR 2018) of features [B, F] and of the matching captions `own` [B, B]."""
        if not self.recipe.mix:
            return raw, own
        other = torch.randperm(len(raw), device=raw.device)
        share = torch.distributions.Beta(self.recipe.mix, self.recipe.mix).sample((len(raw), 1)).to(raw.device)
        return share * raw + (1 - share) * raw[other], share * own + (1 - share) * own[other]

    def _contrast(self, raw: Tensor, x: Tensor, own: Tensor, batch: Batch, progress: float) -> tuple[Tensor, Figures]:
        recipe, module = self.recipe, self.module
        weights = self._weights(module, x)
        queries = self._queries(module, self.train, batch.captions)
        self._watch_spread(weights, queries)
        terms = weights.shape[1]
        kept = cut(weights, self._worth(module), recipe.budget(progress, most=terms, least=recipe.keep))
        asked = queries
        if isinstance(module.head, ExpandHead):
            limit = recipe.budget(progress, most=terms, least=recipe.query_keep)
            asked = cut(queries, module.head.query_worth, limit)
        with fast(self.device):
            scores = (kept @ asked.T).float() * module.log_scale.exp()
        targets = self._targets(raw, own, batch)
        # The sparsity weight grows slowly: a term that is silenced at the start gets no gradient.
        pressure = recipe.sparsity * min(1.0, 3 * progress)
        loss = 2 * _soft_nce(scores, *targets) + pressure * l1(weights)
        if isinstance(module.head, ExpandHead):
            loss = loss + pressure * l1(queries)
        active = {"terms/image": float((weights > 0).sum(1).float().mean())}
        return loss, active | {"terms/query": float((asked > 0).sum(1).float().mean())}

    def _own(self, batch: Batch) -> Tensor:
        """A matrix [B, B] (images, captions): 1 if the caption is the image's or equal to it, else 0."""
        same = torch.from_numpy(self.train.dataset.meaning[batch.captions]).to(self.device)
        return (same[:, None] == same[None]).float()

    def _targets(self, raw: Tensor, own: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Target distributions [B, B] over captions per image and over images per caption, mixed with the teacher's."""
        forth, back = (side / side.sum(1, keepdim=True) for side in (own, own.T))
        with torch.no_grad():
            texts = self.train.dense.texts[batch.captions].to(self.device).float()
            soft = self.train.dense.images(raw) @ texts.T * self.train.dense.scale
        share = self.recipe.soft
        return (1 - share) * forth + share * soft.softmax(1), (1 - share) * back + share * soft.T.softmax(1)

    def _weights(self, module: nn.Module, x: Tensor) -> Tensor:
        with fast(self.device):
            weights: Tensor = _scored(module).head(x)
        return weights.float()

    def _queries(self, module: nn.Module, side: SplitScores, captions: Rows) -> Tensor:
        own = side.counts.rows(captions).to(self.device)
        head = _scored(module).head
        if not isinstance(head, ExpandHead):
            return own
        vectors = side.dense.texts[captions].to(self.device).float()
        with fast(self.device):
            asked: Tensor = head.expand(dropout(vectors, 0.1, training=module.training), own)
        return asked.float()

    @torch.no_grad()
    def _watch_spread(self, weights: Tensor, queries: Tensor) -> None:
        """Update the running standard deviations that prune expanded queries and their images."""
        head = self.module.head
        if isinstance(head, ExpandHead):
            head.worth.lerp_(queries.std(0), 0.1)
            head.query_worth.lerp_(weights.std(0), 0.1)

    def _worth(self, module: nn.Module) -> Tensor:
        head = _scored(module).head
        return head.worth if isinstance(head, ExpandHead) else self._caption_worth

    def _all_words(self, pictures: Rows) -> Tensor:
        """The summed term counts of all captions of each image, [B, V]."""
        first = self.train.dataset.first
        runs = [np.arange(first[p], first[p + 1]) for p in pictures]
        rows = torch.from_numpy(np.repeat(np.arange(len(runs)), [len(run) for run in runs]))
        counts = self.train.counts.rows(np.concatenate(runs))
        return counts.new_zeros(len(runs), counts.shape[1]).index_add_(0, rows, counts).to(self.device)

    @torch.no_grad()
    def judge(self, module: nn.Module) -> Figures:
        """Recall on val with pruned terms, and the mean number of terms per image."""
        dataset, recipe, head = self.val.dataset, self.recipe, _scored(module).head
        rows = torch.split(torch.arange(len(dataset)), 1000)
        parts = [self._weights(module, self.standard(dataset.features(r.numpy()).to(self.device))) for r in rows]
        stored = torch.cat([cut(part, self._worth(module), recipe.keep) for part in parts])

        def score(run: slice) -> Tensor:
            captions = torch.arange(run.start, min(run.stop, len(dataset.texts))).numpy()
            queries = self._queries(module, self.val, captions)
            if isinstance(head, ExpandHead):
                queries = cut(queries, head.query_worth, recipe.query_keep)
            return (stored @ queries.T).cpu()

        forth, back = recalls(score, dataset.owner, pictures=len(dataset))
        return figures_of(forth, back) | {"kept/image": float((stored > 0).sum(1).float().mean())}


def figures_of(forth: Recall, back: Recall) -> Figures:
    """Recall in both directions as figures; "R", the mean of R@1, R@5 and R@10 from text to image, is watched."""
    return {"R": forth.mean, "R@1": forth.at_1, "R@5": forth.at_5, "R@10": forth.at_10, "back R@10": back.at_10}


def _soft_nce(scores: Tensor, forth: Tensor, back: Tensor) -> Tensor:
    return (-(forth * scores.log_softmax(1)).sum(1).mean() - (back * scores.T.log_softmax(1)).sum(1).mean()) / 2


@torch.no_grad()
def _begin(head: Trainable, train: SplitScores, standard: Standardizer) -> None:
    """Initialise the head.

    A WordClassifierHead starts at the terms' prior probabilities. The others start with each term's mean caption vector
    of the dense teacher, which also gives rare terms a meaning, and with a positive bias, because a term whose logit is
    negative for every image gets no gradient through the ReLU.
    """
    if isinstance(head, WordClassifierHead):
        some = _share_of_captions(train.counts).clamp(1e-5, 1 - 1e-5)
        head.prior.copy_(some)
        head.logits.bias.copy_(torch.logit(some))
        return
    inner = head.inner if isinstance(head, RegionHead) else head
    anchors = _anchors(train)
    directions = anchors if train.dense.projection is None else anchors @ train.dense.projection.cpu()
    inner.logits.weight.copy_(_scaled(directions * standard.std, train, standard))
    nn.init.constant_(inner.logits.bias, _AWAKE)
    if isinstance(head, ExpandHead):
        # Vectors are not standardised, so the bias subtracts the captions' mean.
        spread = float((train.dense.texts[:2000].float() @ anchors.T).std())
        head.query_logits.weight.copy_(anchors * (_GAIN / max(1e-6, spread)))
        usual = head.query_logits.weight @ train.dense.texts.float().mean(0).to(head.query_logits.weight.device)
        head.query_logits.bias.copy_(_AWAKE - usual)


def _scaled(directions: Tensor, train: SplitScores, standard: Standardizer) -> Tensor:
    """The rows [V, F] scaled by one factor, so that logits of training images have standard deviation _GAIN."""
    seen = standard(train.dataset.features(train.dataset.captioned[:1000]))
    if standard.regions:
        vectors, mask = regions_of(seen, standard.regions)
        seen = vectors[mask]
    return directions * (_GAIN / max(1e-6, float((seen @ directions.T).std())))


def _anchors(train: SplitScores) -> Tensor:
    """For each term the unit direction [V, D] from the mean of all captions to that of captions with the term."""
    counts, texts = train.counts, train.dense.texts.float()
    total = torch.zeros(counts.terms, texts.shape[1])
    line = torch.from_numpy(np.repeat(np.arange(len(counts)), np.diff(counts.first)))
    for place in torch.split(torch.arange(len(line)), 100_000):
        total.index_add_(0, torch.from_numpy(counts.flat)[place], texts[line[place]])
    held = torch.bincount(torch.from_numpy(counts.flat), minlength=counts.terms).clamp(min=1)
    return normalize(total / held[:, None] - texts.mean(0), dim=1)


def _share_of_captions(counts: TermCounts) -> Tensor:
    share: Tensor = torch.bincount(torch.from_numpy(counts.flat), minlength=counts.terms).float() / max(1, len(counts))
    return share
