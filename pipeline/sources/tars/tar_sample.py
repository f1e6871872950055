"""Which texts of a tar belong to which picture, by their names alone.

WebDataset's rule is that files with the same name up to the first dot are one sample (0001.jpg, 0001.seg.png,
0001.txt). People's names have dots of their own (IMG_2024.05.00.jpg): where a text is called exactly as a picture, it
is that picture's alone, and what differs in more than words is not one sample.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lexel.pipeline.sources.picture_kinds import is_picture
from lexel.pipeline.sources.sidecar import TEXT_KINDS

_USUAL = frozenset(["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "ppm"])
# "seg" is one of several files of a sample; "05" is a part of a name.
_WORD = re.compile(r"(\.[^\W\d]\w*)*")


@dataclass(frozen=True)
class TarSample:
    """Places in a run of names: each picture's texts by their kind, texts of no picture, and what is not read."""

    pictures: Mapping[int, Mapping[str, int]]
    strays: tuple[int, ...]
    others: tuple[int, ...]


def sample_key(name: str) -> str:
    """A name up to the first dot."""
    folder, _, base = name.rpartition("/")
    return f"{folder}/{base.split('.')[0]}"


def stem_and_kind(name: str) -> tuple[str, str]:
    """A name without its ending, and the ending in small letters."""
    folder, slash, base = name.rpartition("/")
    stem, _, kind = base.rpartition(".")
    return f"{folder}{slash}{stem}", kind.lower()


def shorter_stems(stem: str) -> list[str]:
    """A stem, and what is left of it without its suffixes, one by one: a.b.c, a.b, a."""
    folder, slash, base = stem.rpartition("/")
    parts = base.split(".")
    return [f"{folder}{slash}{'.'.join(parts[:n])}" for n in range(len(parts), 0, -1)]


def tar_sample(names: Sequence[str], *, whole: bool = True) -> TarSample:
    """Sort a run of names with one key into pictures and their texts; only a `whole` run can be one sample."""
    parts = [stem_and_kind(name) for name in names]
    texts = [i for i, (_, kind) in enumerate(parts) if kind in TEXT_KINDS]
    stems = {i: parts[i][0] for i in texts}
    pictures = _pictures(names, parts, frozenset(stems.values()))
    named = {i: parts[i][0] for i in pictures}
    together = whole and _is_one_sample(named, stems)
    owners = _owners(named, stems, together=together)
    owned = dict[int, dict[str, int]]()
    for picture in pictures:
        closest_last = _ordered(parts[picture][0], stems, together=together or len(pictures) == 1)
        owned[picture] = {parts[i][1]: i for i in closest_last if picture in owners[i]}
    strays = tuple(i for i in texts if not owners[i])
    return TarSample(owned, strays, tuple(i for i in range(len(names)) if i not in owned and i not in stems))


def _pictures(names: Sequence[str], parts: Sequence[tuple[str, str]], texts: frozenset[str]) -> list[int]:
    """The pictures without those that are of a sample as its mask is: 0001.seg.png beside 0001.jpg."""
    found = [i for i, name in enumerate(names) if is_picture(name)]
    if not found:
        return []
    first = min(found, key=lambda i: (len(parts[i][0]), parts[i][1] not in _USUAL, i))
    whole = {parts[i][0] for i in found if parts[i][1] == parts[first][1]}
    return [i for i in found if parts[i][1] == parts[first][1] or _is_own(parts[i][0], whole, texts)]


def _is_own(stem: str, whole: set[str], texts: frozenset[str]) -> bool:
    """Whether a picture of another kind is a sample of its own."""
    beside = any(_extends(stem, other) and _WORD.fullmatch(stem[len(other) :]) for other in whole)
    return not beside or stem in texts - whole


def _extends(stem: str, other: str) -> bool:
    return stem == other or stem.startswith(f"{other}.")


def _owners(pictures: Mapping[int, str], texts: Mapping[int, str], *, together: bool) -> dict[int, list[int]]:
    """The pictures that each text belongs to."""
    return {i: list(pictures) if together else _related(stem, pictures) for i, stem in texts.items()}


def _is_one_sample(pictures: Mapping[int, str], texts: Mapping[int, str]) -> bool:
    """Whether all suffixes are words, and none is a picture's with a text of its own: 7.left.jpg, 7.meta.json."""
    stems = [*pictures.values(), *texts.values()]
    own = set(pictures.values()) & set(texts.values())
    return all(map(_is_worded, stems)) and not any("." in stem.rpartition("/")[2] for stem in own)


def _related(text: str, pictures: Mapping[int, str]) -> list[int]:
    exact = [i for i, stem in pictures.items() if stem == text]
    below = [i for i, stem in pictures.items() if stem != text and _extends(stem, text)]
    if exact:  # 0001.txt is of 0001.seg.png too, and IMG_1.txt not of IMG_1.2.png
        return exact + [i for i in below if _WORD.fullmatch(pictures[i][len(text) :])]
    above = [i for i, stem in pictures.items() if _extends(text, stem)]
    longest = max((len(pictures[i]) for i in above), default=0)
    return below or [i for i in above if len(pictures[i]) == longest]


def _is_worded(stem: str) -> bool:
    base = stem.rpartition("/")[2]
    return bool(_WORD.fullmatch(base[len(base.split(".")[0]) :]))


def _ordered(stem: str, texts: Mapping[int, str], *, together: bool) -> list[int]:
    """The closest text last, so that it counts. Of one sample's texts that is simply the last one."""
    return list(texts) if together else sorted(texts, key=lambda i: (texts[i] == stem, len(texts[i]), i))
