"""The request parameters and response bodies of the API, from which its OpenAPI description is made.

Those of explanations are in explanation_schema.py.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lexel.pipeline.search.query_dsl import Mode

Word = Annotated[str, Field(max_length=200)]
Id = Annotated[str, Field(min_length=1, max_length=512)]
IndexName = Annotated[
    str | None, Field(max_length=255, description="One of `GET /indices`; by default the first of them.")
]


class SearchParams(BaseModel):
    """A search. Without a query text or image it lists the collection."""

    model_config = ConfigDict(extra="forbid")

    index: IndexName = None
    q: str = Field(
        default="",
        max_length=2000,
        description="The query text: `dog^2` counts twice, `+snow` is required, `-cat` is excluded.",
        examples=["dog^2 +snow -cat"],
    )
    like: list[Id] = Field(
        default_factory=list,
        max_length=8,
        description="Ids of items to find similar ones to; the results do not contain them.",
    )
    unlike: list[Id] = Field(
        default_factory=list,
        max_length=8,
        description="Ids of items that the results should not be like; they do not contain them.",
    )
    mode: Mode = Field(default="hybrid", description="Which fields are searched; `words` needs no encoder.")
    k: int = Field(default=30, ge=1, le=200, description="The number of results.")
    filter: list[Word] = Field(
        default_factory=list,
        max_length=32,
        description="Conditions on metadata: `a=b`, `a=b|c`, `a!=b`, `a>=1`, `a=1..5`, `place~52.5,13.4,10km`.",
        examples=[["place=beach"]],
    )
    weight: float | None = Field(
        default=None,
        ge=0,
        le=1e6,
        description="The vector's weight in mode hybrid; by default the encoder's calibrated one.",
    )
    written_weight: float = Field(
        default=0.0,
        ge=0,
        le=1e6,
        description="The weight of each word of the query that people wrote of an item, in titles, captions, "
        "descriptions and keywords; not in mode vector.",
    )
    share: float = Field(default=0.5, ge=0, le=1, description="The weight of the text when images are given, 0 to 1.")
    cutoff: bool = Field(
        default=True,
        description="Omit what shares no word with the query and whose vector is below the encoder's cut-off.",
    )
    fold: bool = Field(default=False, description="Of each group of near-duplicates only the best.")
    facet: list[Word] = Field(
        default_factory=list, max_length=12, description="Fields whose values to count; `term` for terms."
    )
    facet_size: int = Field(default=12, ge=1, le=100, description="The number of values of each facet.")
    within: float | None = Field(
        default=None, ge=0, le=1, description="Omit results below this share of the best result's score."
    )
    page: str | None = Field(
        default=None, max_length=50_000, description="The page to return: `next` of the previous page."
    )
    dsl: bool = Field(default=False, description="Return the query that was sent to OpenSearch.")


class RankParams(SearchParams):
    """A search, and an item whose rank among its results is wanted."""

    id: Id = Field(description="The item.")


class ExplainParams(SearchParams):
    """A search, and an item whose score is to be explained."""

    id: Id = Field(description="The item, by its id or its uri.")
    against: Id | None = Field(default=None, description="Another item to compare it with.")


class ResultBody(BaseModel):
    """A search result; `terms`, `vector` and `written` are the parts of its score."""

    id: str
    score: float = Field(description="The sum of its parts.")
    engine_score: float = Field(
        alias="_score",
        description="OpenSearch's own, with a constant beside the vector's part, since it must not be negative.",
    )
    uri: str = Field(examples=["images/000001.jpg"])
    terms: dict[str, float] = Field(
        description="The contribution of each matching term to the score, the largest first."
    )
    vector: float = Field(description="The contribution of the vector to the score: its weight x the cosine.")
    written: dict[str, float] = Field(
        default_factory=dict, description="The contribution of each word that people wrote, with `written_weight`."
    )
    top_terms: list[str] = Field(description="Its most important terms.")
    width: int | None = None
    height: int | None = None
    text: str | None = Field(default=None, description="The text, if the item is one.")
    captions: list[str] = Field(default_factory=list)
    label: str | None = None
    meta: dict[str, Any] = Field(default_factory=dict)


class ResultsBody(BaseModel):
    """A page of search results."""

    index: str
    total: int = Field(
        description="The number of items that share a word with it or, of the nearest vectors, are above the cut-off."
    )
    took_ms: int = Field(description="The time OpenSearch took, in milliseconds.")
    hits: list[ResultBody]
    facets: dict[str, dict[str, int]] = Field(
        description="The commonest values of each field among all matching items."
    )
    asked: dict[str, float] = Field(description="The query's term weights, the 32 largest.")
    words: dict[str, str] = Field(description="The term of each word of the query.")
    near: dict[str, dict[str, float]] = Field(
        description="Words without a term in the index, and the nearest term that each is asked by, with its weight."
    )
    unknown: list[str] = Field(description="The other words without a term.")
    unbanned: list[str] = Field(description="The words with a minus that have no term, so that they exclude nothing.")
    offers: dict[str, list[str]] = Field(
        description="The terms that are nearest in meaning to words in `unknown` and `unbanned`."
    )
    by_vector_alone: bool = Field(
        description="Whether no word of the query is known: no hit matches one, and all are found by the vector."
    )
    silence: str = Field(description="Why there are no hits, if there are none, in a sentence or two.")
    heard: int | None = Field(
        description="How many words, as spaces part them, the vector is made of, where the text is too long for it."
    )
    typical: float | None = Field(
        description="What the vector contributes to the score of the collection's typical item: its weight x the mean "
        "cosine; null without a vector, or where an older lexel loaded the index."
    )
    gained: dict[str, float] = Field(
        description="The words that the query gained by `like`, images and `unlike`: the weight of each in units of a "
        "word that is typed once; at most 10, or 128 where the items are captions."
    )
    lost: dict[str, float] = Field(
        description="The words that it lost by `unlike`, at most 10, with their weights below 0. They count nothing; "
        "`-word` in the query text excludes one."
    )
    next: str | None = Field(description="The `page` parameter of the next page, if there is one.")
    dsl: dict[str, Any] | None = Field(default=None, description="The query that was sent to OpenSearch.")


class ItemBody(BaseModel):
    """An item as it is stored."""

    id: str
    uri: str
    top_terms: list[str]
    terms: dict[str, float] = Field(description="All its terms with their weights, the largest first.")
    width: int | None = None
    height: int | None = None
    text: str | None = None
    captions: list[str] = Field(default_factory=list)
    label: str | None = None
    meta: dict[str, Any] = Field(default_factory=dict)
    near: str | None = Field(default=None, description="The group of near-duplicates: an id that all of them share.")
    original: bool = Field(description="Whether `/images/{id}/original` can return the file.")


class TermCount(BaseModel):
    """A term with the number of items that have it among their top terms."""

    term: str
    count: int
    form: str = Field(description="The form that begins with the prefix: the term itself or another form of it.")


class Terms(BaseModel):
    """Terms with a form that begins with the prefix, the commonest first."""

    index: str
    total: int = Field(description="The number of terms in the vocabulary.")
    terms: list[TermCount]


class Example(BaseModel):
    """A caption of the collection as a query, and the item that it describes."""

    q: str
    id: str


class Examples(BaseModel):
    """Example queries with a known relevant item; empty if the collection has no captions."""

    index: str
    examples: list[Example]


class Rank(BaseModel):
    """The rank of an item among the results."""

    id: str
    rank: int | None = Field(description="From 1; null if it is not among the first `of`.")
    of: int


class CollectionInfo(BaseModel):
    """An index that this server offers."""

    name: str
    side: Literal["image", "text"] = Field(description="Whether its items are images or texts.")
    documents: int
    encoder: str
    model: Literal["waiting", "loading", "ready", "missing"] = Field(
        description="The state of its encoder; mode `words` does not need it."
    )
    facets: list[str] = Field(description="Fields with few values, to filter by.")
    written: bool = Field(description="Whether words that people wrote can be searched, by `written_weight`.")
    captioned: int = Field(description="The number of items with captions.")
    weight: dict[str, float] = Field(description="The vector's weight in mode hybrid, for text and image queries.")


class CollectionList(BaseModel):
    """The offered indices; the first is the default."""

    indices: list[CollectionInfo]


class Health(BaseModel):
    """The state of the server."""

    status: Literal["ready", "loading", "away"]
    cluster: bool = Field(description="Whether OpenSearch answers.")
    models: dict[str, str] = Field(description="The encoder's state by index: waiting, loading, ready or missing.")


class Problem(BaseModel):
    """An error, as one sentence."""

    error: str
