"""What the terminal says of words that the index does not have."""

from lexel.pipeline.cli.views.query_words import unknown_words


def test_many_or_long_unknown_words_do_not_fill_the_screen() -> None:
    assert unknown_words(["quartz"], {"quartz": ("crystal",)}).endswith("quartz (nearest: crystal)")
    said = unknown_words([f"word{i}" for i in range(500)], {})
    assert "word19 and 480 more" in said
    assert len(unknown_words(["a" * 50_000], {})) < 100
