"""What the heads learn: words that find the picture among others, few of them, each worth its place."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, normalize

from lexel.encoders.heads.head import CaptionWordsHead, ExpandHead, LexiconHead, RegionHead, Trainable
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
# How far from 0 a word's logit begins, and how much it then varies from picture to picture.
_AWAKE, _GAIN = 0.1, 0.5


@dataclass(frozen=True)
class HeadRecipe:
    """What a head's training turns on. The defaults were chosen on Flickr8k's val split; README has the ablations.

    `soft` is the share of the dense pair's opinion in the targets; `sparsity` the weight of the L1 norm; `dropout` of
    features. The terms a picture may keep fall from all to `keep` between the shares `closing` of the training, so that
    what is cut off at the end was not relied on. Without `query_weights` all words of a query count alike. Pictures are
    blended by shares from a Beta distribution of both parameters `mix`, 0 for not at all.
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
        """How many of `most` terms may stay at `progress`, falling evenly by factors."""
        begin, end = self.closing
        share = min(1.0, max(0.0, (progress - begin) / max(1e-9, end - begin)))
        return least if share == 1 else max(least, round(most * (least / most) ** share))


@dataclass(frozen=True)
class SplitScores:
    """One split, ready to be scored: how often its captions hold each term, and what the dense pair says of them."""

    lesson: TrainingSet
    counts: TermCounts
    dense: DenseTeacher


def cut(weights: Tensor, worth: Tensor, keep: int) -> Tensor:
    """The `keep` terms of each row [B, V] that contribute most, the others 0: `terms.prune` with gradients."""
    if keep >= weights.shape[1]:
        return weights
    contribution = weights.detach() * worth
    least = contribution.topk(keep, dim=1).values[:, -1:]
    return weights * ((contribution >= least) & (contribution > 0))


class _Scored(nn.Module):
    """A head and the temperature of its scores."""

    def __init__(self, head: Trainable) -> None:
        super().__init__()
        self.head = head
        # Expanded queries have ten times as many words, and their scores are so much larger.
        self.log_scale = nn.Parameter(torch.tensor(-1.0 if isinstance(head, ExpandHead) else 0.0))


def _scored(module: nn.Module) -> _Scored:
    """`module`, which is the task's own or a copy of it with other weights."""
    if not isinstance(module, _Scored):
        raise TypeError("a head is judged by a copy of its own module")
    return module


