"""What the page says of words that the collection does not know, in a real Chromium."""

import re

import pytest
from playwright.sync_api import Page, expect
from support.web.chromium import TILES, ask, line, settled


def test_unknown_words_are_said_and_known_ones_offered(page: Page) -> None:
    ask(page, "xylophone quartz")
    said = page.locator(".unheard")
    expect(said).to_contain_text("No word of this is known here: xylophone, quartz")
    expect(page.locator(".pill.unknown")).to_have_count(2)
    expect(page.locator(".total")).to_contain_text("0 match")
    offered = said.locator(".offer").first
    word = offered.inner_text()
    offered.click()
    settled(page)
    assert line(page) == f"xylophone {word}"
    expect(said).to_contain_text("Not known here: xylophone")
    expect(page.locator(".total")).to_contain_text(re.compile(r"^\d+ match"))


def test_neighbours_stand_under_a_line_of_their_own(page: Page) -> None:
    ask(page, "xylophone quartz")
    show = page.get_by_role("button", name="Show the nearest all the same")
    if not show.count():  # some are near enough
        expect(page.locator(".apart")).to_have_text("What looks nearest")
        return
    expect(page.locator(".empty")).to_contain_text("No word of it is known, and nothing looks near enough.")
    show.click()
    settled(page)
    assert "cutoff=false" in page.url
    expect(page.locator(".apart")).to_have_text("What looks nearest")
    expect(page.locator(TILES).first).to_be_visible()
    page.get_by_role("button", name="Query", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("--no-cutoff")
    page.keyboard.press("Escape")
    ask(page, "a dog")
    assert "cutoff" not in page.url


def test_a_banned_word_that_excludes_nothing_is_said_and_another_offered(page: Page) -> None:
    ask(page, "dog -canines")
    said = page.locator(".unheard")
    expect(said).to_contain_text("Not known here, so that it excludes nothing: canines")
    said.get_by_role("button", name="animal").click()
    settled(page)
    assert line(page) == "dog -animal"
    expect(said).to_have_count(0)


def test_a_text_too_long_for_the_vector_says_so(page: Page) -> None:
    ask(page, "a dog in the snow " * 12)
    said = re.compile(r"^Too long for the vector, which is of the first \d+ words alone\.$")
    expect(page.locator(".unheard")).to_have_text(said)
    ask(page, "a dog")
    expect(page.locator(".unheard")).to_have_count(0)


def test_by_the_keyboard_an_offer_leads_to_the_results(page: Page) -> None:
    ask(page, "xylophone quartz")
    page.locator(".offer").first.focus()
    page.keyboard.press("Enter")
    settled(page)
    expect(page.locator("#results")).to_be_focused()


def test_why_nothing_matches_is_said(page: Page) -> None:
    ask(page, "dog +zorblax")
    expect(page.locator(".empty")).to_contain_text("No item can have +zorblax, which is no word of this index.")


def test_a_word_that_is_asked_by_another_says_so(page: Page) -> None:
    ask(page, "canines")
    expect(page.locator(".pill.near")).to_contain_text("as dog 0.9")
    expect(page.locator(".unheard")).to_have_count(0)
    page.locator(f"{TILES} .shot").first.click()
    panel = page.get_by_role("dialog")
    expect(panel.locator(".missing")).to_contain_text("canines is asked as dog")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="More canines").click()
    settled(page)
    assert line(page) == "canines^2"


def test_the_bar_is_of_what_sets_a_picture_apart(page: Page) -> None:
    """A typical picture has none of the words, so that their share is not hidden by what all likenesses have."""
    ask(page, "a dog in the snow")
    page.locator(f"{TILES} .shot").first.click()
    panel = page.get_by_role("dialog")
    bar = panel.get_by_role("img", name=re.compile("^Beyond a typical picture: words"))
    shares = [int(share) for share in re.findall(r"\d+", bar.get_attribute("aria-label") or "")]
    numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*", panel.locator(".score").inner_text())]
    told = panel.locator(".vector .dim, .vector ~ .dim, .bars ~ div .dim").first.inner_text()
    typical = float(re.findall(r"-?\d+\.?\d*", told)[-1])
    _, words, vector = numbers
    assert sum(shares) == 100
    assert shares[0] == pytest.approx(100 * words / (words + max(0.0, vector - typical)), abs=1.5)


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_on_a_phone_it_fits(page: Page) -> None:
    ask(page, "xylophone quartz zorblax canines snow")
    expect(page.locator(".offer").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
