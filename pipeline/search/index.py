"""An index made by `lexel load`: its encoder, its items, its analyzer."""

import base64
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import chain
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

from lexel.encoders import Encoder, EncoderError, open_encoder
from lexel.pipeline.cluster.capabilities import has_neural
from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.errors import ClusterError, ConfigError, NotThereError
from lexel.pipeline.iterators import batched
from lexel.pipeline.load.documents.document_id import document_id
from lexel.pipeline.search.analysis.index_analyzer import MOST_WORDS, AnalyzedText, IndexAnalyzer
from lexel.pipeline.search.index_fields import IndexFields
from lexel.pipeline.search.query_dsl import MAX_RESULTS, SOURCE, Filters
from lexel.pipeline.search.snapshots import Snapshots

if TYPE_CHECKING:
    from lexel.encoders.model import Model

# How long what is known of the mapping is taken to be true: columns are added, and aliases change over.
_SECONDS = 15.0
# Words that one query asks of an item, below OpenSearch's limit of clauses.
_CLAUSES = 500


class SearchIndex:
    """An index by its alias. Its encoder is named in the index, and loaded when a query first needs it."""

    def __init__(self, client: OpenSearch, name: str, *, device: str = "auto") -> None:
        self.client, self.name, self._device = client, name, device
        # The networks use all cores, so threads take turns.
        self.busy = RLock()
        # The same text is encoded often, since users turn pages and move sliders.
        self.text_vector = lru_cache(maxsize=256)(self._text_vector)
        self.heard = lru_cache(maxsize=256)(self._heard)
        self.written_words = lru_cache(maxsize=256)(self._written_words)
        self.snapshots = Snapshots(client, name)
        self._known: Mapping[str, Mapping[str, Any]] = {}
        self._looked = float("-inf")

    @property
    def _mappings(self) -> Mapping[str, Mapping[str, Any]]:
        """The mapping of each index that the name means, as it was _SECONDS ago or later."""
        if time.monotonic() - self._looked >= _SECONDS:
            self.look_again()
        return self._known

    def look_again(self) -> None:
        """Ask what the name means now, and how; the encoder is kept while it is the same.

        Raises ClusterError where there is no index, or a foreign one.
        """
        names, self._known, self._looked = list(self._known), self._found(), time.monotonic()
        before = self.__dict__.pop("about", None)
        for name in ("_fields", "_mean_vectors"):
            self.__dict__.pop(name, None)
        if names != list(self._known):
            self.__dict__.pop("analyzer", None)
        if before and any(before[key] != self.about[key] for key in ("fingerprint", "vocabulary")):
            for name in ("encoder", "model"):
                self.__dict__.pop(name, None)
            self.text_vector.cache_clear()
            self.heard.cache_clear()

    def _found(self) -> Mapping[str, Mapping[str, Any]]:
        with readable_errors():
            try:  # not `exists`: what refuses a HEAD request has no body, which could name the missing right
                found = self.client.indices.get_mapping(index=self.name)
            except errors.NotFoundError as error:
                raise NotThereError(
                    f"There is no index {self.name}: create it with `lexel index SOURCE --index {self.name}`."
                ) from error
        for name, about in found.items():
            if "lexel" not in about["mappings"].get("_meta", {}):
                what = f"The index {self.name}" if len(found) == 1 else f"{name}, an index behind {self.name},"
                raise ClusterError(f"{what} was not made by lexel, so its terms and vectors cannot be understood.")
        return {name: about["mappings"] for name, about in sorted(found.items())}

    @cached_property
    def about(self) -> Mapping[str, Any]:
        """What `lexel load` wrote about the index. Raises ClusterError where there is none, a foreign one, or several
        of different encoders.
        """
        made = {name: about["_meta"]["lexel"] for name, about in self._mappings.items()}
        kinds = {tuple(one.get(key) for key in ("fingerprint", "vocabulary")): one for one in made.values()}
        if len(kinds) > 1:
            of = ", ".join(f"{name} of {one.get('name')} {one.get('fingerprint')}" for name, one in made.items())
            raise ClusterError(
                f"{self.name} holds indices of different encoders ({of}), whose scores do not fit together; "
                "search one of them."
            )
        return dict(next(iter(made.values())))

    @property
    def place(self) -> str:
        """The index behind the name, or several, by which pages of one answer are asked for."""
        return ",".join(self._mappings)

    def root(self, row: Mapping[str, Any]) -> str:
        """Below which the picture of a hit is: that of the index that the hit is from."""
        if row["_index"] not in self._mappings:
            self.look_again()
        about = self._mappings.get(row["_index"], {}).get("_meta", {}).get("lexel", self.about)
        return str(about["root"])

    @property
    def fields(self) -> IndexFields:
        """The fields of all indices that the name means."""
        self._mappings  # noqa: B018 - looks again where that is due
        return self._fields

    @cached_property
    def _fields(self) -> IndexFields:
        return IndexFields.of(self._known.values())

    def checked(self, filters: Filters, facets: Iterable[str] = ()) -> Filters:
        """The conditions as OpenSearch answers them. Raises ConfigError for those, and facets, that it cannot."""
        try:
            self.fields.check(filters, facets)
        except ConfigError:  # it may have been loaded anew since we looked
            self.look_again()
            self.fields.check(filters, facets)
        return [self.fields.with_whole_dates(one) for one in filters]

    def typical_part(self, vector: Sequence[float], weight: float) -> float | None:
        """`weight` x the mean cosine of the collection's items with a query `vector` [D]; None without a vector, or for
        an index of which the mean vector is not known, since an older lexel loaded it.
        """
        if not len(vector) or self._mean_vectors is None:
            return None
        return weight * float(np.mean(self._mean_vectors @ np.asarray(vector)))

    @cached_property
    def _mean_vectors(self) -> npt.NDArray[np.float64] | None:
        """Those of the indices [I, D]."""
        means = [about["_meta"]["lexel"].get("mean_vector") for about in self._mappings.values()]
        return np.asarray(means) if all(means) else None

    @property
    def side(self) -> str:
        """The kind of its items: "image", or "text" for captions."""
        return "text" if self.about["captions"] else "image"

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of the index. Raises ClusterError if it is not available, or has another vocabulary by now."""
        ref, name = self.about["encoder"], self.about["name"]
        try:
            encoder = open_encoder(ref)
        except EncoderError as error:
            raise ClusterError(
                f"The index {self.name} was made with the encoder {name}, which is not available at {ref}; "
                "use --mode words, which needs none."
            ) from error
        if encoder.vocabulary.hash != self.about["vocabulary"]:
            raise ClusterError(self._mismatch(encoder))
        return encoder

    @cached_property
    def model(self) -> "Model":
        """The encoder's networks. Raises ClusterError if it has changed since the index was made."""
        if self.encoder.fingerprint != self.about["fingerprint"]:
            raise ClusterError(self._mismatch(self.encoder))
        from lexel.encoders.model import load_model

        return load_model(self.encoder, device=self._device)

    def _text_vector(self, text: str) -> list[float]:
        with self.busy:
            return list(map(float, self.model.text_vectors([text])[0]))

    def _heard(self, text: str) -> int:
        with self.busy:
            return self.model.heard(text)

    def _mismatch(self, encoder: Encoder) -> str:
        return (
            f"The index {self.name} was made with {self.about['name']} {self.about['fingerprint']}, and {encoder.ref} "
            f"is now {encoder.fingerprint}: their terms and vectors do not match; "
            "index again, or restore the old encoder."
        )

    @cached_property
    def has_neural(self) -> bool:
        """Whether the cluster has the neural-search plugin."""
        with readable_errors():
            return has_neural(self.client)

    def item(self, id_: str, *, fields: Sequence[str] = ()) -> dict[str, Any]:
        """An item as stored: `fields` of it, or all that a page shows. Raises ClusterError where it is not there."""
        return self.items([id_], fields=fields)[0]

    def items(self, refs: Sequence[str], *, fields: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Several items in the order of `refs`, which are ids, uris, or paths of the files as results show them.

        Raises NotThereError for the first that is not there, or that is the uri of several, and names it.
        """
        # Of those, what tells which item is which.
        which = {"includes": [*fields, "uri"]} if fields else SOURCE
        wanted, uris = [document_id(ref) for ref in refs], [self._uris(ref) for ref in refs]
        either = [{"ids": {"values": wanted}}, {"terms": {"uri": list(chain.from_iterable(uris))}}]
        # A search and no get, which does not work for a name of several indices, each of which may have an item.
        size = min(MAX_RESULTS, 8 * len(wanted) * len(self._mappings))
        body = {"size": size, "query": {"bool": {"should": either}}, "_source": which}
        with readable_errors():
            found = self.client.search(index=self.name, body=body)["hits"]["hits"]
        by_id, by_uri = {hit["_id"]: hit for hit in found}, dict[str, set[str]]()
        for hit in found:
            by_uri.setdefault(hit["_source"]["uri"], set()).add(hit["_id"])
        chosen = list[str]()
        for ref, own, named in zip(refs, wanted, uris, strict=True):
            ids = {own} if own in by_id else next((by_uri[uri] for uri in named if uri in by_uri), set())
            if len(ids) != 1:
                what = f"more than one item with the uri {ref}; give an id" if ids else f"no item {ref}"
                raise NotThereError(f"There is {what} in {self.name}.")
            chosen += ids
        return [dict(by_id[id_]["_source"]) | {"_id": id_} for id_ in chosen]

    def ids(self, refs: Sequence[str]) -> tuple[str, ...]:
        """The ids of items that are named as for `items`."""
        return tuple(item["_id"] for item in self.items(refs, fields=("id",)))

    def _uris(self, ref: str) -> list[str]:
        """The uris that an item may have which is named by its uri, or by its path, absolute or from here."""
        roots = [f"{str(about['_meta']['lexel']['root']).rstrip('/')}/" for about in self._mappings.values()]
        paths = [ref, os.path.abspath(ref)]
        below = [path.removeprefix(root) for path in paths for root in roots if path.startswith(root)]
        return list(dict.fromkeys([ref, *below, paths[1]]))

    def thumbnail(self, id_: str) -> bytes | None:
        """The stored thumbnail of an image as JPEG, or None."""
        stored = self.item(id_, fields=("thumbnail",)).get("thumbnail")
        return base64.b64decode(stored) if stored else None

    @cached_property
    def analyzer(self) -> IndexAnalyzer:
        """How OpenSearch itself reads texts for this index."""
        name, mappings = next(iter(self._mappings.items()))
        return IndexAnalyzer(self.client, name, mappings)

    def analyzed(self, text: str) -> AnalyzedText:
        """The terms that OpenSearch makes of `text`, without an encoder. Raises ConfigError for too many words."""
        return self.analyzer.read(text)

    def unknown(self, typed: Sequence[str]) -> tuple[str, ...]:
        """The words in `typed` for which the index has no term, whether or not one is near. Needs no encoder."""
        if not typed:
            return ()
        read = self.analyzed(" ".join(typed))
        return (*read.near, *read.unknown)

    def offers(self, unknown: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The terms that are nearest in meaning to words without one; nothing without the encoder."""
        try:
            found = {word: self.encoder.near_words.offered(word) for word in unknown}
        except (ClusterError, EncoderError):  # mode words needs no encoder
            return {}
        return {word: terms for word, terms in found.items() if terms}

    @property
    def has_written(self) -> bool:
        """Whether all indices of this name have the field of the words that people wrote."""
        return all("written" in about["properties"] for about in self._mappings.values())

    def _written_words(self, text: str) -> tuple[str, ...]:
        """The words of a text as they stand in the field `written`. Raises ConfigError for an index without it."""
        if not self.has_written:
            raise ConfigError(
                f"{self.name} holds no field of the words that people wrote, since an older lexel loaded it; load its "
                "shards under another name, or leave out the weight of these words."
            )
        if len(text.split()) > MOST_WORDS:
            raise ConfigError(f"A query holds at most {MOST_WORDS:,} words, and this has more; leave some out.")
        with readable_errors():
            answer = self.client.indices.analyze(index=min(self._mappings), body={"field": "written", "text": text})
        return tuple(one["token"] for one in answer["tokens"])

    def written_of(self, ids: Sequence[str], words: Iterable[str]) -> dict[str, frozenset[str]]:
        """Which of `words`, as `written_words` gives them, people wrote of each of the items."""
        found: dict[str, set[str]] = {id_: set() for id_ in ids}
        only = {"ids": {"values": [document_id(id_) for id_ in ids]}}
        for some in batched(dict.fromkeys(words), _CLAUSES):
            named = [{"term": {"written": {"value": word, "_name": word}}} for word in some]
            body = {"size": len(ids), "query": {"bool": {"filter": [only], "should": named}}, "_source": ["id"]}
            with readable_errors():
                hits = self.client.search(index=self.name, body=body)["hits"]["hits"]
            for hit in hits:
                found[hit["_source"]["id"]].update(hit.get("matched_queries", ()))
        return {id_: frozenset(those) for id_, those in found.items()}
