"""WebDataset tars: pictures and their texts by name (0001.jpg, 0001.txt, 0001.json), see tar_sample.py."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

import numpy as np

from lexel.pipeline.sources.item import FileState, Item, readable
from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.picture_kinds import is_hidden, is_picture, left_out
from lexel.pipeline.sources.remote.remote_path import Place, changed, relative
from lexel.pipeline.sources.sidecar import TEXT_KINDS, sidecar
from lexel.pipeline.sources.tars.tar_members import TarMember, link_targets, tar_members, tar_names
from lexel.pipeline.sources.tars.tar_sample import TarSample, sample_key, shorter_stems, stem_and_kind, tar_sample

# A longer run of names with one key is no sample: a camera's names have dots.
_LONGEST_RUN = 64


@dataclass
class _TarIndex:
    """What is known of a tar before its pictures are listed: where links lead, and the texts apart from their picture.

    `used` are the names of the texts that found their picture after all, `changed` is when the tar was changed;
    `again` counts how often the names have come that the tar has more than once.
    """

    targets: Mapping[str, TarMember] = field(default_factory=dict)
    strays: Mapping[tuple[str, str], TarMember] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    changed: int = 0
    again: dict[str, int] = field(default_factory=dict)

    def occurrence(self, name: str) -> int:
        """How often a name has come before."""
        if name not in self.again:
            return 0
        self.again[name] += 1
        return self.again[name] - 1


def tar_items(path: Place, root: Place, notes: ListingNotes) -> Iterator[Item]:
    """The pictures of a tar, with their texts, as items; hidden files are skipped, nothing is unpacked to disk.

    Where a tar is not sorted, texts find their picture by its name. Raises SourceError if the tar is broken.
    """
    index = _index(path, notes)
    lost, late = list[str](), {member.name for member in index.strays.values()}
    for members, whole in _runs(tar_members(path, index.targets)):
        sample = tar_sample([member.name for member in members], whole=whole)
        for other in sample.others:
            notes.skip(members[other].name)
        lost += [members[i].name for i in sample.strays if members[i].name not in late]
        yield from _items(relative(path, root), members, sample, index, notes)
    lost += sorted(late - index.used)
    if lost:
        notes.warn(f"{len(lost):,} texts of {path.name} belong to no picture in it; the first is {readable(lost[0])}.")


def _index(path: Place, notes: ListingNotes) -> _TarIndex:
    links, strays = dict[str, str](), list[str]()
    hashes = array("q")
    for members, whole in _runs(tar_names(path)):
        hashes.extend(hash(member.name) for member in members)
        links |= {member.name: member.link for member in members if member.link}
        strays += [members[i].name for i in tar_sample([member.name for member in members], whole=whole).strays]
    targets = link_targets(path, links)
    if outside := links.keys() - targets.keys():
        notes.warn(f"{len(outside):,} links of {path.name} lead out of it and were left out: {readable(min(outside))}.")
    apart = tar_members(path, targets, frozenset(strays)) if strays else ()
    late = {stem_and_kind(member.name): member for member in apart}
    return _TarIndex(targets, late, changed=changed(path), again=_repeated(path, hashes))


def _repeated(path: Place, hashes: "array[int]") -> dict[str, int]:
    """The names that a tar has more than once, each with 0; hashes of 8 bytes are all that is held of the others."""
    rows = np.frombuffer(hashes, np.int64) if hashes else np.empty(0, np.int64)
    rows.sort()
    twice = frozenset(rows[1:][rows[1:] == rows[:-1]].tolist())
    return {member.name: 0 for member in tar_names(path) if hash(member.name) in twice} if twice else {}


def _runs(members: Iterator[TarMember]) -> Iterator[tuple[Sequence[TarMember], bool]]:
    """The members in runs that can hold one another's texts, and whether a run is all that has its key."""
    for _, group in groupby((m for m in members if not _is_ignored(m.name)), key=lambda m: sample_key(m.name)):
        run, whole = list[TarMember](), True
        for member in group:
            if len(run) >= _LONGEST_RUN and stem_and_kind(member.name)[0] != stem_and_kind(run[-1].name)[0]:
                yield from ((one, False) for one in _samples(run))
                run, whole = [], False
            run.append(member)
        yield from ((one, whole) for one in _samples(run))


def _samples(run: list[TarMember]) -> list[list[TarMember]]:
    """A run where its names begin again, as where tars were joined, if each part is a picture with its text."""
    parts, names = list[list[TarMember]]([[]]), set[str]()
    for member in run:
        if member.name in names:
            parts.append([])
            names.clear()
        parts[-1].append(member)
        names.add(member.name)
    return parts if all(map(_is_complete, parts)) else [run]


def _is_complete(part: Sequence[TarMember]) -> bool:
    has_text = any(stem_and_kind(member.name)[1] in TEXT_KINDS for member in part)
    return has_text and any(is_picture(member.name) for member in part)


def _is_ignored(name: str) -> bool:
    return is_hidden(name) or left_out(name.split("/")[:-1]) is not None


def _items(
    tar: str, members: Sequence[TarMember], sample: TarSample, index: _TarIndex, notes: ListingNotes
) -> Iterator[Item]:
    for picture, texts in sample.pictures.items():
        member = members[picture]
        beside = _late(member.name, index) | {kind: members[i] for kind, i in texts.items()}
        about = sidecar({kind: (f"{tar}/{m.name}", m.read) for kind, m in beside.items()}, notes)
        yield Item(
            readable(f"{tar}/{member.name}"),
            member.read,
            captions=about.captions,
            label=about.label,
            metadata=about.metadata,
            state=partial(FileState, member.size, index.changed),
            occurrence=index.occurrence(member.name),
            held=not tar.lower().endswith(".tar"),
        )


def _late(name: str, index: _TarIndex) -> dict[str, TarMember]:
    """The texts of a picture that stand elsewhere in the tar."""
    found = dict[str, TarMember]()
    for kind in TEXT_KINDS if index.strays else ():
        for stem in shorter_stems(stem_and_kind(name)[0]):
            if member := index.strays.get((stem, kind)):
                found[kind] = member
                index.used.add(member.name)
                break
    return found
