"""Pictures decoded in processes of their own, so that no file can stop a job: not by a crash, nor by taking for ever.

A decoder in C cannot be interrupted, and where it fails it may take its process along. The processes are kept for the
next picture, as many as there are threads that ask, and end with the one that asked.
"""

import atexit
import contextlib
import fcntl
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

from lexel.pipeline.images.decode import BadImageError
from lexel.pipeline.images.decoder_process import ANSWER, LOOK, QUESTION
from lexel.pipeline.images.preview import Preview

# A picture of 100 megapixels takes 2 to 3 seconds on one core.
SECONDS = 60.0
# glibc gives a picture's memory back to the system after each one, and taking it again costs as much as decoding.
_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(64 << 20), "MALLOC_TRIM_THRESHOLD_": str(64 << 20)}


@dataclass(frozen=True)
class DecodedImage:
    """A picture's bytes [H, W, 3], perhaps fewer than in the file, its `size` (width, height) there, and its look."""

    rows: npt.NDArray[np.uint8]
    size: tuple[int, int]
    look: Preview | None

    @property
    def image(self) -> Image.Image:
        """The same as Pillow has it."""
        return Image.fromarray(self.rows)


class _EndedError(Exception):
    """The decoder's process is no longer there; `late` where it was ended because it took too long."""

    def __init__(self, *, late: bool, code: int | None) -> None:
        super().__init__(code)
        self.late, self.code = late, code


@dataclass(frozen=True)
class _Decoder:
    process: "subprocess.Popen[bytes]"
    questions: FileIO
    answers: FileIO

    def decode(self, content: bytes, least: int | None, side: int | None, seconds: float) -> DecodedImage:
        try:
            _write(self.questions, QUESTION.pack(len(content), least or 0, -1 if side is None else side))
            _write(self.questions, content)
            # The decoder answers when it is done, and then as fast as we read.
            if not select.select([self.answers], [], [], seconds)[0]:
                raise TimeoutError
            return self._answer(looked=side is not None)
        except (OSError, EOFError) as error:
            raise _EndedError(late=isinstance(error, TimeoutError), code=self.end()) from None

    def end(self) -> int:
        self.process.kill()
        self.questions.close()
        self.answers.close()
        return self.process.wait()

    def _answer(self, *, looked: bool) -> DecodedImage:
        good, width, height, *size = ANSWER.unpack(self._read(ANSWER.size))
        if not good:
            raise BadImageError(self._read(width).decode())
        look = self._look() if looked else None
        rows = np.frombuffer(self._read(width * height * 3), np.uint8).reshape(height, width, 3)
        return DecodedImage(rows, tuple(size), look)

    def _look(self) -> Preview:
        phash, waves, size = LOOK.unpack(self._read(LOOK.size))
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
# A forked process shares the pipes: two that ask one decoder would get each other's pictures.
os.register_at_fork(after_in_child=_idle.clear)


@atexit.register
def end_all() -> None:
    """End the decoders that wait for a picture."""
    with contextlib.suppress(IndexError):
        while True:
            _idle.pop().end()


def decode(
    content: bytes, *, least: int | None = None, thumbnail: int | None = None, seconds: float | None = None
) -> DecodedImage:
    """As `images.decode`, within `seconds` (by default SECONDS) and `decoder.MAX_MEMORY`.

    With `thumbnail`, the longest side of one or 0 for none, the look of the picture comes along. Raises BadImageError
    too for a picture that takes longer or more, and for one that ends the decoder.
    """
    limit = SECONDS if seconds is None else seconds
    for attempt in (1, 2):
        decoder = _take()
        try:
            found = decoder.decode(content, least, thumbnail, limit)
        except BadImageError:
            _idle.append(decoder)
            raise
        except _EndedError as error:
            if error.late:
                raise BadImageError(f"too slow: not decoded within {limit:g} seconds") from None
            # Once may be another's doing, such as the system's that is out of memory.
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
        # No module is named on the way: the folder that somebody works in may hold a file `lexel.py`.
        [sys.executable, "-P", "-m", "lexel.pipeline.images.decoder_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # libtiff writes of broken strips there
        env=os.environ | _KEEP_MEMORY,
        start_new_session=True,  # Ctrl-C in the terminal must not end it in the middle of a picture
        bufsize=0,
    )
    questions, answers = process.stdin, process.stdout
    assert isinstance(questions, FileIO)
    assert isinstance(answers, FileIO)
    for file in (questions, answers):
        _widen(file)
    return _Decoder(process, questions, answers)


def _widen(file: FileIO) -> None:
    """Let a pipe hold as much as it may: a picture then takes a few changes between the processes, not dozens."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux
        with contextlib.suppress(OSError):
            fcntl.fcntl(file, fcntl.F_SETPIPE_SZ, 1 << 20)
