"""The child process of decoder_pool.py: reads image bytes on stdin, writes pixels or a reason on stdout.

Request (REQUEST, then the image's bytes): length of the bytes (8 bytes), minimum shorter side `least` of
`decode.decode` (4 bytes, 0 for none), longest side of the thumbnail (4 bytes; 0 for none, -1 for no preview), whether
the facts in the file are wanted (1 byte).

Answer (ANSWER, then what follows): success (1 byte); then width and height of the pixels and of the original image (4
bytes each), the preview if requested (PREVIEW, then the thumbnail: perceptual hash, DCT signature, length of the
thumbnail), the facts if requested (FACTS, then JSON: its length) and the RGB pixels. On failure: length of the reason,
three zeros, and the reason in UTF-8.

Memory is limited to MAX_MEMORY. The process ends when stdin is closed, also if its parent was killed.
"""

import contextlib
import json
import os
import signal
import struct

from lexel.pipeline.images.decode import BadImageError, decode
from lexel.pipeline.images.embedded.picture_facts import Facts
from lexel.pipeline.images.preview import Preview, make_preview

REQUEST, ANSWER = struct.Struct("<QIi?"), struct.Struct("<?IIII")
PREVIEW, FACTS = struct.Struct("<q64sI"), struct.Struct("<I")
# Peak memory for 100 megapixels, with an uncompressed file: 2.8 GB with transparency, 2.0 GB with 32-bit values.
MAX_MEMORY = 4 << 30


def main() -> None:
    """Answer requests until stdin is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    _limit()
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=1 << 20)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library's prints must not mix with the pixels
    with contextlib.suppress(BrokenPipeError):
        while len(header := requests.read(REQUEST.size)) == REQUEST.size:
            size, *wanted = REQUEST.unpack(header)
            answers.writelines(_answer(requests.read(size), *wanted))
            answers.flush()


def _limit() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):  # macOS and Windows have no such limit, only the pool's time limit
        pass


def _answer(content: bytes, least: int, side: int, facts: bool) -> tuple[bytes, bytes]:
    # The whole answer is built before anything is written: a reason could not follow half an answer.
    try:
        image, size, said = decode(content, least=least, facts=facts)
        preview = b"" if side < 0 else _packed(make_preview(image, side=side))
        about = _packed_facts(said) if facts else b""
        return ANSWER.pack(True, *image.size, *size) + preview + about, image.tobytes()
    except BadImageError as error:
        return _refusal(str(error)), b""
    except Exception as error:  # such as MemoryError
        return _refusal(f"not usable: {type(error).__name__} {error}".rstrip()), b""


def _packed(preview: Preview) -> bytes:
    thumbnail = preview.thumbnail or b""
    return PREVIEW.pack(preview.phash, preview.waves, len(thumbnail)) + thumbnail


def _packed_facts(facts: Facts) -> bytes:
    text = json.dumps(dict(facts)).encode()
    return FACTS.pack(len(text)) + text


def _refusal(reason: str) -> bytes:
    text = reason.encode("utf-8", "backslashreplace")
    return ANSWER.pack(False, len(text), 0, 0, 0) + text


if __name__ == "__main__":
    main()