class HeadTask:
    """The task of learning `head` on standardised features; a `Task` of the training loop."""

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
    ) -> None:
        self.module = _Scored(head).to(device)
        self.train, self.val, self.standard, self.recipe, self.device = train, val, standard, recipe, device
        self._caption_worth = worth.to(device)
        _begin(head, train, standard)
        if isinstance(head, LexiconHead) and not recipe.query_weights:
            head.log_query.requires_grad_(False)

    def loss(self, batch: Batch, progress: float) -> tuple[Tensor, Figures]:
        """Captions' words for `bce`; for the others contrast with the whole batch, both ways, and sparsity."""
        raw, head = batch.features.to(self.device), self.module.head
        if isinstance(head, CaptionWordsHead):  # a blended picture would have half of the words of two
            with fast(self.device):
                logits = head.logits(dropout(self.standard(raw), self.recipe.dropout))
            return caption_bce(logits.float(), self._all_words(batch.pictures)), {}
        raw, own = self._mixed(raw, self._own(batch))
        return self._contrast(raw, dropout(self.standard(raw), self.recipe.dropout), own, batch, progress)

    def _mixed(self, raw: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """Each picture [B, F] blended with another, and whose captions [B, B] it then is (Zhang et al., ICLR 2018)."""
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
        # The pressure to be sparse grows slowly: a word that is silenced at the start never learns.
        pressure = recipe.sparsity * min(1.0, 3 * progress)
        loss = 2 * _soft_nce(scores, *targets) + pressure * l1(weights)
        if isinstance(module.head, ExpandHead):
            loss = loss + pressure * l1(queries)
        active = {"terms/image": float((weights > 0).sum(1).float().mean())}
        return loss, active | {"terms/query": float((asked > 0).sum(1).float().mean())}

    def _own(self, batch: Batch) -> Tensor:
        """1 where caption [., B] is picture [B, .]'s own or equal to it, else 0."""
        same = torch.from_numpy(self.train.lesson.meaning[batch.captions]).to(self.device)
        return (same[:, None] == same[None]).float()

    def _targets(self, raw: Tensor, own: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Which captions [B, B] are each picture's, and which pictures each caption's, in part by the dense pair."""
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
        """What a term of an expanded query or of its picture is worth changes while both learn."""
        head = self.module.head
        if isinstance(head, ExpandHead):
            head.worth.lerp_(queries.std(0), 0.1)
            head.query_worth.lerp_(weights.std(0), 0.1)

    def _worth(self, module: nn.Module) -> Tensor:
        head = _scored(module).head
        return head.worth if isinstance(head, ExpandHead) else self._caption_worth

    def _all_words(self, pictures: Rows) -> Tensor:
        """How often all captions of each picture hold each term, [B, V]."""
        first = self.train.lesson.first
        runs = [np.arange(first[p], first[p + 1]) for p in pictures]
        rows = torch.from_numpy(np.repeat(np.arange(len(runs)), [len(run) for run in runs]))
        counts = self.train.counts.rows(np.concatenate(runs))
        return counts.new_zeros(len(runs), counts.shape[1]).index_add_(0, rows, counts).to(self.device)

    @torch.no_grad()
    def judge(self, module: nn.Module) -> Figures:
        """Recall on val of what would be stored, and how many terms that is."""
        lesson, recipe, head = self.val.lesson, self.recipe, _scored(module).head
        rows = torch.split(torch.arange(len(lesson)), 1000)
        parts = [self._weights(module, self.standard(lesson.features(r.numpy()).to(self.device))) for r in rows]
        stored = torch.cat([cut(part, self._worth(module), recipe.keep) for part in parts])

        def score(run: slice) -> Tensor:
            captions = torch.arange(run.start, min(run.stop, len(lesson.texts))).numpy()
            queries = self._queries(module, self.val, captions)
            if isinstance(head, ExpandHead):
                queries = cut(queries, head.query_worth, recipe.query_keep)
            return (stored @ queries.T).cpu()

        forth, back = recalls(score, lesson.owner, pictures=len(lesson))
        return figures_of(forth, back) | {"kept/image": float((stored > 0).sum(1).float().mean())}


def figures_of(forth: Recall, back: Recall) -> Figures:
    """Recall both ways as figures of an epoch; "R" is the mean of text -> image, which training watches."""
    return {"R": forth.mean, "R@1": forth.at_1, "R@5": forth.at_5, "R@10": forth.at_10, "back R@10": back.at_10}


def _soft_nce(scores: Tensor, forth: Tensor, back: Tensor) -> Tensor:
    return (-(forth * scores.log_softmax(1)).sum(1).mean() - (back * scores.T.log_softmax(1)).sum(1).mean()) / 2


@torch.no_grad()
def _begin(head: Trainable, train: SplitScores, standard: Standardizer) -> None:
    """Where learning starts from.

    A classifier of caption words begins at how often each word is there. The others begin at the dense pair's own idea
    of each word, the direction of the captions that hold it, with which rare words start near their meaning. Under the
    ReLU a term that no picture wakes gets no gradient: all begin a little awake.
    """
    if isinstance(head, CaptionWordsHead):
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
        # Vectors are not standardised: what captions have in common is taken out by the bias.
        spread = float((train.dense.texts[:2000].float() @ anchors.T).std())
        head.query_logits.weight.copy_(anchors * (_GAIN / max(1e-6, spread)))
        usual = head.query_logits.weight @ train.dense.texts.float().mean(0).to(head.query_logits.weight.device)
        head.query_logits.bias.copy_(_AWAKE - usual)


def _scaled(directions: Tensor, train: SplitScores, standard: Standardizer) -> Tensor:
    """The rows [V, F] times one number, so that logits of the training's pictures vary by _GAIN."""
    seen = standard(train.lesson.features(train.lesson.captioned[:1000]))
    if standard.regions:
        vectors, there = regions_of(seen, standard.regions)
        seen = vectors[there]
    return directions * (_GAIN / max(1e-6, float((seen @ directions.T).std())))


def _anchors(train: SplitScores) -> Tensor:
    """The direction of the captions that hold each term [V, D], as against captions in general."""
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
