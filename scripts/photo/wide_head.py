"""Widens a head by words that no captioned picture teaches: from the text encoder (zero-shot) and the label classifier.

What these say of a word on many pictures is fitted by ridge regression on what the head sees of these, so that a word
is one more row of the head. Its scale and its threshold are those of taught words that captions hold as often.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.image.timm_backbone import TimmBackbone
from lexel.encoders.layers import ResidualLinear
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.train.data.standardize import Standardizer
from lexel.pipeline.train.data.training_set import TrainingSet

# The classifier was taught its classes by 1,300 photographs each; a text alone knows less of how a thing looks.
_CLASSIFIER = 2.0
# A picture that is said to show it is one, by so many standard deviations.
_SHOWN = 8.0
_RIDGE = 300.0
# Of so many times the pictures whose captions hold a word it may have a weight.
_GENEROUS, _LEAST, _MOST = 2.0, 0.004, 0.06
# A picture that shows it stands so many standard deviations above the threshold, and gets this weight.
_CLEAR, _STRONG = 4.0, 2.5


@dataclass(frozen=True)
class Evidence:
    """For P pictures and U untaught `terms`, [P, U] each: the cosine with the term, the classifier's logit or NaN, and
    whether one of the picture's few captions with such a term, or its label, says it.
    """

    terms: Sequence[str]
    zero_shot: Tensor
    classes: Tensor
    shown: Tensor


@torch.inference_mode()
def class_logits(net: TimmBackbone, features: Tensor, classes: Sequence[Sequence[int]]) -> Tensor:
    """The largest logit of each term's classes for features [P, F], [P, U]; NaN for a term without classes."""
    layer = net.net.get_classifier()
    assert isinstance(layer, nn.Linear)
    logits = layer(features[:, : layer.in_features])
    nothing = torch.full((len(features),), torch.nan)
    return torch.stack([logits[:, list(places)].amax(1) if places else nothing for places in classes], dim=1)


@torch.no_grad()
def widened(
    narrow: LexiconHead,
    taught: Sequence[str],
    vocabulary: Vocabulary,
    standard: Standardizer,
    pictures: TrainingSet,
    evidence: Evidence,
) -> LexiconHead:
    """A head for all terms of `vocabulary`, for standardised features."""
    wide = LexiconHead(features=narrow.logits.in_features, terms=len(vocabulary), hidden=narrow.hidden)
    old, new = narrow.logits, wide.logits
    assert isinstance(old, ResidualLinear)
    assert isinstance(new, ResidualLinear)
    new.inner.load_state_dict(old.inner.state_dict())
    rows = torch.tensor([vocabulary.index[term] for term in taught])
    for to, from_ in ((new.weight, old.weight), (new.bias, old.bias), (new.outer.weight, old.outer.weight)):
        to[rows] = from_
    wide.log_query[rows] = narrow.log_query
    x = standard(pictures.features(np.arange(len(pictures))))
    basis = torch.cat([x, gelu(new.inner(x)), torch.ones(len(x), 1)], dim=1)
    share = torch.tensor([vocabulary.document_frequency[vocabulary.index[term]] for term in evidence.terms])
    fitted = _fitted(basis, _targets(evidence), share)
    rows = torch.tensor([vocabulary.index[term] for term in evidence.terms])
    new.weight[rows], new.outer.weight[rows], new.bias[rows] = (
        fitted[: x.shape[1]].T,
        fitted[x.shape[1] : -1].T,
        fitted[-1],
    )
    wide.log_query[rows] = 0.0
    return wide.eval()


def _targets(evidence: Evidence) -> Tensor:
    """What all say [P, U], in standard deviations."""
    classes = _standardised(evidence.classes)
    both = _standardised(evidence.zero_shot) + _CLASSIFIER * torch.nan_to_num(classes, nan=0.0)
    return _standardised(both + _SHOWN * evidence.shown.float())


def _standardised(values: Tensor) -> Tensor:
    return (values - values.mean(0)) / values.std(0)


def _fitted(basis: Tensor, targets: Tensor, share: Tensor) -> Tensor:
    """Coefficients [B, U] of the basis [P, B] for logits that are above 0 on a share of the pictures."""
    own = basis.double()
    ridge = _RIDGE * torch.eye(own.shape[1], dtype=torch.float64)
    ridge[-1, -1] = 0.0
    found: Tensor = torch.linalg.solve(own.T @ own + ridge, own.T @ targets.double()).float()
    values = basis @ found
    active = (_GENEROUS * 3 * share).clamp(_LEAST, _MOST)
    threshold = torch.stack([torch.quantile(values[:, i], 1 - float(part)) for i, part in enumerate(active)])
    spread = values.std(0)
    scale = float(np.expm1(_STRONG)) / (_CLEAR * spread)
    found *= scale
    found[-1] -= scale * threshold
    return found
