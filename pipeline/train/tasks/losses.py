"""What training makes small: functions of scores, vectors and weights, each the mean over a batch.

`scores[i, j]` is how well picture i and caption j go together, and caption i is picture i's own. Where a loss takes a
softmax of scores, they come divided by their temperature.
"""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, kl_div, log_softmax, logsigmoid, mse_loss


def info_nce(scores: Tensor, targets: Tensor | None = None) -> Tensor:
    """Pick the own caption out of the batch, and the own picture: the mean of both cross-entropies.

    CLIP's loss (Radford et al., ICML 2021, figure 3). `targets` [B, B], all >= 0, say how far each pair belongs
    together; every row is scaled to sum to 1, and so is every column. With 0 and 1 that is UniCL's loss (Yang et al.,
    CVPR 2022, section 3), which spares two captions of one picture; with shares between them, a teacher's soft labels
    as in ALBEF (Li et al., NeurIPS 2021, "Momentum Distillation"). A row without a target adds nothing.
    """
    if targets is None:
        targets = torch.eye(len(scores), dtype=scores.dtype, device=scores.device)
    return (_cross_entropy(scores, targets) + _cross_entropy(scores.T, targets.T)) / 2


def sigmoid_pairs(scores: Tensor, same: Tensor | None = None) -> Tensor:
    """Say of each pair in the batch whether the two belong together, without regard to the other pairs.

    SigLIP's loss, -1/B sum_ij log sigmoid(z_ij s_ij) with z 1 for a pair and -1 otherwise (Zhai et al., ICCV 2023,
    section 3.2 and algorithm 1); `scores` come with their scale and bias. `same` [B, B] is true where the two belong
    together, if that is not the diagonal alone.
    """
    if same is None:
        same = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    return -logsigmoid(torch.where(same, scores, -scores)).sum() / len(scores)


def hardest_triplet(scores: Tensor, *, margin: float = 0.2, same: Tensor | None = None) -> Tensor:
    """Keep the own pair `margin` above the hardest wrong one of its row and of its column: VSE++'s loss.

    [margin + max_j s(i, j) - s(i, i)]+ and the same over columns, added (Faghri et al., BMVC 2018, eq. 6). `same`
    [B, B] is true where the two belong together though they do not stand on the diagonal, as with two captions of one
    picture: such a pair is never a negative.
    """
    own = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    wrong = scores.masked_fill(own if same is None else own | same, float("-inf"))
    right = scores.diagonal()
    return _hinges(margin + wrong.amax(1) - right, margin + wrong.amax(0) - right) / len(scores)


def label_triplet(vectors: Tensor, labels: Tensor, *, margin: float = 0.2) -> Tensor:
    """Bring the farthest picture of the same label nearer than the nearest of another one, by `margin`.

    Batch hard: [margin + max_p d(a, p) - min_n d(a, n)]+ for each anchor a, with the Euclidean distance and not its
    square (Hermans et al., 2017, eq. 5). `vectors` are [B, D], `labels` [B]. Anchors without a second picture of their
    label, or without one of another label, are left out; without any anchor it is 0.
    """
    distance = _distances(vectors)
    alike = labels[:, None] == labels
    positive = alike & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    anchors = positive.any(1) & ~alike.all(1)
    farthest = distance.masked_fill(~positive, float("-inf")).amax(1)[anchors]
    nearest = distance.masked_fill(alike, float("inf")).amin(1)[anchors]
    return _hinges(margin + farthest - nearest) / anchors.sum().clamp(min=1)


def flops(weights: Tensor) -> Tensor:
    """How many multiplications two items of the batch [B, V] share: the sum over terms of the squared mean weight.

    Paria et al., ICLR 2020, whose relaxation SPLADE took over. It falls fastest on the terms that most items have.
    """
    return weights.abs().mean(0).square().sum()


def l1(weights: Tensor) -> Tensor:
    """The sum of an item's weights [B, V]; it falls alike on rare and on common terms."""
    return weights.abs().sum(1).mean()


def caption_bce(logits: Tensor, counts: Tensor, *, positive_weight: Tensor | float = 1.0) -> Tensor:
    """Say of each term whether a picture's captions hold it: the binary cross-entropy, summed over terms.

    `logits` are [B, V]; `counts` [B, V] how often the captions hold the term, of which only whether at all matters. A
    term is in few captions, so most of the loss is of terms that are not there; `positive_weight`, one number or one a
    term, makes up for it.
    """
    held = (counts > 0).to(logits.dtype)
    weight = torch.as_tensor(positive_weight, dtype=logits.dtype, device=logits.device)
    return binary_cross_entropy_with_logits(logits, held, pos_weight=weight, reduction="sum") / len(logits)


def distill(student: Tensor, teacher: Tensor) -> Tensor:
    """Give a picture's captions the teacher's chances, and a caption's pictures: the mean of both divergences.

    KL(teacher || student) of the softmax over each row and over each column of scores [B, B] (Hinton et al., 2015, on
    scores of a batch). No gradient reaches the teacher.
    """
    fixed = teacher.detach()
    return (_divergence(student, fixed) + _divergence(student.T, fixed.T)) / 2


def margin_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """Be as much surer of the own pair than of each other one as the teacher is, in rows and in columns.

    The squared error of the margins s(i, i) - s(i, j) (Hofstätter et al., 2020), with the batch as negatives. Scales
    matter: bring both into one first. No gradient reaches the teacher.
    """
    fixed = teacher.detach()
    return (mse_loss(_margins(student), _margins(fixed)) + mse_loss(_margins(student.T), _margins(fixed.T))) / 2


def _hinges(*values: Tensor) -> Tensor:
    """The sum of what is above 0 in all of `values`."""
    return torch.cat(values).relu().sum()


def _cross_entropy(scores: Tensor, targets: Tensor) -> Tensor:
    shares = targets / targets.sum(1, keepdim=True).clamp(min=1e-12)
    return -(shares * log_softmax(scores, dim=1)).sum(1).mean()


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    return kl_div(log_softmax(student, 1), log_softmax(teacher, 1), log_target=True, reduction="batchmean")


def _margins(scores: Tensor) -> Tensor:
    """[B, B - 1]: by how much the own score of each row is above its others."""
    others = ~torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    return (scores.diagonal()[:, None] - scores)[others].view(len(scores), len(scores) - 1)


def _distances(vectors: Tensor) -> Tensor:
    squares = vectors.square().sum(1)
    squared = squares[:, None] + squares - 2 * vectors @ vectors.T
    # Rounding may leave less than 0, and the slope of a root has no bound at 0.
    return squared.clamp(min=1e-12).sqrt()
