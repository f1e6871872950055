"""Losses: functions of scores, vectors and weights, each averaged over the batch.

`scores[i, j]` is the score of image i and caption j, and caption i belongs to image i. Losses with a softmax expect
scores that are already divided by their temperature.
"""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, kl_div, log_softmax, logsigmoid, mse_loss


def info_nce(scores: Tensor, targets: Tensor | None = None) -> Tensor:
    """InfoNCE: the mean of the cross-entropies over rows (image to caption) and over columns (caption to image).

    CLIP's loss (Radford et al., ICML 2021, figure 3). `targets` [B, B] >= 0, by default the identity, are normalised
    per row and per column. With 0 and 1 this is UniCL's loss (Yang et al., CVPR 2022, section 3), for batches with
    several captions of one image; with fractions, soft labels of a teacher as in ALBEF (Li et al., NeurIPS 2021,
    "Momentum Distillation"). A row without targets adds nothing.
    """
    if targets is None:
        targets = torch.eye(len(scores), dtype=scores.dtype, device=scores.device)
    return (_cross_entropy(scores, targets) + _cross_entropy(scores.T, targets.T)) / 2


def sigmoid_pairs(scores: Tensor, same: Tensor | None = None) -> Tensor:
    """SigLIP's sigmoid loss: binary classification of each pair in the batch as matching or not.

    -1/B sum_ij log sigmoid(z_ij s_ij) with z = 1 for matching pairs and -1 otherwise (Zhai et al., ICCV 2023, section
    3.2 and algorithm 1); `scores` include scale and bias. `same` [B, B] marks the matching pairs, by default the
    diagonal.
    """
    if same is None:
        same = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    return -logsigmoid(torch.where(same, scores, -scores)).sum() / len(scores)


def hardest_triplet(scores: Tensor, *, margin: float = 0.2, same: Tensor | None = None) -> Tensor:
    """VSE++'s loss: hinge of `margin` between the matching pair and the hardest negative of its row and column.

    [margin + max_j s(i, j) - s(i, i)]+ plus the same over columns (Faghri et al., BMVC 2018, eq. 6). `same` [B, B]
    marks further matching pairs off the diagonal, which are never negatives.
    """
    own = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    wrong = scores.masked_fill(own if same is None else own | same, float("-inf"))
    right = scores.diagonal()
    return _hinges(margin + wrong.amax(1) - right, margin + wrong.amax(0) - right) / len(scores)


def label_triplet(vectors: Tensor, labels: Tensor, *, margin: float = 0.2) -> Tensor:
    """The batch-hard triplet loss of `vectors` [B, D] with `labels` [B].

    [margin + max_p d(a, p) - min_n d(a, n)]+ for each anchor a, over positives p and negatives n, with Euclidean
    distance d (Hermans et al., 2017, eq. 5). Anchors without a positive or without a negative are skipped; without any
    anchor the loss is 0.
    """
    distance = _distances(vectors)
    alike = labels[:, None] == labels
    positive = alike & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    anchors = positive.any(1) & ~alike.all(1)
    farthest = distance.masked_fill(~positive, float("-inf")).amax(1)[anchors]
    nearest = distance.masked_fill(alike, float("inf")).amin(1)[anchors]
    return _hinges(margin + farthest - nearest) / anchors.sum().clamp(min=1)


def flops(weights: Tensor) -> Tensor:
    """The FLOPS regulariser of weights [B, V]: the sum over terms of the squared mean weight.

    Paria et al., ICLR 2020; used by SPLADE. It penalises terms that many items have most.
    """
    return weights.abs().mean(0).square().sum()


def l1(weights: Tensor) -> Tensor:
    """The mean L1 norm of weights [B, V]; it penalises rare and common terms alike."""
    return weights.abs().sum(1).mean()


def caption_bce(logits: Tensor, counts: Tensor, *, positive_weight: Tensor | float = 1.0) -> Tensor:
    """The binary cross-entropy, summed over terms, of predicting which terms an image's captions contain.

    `logits` are [B, V]; a term is present if its count in `counts` [B, V] is not 0. `positive_weight`, one number or
    one per term, can compensate for the rarity of present terms.
    """
    held = (counts > 0).to(logits.dtype)
    weight = torch.as_tensor(positive_weight, dtype=logits.dtype, device=logits.device)
    return binary_cross_entropy_with_logits(logits, held, pos_weight=weight, reduction="sum") / len(logits)


def distill(student: Tensor, teacher: Tensor) -> Tensor:
    """Distillation: KL(teacher || student) of the softmax over rows and over columns of scores [B, B], averaged.

    Hinton et al., 2015, on scores within a batch. No gradient reaches the teacher.
    """
    fixed = teacher.detach()
    return (_divergence(student, fixed) + _divergence(student.T, fixed.T)) / 2


def margin_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """MarginMSE: the squared error of the margins s(i, i) - s(i, j) to the teacher's, over rows and columns.

    Hofstätter et al., 2020, with in-batch negatives. Both scores must have the same scale. No gradient reaches the
    teacher.
    """
    fixed = teacher.detach()
    return (mse_loss(_margins(student), _margins(fixed)) + mse_loss(_margins(student.T), _margins(fixed.T))) / 2


def _hinges(*values: Tensor) -> Tensor:
    """The sum of the positive parts of all `values`."""
    return torch.cat(values).relu().sum()


def _cross_entropy(scores: Tensor, targets: Tensor) -> Tensor:
    shares = targets / targets.sum(1, keepdim=True).clamp(min=1e-12)
    return -(shares * log_softmax(scores, dim=1)).sum(1).mean()


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    return kl_div(log_softmax(student, 1), log_softmax(teacher, 1), log_target=True, reduction="batchmean")


def _margins(scores: Tensor) -> Tensor:
    """The margin of the diagonal score of each row over its others, [B, B - 1]."""
    others = ~torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    return (scores.diagonal()[:, None] - scores)[others].view(len(scores), len(scores) - 1)


def _distances(vectors: Tensor) -> Tensor:
    squares = vectors.square().sum(1)
    squared = squares[:, None] + squares - 2 * vectors @ vectors.T
    # Rounding can give negative values, and the gradient of the root is unbounded at 0.
    return squared.clamp(min=1e-12).sqrt()
