"""Thumbs up and down on the page, in a real Chromium: the pictures chosen, and the words gained and lost."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from support.web.chromium import TILES, ask, ids, line, open_, settled


def asked(page: Page) -> dict[str, list[str]]:
    """What the address of the page says."""
    return parse_qs(urlsplit(page.url).query)


def answered(page: Page, act: Callable[[], None]) -> dict[str, dict[str, float]]:
    """Do something, and return the answer that the page then shows."""
    with page.expect_response(lambda answer: "/search?" in answer.url) as waited:
        act()
    settled(page)
    found: dict[str, dict[str, float]] = waited.value.json()
    return found


def thumb(page: Page, which: str, place: int = 0) -> Locator:
    tile = page.locator(TILES).nth(place)
    tile.hover()
    return tile.get_by_role("button", name=re.compile(f"^Thumbs {which}: "))


def test_thumbs_choose_pictures_that_can_be_taken_out_again(page: Page) -> None:
    ask(page, "a dog")
    liked, unliked = ids(page)[:2]
    answered(page, thumb(page, "up").click)
    assert liked not in ids(page)
    answered(page, thumb(page, "down", ids(page).index(unliked)).click)
    assert not {liked, unliked} & set(ids(page))
    assert (asked(page)["like"], asked(page)["unlike"]) == ([liked], [unliked])
    strip = page.get_by_role("group", name="Pictures that steer the search")
    expect(strip.get_by_role("group", name="More like").locator("img")).to_have_count(1)
    expect(strip.get_by_role("group", name="Less like").locator("img")).to_have_count(1)
    page.reload()
    settled(page)
    expect(strip.locator("img")).to_have_count(2)
    answered(page, strip.get_by_role("button", name="Take out: less like picture 1").click)
    assert "unlike" not in asked(page)
    assert unliked in ids(page)
    answered(page, strip.get_by_role("button", name="Take out: more like picture 1").click)
    expect(strip).to_be_hidden()
    assert line(page) == "a dog"


def test_a_gained_word_becomes_the_querys_own_or_is_left_out(page: Page) -> None:
    ask(page, "a dog")
    found = answered(page, thumb(page, "up").click)
    first, second = list(found["gained"])[:2]
    gained = page.get_by_role("group", name="Words gained")
    expect(gained.locator(".pill")).to_have_count(len(found["gained"]))
    again = answered(page, gained.locator(f"[data-term={first}] .own").click)
    assert line(page) == f"a dog {first}^{round(found['gained'][first], 2):g}"
    assert first not in again["gained"]
    assert again["asked"][first] == pytest.approx(found["gained"][first], abs=0.01)  # type: ignore[index]
    again = answered(page, gained.get_by_role("button", name=f"Leave {second} as it was").click)
    assert line(page).endswith(f" {second}^0")
    assert second not in again["gained"]
    assert not again["asked"].get(second)
    page.locator(".pill").filter(has_text=f"{second}×0").get_by_role("button", name=f"Take out {second}").click()
    settled(page)
    expect(gained.locator(f"[data-term={second}]")).to_be_visible()


def test_a_lost_word_becomes_a_ban_or_is_left_out(page: Page) -> None:
    ask(page, "a dog")
    found = answered(page, thumb(page, "down").click)
    first, second = list(found["lost"])[:2]
    lost = page.get_by_role("group", name="Words lost")
    answered(page, lost.locator(f"[data-term={first}] .own").click)
    assert line(page) == f"a dog -{first}"
    again = answered(page, lost.get_by_role("button", name=f"Leave {second} as it was").click)
    assert line(page) == f"a dog -{first} {second}^0"
    assert not {first, second} & set(again["lost"])


def test_thumbs_by_the_keyboard(page: Page) -> None:
    ask(page, "a dog")
    page.locator(f"{TILES} .shot").first.focus()
    page.keyboard.press("ArrowRight")
    second = ids(page)[1]
    page.keyboard.press("Tab")
    assert str(page.evaluate("document.activeElement.getAttribute('aria-label')")).startswith("Thumbs up: ")
    answered(page, lambda: page.keyboard.press("Enter"))
    assert asked(page)["like"] == [second]
    expect(page.locator("#toast")).to_have_text("More like this")
    # The focus is where it was, on the picture that came in the place of the chosen one.
    assert page.evaluate("document.activeElement.closest('.tile')?.dataset.id") == ids(page)[1]


def test_the_keyboard_stays_where_it_changed_something(page: Page) -> None:
    ask(page, "a dog")
    more = page.get_by_role("button", name="More dog")
    more.focus()
    for times in (2, 3, 4):
        answered(page, lambda: page.keyboard.press("Enter"))
        assert line(page) == f"a dog^{times}"
        expect(more).to_be_focused()
    found = answered(page, thumb(page, "up").click)
    first, second = list(found["gained"])[:2]
    page.locator(f"#steering [data-term={first}] .own").focus()
    answered(page, lambda: page.keyboard.press("Enter"))
    # The word is gone from the strip, and the next one stands in its place.
    expect(page.locator(f"#steering [data-term={second}] .own")).to_be_focused()
    page.get_by_role("button", name="Take out: more like picture 1").focus()
    answered(page, lambda: page.keyboard.press("Enter"))
    expect(page.locator("#steering")).to_be_hidden()
    expect(page.locator("#results")).to_be_focused()


def test_a_picture_to_be_like_that_is_gone_is_no_dead_end(browser: Browser, address: str) -> None:
    page = browser.new_page(base_url=address)  # without the fixture's watch: a 404 stands in the console
    page.goto("/?q=a+dog&like=nowhere")
    expect(page.locator(".empty.bad")).to_contain_text("nowhere")
    page.get_by_role("button", name="Without the pictures to be like or unlike").click()
    expect(page.locator(TILES).first).to_be_visible()
    assert asked(page)["q"] == ["a dog"]
    assert "like" not in asked(page)
    page.close()


def test_folded_copies_are_in_the_count_and_it_says_so(page: Page) -> None:
    ask(page, "a dog")
    expect(page.locator(".total")).not_to_contain_text("copies")
    answered(page, page.get_by_text("Fold copies").click)
    expect(page.locator(".total")).to_contain_text(re.compile(r"^\d+ match, copies too"))


def test_nothing_to_steer_away_from_is_said(page: Page) -> None:
    thumb(page, "down").click()
    expect(page.locator("#toast")).to_contain_text("Say first what you look for")
    assert "unlike" not in page.url
    answered(page, thumb(page, "up").click)
    answered(page, thumb(page, "down").click)
    assert asked(page)["unlike"]
    # Without the picture to be like nothing is searched for, and the rest of the steering goes too.
    answered(page, page.get_by_role("button", name="Take out: more like picture 1").click)
    assert not {"like", "unlike"} & asked(page).keys()


def test_the_panel_and_the_copied_command_know_them(page: Page) -> None:
    ask(page, "a dog")
    liked, unliked = ids(page)[:2]
    open_(page, f"/?q=a+dog&like={liked}&unlike={unliked}&mode=words")
    page.locator(f"{TILES} .shot").first.click()
    panel = page.get_by_role("dialog")
    expect(panel.locator(".score")).to_be_visible()
    answered(page, panel.get_by_role("button", name=re.compile("^Thumbs up")).click)
    assert len(asked(page)["like"]) == 2
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Query", exact=True).click()
    expect(panel.locator("pre").nth(1)).to_contain_text(f"--like {liked}")
    expect(panel.locator("pre").nth(1)).to_contain_text(f"--unlike {unliked}")


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_the_strip_fits_a_phone(page: Page) -> None:
    ask(page, "a dog")
    answered(page, thumb(page, "up").click)
    answered(page, thumb(page, "down").click)
    expect(page.get_by_role("group", name="Words gained")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
