"""The verbs from Python, and results that show themselves."""

import base64
import re

import pytest
from support.drawn import Drawn

from lexel.pipeline.errors import ClusterError
from lexel.pipeline.notebook import open_index


def test_the_verbs(drawn: Drawn, at_node: str) -> None:
    scenes = open_index("drawn-images")
    found = scenes.search("a dog +snow", k=5, filters=["time!=night"], facets=["term"])
    assert 0 < len(found) <= 5
    assert all("snow" in hit.top_terms for hit in found)
    assert found.found.facets["top_terms"]["snow"] == found.found.total
    assert scenes.search(image=found[0].path, k=1)[0].id == found[0].id
    assert scenes.search(like=found[0].id, k=1)[0].id == found[0].id
    assert scenes.explain(found[0].id, "a dog").item.uri == found[0].uri
    assert {scenes.compare(found[0].id, found[1].id, "dog").above.id} <= {found[0].id, found[1].id}
    assert list(scenes.terms(found[0].path))[:3] == list(found[0].top_terms)[:3]
    assert len(scenes) == 200


def test_results_show_as_pictures_and_nothing_that_is_stored_becomes_markup(drawn: Drawn, at_node: str) -> None:
    found = open_index("drawn-images").search("a <b>dog</b> zorb", k=3)
    page = found._repr_html_()
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    assert len(pictures) == 3
    assert all(base64.b64decode(picture).startswith(b"\xff\xd8") for picture in pictures)
    texts = open_index("drawn-captions").search("a dog", k=3)
    assert "<img" not in texts._repr_html_()
    assert texts[0].text is not None
    assert texts[0].text in texts._repr_html_()
    assert "zorb" in page


def test_an_index_that_is_not_there(at_node: str) -> None:
    with pytest.raises(ClusterError, match="no index nowhere"):
        open_index("nowhere")
