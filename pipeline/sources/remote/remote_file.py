"""A file elsewhere that is read in pieces, from any place in it."""

import io
import os
from typing import Any

from lexel.pipeline.sources.remote import file_systems


class RemoteFile(io.RawIOBase):
    """A file by its address; each read is one request. Raises OSError where it is not there, or not read."""

    def __init__(self, url: str) -> None:
        self._url, self._place, self._size = url, 0, file_systems.size_of(url)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a byte, which costs nothing."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        """The byte that is read next."""
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer`, or less of it at the end of the file."""
        end = min(self._place + len(buffer), self._size)
        if end <= self._place:
            return 0
        content = file_systems.read(self._url, self._place, end)
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)
