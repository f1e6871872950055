"""Long queries: repeated words weigh more, and what is too long is said by lexel and not by the engine."""

import pytest
from support.drawn import Drawn

from lexel.pipeline.errors import ConfigError
from lexel.pipeline.search.query_dsl import MODES, Mode
from lexel.pipeline.search.request import MAX_SIGNED, SearchRequest
from lexel.pipeline.search.run import search_index

TEXT = "two dogs, a red house - and the dog's snow 🐕 in winter\u2028dogs "


def scores(drawn: Drawn, text: str, mode: Mode) -> dict[str, float]:
    return {hit.id: hit.score for hit in search_index(drawn.images, SearchRequest(text, mode=mode, k=50)).hits}


@pytest.mark.parametrize("text", [TEXT, TEXT * 40, TEXT * 600, "dog," * 3000, "dog^2 " * 700 + "snow", "x1 y2 " * 9000])
def test_words_and_terms_agree_on_a_text_of_any_length(drawn: Drawn, text: str) -> None:
    words, terms = scores(drawn, text, "words"), scores(drawn, text, "terms")
    assert words == pytest.approx(terms, rel=1e-4)
    assert bool(words) == ("dog" in text)


@pytest.mark.parametrize("mode", MODES)
def test_a_whole_vocabulary_is_a_query(drawn: Drawn, mode: Mode) -> None:
    words = [f"{word}," for word in drawn.images.encoder.vocabulary.forms][:6000]
    assert search_index(drawn.images, SearchRequest(" ".join(words), mode=mode)).hits


@pytest.mark.parametrize("mode", MODES)
def test_as_many_signs_as_a_query_takes(drawn: Drawn, mode: Mode) -> None:
    terms = drawn.images.encoder.vocabulary.terms[: MAX_SIGNED + 1]
    text = " ".join(drawn.images.encoder.vocabulary.terms) + " "
    most = text + " ".join(f"-{term}" for term in terms[1:])
    assert search_index(drawn.images, SearchRequest(most, mode=mode)).total >= 0
    with pytest.raises(ConfigError, match=r"at most 200 different words with . or -, and this one has 201"):
        SearchRequest(" ".join(f"+{term}" for term in terms), mode=mode)
    assert SearchRequest("+dog " * 3000, mode=mode).conditions() == SearchRequest("+dog", mode=mode).conditions()


def test_too_many_clauses_are_one_sentence(drawn: Drawn) -> None:
    long = "+" + ",".join(drawn.images.encoder.vocabulary.terms[:1500])
    with pytest.raises(ConfigError, match=r"more words and conditions than OpenSearch takes at once \(1,024\)"):
        search_index(drawn.images, SearchRequest(f"dog {long}", mode="words"))
    with pytest.raises(ConfigError, match="at most 8,000 different words, and this has 9,000"):
        search_index(drawn.images, SearchRequest(" ".join(f"w{i}" for i in range(9000)), mode="words"))
