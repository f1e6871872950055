"""Texts or images to weighted terms and vectors, as `POST /encode` takes and gives them."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import orjson
from pydantic import Base64Bytes, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from lexel.pipeline.images.decode import BadImageError
from lexel.pipeline.iterators import batched
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.serve.request_parsing import decoded
from lexel.pipeline.serve.schema import IndexName

if TYPE_CHECKING:
    from lexel.encoders.model import Encoded, Model

# As many texts or images as one request may have.
MOST = 64
# As many as the networks take at once: searches that wait for them get their turn in between.
_AT_ONCE = 16

Text = Annotated[str, Field(max_length=2000)]
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")


def _base64(text: Any) -> Any:
    """Without this, letters that are none of base64's would be left out without a word."""
    if isinstance(text, str) and not _BASE64.fullmatch(text):
        raise PydanticCustomError("base64", "it is not base64")
    return text


Image = Annotated[Base64Bytes, BeforeValidator(_base64)]
Role = Literal["query", "item"]


class EncodeParams(BaseModel):
    """Texts, or images, to encode."""

    model_config = ConfigDict(extra="forbid")

    index: IndexName = None
    texts: list[Text] | None = Field(
        default=None, min_length=1, max_length=MOST, description="Plain texts.", examples=[["a dog on the beach"]]
    )
    images: list[Image] | None = Field(
        default=None, min_length=1, max_length=MOST, description="Image files in base64, in the place of `texts`."
    )
    role: Role = Field(
        default="query",
        description="What the terms are for: `query`, to search with, or `item`, to be stored and found.",
    )
    vectors: bool = Field(
        default=True, description="Whether vectors are wanted; without, most encoders need no network for texts."
    )

    @model_validator(mode="after")
    def _either(self) -> "EncodeParams":
        if (self.texts is None) == (self.images is None):
            raise PydanticCustomError("either", "give either texts or images")
        return self

    @property
    def count(self) -> int:
        """The number of texts or images."""
        return len(self.texts or self.images or ())


class EncodedBody(BaseModel):
    """One entry a text or image, in their order."""

    index: str
    encoder: str
    terms: list[dict[str, float]] = Field(description="The weight of each term.")
    vectors: list[list[float]] | None = Field(description="Unit vectors; null if they are not wanted.")


def encode_batch(index: SearchIndex, params: EncodeParams) -> bytes:
    """The JSON of an EncodedBody, with the shortest digits that stand for the numbers.

    Raises BadImageError, which says which image it is, or ClusterError if the index's encoder is not on this machine.
    """
    terms, vectors = _texts(index, params) if params.texts else _images(index, params)
    about = {"index": index.name, "encoder": index.encoder.name, "terms": terms, "vectors": vectors}
    return orjson.dumps(about, option=orjson.OPT_SERIALIZE_NUMPY)


def _texts(index: SearchIndex, params: EncodeParams) -> tuple[list[dict[str, float]], list[Any] | None]:
    terms: list[dict[str, float]] = []
    vectors: list[Any] = []
    for texts in batched(params.texts or (), _AT_ONCE):
        if params.role == "query" and not params.vectors and not index.encoder.expands:  # torch stays out
            terms += map(index.encoder.query, texts)
            continue
        with index.busy:
            found = index.model.text_vectors(texts) if params.vectors else None
            terms += index.model.queries(texts) if params.role == "query" else index.model.items_of(texts, found)
        vectors += [] if found is None else list(found)
    return terms, vectors if params.vectors else None


def _images(index: SearchIndex, params: EncodeParams) -> tuple[list[dict[str, float]], list[Any] | None]:
    terms: list[dict[str, float]] = []
    vectors: list[Any] = []
    for contents in batched(enumerate(params.images or ()), _AT_ONCE):
        rows = [_rows(number, content, least=index.model.min_input_side) for number, content in contents]
        with index.busy:
            found = _encoded(index.model, rows)
        broken = np.flatnonzero(~np.isfinite(found.vectors).all(axis=1))
        if broken.size:
            raise BadImageError(f"the network gave no number for it (images.{contents[broken[0]][0]})")
        as_query = index.encoder.picture_query
        terms += map(as_query, found.terms) if params.role == "query" else found.terms
        vectors += list(found.vectors)
    return terms, vectors if params.vectors else None


def _rows(number: int, content: bytes, *, least: int) -> Any:
    try:
        return decoded(content, least=least).rows
    except BadImageError as error:
        raise BadImageError(f"{error} (images.{number})") from error


def _encoded(model: "Model", rows: Sequence[Any]) -> "Encoded":
    import torch

    return model.images(torch.stack([model.pixels(one) for one in rows]))
