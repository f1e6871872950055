"""Prepares items for the network: reads, decodes and preprocesses them; an item that cannot be is a Failure."""

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
from lexel.pipeline.sources.item import Item, NoPictureError, readable
from lexel.pipeline.timings import timed

# How the reason of a failure begins that is of the disk or the network, and not of what is in the file.
UNREADABLE = "unreadable"

View = Callable[[Image.Image], Image.Image]


class ImagePreprocessor(Protocol):
    """Preprocesses images: a model or a captioner."""

    def pixels(self, image: Picture) -> torch.Tensor:
        """An RGB image as a tensor [3, H, W], uint8 or float; safe on worker threads."""


@dataclass(frozen=True)
class PreparedItem:
    """An item's pixels [3, H, W], original width and height, and preview if requested; a text has none of them."""

    item: Item
    id: str
    pixels: torch.Tensor | None = None
    width: int | None = None
    height: int | None = None
    preview: Preview | None = None


def whole(image: Image.Image) -> Image.Image:
    """The whole image, unchanged."""
    return image


def min_side(model: Model, *, preview: PreviewOptions | None) -> int:
    """The number of pixels that an image's shorter side must keep for `model` and for the thumbnail."""
    return max(model.min_input_side, 2 * (preview.side if preview else 0))


def prepare(
    model: ImagePreprocessor,
    item: Item,
    *,
    view: View = whole,
    preview: PreviewOptions | None = None,
    least: int | None = None,
) -> PreparedItem | Failure:
    """Read and decode `item`, and preprocess it, or a `view` of it, for `model`.

    With `preview` the result has a preview of the whole image. `least` is the number of pixels that the shorter side
    must keep (see `images.decode`). Safe on worker threads; any error that an item causes becomes a Failure.
    """
    if item.text is not None:
        return PreparedItem(item, item.identify(item.text.encode()))
    try:
        with timed("reading"):
            content = item.content()
    except NoPictureError as error:
        return Failure(None, item.uri, readable(str(error)))
    except Exception as error:  # such as ValueError, for a null character in a manifest's path
        reason = error.strerror if isinstance(error, OSError) else None
        return Failure(None, item.uri, readable(f"{UNREADABLE}: {reason or error}"))
    try:
        with timed("decoding"):
            decoded = decode(content, least=least, preview=preview)
            pixels = model.pixels(decoded.rows if view is whole else view(decoded.image))
        return PreparedItem(item, item.identify(content), pixels, *decoded.size, decoded.preview)
    except BadImageError as error:
        reason = str(error)
    except Exception as error:  # such as MemoryError
        reason = f"not usable: {type(error).__name__} {error}".rstrip()
    return Failure(item.identify(content), item.uri, readable(reason))
