"""An item on its way to the network: read, decoded and turned into pixels. One that cannot be is a failure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from PIL import Image

from lexel.encoders.image.preprocess import Picture
from lexel.encoders.model import Model
from lexel.pipeline.images.decode import BadImageError
from lexel.pipeline.images.decoder_pool import decode
from lexel.pipeline.images.preview import Preview, PreviewOptions
from lexel.pipeline.shards.shard import Failure
from lexel.pipeline.sources.item import Item, readable
from lexel.pipeline.timings import timed

# Of a document's id in OpenSearch, in bytes.
LONGEST_ID = 512
View = Callable[[Image.Image], Image.Image]


class ImagePreprocessor(Protocol):
    """What makes pixels of a picture: a model, or a captioner."""

    def pixels(self, image: Picture) -> torch.Tensor:
        """One RGB picture to [3, H, W], bytes or numbers; safe on worker threads."""


@dataclass(frozen=True)
class PreparedItem:
    """A picture's pixels [3, H, W], its size in the file and, where asked for, its look; a text has none of them."""

    item: Item
    id: str
    pixels: torch.Tensor | None = None
    width: int | None = None
    height: int | None = None
    look: Preview | None = None


def whole(image: Image.Image) -> Image.Image:
    """The picture as it is."""
    return image


def min_side(model: Model, *, preview: PreviewOptions | None) -> int:
    """How many pixels a picture's shorter side must keep for `model` and for its thumbnail."""
    return max(model.min_input_side, 2 * (preview.side if preview else 0))


def prepare(
    model: ImagePreprocessor,
    item: Item,
    *,
    view: View = whole,
    preview: PreviewOptions | None = None,
    least: int | None = None,
) -> PreparedItem | Failure:
    """Make `item`, or a `view` of its picture, ready for `model`.

    With `preview`, a preview of the whole picture comes along. `least` is how
    many pixels its shorter side must keep (see `images.decode`).

    Runs on worker threads, and raises nothing that a picture can cause.
    """
    if item.id and (size := len(item.id.encode())) > LONGEST_ID:
        return Failure(
            None, item.uri, f"its id has {size:,} bytes, and OpenSearch takes {LONGEST_ID}: {item.id[:40]}..."
        )
    if item.text is not None:
        return PreparedItem(item, item.identify(item.text.encode()))
    try:
        with timed("reading"):
            content = item.content()
    except Exception as error:  # not only OSError: a zero byte in a manifest's path is a ValueError
        reason = error.strerror if isinstance(error, OSError) else None
        return Failure(None, item.uri, readable(f"unreadable: {reason or error}"))
    try:
        with timed("decoding"):
            seen = decode(content, least=least, preview=preview)
            pixels = model.pixels(seen.rows if view is whole else view(seen.image))
        return PreparedItem(item, item.identify(content), pixels, *seen.size, seen.look)
    except BadImageError as error:
        reason = str(error)
    except Exception as error:  # out of memory, say
        reason = f"not usable: {type(error).__name__} {error}".rstrip()
    return Failure(item.identify(content), item.uri, readable(reason))
