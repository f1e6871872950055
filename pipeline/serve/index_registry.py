"""The indices that a server offers. It notices when one has changed, or an alias its index, and preloads encoders."""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock, Thread
from typing import Annotated, Any, Literal

from fastapi import Depends, Request
from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

from lexel.encoders import EncoderError
from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.errors import LexelError, NotThereError
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import MANY, years

# How long the index behind an alias is cached.
_SECONDS = 15.0
# Fields with more values than this are no facets.
_MOST_VALUES = 60
# The number of facets.
_MOST_FIELDS = 8
_COUNTED = {"keyword", "boolean", "long", "date"}
# These are facets however many values they have, and those never: nobody chooses by them.
_ALWAYS = ("label", "meta.keywords", "meta.camera", "meta.taken")
_NEVER = {"meta.orientation", "meta.description"}

_log = logging.getLogger(__name__)
State = Literal["waiting", "loading", "ready", "missing"]


@dataclass
class ServedIndex:
    """The index behind an alias: `real` is its name, `seen` when it was checked last, `model` the encoder's state.

    `generation` tells apart its states; each has a ServedIndex of its own.
    """

    index: SearchIndex
    real: str
    generation: str
    seen: float
    model: State = "waiting"
    making: Lock = field(default_factory=Lock, repr=False)

    @property
    def name(self) -> str:
        """The name by which it is offered, usually an alias."""
        return self.index.name

    @cached_property
    def documents(self) -> int:
        """The number of items."""
        with readable_errors():
            return int(self.index.client.count(index=self.real)["count"])

    @cached_property
    def words(self) -> Mapping[str, int]:
        """The top terms of items, with the number of items of each, the commonest first."""
        return self._counts({"top_terms": MANY})["top_terms"]

    @cached_property
    def facets(self) -> tuple[str, ...]:
        """The fields, apart from terms, with few enough values to be facets."""
        with readable_errors():
            mappings = self.index.client.indices.get_mapping(index=self.real)[self.real]["mappings"]
        # A collection of bare files has no metadata at all.
        own = mappings["properties"]["meta"].get("properties", {})
        kinds = {f"meta.{name}": about["type"] for name, about in own.items()}
        kinds = {"label": "keyword"} | {name: kind for name, kind in kinds.items() if name not in _NEVER}
        fields = {name: kind for name, kind in kinds.items() if kind in _COUNTED}
        dates = {name for name, kind in fields.items() if kind == "date"}
        few = self._counts(dict.fromkeys(fields, _MOST_VALUES + 1), dates)
        good = [n for n in fields if 1 < len(few[n]) <= _MOST_VALUES or (n in _ALWAYS and len(few[n]) > 1)]
        # The label comes first, and then the fields that most items have.
        return tuple(sorted(good, key=lambda name: (name != "label", -sum(few[name].values())))[:_MOST_FIELDS])

    @cached_property
    def forms(self) -> Mapping[str, str]:
        """The term of each word form; empty if the index's encoder is not on this machine."""
        try:
            return self.index.encoder.vocabulary.forms
        except (LexelError, EncoderError):
            return {}

    def term(self, word: str) -> str | None:
        """The term of a word; None without one, or without the index's encoder."""
        return self.index.encoder.vocabulary.term(word) if self.forms else None

    @cached_property
    def weight(self) -> Mapping[str, float]:
        """The vector weight of "text" and "image" queries in mode hybrid: the encoder's, else that in the index."""
        try:
            return {side: self.index.encoder.vector_weight(side) for side in ("text", "image")}
        except (LexelError, EncoderError):
            return dict(self.index.about["vector_weight"])

    @cached_property
    def captioned(self) -> int:
        """The number of items that have captions or are captions."""
        if self.index.side == "text":
            return self.documents
        with readable_errors():
            return int(
                self.index.client.count(index=self.real, body={"query": {"exists": {"field": "captions"}}})["count"]
            )

    def _counts(self, fields: Mapping[str, int], dates: Collection[str] = ()) -> dict[str, dict[str, int]]:
        aggs: dict[str, Any] = {name: {"terms": {"field": name, "size": size}} for name, size in fields.items()}
        aggs |= {name: years(name) for name in dates}
        with readable_errors():
            answer: dict[str, Any] = self.index.client.search(index=self.real, body={"size": 0, "aggs": aggs})
        found = answer["aggregations"]
        return {
            name: {str(b.get("key_as_string", b["key"])): b["doc_count"] for b in found[name]["buckets"]}
            for name in fields
        }

    def prepare(self) -> None:
        """Load the encoder and encode a text, so that the first query need not wait."""
        with self.making:
            if self.model in {"ready", "missing"}:
                return
            self.model = "loading"
            try:
                self.index.text_vector("a picture")
                self.model = "ready"
            except (LexelError, EncoderError) as error:
                self.model = "missing"
                _log.warning("Only mode words works for %s: %s", self.name, error)


