"""A search request: what is asked for, and how the results are wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.search.filters import bans, requires
from lexel.pipeline.search.query_dsl import DEPTH, FUSIONS, MODES, Filters, Fusion, Mode
from lexel.pipeline.search.query_syntax import ParsedQuery, parse_query
from lexel.pipeline.search.results import Cursor

# Each is a clause or two of the query, of which OpenSearch takes 1,024.
MAX_SIGNED = 200


@dataclass(frozen=True)
class SearchRequest:
    """A search by typed `text` (see `query_syntax`), by pictures' bytes, by items of the index given by id, or by
    several of these together ("this, but at night").

    `query` is the text parsed, once. `weight` is the vector's in `hybrid`, None for the encoder's own; `share` that of
    the text beside pictures, 0 to 1. `fusion` is how hybrid joins its two sides: "exact", or by a pipeline of
    neural-search (see `neural_dsl`). With `fold` only the best of near-duplicates comes back; `facets` says how many
    values to count of which fields. A `paged` answer can be gone on with by its cursor, given here as `after`, and ends
    at `depth` results where a mode asks for vectors. Raises ConfigError where nothing is asked for, or what cannot be.
    """

    text: str = ""
    images: tuple[bytes, ...] = ()
    like: tuple[str, ...] = ()
    mode: Mode = "hybrid"
    k: int = 10
    filters: Filters = ()
    weight: float | None = None
    share: float = 0.5
    fusion: Fusion = "exact"
    fold: bool = False
    facets: Mapping[str, int] = field(default_factory=dict)
    paged: bool = False
    after: Cursor | None = None
    depth: int = DEPTH
    query: ParsedQuery = field(default=ParsedQuery(), repr=False, compare=False)

    @property
    def offset(self) -> int:
        """How many results stand before this page."""
        return self.after.offset if self.after else 0

    @property
    def conditions(self) -> Filters:
        """The filters with those that the query's +words and -words are."""
        required, banned = dict.fromkeys(self.query.required), dict.fromkeys(self.query.banned)
        return [*self.filters, *map(requires, required), *map(bans, banned)]

    def __post_init__(self) -> None:
        if self.query.source != self.text:  # it is given where it is known, as `replace` does
            object.__setattr__(self, "query", parse_query(self.text))
        if self.after and not self.paged:
            object.__setattr__(self, "paged", True)
        signed = len({*self.query.required, *self.query.banned})
        if signed > MAX_SIGNED:
            raise ConfigError(
                f"A query takes at most {MAX_SIGNED} different words with + or -, and this one has {signed:,}; "
                "leave some out."
            )
        if self.mode not in MODES:
            raise ConfigError(f"There is no mode {self.mode!r}; choose {', '.join(MODES)}.")
        if self.fusion not in FUSIONS:
            raise ConfigError(f"There is no fusion {self.fusion!r}; choose {', '.join(FUSIONS)}.")
        if not (self.query.text or self.images or self.like):
            raise ConfigError("Nothing is asked for: give words that are not banned, a picture, or both.")
        if self.mode == "words" and (self.images or self.like):
            raise ConfigError("A picture cannot be searched for in mode words, which takes text; use terms or hybrid.")
        if not 0 <= self.share <= 1:
            raise ConfigError(f"The share of the text is between 0 and 1, not {self.share}.")
        if self.weight is not None and self.weight < 0:
            raise ConfigError(f"The weight of the vector is at least 0, not {self.weight}.")
