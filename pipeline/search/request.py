"""A search request: query text, images or items, and options."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.search.filters import asked_as, bans, other_than, requires
from lexel.pipeline.search.query_dsl import DEPTH, FUSIONS, MODES, Filters, Fusion, Mode, Terms
from lexel.pipeline.search.query_syntax import ParsedQuery, parse_query
from lexel.pipeline.search.results import Cursor

# Each is a clause or two of the query, of which OpenSearch takes 1,024.
MAX_SIGNED = 200
# Scores are of 32 bits: beside a word of more, those of the vector and of the other words would be lost in rounding.
MAX_FACTOR = 1_000


@dataclass(frozen=True)
class SearchRequest:
    """A search by `text` (see `query_syntax`), `images` (file contents), items of the index (`like`, ids), or several
    of them; away from the items `unlike`, which are no results; both are named by id, uri or path.

    `weight` is the vector weight in mode hybrid, None for the encoder's; `written_weight` that of each word of the text
    in what people wrote of an item, 0 to leave that out; `share` the weight of the text if images are
    given, 0 to 1. `fusion` says how hybrid combines terms and vector: "exact", or by a search pipeline (see
    `neural_dsl`). With `cutoff`, what shares no word with the query must have a cosine of at least the encoder's
    cut-off, if it has one. `fold` returns only the best of each group of near-duplicates. `facets` maps fields to
    numbers of values. `paged` results have a cursor for the next page, to be passed as `after`; modes with vectors end
    at `depth` results. `query` is the parsed text. Raises ConfigError if the request is empty or invalid.
    """

    text: str = ""
    images: tuple[bytes, ...] = ()
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    mode: Mode = "hybrid"
    k: int = 10
    filters: Filters = ()
    weight: float | None = None
    written_weight: float = 0.0
    share: float = 0.5
    fusion: Fusion = "exact"
    cutoff: bool = True
    fold: bool = False
    facets: Mapping[str, int] = field(default_factory=dict)
    paged: bool = False
    after: Cursor | None = None
    depth: int = DEPTH
    query: ParsedQuery = field(default=ParsedQuery(), repr=False, compare=False)

    @property
    def offset(self) -> int:
        """The number of results before this page."""
        return self.after.offset if self.after else 0

    def conditions(self, near: Mapping[str, Terms] = MappingProxyType({})) -> Filters:
        """The filters with those that the query's +words and -words are, and without the items `unlike`.

        A required word without a term is the nearest one in `near`.
        """
        required = dict.fromkeys(asked_as(word, near) for word in self.query.required)
        banned = dict.fromkeys(self.query.banned)
        refused = [other_than(self.unlike)] if self.unlike else []
        return [*self.filters, *map(requires, required), *map(bans, banned), *refused]

    def __post_init__(self) -> None:
        if self.query.source != self.text:  # not if it was passed, for example by `replace`
            object.__setattr__(self, "query", parse_query(self.text))
        if self.after and not self.paged:
            object.__setattr__(self, "paged", True)
        signed = len({*self.query.required, *self.query.banned})
        if signed > MAX_SIGNED:
            raise ConfigError(
                f"A query takes at most {MAX_SIGNED} different words with + or -, and this one has {signed:,}; "
                "leave some out."
            )
        for word, factor in self.query.factors.items():
            if factor > MAX_FACTOR:
                raise ConfigError(f"A word's factor is at most {MAX_FACTOR:,}, and {word} has {factor:,.9g}.")
        if self.mode not in MODES:
            raise ConfigError(f"There is no mode {self.mode!r}; choose {', '.join(MODES)}.")
        if self.fusion not in FUSIONS:
            raise ConfigError(f"There is no fusion {self.fusion!r}; choose {', '.join(FUSIONS)}.")
        self._check_asked()
        if not 0 <= self.share <= 1:
            raise ConfigError(f"The share of the text must be between 0 and 1, not {self.share}.")
        if self.weight is not None and self.weight < 0:
            raise ConfigError(f"The weight of the vector must be at least 0, not {self.weight}.")
        self._check_written()

    def _check_asked(self) -> None:
        if not (self.query.said or self.images or self.like):
            if self.query.text:
                raise ConfigError("Every word of the query has the factor 0, which asks for nothing; add another word.")
            if self.unlike:
                raise ConfigError(
                    "The query says only what the results should not be like; "
                    "add words, an image, or an item that they should be like."
                )
            raise ConfigError("The query is empty: give words that are not banned, an image, or both.")
        if self.mode == "words" and self.images:
            raise ConfigError("Mode words takes text and items of the index; for images use terms or hybrid.")
        if both := set(self.like) & set(self.unlike):
            raise ConfigError(f"The results cannot be like {min(both)} and unlike it; leave one out.")

    def _check_written(self) -> None:
        if self.written_weight < 0:
            raise ConfigError(
                f"The weight of the words that people wrote must be at least 0, not {self.written_weight:g}."
            )
        if self.written_weight and self.mode == "vector":
            raise ConfigError(
                "Mode vector has no words to add to; give a weight of the words that people wrote in another mode."
            )
        if self.written_weight and self.fusion != "exact":
            raise ConfigError(
                f"Fusion {self.fusion} has no sum to add to; give a weight of the words that people wrote with exact."
            )
