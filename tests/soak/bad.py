"""Bad picture files, each of its own kind: what people's disks hold, and what somebody makes who means harm."""

import gzip
import random
import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import Image
from support.making import jpeg, picture, saved

from lexel.pipeline.images import heic

BIG = 60_000  # pixels a side, 3.6 gigapixels
heic.register()  # to write it
Kinds = dict[str, Callable[[], bytes]]


def _png(*chunks: tuple[bytes, bytes]) -> bytes:
    parts = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _header(width: int, height: int, depth: int = 8, colour: int = 2) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)


def _pixels(width: int = 64, height: int = 48) -> tuple[bytes, bytes]:
    return b"IDAT", zlib.compress(bytes((1 + 3 * width) * height))


END = (b"IEND", b"")


def scans(times: int, side: int = 3000) -> bytes:
    """A progressive JPEG that asks for one of its scans over the whole picture again and again: small and very slow."""
    whole = saved(Image.new("RGB", (side, side), (120, 3, 9)), "JPEG", {"progressive": True})
    begin, end = _scan(whole, 1)
    return whole[:end] + whole[begin:end] * times + whole[end:]


def _scan(content: bytes, number: int) -> tuple[int, int]:
    """Where the `number`-th scan of a JPEG begins and ends."""
    place, found = 2, -1
    while True:
        begin, marker = place, content[place + 1]
        place += 2 + struct.unpack(">H", content[place + 2 : place + 4])[0]
        if marker != 0xDA:
            continue
        while content[place] != 0xFF or content[place + 1] == 0:
            place += 1
        found += 1
        if found == number:
            return begin, place


