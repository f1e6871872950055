"""Prepares items for the network: reads, decodes and preprocesses them; an item that cannot be is a Failure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from PIL import Image

from lexel.encoders.image.preprocess import Picture
from lexel.encoders.model import Model
from lexel.pipeline.images.decode import BadImageError
from lexel.pipeline.images.decoder_pool import decode
from lexel.pipeline.images.embedded.picture_facts import Facts
from lexel.pipeline.images.preview import Preview, PreviewOptions
from lexel.pipeline.shards.shard import UNREADABLE, Failure
from lexel.pipeline.sources.item import FileState, Item, NoPictureError, content_hash, readable
from lexel.pipeline.timings import timed

View = Callable[[Image.Image], Image.Image]


class ImagePreprocessor(Protocol):
    """Preprocesses images: a model or a captioner."""

    def pixels(self, image: Picture) -> torch.Tensor:
        """An RGB image as a tensor [3, H, W], uint8 or float; safe on worker threads."""


@dataclass(frozen=True)
class PreparedItem:
    """An item's pixels [3, H, W], original width and height, and its preview and facts if requested.

    A text has none of them. `content` is the hash of its bytes, `state` that of its file before they were read.
    """

    item: Item
    id: str
    pixels: torch.Tensor | None = None
    width: int | None = None
    height: int | None = None
    preview: Preview | None = None
    content: bytes | None = None
    state: FileState | None = None
    facts: Facts = field(default_factory=dict)


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
    facts: bool = False,
    least: int | None = None,
) -> PreparedItem | Failure:
    """Read and decode `item`, and preprocess it, or a `view` of it, for `model`.

    With `preview` the result has a preview of the whole image, with `facts` what its file says. `least` is the number
    of pixels that the shorter side must keep (see `images.decode`). Safe on worker threads; any error that an item
    causes becomes a Failure.
    """
    if item.text is not None:
        return PreparedItem(item, item.identify(item.text.encode()))
    state: FileState | None = None
    try:
        with timed("reading"):
            state = item.state()
            content = item.content()
    except NoPictureError as error:
        return Failure.of(item, None, readable(str(error)), state)
    except Exception as error:  # such as ValueError, for a null character in a manifest's path
        reason = error.strerror if isinstance(error, OSError) else None
        return Failure.of(item, None, readable(f"{UNREADABLE}: {reason or error}"), state)
    try:
        with timed("decoding"):
            decoded = decode(content, least=least, preview=preview, facts=facts)
            pixels = model.pixels(decoded.rows if view is whole else view(decoded.image))
        size, id_ = decoded.size, item.identify(content)
        known = (content_hash(content), state)
        return PreparedItem(item, id_, pixels, *size, decoded.preview, *known, decoded.facts)
    except BadImageError as error:
        reason = str(error)
    except Exception as error:  # such as MemoryError
        reason = f"not usable: {type(error).__name__} {error}".rstrip()
    return Failure.of(item, item.identify(content), readable(reason), state)
