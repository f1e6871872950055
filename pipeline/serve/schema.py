"""What the server is asked and what it answers, as OpenAPI describes it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lexel.pipeline.search.query_dsl import Mode

Word = Annotated[str, Field(max_length=200)]
Id = Annotated[str, Field(min_length=1, max_length=512)]
IndexName = Annotated[
    str | None, Field(max_length=255, description="One of `GET /indices`; the first of them where none is named.")
]


class SearchParams(BaseModel):
    """A search. With neither words nor pictures it lists the collection."""

    model_config = ConfigDict(extra="forbid")

    index: IndexName = None
    q: str = Field(
        default="",
        max_length=2000,
        description="Words; `dog^2` counts twice, `+snow` must be among an item's words, `-cat` must not.",
        examples=["dog^2 +snow -cat"],
    )
    like: list[Id] = Field(
        default_factory=list, max_length=8, description="Ids of items to be like; they are not among the results."
    )
    mode: Mode = Field(default="hybrid", description="`words` asks OpenSearch alone and needs no network.")
    k: int = Field(default=30, ge=1, le=200, description="How many results.")
    filter: list[Word] = Field(
        default_factory=list,
        max_length=32,
        description="Conditions that every result meets: `a=b`, `a=b|c`, `a!=b`, `a>=1`, `a=1..5`.",
        examples=[["place=beach"]],
    )
    weight: float | None = Field(
        default=None, ge=0, le=1e6, description="Of the vector beside the terms, in hybrid; the encoder's own if none."
    )
    share: float = Field(default=0.5, ge=0, le=1, description="Of the words beside pictures.")
    fold: bool = Field(default=False, description="Of near-duplicates only the best.")
    facet: list[Word] = Field(
        default_factory=list, max_length=12, description="Fields to count the values of; `term` for words."
    )
    facet_size: int = Field(default=12, ge=1, le=100, description="How many values of each.")
    within: float | None = Field(
        default=None, ge=0, le=1, description="Leave out what has less than this share of the best result's score."
    )
    page: str | None = Field(
        default=None, max_length=2000, description="Where to go on: what the page before said as `next`."
    )
    dsl: bool = Field(default=False, description="Say which query was sent to OpenSearch.")


class RankParams(SearchParams):
    """A search, and an item to look for among its results."""

    id: Id = Field(description="The item.")


class ExplainParams(SearchParams):
    """A search, and an item whose score is to be taken apart."""

    id: Id = Field(description="The item, by its id or its uri.")
    against: Id | None = Field(default=None, description="Another one: why does the one stand above the other?")


class ResultBody(BaseModel):
    """An item with the reason why it came: `terms` and `vector` add up to the score."""

    id: str
    score: float
    uri: str = Field(examples=["images/000001.jpg"])
    terms: dict[str, float] = Field(description="What each shared term adds to the score, the largest first.")
    vector: float = Field(description="What the vector adds.")
    top_terms: list[str] = Field(description="The words that say most of it.")
    width: int | None = None
    height: int | None = None
    text: str | None = Field(default=None, description="The text, where the item is one.")
    captions: list[str] = Field(default_factory=list)
    label: str | None = None
    meta: dict[str, Any] = Field(default_factory=dict)


class ResultsBody(BaseModel):
    """What a search found."""

    index: str
    total: int = Field(description="How many items match in all.")
    took_ms: int = Field(description="Milliseconds that OpenSearch took.")
    hits: list[ResultBody]
    facets: dict[str, dict[str, int]] = Field(description="The commonest values of each field, over all that match.")
    asked: dict[str, float] = Field(description="The terms that were asked for, the heaviest 32 of them.")
    words: dict[str, str] = Field(description="Which term each word of the query means.")
    unknown: list[str] = Field(description="Words of the query that the index has no term for.")
    floor: float = Field(description="What an item scores that has nothing in common with the query.")
    next: str | None = Field(description="The next `page`, where there is one.")
    dsl: dict[str, Any] | None = Field(default=None, description="The query as OpenSearch was sent it.")


class ItemBody(BaseModel):
    """An item as it is stored."""

    id: str
    uri: str
    top_terms: list[str]
    terms: dict[str, float] = Field(description="All its terms with their weights, the heaviest first.")
    width: int | None = None
    height: int | None = None
    text: str | None = None
    captions: list[str] = Field(default_factory=list)
    label: str | None = None
    meta: dict[str, Any] = Field(default_factory=dict)
    near: str | None = Field(default=None, description="The same for near-duplicates.")
    original: bool = Field(description="Whether the original file can be had from here.")


class TermCount(BaseModel):
    """A term with how many items have it among the words that say most of them."""

    term: str
    count: int
    form: str = Field(description="The word form that begins as asked; the term itself, or another form of it.")


class Terms(BaseModel):
    """Words that begin as asked, the commonest first."""

    index: str
    total: int = Field(description="Terms in the vocabulary.")
    terms: list[TermCount]


class Example(BaseModel):
    """A caption of the collection as a query, and the item that it was written for."""

    q: str
    id: str


class Examples(BaseModel):
    """Queries of which it is known what they should find; empty where the collection has no captions."""

    index: str
    examples: list[Example]


class Rank(BaseModel):
    """Where an item stands among the results."""

    id: str
    rank: int | None = Field(description="From 1; null where it is not among the first `of`.")
    of: int


class TermPartBody(BaseModel):
    """A term that is asked for and that the item has."""

    term: str
    asked: float
    stored: float
    share: float = Field(description="asked x stored, its part of the score.")


class ExplanationBody(BaseModel):
    """A score taken apart."""

    id: str
    uri: str
    score: float
    matches: bool = Field(description="Whether it is among the results at all.")
    terms: list[TermPartBody]
    vector: float | None = Field(description="What the vector adds; null where none is asked for.")
    cosine: float | None
    missing: dict[str, float] = Field(description="Terms that are asked for and that the item has not.")
    unknown: list[str]


class ComparedItemBody(BaseModel):
    """One of two compared items."""

    id: str
    uri: str
    score: float


class TermDifferenceBody(BaseModel):
    """What a term adds to either score."""

    term: str
    above: float
    below: float


class ComparisonBody(BaseModel):
    """Why one item stands above another, and the smallest change of the words that would swap them."""

    above: ComparedItemBody
    below: ComparedItemBody
    terms: list[TermDifferenceBody]
    vector: float
    swap: str | None = Field(description="The query for which the lower one scores more; null where none was found.")


class CollectionInfo(BaseModel):
    """An index that can be searched here."""

    name: str
    side: Literal["image", "text"] = Field(description="What its items are: pictures or texts.")
    documents: int
    encoder: str
    model: Literal["waiting", "loading", "ready", "missing"] = Field(
        description="Its networks; words can be searched for without them."
    )
    facets: list[str] = Field(description="Fields with few values, to filter by.")
    captioned: int = Field(description="Items with captions, which serve as queries with known answers.")
    weight: dict[str, float] = Field(description="The vector's weight in hybrid, for texts and pictures.")


class CollectionList(BaseModel):
    """The indices, the first of them the one that is meant where none is named."""

    indices: list[CollectionInfo]


class Health(BaseModel):
    """Whether the server can answer."""

    status: Literal["ready", "loading", "away"]
    cluster: bool = Field(description="Whether OpenSearch answers.")
    models: dict[str, str] = Field(description="The networks of each index: waiting, loading, ready or missing.")


class Problem(BaseModel):
    """What went wrong, in one sentence."""

    error: str
