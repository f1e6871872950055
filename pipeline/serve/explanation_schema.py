"""The response bodies of explanations and comparisons (see schema.py)."""

from pydantic import BaseModel, Field


class TermPartBody(BaseModel):
    """A term of both the query and the item."""

    term: str
    asked: float
    stored: float
    share: float = Field(description="asked x stored, its part of the score.")


class ExplanationBody(BaseModel):
    """The parts of an item's score."""

    id: str
    uri: str
    score: float = Field(description="The sum of its parts.")
    engine_score: float = Field(alias="_score", description="The score as OpenSearch has it.")
    matches: bool = Field(description="Whether the query matches the item.")
    terms: list[TermPartBody]
    vector: float | None = Field(description="The contribution of the vector; null if the query has none.")
    cosine: float | None
    typical: float | None = Field(description="That contribution for the collection's typical item, if it is known.")
    written: dict[str, float] = Field(
        default_factory=dict, description="The contribution of each word that people wrote, with `written_weight`."
    )
    missing: dict[str, float] = Field(description="Terms of the query that the item lacks, with their weights.")
    near: dict[str, dict[str, float]] = Field(description="Words asked by the nearest term, with its weight.")
    unknown: list[str] = Field(description="The other words without a term.")
    unbanned: list[str] = Field(description="The words with a minus that have no term, so that they exclude nothing.")
    offers: dict[str, list[str]] = Field(
        description="The terms that are nearest in meaning to words in `unknown` and `unbanned`."
    )


class ComparedItemBody(BaseModel):
    """One of two compared items."""

    id: str
    uri: str
    score: float


class TermDifferenceBody(BaseModel):
    """The contribution of a term to either score."""

    term: str
    above: float
    below: float


class ComparisonBody(BaseModel):
    """Why one item ranks above another, and the smallest change of the query text that would swap them."""

    above: ComparedItemBody
    below: ComparedItemBody
    terms: list[TermDifferenceBody]
    vector: float
    written: list[TermDifferenceBody] = Field(
        default_factory=list, description="The same for words that people wrote, with `written_weight`."
    )
    swap: str | None = Field(
        description="The query text for which the lower one scores higher; null if none was found."
    )
