"""lexel in notebooks: the commands on an index as methods, and results displayed as images.

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
from lexel.pipeline.search.results import Hit, SearchResults, counted
from lexel.pipeline.search.run import search_index

File = str | PathLike[str]

# Inline styles, since a notebook has no style sheet of lexel.
_GRID = "display:grid;grid-template-columns:repeat(auto-fill,minmax(180px,1fr));gap:12px;font:13px system-ui"
_PICTURE = "width:100%;height:150px;object-fit:cover;border-radius:6px;background:#8882"
_TERMS = 5


@dataclass(frozen=True)
class NotebookResults:
    """Search results as a sequence of hits; a notebook displays their thumbnails and terms."""

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
        return f'<div style="{_GRID}">{cards}</div><p>{escape("; ".join(self._said()))}</p>'

    def _said(self) -> list[str]:
        """How many match, and what became of words that have no term."""
        found = self.found
        near = [f"{word}: as {term} {weight:.1f}" for word, own in found.near.items() for term, weight in own.items()]
        return [
            counted(found),
            *near,
            *([f"not in the vocabulary: {', '.join(found.unknown)}"] if found.unknown else []),
            *([f"excluded nothing, since unknown: {', '.join(found.unbanned)}"] if found.unbanned else []),
            *([f"the vector is of the first {found.heard:,} words alone"] if found.heard else []),
            *([found.silence] if found.silence else []),
        ]

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
    """An open index."""

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
        """Search by text, by an image file, by the id of an item, or by several of them; see `lexel search -h`.

        Raises LexelError, with a message of one sentence.
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
        return self.search_request(request)

    def search_request(self, request: SearchRequest) -> NotebookResults:
        """Search by a SearchRequest, for options that `search` does not have."""
        return NotebookResults(search_index(self.index, request), self.index)

    def explain(self, item: str, text: str, *, mode: Mode = "hybrid", written_weight: float = 0.0) -> Explanation:
        """The parts of the score of an item, by id or uri, for a query text."""
        return explain_item(self.index, item, SearchRequest(text, mode=mode, written_weight=written_weight))

    def compare(self, first: str, second: str, text: str, *, mode: Mode = "hybrid") -> ItemComparison:
        """Why one of two items ranks above the other, and a query that would swap them."""
        return compare_items(self.index, SearchRequest(text, mode=mode), first, second)

    def terms(self, image: File) -> dict[str, float]:
        """The weighted terms of an image file, the largest first."""
        return encode_picture(self.index.model, Path(image).expanduser().read_bytes()).terms[0]

    def __len__(self) -> int:
        with readable_errors():
            return int(self.index.client.count(index=self.index.name)["count"])


def open_index(name: str = "images", *, device: str = "auto") -> IndexHandle:
    """Open the index `name` of the cluster in the OPENSEARCH_* variables, by default the embedded one.

    Raises ClusterError if the cluster cannot be reached, NotThereError if the index does not exist.
    """
    index = SearchIndex(connect(), name, device=device)
    index.about  # noqa: B018 - accessed here so that a wrong name raises at once
    return IndexHandle(index)


def _card(hit: Hit, thumbnail: str | None) -> str:
    title = hit.text if hit.text is not None else hit.uri
    source = f"data:image/jpeg;base64,{_clean(thumbnail)}" if thumbnail else ""
    image = f'<img style="{_PICTURE}" alt="{escape(title)}" src="{source}">' if source else ""
    why = escape("  ".join(f"{term} {share:.2f}" for term, share in list(hit.parts.items())[:_TERMS]))
    return f"<div>{image}<div><b>{hit.score:.2f}</b> {escape(title)}</div><div style='opacity:.7'>{why}</div></div>"


def _clean(encoded: str) -> str:
    """Decoded and encoded again, so that the HTML surely contains nothing but base64."""
    return base64.b64encode(base64.b64decode(encoded)).decode()
