"""What became of each file of a collection: a document, a failure, or said to be skipped. Nothing else may."""

import re
from pathlib import Path

import orjson
from support.collections.random_collection import MadeCollection
from support.jobs import failures, run

from lexel.encoders.encoder import Encoder
from lexel.pipeline.load.documents.row_documents import COLUMNS, documents
from lexel.pipeline.shards.folder import finished_shards
from lexel.pipeline.sources.source import open_source


def wrongs(made: MadeCollection, out: Path, encoder: Encoder) -> list[str]:
    """Encode a collection and make its documents; what is then lost, doubled or another's, in words."""
    source = open_source(made.source)
    listed = [item.uri for item in source.items()]
    report = run(source, out, encoder)
    held = stored(out)
    failed = failures(out)
    wanted = made.ids()
    found = [
        (sorted(listed) == sorted(made.pictures), f"listed {listed}"),
        (report.items == report.encoded + report.failed == len(listed), f"counts of {report}"),
        ({d["uri"]: id_ for id_, d in held.items()} == wanted, f"documents {held.keys()}, wanted {wanted}"),
        (len(held) == len(wanted), f"{len(held)} documents"),
        (failed.keys() == made.pictures.keys() - wanted.keys(), f"failures {failed}"),
        (all(failed.values()), f"reasons {failed}"),
        (skipped(report.notes) == made.others, f"said {report.notes}, and {made.others} were left out"),
    ]
    for document in held.values():
        captions = made.pictures[document["uri"]].captions if document["uri"] in made.pictures else None
        found.append((tuple(document.get("captions", ())) == captions, f"captions of {document['uri']}"))
    return [words for good, words in found if not good]


def stored(out: Path) -> dict[str, dict[str, object]]:
    """The documents that a load would send, by id."""
    found = {}
    for shard in finished_shards(out):
        for batch in shard.table().select(COLUMNS).to_batches():
            for id_, document in documents(batch, shard=shard.number):
                assert id_ not in found, f"{id_} twice"
                found[id_] = orjson.loads(document)
    return found


def skipped(notes: tuple[str, ...]) -> int:
    """How many files the sentences say were skipped."""
    said = [note for note in notes if note.startswith("Skipped: ")]
    return sum(int(number) for number in re.findall(r"(\d+) (?:\.|without)", " ".join(said)))
