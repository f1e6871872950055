"""Runs and judgments as TREC files, and tables that explain their ids."""

import re
from collections.abc import Mapping
from pathlib import Path

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.evaluate.encoded_items import EncodedItems
from lexel.pipeline.evaluate.queries.directions import Direction, Judgments
from lexel.pipeline.evaluate.retrieve import Run


def write(folder: Path, direction: Direction, items: EncodedItems, runs: Mapping[str, Run], *, tag: str) -> None:
    """Write DIRECTION.MODE.run and DIRECTION.qrels, and DIRECTION.queries.tsv and DIRECTION.items.tsv with id and name.

    trec_eval reproduces the reported figures, since the scores in a run decrease strictly.
    """
    texts = {f"{direction.name}.{mode}.run": _run(run, _word(tag)) for mode, run in runs.items()}
    texts[f"{direction.name}.qrels"] = _qrels(direction.right)
    texts[f"{direction.name}.queries.tsv"] = _table({q.id: q.text or q.group for q in direction.queries})
    named = {id_: text or uri for id_, text, uri in zip(items.ids, items.texts, items.uris, strict=True)}
    texts[f"{direction.name}.items.tsv"] = _table(named)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"The run files cannot be written to {folder}: {error.strerror}.") from error


def _run(run: Run, tag: str) -> str:
    return "".join(
        f"{_word(query)} Q0 {_word(item)} {rank} {score:.9g} {tag}\n"
        for query, found in run.items()
        for rank, (item, score) in enumerate(found.items(), 1)
    )


def _qrels(right: Judgments) -> str:
    return "".join(
        f"{_word(q)} 0 {_word(item)} {grade}\n" for q, found in right.items() for item, grade in found.items()
    )


def _table(named: Mapping[str, str]) -> str:
    return "".join(f"{_word(id_)}\t{' '.join(text.split())}\n" for id_, text in named.items())


def _word(text: str) -> str:
    """`text` without spaces, which separate the columns: a manifest's own id may contain some."""
    return re.sub(r"\s", "_", text)
