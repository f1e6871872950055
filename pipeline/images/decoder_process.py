"""The program that decodes pictures for `aside`: bytes in, pixels or a reason out, with bounded memory.

It reads a picture as its length (8 bytes), the least pixels of its shorter side (4 bytes, see `images.decode`), the
longest side of its thumbnail (4 bytes, see `looks.look`; -1 for no look at all) and its bytes. It answers with a byte
that says whether it could, four numbers (4 bytes each) and what they measure: the width and height of the RGB pixels
that follow, and those in the file; or a length, zeros and a reason. Before the pixels comes the look where it was asked
for: hash, waves, and the thumbnail behind its length. It ends when nobody writes to it any more, however its parent
ended.
"""

import contextlib
import os
import signal
import struct
from typing import BinaryIO

from lexel.pipeline.images.decode import BadImageError, decode
from lexel.pipeline.images.preview import Preview, make_preview

QUESTION, ANSWER, LOOK = struct.Struct("<QIi"), struct.Struct("<?IIII"), struct.Struct("<q64sI")
# A picture of 100 megapixels with transparency takes 2.3 GB at its worst moment, one of 32-bit numbers 3.1 GB.
MAX_MEMORY = 4 << 30


def main() -> None:
    """Answer until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    _limit()
    questions = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=1 << 20)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints must not get among the pixels
    with contextlib.suppress(BrokenPipeError):
        while len(header := questions.read(QUESTION.size)) == QUESTION.size:
            size, least, side = QUESTION.unpack(header)
            _answer(questions.read(size), least, side, answers)


def _limit() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):  # macOS and Windows have no such limit; the deadline holds there too
        pass


def _answer(content: bytes, least: int, side: int, answers: BinaryIO) -> None:
    # Nothing is written before all is there: who reads would take a reason in the middle of an answer for pixels.
    try:
        image, size = decode(content, least=least)
        seen = b"" if side < 0 else _packed(make_preview(image, side=side))
        answer, pixels = ANSWER.pack(True, *image.size, *size) + seen, image.tobytes()
    except BadImageError as error:
        answer, pixels = _refusal(str(error)), b""
    except Exception as error:  # out of memory, say
        answer, pixels = _refusal(f"not usable: {type(error).__name__} {error}".rstrip()), b""
    answers.write(answer)
    answers.write(pixels)
    answers.flush()


def _packed(seen: Preview) -> bytes:
    thumbnail = seen.thumbnail or b""
    return LOOK.pack(seen.phash, seen.waves, len(thumbnail)) + thumbnail


def _refusal(reason: str) -> bytes:
    said = reason.encode("utf-8", "backslashreplace")
    return ANSWER.pack(False, len(said), 0, 0, 0) + said


if __name__ == "__main__":
    main()
