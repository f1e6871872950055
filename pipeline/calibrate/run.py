"""Calibrates an encoder on a judged split: the vector weight of hybrid queries, and score cut-offs.

Scores of all pairs are computed in memory; they equal those of the index.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lexel.encoders.encoder import Encoder
from lexel.pipeline.calibrate.cutoff import Cutoff, LeastCosine, best_cutoff, least_cosine
from lexel.pipeline.calibrate.hybrid_weight import MOST_QUERIES, best_weight, recalls, term_scores
from lexel.pipeline.evaluate.encoded_items import EncodedItems
from lexel.pipeline.evaluate.evaluation_set import load_evaluation_set
from lexel.pipeline.evaluate.queries.directions import Direction, directions
from lexel.pipeline.progress import Watch, unwatched


@dataclass(frozen=True)
class Tuned:
    """Vector weight before and after, R@1, R@5 and R@10 (0 to 100) with each, the cut-off of each mode, and that of the
    vector's neighbours; None where images are sought by images, which are near in another way than by texts.
    """

    before: float
    after: float
    recalls_before: tuple[float, ...]
    recalls_after: tuple[float, ...]
    cutoffs: dict[str, Cutoff]
    least: LeastCosine | None


def tune_encoder(
    path: str | Path,
    *,
    encoder: Encoder,
    split: str | None = None,
    device: str = "auto",
    batch_size: int | None = None,
    watch: Watch = unwatched,
) -> dict[str, Tuned]:
    """The best weight and cut-offs for queries of each side, "text" and "image", on a split; nothing is stored."""
    collection = load_evaluation_set(
        path, encoder=encoder, split=split, device=device, batch_size=batch_size, watch=watch
    )
    found: dict[str, Tuned] = {}
    for direction in directions(collection, encoder, device=device):
        items = collection.captions if direction.captions_sought else collection.pictures
        assert items is not None
        found[direction.side] = _tuned(direction, items, encoder.vector_weight(direction.side))
    return found


def _tuned(direction: Direction, items: EncodedItems, before: float) -> Tuned:
    dice = np.random.default_rng(0)
    chosen = np.sort(dice.permutation(len(direction.queries))[:MOST_QUERIES])
    queries = [direction.queries[i] for i in chosen]
    terms = term_scores([query.terms for query in queries], items.terms)
    cosines = np.stack([query.vector for query in queries]) @ items.vectors.T
    place = {id_: i for i, id_ in enumerate(items.ids)}
    right = np.zeros(terms.shape, np.bool_)
    for row, query in enumerate(queries):
        right[row, [place[id_] for id_, grade in direction.right[query.id].items() if grade > 0]] = True
        if direction.alone:
            terms[row, place[query.id]], cosines[row, place[query.id]] = 0.0, -1.0  # the query itself comes last
    after = best_weight(terms, cosines, right)
    modes = {"terms": terms, "vector": 1 + cosines, "hybrid": terms + after * (1 + cosines)}
    return Tuned(
        before,
        after,
        recalls(terms + before * cosines, right),
        recalls(terms + after * cosines, right),
        {mode: best_cutoff(scores, right) for mode, scores in modes.items()},
        None if direction.alone or right.all() else least_cosine(cosines, right),
    )
