"""A pool of decoder processes, so that an image that crashes its decoder or hangs cannot stop a job.

A decoder in C cannot be interrupted, and may crash its process. There is one process per thread that decodes; idle ones
are reused and all of them end with this process.
"""

import atexit
import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from io import FileIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from lexel.pipeline.images.decode import NO_FACTS, BadImageError
from lexel.pipeline.images.decoder_process import ANSWER, FACTS, PREVIEW, REQUEST
from lexel.pipeline.images.embedded.picture_facts import Facts
from lexel.pipeline.images.preview import Preview, PreviewOptions

# An image of 100 megapixels takes 2 to 3 seconds on one core.
SECONDS = 60.0
# By default glibc returns an image's memory to the system; allocating it anew takes as long as decoding.
_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(64 << 20), "MALLOC_TRIM_THRESHOLD_": str(64 << 20)}


@dataclass(frozen=True)
class DecodedImage:
    """An image as uint8 [H, W, 3], possibly downscaled, its original `size` (width, height), its preview, and the facts
    in its file.
    """

    rows: npt.NDArray[np.uint8]
    size: tuple[int, int]
    preview: Preview | None
    facts: Facts

    @property
    def image(self) -> Image.Image:
        """The same as a Pillow image."""
        return Image.fromarray(self.rows)


class _EndedError(Exception):
    """The decoder process has ended; `late` if it was killed because it took too long."""

    def __init__(self, *, late: bool, code: int | None) -> None:
        super().__init__(code)
        self.late, self.code = late, code


@dataclass(frozen=True)
class _Wanted:
    """What an answer shall hold; see `decode`."""

    least: int | None
    preview: PreviewOptions | None
    facts: bool

    def request(self, content: bytes) -> bytes:
        side = -1 if self.preview is None else self.preview.side
        return REQUEST.pack(len(content), self.least or 0, side, self.facts)


@dataclass(frozen=True)
class _Decoder:
    process: "subprocess.Popen[bytes]"
    requests: FileIO
    answers: FileIO

    def decode(self, content: bytes, wanted: "_Wanted", seconds: float) -> DecodedImage:
        try:
            _write(self.requests, wanted.request(content))
            _write(self.requests, content)
            # Only the first byte can take long: the process answers when the whole image is decoded.
            if not select.select([self.answers], [], [], seconds)[0]:
                raise TimeoutError
            return self._answer(wanted)
        except (OSError, EOFError) as error:
            raise _EndedError(late=isinstance(error, TimeoutError), code=self.end()) from None

    def end(self) -> int:
        self.process.kill()
        self.requests.close()
        self.answers.close()
        return self.process.wait()

    def _answer(self, wanted: "_Wanted") -> DecodedImage:
        good, width, height, *size = ANSWER.unpack(self._read(ANSWER.size))
        if not good:
            raise BadImageError(self._read(width).decode())
        preview = None if wanted.preview is None else self._preview()
        facts = json.loads(self._read(*FACTS.unpack(self._read(FACTS.size)))) if wanted.facts else NO_FACTS
        rows = np.frombuffer(self._read(width * height * 3), np.uint8).reshape(height, width, 3)
        return DecodedImage(rows, tuple(size), preview, facts)

    def _preview(self) -> Preview:
        phash, waves, size = PREVIEW.unpack(self._read(PREVIEW.size))
        return Preview(bytes(self._read(size)) or None, phash, waves)

    def _read(self, size: int) -> bytearray:
        found = bytearray(size)
        rest = memoryview(found)
        while rest:
            count = self.answers.readinto(rest)
            if not count:
                raise EOFError
            rest = rest[count:]
        return found


def _write(file: FileIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


_idle: deque[_Decoder] = deque()
# A forked process shares the pipes; two processes that use one decoder would get each other's images.
os.register_at_fork(after_in_child=_idle.clear)


@atexit.register
def end_all() -> None:
    """End all idle decoder processes."""
    with contextlib.suppress(IndexError):
        while True:
            _idle.pop().end()


def decode(
    content: bytes,
    *,
    least: int | None = None,
    preview: PreviewOptions | None = None,
    facts: bool = False,
    seconds: float | None = None,
) -> DecodedImage:
    """As `decode.decode`, but in a child process, within `seconds` (default SECONDS) and `decoder_process.MAX_MEMORY`.

    With `preview` the result has a preview, with `facts` what the file says. Raises BadImageError also for an image
    that takes more time or memory than that, or that crashes the decoder twice.
    """
    limit = SECONDS if seconds is None else seconds
    wanted = _Wanted(least, preview, facts)
    for attempt in (1, 2):
        # A fresh one the second time: whatever ended the first, such as the system's out-of-memory killer, may have
        # ended all the idle ones.
        decoder = _take() if attempt == 1 else _start()
        try:
            found = decoder.decode(content, wanted, limit)
        except BadImageError:
            _idle.append(decoder)
            raise
        except _EndedError as error:
            if error.late:
                raise BadImageError(f"too slow: not decoded within {limit:g} seconds") from None
            if attempt == 2:
                raise BadImageError(f"broken: it ends the decoder (exit code {error.code})") from None
        else:
            _idle.append(decoder)
            return found
    raise AssertionError("the second attempt returns or raises")


def _take() -> _Decoder:
    try:
        return _idle.pop()
    except IndexError:
        return _start()


def _start() -> _Decoder:
    process = subprocess.Popen(
        # -P keeps the working directory off sys.path: it may contain a file lexel.py.
        [sys.executable, "-P", "-m", "lexel.pipeline.images.decoder_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # libtiff writes warnings there
        env=os.environ | _KEEP_MEMORY,
        start_new_session=True,  # Ctrl-C in the terminal must not interrupt it
        bufsize=0,
    )
    requests, answers = process.stdin, process.stdout
    assert isinstance(requests, FileIO)
    assert isinstance(answers, FileIO)
    for file in (requests, answers):
        _widen(file)
    return _Decoder(process, requests, answers)


def _widen(file: FileIO) -> None:
    """Enlarge a pipe's buffer to 1 MiB, so that an image takes a few context switches and not dozens."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux
        with contextlib.suppress(OSError):
            fcntl.fcntl(file, fcntl.F_SETPIPE_SZ, 1 << 20)