def _tiff(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + struct.pack("<I", following) + bytes(64)


def _patched(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


def _jpeg_sized(width: int, height: int) -> bytes:
    whole = jpeg()
    place = whole.index(b"\xff\xc0") + 5
    return _patched(whole, place, struct.pack(">HH", height, width))


def _many(kind: str, count: int) -> bytes:
    return saved(picture(), kind, {"save_all": True, "append_images": [picture(i) for i in range(1, count)]})


KINDS: Kinds = {
    "zero bytes": lambda: b"",
    "one byte": lambda: b"\xff",
    "zeros": lambda: bytes(5000),
    "noise": lambda: random.Random(5).randbytes(5000),
    "text": lambda: b"Dear all,\nthe picture is attached.\n" * 9,
    "web page": lambda: b"<!doctype html><title>404</title>",
    "SVG": lambda: b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    "XML with an entity that grows": lambda: b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "' + b"b" * 9999 + b'">]>',
    "PostScript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(x) run\n",
    "PostScript in a binary EPS": lambda: b"\xc5\xd0\xd3\xc6" + struct.pack("<II", 30, 60) + b"%!PS-Adobe-3.0" * 9,
    "PDF": lambda: b"%PDF-1.7\n" + b"x" * 500,
    "HEIC": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"x" * 400,
    "HEIC: cut": lambda: saved(picture(), "HEIF")[:-40],
    "HEIC: 4 billion wide": lambda: saved(picture(), "HEIF").replace(
        b"ispe" + struct.pack(">III", 0, 64, 64), b"ispe" + struct.pack(">III", 0, 2**32 - 1, 2**32 - 1)
    ),
    "video": lambda: b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + random.Random(1).randbytes(3000),
    "ZIP": lambda: b"PK\3\4" + bytes(400),
    "gzip of a picture": lambda: gzip.compress(jpeg()),
    "executable": lambda: b"\x7fELF\2\1\1" + bytes(600),
    "JPEG: header alone": lambda: b"\xff\xd8\xff\xe0",
    "JPEG: cut in half": lambda: jpeg(size=(640, 480))[: len(jpeg(size=(640, 480))) // 2],
    "JPEG: no end": lambda: jpeg()[:-2],
    "JPEG: 65,500 pixels wide by its header": lambda: _jpeg_sized(65_500, 65_500),
    "JPEG: no pixels by its header": lambda: _jpeg_sized(0, 0),
    "JPEG: a scan 20,000 times over": lambda: scans(20_000),
    "JPEG: no tables": lambda: jpeg().replace(b"\xff\xdb", b"\xff\xfe"),
    "JPEG: no Huffman codes": lambda: jpeg().replace(b"\xff\xc4", b"\xff\xfe"),
    "JPEG: broken EXIF": lambda: saved(picture(), "JPEG", {"exif": b"Exif\0\0MM\0*\xff\xff\xff\xff"}),
    "JPEG: an EXIF that points at itself": lambda: saved(
        picture(), "JPEG", {"exif": b"Exif\0\0II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\x08\0\0\0"}
    ),
    "JPEG: 5,000 comments": lambda: jpeg()[:2] + b"\xff\xfe\0\x0a12345678" * 5000 + jpeg()[2:],
    "PNG: signature alone": lambda: b"\x89PNG\r\n\x1a\n",
    "PNG: wrong checksum": lambda: _patched(saved(picture(), "PNG"), 29, b"\0\0\0\0"),
    "PNG: 3.6 gigapixels by its header": lambda: _png(_header(BIG, BIG), _pixels(), END),
    "PNG: just over the limit": lambda: _png(_header(10_001, 10_000, 1, 0), END),
    "PNG: no pixels": lambda: _png(_header(64, 48), END),
    "PNG: zero wide": lambda: _png(_header(0, 48), _pixels(), END),
    "PNG: a depth that is none": lambda: _png(_header(64, 48, 7), _pixels(), END),
    "PNG: text that unpacks to 1 GB": lambda: _png(
        _header(64, 48), (b"zTXt", b"a\0\0" + zlib.compress(bytes(2**28), 9)), _pixels(), END
    ),
    "PNG: a colour profile that unpacks to 256 MB": lambda: _png(
        _header(64, 48), (b"iCCP", b"a\0\0" + zlib.compress(bytes(2**28), 9)), _pixels(), END
    ),
    "PNG: 100,000 empty chunks": lambda: _png(_header(64, 48), *[(b"teXt", b"")] * 100_000, _pixels(), END),
    "PNG: a chunk of 2 GB by its length": lambda: b"\x89PNG\r\n\x1a\n\x7f\xff\xff\xffIHDR" + bytes(100),
    "PNG: pixels that unpack to too many": lambda: _png(_header(8, 8), (b"IDAT", zlib.compress(bytes(2**27))), END),
    "PNG: a palette that is missing": lambda: _png(_header(64, 48, 8, 3), _pixels(), END),
    "APNG: a frame outside the picture": lambda: _png(
        _header(64, 48), (b"acTL", struct.pack(">II", 2**31 - 1, 0)), (b"fcTL", bytes(26)), _pixels(), END
    ),
    "GIF: 65,535 pixels wide": lambda: b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\2D\1\0;",
    "GIF: no frame": lambda: b"GIF89a\x40\0\x30\0\0\0\0;",
    "GIF: 400 frames, the second broken": lambda: _many("GIF", 400)[:4000],
    "GIF: a code size that is none": lambda: b"GIF89a\x40\0\x30\0\0\0\0,\0\0\0\0\x40\0\x30\0\0\xff\2D\1\0;",
    "BMP: negative width": lambda: _patched(saved(picture(), "BMP"), 18, struct.pack("<i", -64)),
    "BMP: 2 billion wide": lambda: _patched(saved(picture(), "BMP"), 18, struct.pack("<i", 2**31 - 1)),
    "BMP: pixels far behind its end": lambda: _patched(saved(picture(), "BMP"), 10, b"\xff\xff\xff\x7f"),
    "BMP: a run over its edge": lambda: _patched(saved(picture().quantize(), "BMP"), 30, struct.pack("<I", 1)),
    "TIFF: a directory that follows itself": lambda: _tiff((256, 3, 1, 64), following=8),
    "TIFF: 4 billion values in a tag": lambda: _tiff((256, 3, 1, 64), (257, 3, 1, 48), (273, 4, 2**32 - 1, 0)),
    "TIFF: more samples than anybody has": lambda: _tiff((256, 3, 1, 64), (257, 3, 1, 48), (277, 3, 1, 65_535)),
    "TIFF: 3.6 gigapixels by its tags": lambda: _tiff((256, 4, 1, BIG), (257, 4, 1, BIG), (258, 3, 1, 8)),
    "TIFF: LZW that is none": lambda: _patched(saved(picture(), "TIFF", {"compression": "tiff_lzw"}), 8, bytes(40)),
    "WebP: a size that lies": lambda: _patched(saved(picture(), "WEBP"), 4, b"\xff\xff\xff\x7f"),
    "WebP: cut": lambda: saved(picture(), "WEBP")[:60],
    "AVIF: cut": lambda: saved(picture(), "AVIF")[:200],
    "JPEG 2000: cut": lambda: saved(picture(), "JPEG2000")[:150],
    "JPEG 2000: 4 billion wide": lambda: saved(picture(), "JPEG2000").replace(
        struct.pack(">II", 64, 48), struct.pack(">II", 2**32 - 1, 2**32 - 1)
    ),
    "ICO: an icon of icons": lambda: (
        struct.pack("<HHH", 0, 1, 65_535) + b"\x20\x20\0\0\1\0\x20\0\x28\0\0\0\x16\0\0\0" * 3
    ),
    "ICO: a PNG of 3.6 gigapixels inside": lambda: (
        struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, 100, 22) + _png(_header(BIG, BIG), _pixels(), END)
    ),
    "ICNS: a length of nothing": lambda: b"icns\0\0\1\0ic07\0\0\0\0" + bytes(240),
    "PSD: 65,535 channels": lambda: b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 65_535, 48, 64, 8, 3) + bytes(300),
    "PPM: a size of 40 digits": lambda: b"P6 " + b"9" * 40 + b" 48 255\n" + bytes(100),
    "PPM: a comment without end": lambda: b"P6 #" + b"c" * 10_000_000,
    "TGA: 65,535 wide": lambda: bytes([0, 0, 2]) + bytes(9) + struct.pack("<HHBB", 65_535, 65_535, 24, 0) + bytes(99),
    "PCX: no planes": lambda: b"\x0a\5\1\x08" + struct.pack("<HHHH", 0, 0, 63, 47) + bytes(116),
    "DDS: 2 billion wide": lambda: b"DDS " + struct.pack("<IIII", 124, 0x1007, 2**31 - 1, 2**31 - 1) + bytes(110),
    "FLI: no frame": lambda: struct.pack("<IHHHHH", 128, 0xAF11, 1, 64, 48, 8) + bytes(114),
}  # fmt: skip


