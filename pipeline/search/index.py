"""An index that `lexel load` made: the encoder that it needs, and the items in it."""

import base64
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from threading import RLock
from typing import TYPE_CHECKING, Any

from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

from lexel.encoders import Encoder, EncoderError, open_encoder
from lexel.encoders.vocabulary.stop_words import STOP_WORDS
from lexel.encoders.vocabulary.tokenize import words
from lexel.pipeline.cluster.capabilities import has_neural
from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.errors import ClusterError, NotThereError
from lexel.pipeline.load.document_id import document_id
from lexel.pipeline.search.query_dsl import SOURCE

if TYPE_CHECKING:
    from lexel.encoders.model import Model


class SearchIndex:
    """An index by its alias. Its encoder is the one that the index names, loaded when a query needs it."""

    def __init__(self, client: OpenSearch, name: str, *, device: str = "auto") -> None:
        self.client, self.name, self._device = client, name, device
        # The networks take every core for themselves, so several threads that ask wait for one another.
        self.busy = RLock()
        # People page, move a slider and come back: the same text is asked about many times.
        self.text_vector = lru_cache(maxsize=256)(self._text_vector)
        self._tokens = lru_cache(maxsize=256)(self._analyze)

    @cached_property
    def about(self) -> Mapping[str, Any]:
        """What `lexel load` wrote about the index. Raises ClusterError where there is no index, or a foreign one."""
        with readable_errors():
            if not self.client.indices.exists(index=self.name):
                raise NotThereError(
                    f"There is no index {self.name}: `lexel index SOURCE --index {self.name}` makes it."
                )
            mappings = self.client.indices.get_mapping(index=self.name)
        about = next(iter(mappings.values()))["mappings"].get("_meta", {}).get("lexel")
        if about is None:
            raise ClusterError(
                f"The index {self.name} was not made by lexel, so its terms and vectors cannot be understood."
            )
        return dict(about)

    @property
    def side(self) -> str:
        """What its items are as queries: "image", or "text" where they are captions."""
        return "text" if self.about["captions"] else "image"

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
        from lexel.encoders.model import load_model

        return load_model(self.encoder, device=self._device)

    def _text_vector(self, text: str) -> list[float]:
        with self.busy:
            vector: list[float] = self.model.text_vectors([text])[0].tolist()
            return vector

    def _mismatch(self, encoder: Encoder) -> str:
        return (
            f"The index {self.name} was made with {self.about['name']} {self.about['fingerprint']}, and {encoder.ref} "
            f"is now {encoder.fingerprint}: their terms and vectors do not fit together; "
            "index again, or bring the old encoder back."
        )

    @cached_property
    def has_neural(self) -> bool:
        """Whether the cluster has the neural-search plugin."""
        with readable_errors():
            return has_neural(self.client)

    def item(self, id_: str, *, fields: Sequence[str] = ()) -> dict[str, Any]:
        """An item as stored: `fields` of it, or all that a page shows. Raises ClusterError where it is not there."""
        which = {"_source_includes": fields} if fields else {"_source_excludes": SOURCE["excludes"]}
        wanted = {name: ",".join(names) for name, names in which.items()}
        try:
            with readable_errors():
                return dict(self.client.get(index=self.name, id=document_id(id_), params=wanted)["_source"])
        except ClusterError as error:
            if isinstance(error.__cause__, errors.NotFoundError):
                raise NotThereError(f"There is no item {id_} in {self.name}.") from error
            raise

    def id_of(self, ref: str) -> str:
        """The id of the item whose id or uri is `ref`. Raises ClusterError where there is none, or more than one."""
        either = {"bool": {"should": [{"ids": {"values": [document_id(ref)]}}, {"term": {"uri": ref}}]}}
        body = {"size": 2, "query": either, "_source": False}
        with readable_errors():
            found = [hit["_id"] for hit in self.client.search(index=self.name, body=body)["hits"]["hits"]]
        if len(found) == 1:
            return str(found[0])
        what = f"no item {ref}" if not found else f"more than one item with the uri {ref}; give an id"
        raise NotThereError(f"There is {what} in {self.name}.")

    def thumbnail(self, id_: str) -> bytes | None:
        """The small JPEG of a picture, if it was encoded with one."""
        stored = self.item(id_, fields=("thumbnail",)).get("thumbnail")
        return base64.b64decode(stored) if stored else None

    def analyzed(self, text: str) -> tuple[dict[str, float], tuple[str, ...]]:
        """The terms that OpenSearch itself makes of `text`, and the words of it that have none. Needs no encoder."""
        if not text.strip():
            return {}, ()
        tokens = self._tokens(text)
        counts: dict[str, float] = {}
        for token in tokens:
            counts[token["token"]] = counts.get(token["token"], 0.0) + 1
        known = {text[token["start_offset"] : token["end_offset"]].lower() for token in tokens}
        return counts, tuple(dict.fromkeys(w for w in words(text) if w not in known and w not in STOP_WORDS))

    def _analyze(self, text: str) -> list[dict[str, Any]]:
        with readable_errors():
            answer = self.client.indices.analyze(index=self.name, body={"analyzer": "vocabulary", "text": text})
        return list(answer["tokens"])
