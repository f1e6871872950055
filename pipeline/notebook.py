"""lexel from a notebook: the verbs of the command line on an index, and results that show themselves as pictures.

from lexel.pipeline import open_index

photos = open_index("photos")
photos.search("two dogs^2 +snow -cat")
photos.search("at night", image="street.jpg", filters=["place=beach"])
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path

from lexel.pipeline.cluster.client import connect
from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.explain.comparison import ItemComparison, compare_items
from lexel.pipeline.explain.score_parts import Explanation, explain_item
from lexel.pipeline.search.encode_query import encode_picture
from lexel.pipeline.search.filters import field_name, parse_filter
from lexel.pipeline.search.index import SearchIndex
from lexel.pipeline.search.query_dsl import Mode
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.results import Hit, SearchResults
from lexel.pipeline.search.run import search_index

File = str | PathLike[str]

# How a notebook lays out results; it has no style sheet of ours.
_GRID = "display:grid;grid-template-columns:repeat(auto-fill,minmax(180px,1fr));gap:12px;font:13px system-ui"
_PICTURE = "width:100%;height:150px;object-fit:cover;border-radius:6px;background:#8882"
_SHOWN = 5


@dataclass(frozen=True)
class NotebookResults:
    """What a search found. It is a sequence of hits; in a notebook it shows their pictures and their words."""

    found: SearchResults
    index: SearchIndex

    def __len__(self) -> int:
        return len(self.found.hits)

    def __getitem__(self, place: int) -> Hit:
        return self.found.hits[place]

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.found.hits)

    def _repr_html_(self) -> str:
        pictures = self._thumbnails()
        cards = "".join(_card(hit, pictures.get(hit.id)) for hit in self.found.hits)
        unknown = f"; no words of this index: {escape(', '.join(self.found.unknown))}" if self.found.unknown else ""
        return f'<div style="{_GRID}">{cards}</div><p>{self.found.total:,} match{unknown}</p>'

    def _thumbnails(self) -> dict[str, str]:
        if not self.found.hits:
            return {}
        with readable_errors():
            answer = self.index.client.mget(
                index=self.index.name, body={"ids": [hit.id for hit in self]}, params={"_source_includes": "thumbnail"}
            )
        stored = {one["_id"]: one.get("_source", {}).get("thumbnail") for one in answer["docs"]}
        return {id_: thumbnail for id_, thumbnail in stored.items() if thumbnail}


@dataclass(frozen=True)
class IndexHandle:
    """An index and what can be done with it."""

    index: SearchIndex

    def search(
        self,
        text: str = "",
        *,
        image: File | None = None,
        like: str | None = None,
        mode: Mode = "hybrid",
        k: int = 12,
        filters: Sequence[str] = (),
        facets: Sequence[str] = (),
        fold: bool = False,
    ) -> NotebookResults:
        """Search by words, by a picture's file, by an item's id, or by some of them together; see `lexel search -h`.

        Raises LexelError in one sentence where something is wrong.
        """
        request = SearchRequest(
            text,
            images=(Path(image).expanduser().read_bytes(),) if image is not None else (),
            like=(like,) if like is not None else (),
            mode=mode,
            k=k,
            filters=[parse_filter(one) for one in filters],
            facets={field_name(one): 10 for one in facets},
            fold=fold,
        )
        return self.ask(request)

    def ask(self, request: SearchRequest) -> NotebookResults:
        """Search by a whole request, for what `search` has no word for."""
        return NotebookResults(search_index(self.index, request), self.index)

    def explain(self, item: str, text: str, *, mode: Mode = "hybrid") -> Explanation:
        """Why the item, by id or uri, scores what it does."""
        return explain_item(self.index, item, SearchRequest(text, mode=mode))

    def compare(self, first: str, second: str, text: str, *, mode: Mode = "hybrid") -> ItemComparison:
        """Why the one item stands above the other, and what would swap them."""
        return compare_items(self.index, SearchRequest(text, mode=mode), first, second)

    def terms(self, image: File) -> dict[str, float]:
        """The weighted words of a picture's file, what says most of it first."""
        return encode_picture(self.index.model, Path(image).expanduser().read_bytes()).terms[0]

    def __len__(self) -> int:
        with readable_errors():
            return int(self.index.client.count(index=self.index.name)["count"])


def open_index(name: str = "images", *, device: str = "auto") -> IndexHandle:
    """The index `name` of the cluster that the command line would use. Raises ClusterError where there is none."""
    index = SearchIndex(connect(), name, device=device)
    index.about  # noqa: B018 - it is asked for now, so that a wrong name is said at once
    return IndexHandle(index)


def _card(hit: Hit, thumbnail: str | None) -> str:
    said = hit.text if hit.text is not None else hit.uri
    source = f"data:image/jpeg;base64,{_clean(thumbnail)}" if thumbnail else ""
    shown = f'<img style="{_PICTURE}" alt="{escape(said)}" src="{source}">' if source else ""
    why = escape("  ".join(f"{term} {share:.2f}" for term, share in list(hit.parts.items())[:_SHOWN]))
    return f"<div>{shown}<div><b>{hit.score:.2f}</b> {escape(said)}</div><div style='opacity:.7'>{why}</div></div>"


def _clean(encoded: str) -> str:
    """Base64 that is surely nothing else: it stands in the page as it is."""
    return base64.b64encode(base64.b64decode(encoded)).decode()