def seeds() -> dict[str, bytes]:
    """A small whole file of each format, and of each way of packing it, that Pillow writes and `decode` reads."""
    from lexel.pipeline.images.decode import BadImageError, decode

    Image.init()
    ways: list[tuple[str, dict[str, object]]] = [(kind, {}) for kind in sorted(Image.SAVE)]
    ways += [("TIFF", {"compression": way}) for way in ("tiff_lzw", "jpeg", "tiff_deflate", "packbits")]
    ways += [("JPEG", {"progressive": True}), ("WEBP", {"lossless": True}), ("TGA", {"compression": "tga_rle"})]
    ways += [(kind, {"save_all": True, "append_images": [picture(1)]}) for kind in ("GIF", "PNG", "WEBP", "TIFF")]
    found: dict[str, bytes] = {}
    for kind, options in ways:
        for image in (picture(), picture().quantize(), picture().convert("L"), picture().convert("CMYK")):
            try:
                content = saved(image, kind, options)
                decode(content)
            except (BadImageError, OSError, ValueError, KeyError, TypeError, AttributeError, ImportError):
                continue
            found["-".join([kind, image.mode, *map(str, options)])] = content
    return found


def mutants(chance: random.Random, whole: list[bytes]) -> Iterator[bytes]:
    """Broken files without end: bytes changed, runs cut out, doubled or taken from another file, numbers made large."""
    large = [struct.pack(form, n) for form in (">I", "<I", ">H", "<H") for n in (0, 1, 0x7FFF, 0xFFFF)]
    large += [struct.pack(form, n) for form in (">I", "<I") for n in (0x7FFFFFFF, 0xFFFFFFFF, BIG)]
    while True:
        content = bytearray(chance.choice(whole))
        for _ in range(chance.choice([1, 1, 2, 5, 30])):
            # Most of what decides is at the beginning.
            place = chance.randrange(min(len(content), chance.choice([64, 512, len(content)])) or 1)
            match chance.randrange(5):
                case 0 | 1:
                    content[place : place + 1] = bytes([chance.randrange(256)])
                case 2:
                    new = chance.choice(large)
                    content[place : place + len(new)] = new
                case 3:
                    del content[place : place + chance.choice([1, 4, 100])]
                case 4:
                    other = chance.choice(whole)
                    start = chance.randrange(len(other))
                    content[place:place] = other[start : start + chance.choice([4, 64, 1000])]
        yield bytes(content)
