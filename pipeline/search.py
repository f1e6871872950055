"""Searching an index that `lexel load` made: which encoder it needs, what a query becomes, what came back and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from opensearchpy import OpenSearch

from lexel.encoders import Encoder, EncoderError, open_encoder
from lexel.pipeline import queries
from lexel.pipeline.cluster import in_words
from lexel.pipeline.errors import ClusterError, ConfigError
from lexel.pipeline.queries import Dsl, Filters

if TYPE_CHECKING:
    from lexel.encoders.model import Encoded, Model

Mode = Literal["terms", "words", "vector", "hybrid"]
MODES: tuple[Mode, ...] = ("terms", "words", "vector", "hybrid")


@dataclass(frozen=True)
class Hit:
    """One result; `parts` are the terms' shares of the score, the largest first, `vector_part` is the vector's."""

    id: str
    score: float
    uri: str
    path: Path
    parts: Mapping[str, float]
    vector_part: float
    source: Mapping[str, Any]

    @property
    def text(self) -> str | None:
        """The text, where the item is one."""
        return self.source.get("text")


@dataclass(frozen=True)
class Found:
    """The hits, how many items match in all, the milliseconds the node took, and the query that was sent."""

    hits: tuple[Hit, ...]
    total: int
    took: int
    body: Dsl

    def above(self, score: float) -> "Found":
        """Without the hits that score less."""
        return replace(self, hits=tuple(hit for hit in self.hits if hit.score >= score))


class Index:
    """An index by its alias. Its encoder is the one that the index names, loaded when a query needs it."""

    def __init__(self, client: OpenSearch, name: str, *, device: str = "auto") -> None:
        self.client, self.name, self._device = client, name, device

    @cached_property
    def about(self) -> Mapping[str, Any]:
        """What `lexel load` wrote about the index. Raises ClusterError where there is no index, or a foreign one."""
        with in_words():
            if not self.client.indices.exists(index=self.name):
                raise ClusterError(f"There is no index {self.name}: `lexel index SOURCE --index {self.name}` makes it.")
            mappings = self.client.indices.get_mapping(index=self.name)
        about = next(iter(mappings.values()))["mappings"].get("_meta", {}).get("lexel")
        if about is None:
            raise ClusterError(
                f"The index {self.name} was not made by lexel, so its terms and vectors cannot be understood."
            )
        return dict(about)

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder that the index was made with. Raises ClusterError where it is not here, or has other words."""
        ref, name = self.about["encoder"], self.about["name"]
        try:
            encoder = open_encoder(ref)
        except EncoderError as error:
            raise ClusterError(
                f"The index {self.name} was made with the encoder {name}, which is not at {ref} here; "
                "`--mode words` needs none."
            ) from error
        if encoder.vocabulary.hash != self.about["vocabulary"]:
            raise ClusterError(self._mismatch(encoder))
        return encoder

    @cached_property
    def model(self) -> "Model":
        """The encoder at work. Raises ClusterError where it is not exactly the one that the index was made with."""
        if self.encoder.fingerprint != self.about["fingerprint"]:
            raise ClusterError(self._mismatch(self.encoder))
        return self.encoder.load(device=self._device)

    def _mismatch(self, encoder: Encoder) -> str:
        return (
            f"The index {self.name} was made with {self.about['name']} {self.about['fingerprint']}, and {encoder.ref} "
            f"is now {encoder.fingerprint}: their terms and vectors do not fit together; "
            "index again, or bring the old encoder back."
        )

    def by_text(self, text: str, *, mode: Mode = "hybrid", k: int = 10, filters: Filters = ()) -> Found:
        """Search by words. `terms` and `words` need no network and load no torch."""
        if mode == "words":
            return self._search(queries.words(text, k=k, filters=filters), weights=None)
        weights = self._text_terms(text) if mode != "vector" else {}
        vector = self.model.text_vectors([text])[0].tolist() if mode in {"vector", "hybrid"} else []
        return self._by(mode, weights, vector, "text", k, filters)

    def _text_terms(self, text: str) -> dict[str, float]:
        return self.model.queries([text])[0] if self.encoder.expands else self.encoder.query(text)

    def by_image(self, content: bytes, *, mode: Mode = "hybrid", k: int = 10, filters: Filters = ()) -> Found:
        """Search by a picture. Raises BadImageError where the bytes are none."""
        if mode == "words":
            raise ConfigError(
                "A picture cannot be searched for by --mode words, which takes text; use terms, vector or hybrid."
            )
        encoded = encode_picture(self.model, content)
        weights = self.encoder.picture_query(encoded.terms[0]) if mode != "vector" else {}
        return self._by(mode, weights, encoded.vectors[0].tolist(), "image", k, filters)

    def _by(
        self, mode: Mode, weights: Mapping[str, float], vector: Sequence[float], side: str, k: int, filters: Filters
    ) -> Found:
        if mode == "terms":
            return self._search(queries.terms(weights, k=k, filters=filters), weights=weights)
        if mode == "vector":
            return self._search(queries.vector(vector, k=k, filters=filters), weights={}, vector=True)
        # The encoder's own, so that `lexel tune` is felt at once; the index notes what it was when it was loaded.
        weight = self.encoder.vector_weight(side)
        body = queries.hybrid(weights, vector=vector, weight=weight, k=k, filters=filters)
        return self._search(body, weights=weights, vector=True)

    def _search(self, body: Dsl, *, weights: Mapping[str, float] | None, vector: bool = False) -> Found:
        with in_words():
            answer = self.client.search(index=self.name, body=body)
            if weights is None:
                weights = self._analyzed(body)
        hits = tuple(self._hit(hit, weights, vector) for hit in answer["hits"]["hits"])
        return Found(hits, answer["hits"]["total"]["value"], answer["took"], body)

    def _analyzed(self, body: Dsl) -> dict[str, float]:
        """The terms that OpenSearch made of a `words` query, so that its hits can be explained without an encoder."""
        text = body["query"]["bool"]["should"][0]["match"]["words"]["query"]
        tokens = self.client.indices.analyze(index=self.name, body={"analyzer": "vocabulary", "text": text})["tokens"]
        counts: dict[str, float] = {}
        for token in tokens:
            counts[token["token"]] = counts.get(token["token"], 0.0) + 1
        return counts

    def _hit(self, hit: Mapping[str, Any], weights: Mapping[str, float], vector: bool) -> Hit:
        source = hit["_source"]
        parts = {t: w * source["terms"][t] for t, w in weights.items() if t in source["terms"]}
        parts = dict(sorted(parts.items(), key=lambda part: -part[1]))
        rest = hit["_score"] - sum(parts.values()) if vector else 0.0
        path = Path(self.about["root"]) / source["uri"]
        return Hit(hit["_id"], hit["_score"], source["uri"], path, parts, rest, source)


def encode_picture(model: "Model", content: bytes) -> "Encoded":
    """One picture's vector and terms. Raises BadImageError where the bytes are no picture."""
    from lexel.pipeline.images import decode

    return model.images(model.pixels(decode(content))[None])