class IndexRegistry:
    """The offered indices by name; the first is the default. With `prepare` encoders are loaded in the background."""

    def __init__(self, client: OpenSearch, names: Sequence[str], *, device: str = "auto", prepare: bool = True) -> None:
        self.client, self.names, self._device, self._prepare = client, tuple(names), device, prepare
        self._served: dict[str, ServedIndex] = {}
        self._lock = Lock()

    def served(self, name: str | None = None, *, fresh: bool = False) -> ServedIndex:
        """The index of this name, cached for _SECONDS unless `fresh`.

        Raises NotThereError if it is not offered or does not exist.
        """
        chosen = name or self.names[0]
        if chosen not in self.names:
            raise NotThereError(f"There is no index {chosen} here; there is {', '.join(self.names)}.")
        served = self._served.get(chosen)
        if served is None or fresh or time.monotonic() - served.seen > _SECONDS:
            served = self._resolved(chosen, served)
        return served

    def index(self, name: str | None = None) -> SearchIndex:
        """The same as a SearchIndex."""
        return self.served(name).index

    def _resolved(self, name: str, before: ServedIndex | None) -> ServedIndex:
        real, generation = self._behind(name)
        with self._lock:
            now = self._served.get(name)
            if now is None or now.real != real:
                now = self._opened(name, real, generation, before)
            elif now.generation != generation:
                now = self._renewed(now, generation)
            self._served[name] = now
            now.seen = time.monotonic()
        return now

    def _opened(self, name: str, real: str, generation: str, before: ServedIndex | None) -> ServedIndex:
        made = ServedIndex(SearchIndex(self.client, name, device=self._device), real, generation, time.monotonic())
        _ = made.index.about  # raises for an index that is not lexel's
        if before and before.model == "ready" and before.index.about["fingerprint"] == made.index.about["fingerprint"]:
            made.index.model = before.index.model
        return self._prepared(made)

    def _renewed(self, before: ServedIndex, generation: str) -> ServedIndex:
        """The same index, with its encoder and snapshots, and nothing that was known of its items."""
        before.index.look_again()
        made = ServedIndex(before.index, before.real, generation, time.monotonic())
        if before.model in {"ready", "missing"}:
            made.model = before.model
        return self._prepared(made)

    def _prepared(self, made: ServedIndex) -> ServedIndex:
        if self._prepare:
            Thread(target=made.prepare, name=f"prepare {made.name}", daemon=True).start()
        return made

    def _behind(self, name: str) -> tuple[str, str]:
        """The index behind a name, or several, and which state it is in: a sync counts `generation` on at its end."""
        path = "*.mappings._meta.lexel.fingerprint,*.mappings._meta.lexel.generation"
        with readable_errors():
            try:
                there = self.client.indices.get_mapping(index=name, params={"filter_path": path})
            except errors.NotFoundError as error:
                raise NotThereError(
                    f"There is no index {name}: `lexel index SOURCE --index {name}` makes it."
                ) from error
        made = {real: about["mappings"]["_meta"]["lexel"] for real, about in sorted(there.items())}
        return ",".join(made), ",".join(str(one.get("generation", 0)) for one in made.values())


def of_request(request: Request) -> IndexRegistry:
    """The registry of the application, as a FastAPI dependency."""
    registry: IndexRegistry = request.app.state.registry
    return registry


OfRequest = Annotated[IndexRegistry, Depends(of_request)]
