"""What stands beside a picture: missing values, marks, and what is broken, which is said."""

import json
import math
from collections.abc import Callable

from lexel.pipeline.sources.listing_notes import ListingNotes
from lexel.pipeline.sources.sidecar import Sidecar, sidecar


def _read(**texts: bytes) -> tuple[Sidecar, list[str]]:
    def reader(content: bytes) -> Callable[[], bytes]:
        return lambda: content

    notes = ListingNotes()
    return sidecar({kind: (f"x.{kind}", reader(text)) for kind, text in texts.items()}, notes), notes.warnings


def test_what_is_no_number_is_missing() -> None:
    about = {"text": "a tram", "a": math.nan, "b": -math.inf, "c": [1, math.inf], "n": 2**63, "big": 2**64, "x": 1.5}
    found, warnings = _read(json=json.dumps(about).encode())
    assert (found.captions, warnings) == (("a tram",), [])
    assert dict(found.metadata) == {"c": "[1, null]", "n": 2**63, "big": 2.0**64, "x": 1.5}


def test_a_mark_is_no_part_of_a_text() -> None:
    found, warnings = _read(txt=b"\xef\xbb\xbfa tram\n", cls=b"\xef\xbb\xbf7", json=b'\xef\xbb\xbf{"n": 1}')
    assert found == Sidecar(("a tram",), "7", {"n": 1})
    assert _read(txt="über".encode("utf-16"))[0].captions == ("über",)
    assert warnings == []


def test_what_is_broken_is_said_and_the_rest_is_kept() -> None:
    found, warnings = _read(txt=b"a caf\xe9", json=b'{"label": "x"')
    assert found == Sidecar()
    assert warnings == ["x.txt is not UTF-8 and was left out.", "x.json is not JSON and was left out."]
    assert _read(json=b"[1]")[1] == ["x.json holds no JSON object and was left out."]
    assert _read(json=b'{"caption": "\\ud800"}')[1] == ["x.json is not JSON and was left out."]
