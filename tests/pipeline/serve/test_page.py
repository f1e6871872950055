"""The page in a real Chromium: one asks, steers, drops a picture, looks why, and goes on."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from opensearchpy import OpenSearch
from playwright.sync_api import Page, expect
from support.checkout import TESTS
from support.drawn import COUNT, Drawn
from support.web.chromium import TILES, ask, ids, line, open_, settled

from lexel.pipeline.scenes import scene
from lexel.pipeline.search.request import SearchRequest
from lexel.pipeline.search.run import search_index


def good_caption(drawn: Drawn) -> tuple[str, str]:
    """A caption that finds its picture first, and the picture's id."""
    for seed in range(COUNT):
        caption = scene(seed).captions[-1]
        hit = search_index(drawn.images, SearchRequest(caption, k=1)).hits[0]
        if hit.uri == f"images/{seed:06d}.jpg":
            return caption, hit.id
    raise AssertionError("no caption finds its picture first")


def test_a_query_shows_the_right_picture_first(page: Page, drawn: Drawn) -> None:
    caption, right = good_caption(drawn)
    ask(page, caption)
    assert ids(page)[0] == right
    picture = page.locator(f"{TILES} img").first
    expect(picture).to_have_class(re.compile("there"))
    assert picture.evaluate("image => image.naturalWidth") > 100
    assert parse_qs(urlsplit(page.url).query)["q"] == [caption]
    page.go_back()
    settled(page)
    assert line(page) == ""


def test_a_click_bans_a_word_and_another_boosts_one(page: Page) -> None:
    ask(page, "a dog")
    before = page.locator(TILES).first.get_attribute("data-id")
    chip = page.locator(TILES).first.locator(".chip:not(.why)").first
    word = chip.get_attribute("data-term") or ""
    chip.get_by_role("button", name=f"Ban {word}", exact=True).click()
    settled(page)
    expect(page.locator(".pill.banned")).to_contain_text(word)
    assert line(page) == f"a dog -{word}"
    assert before not in ids(page)
    page.locator(TILES).first.locator(".chip.why .boost", has_text="dog").click()
    settled(page)
    assert line(page) == f"a dog^2 -{word}"
    page.get_by_role("button", name=f"Take out {word}").click()
    settled(page)
    assert line(page) == "a dog^2"
    assert before in ids(page)


def test_the_second_button_and_shift_ban_too(page: Page) -> None:
    ask(page, "a dog")
    chips = page.locator(TILES).first.locator(".chip:not(.why)")
    first, second = (chips.nth(i).get_attribute("data-term") for i in (0, 1))
    chips.nth(0).locator(".boost").click(button="right")
    settled(page)
    assert line(page) == f"a dog -{first}"
    open_(page, "/?q=a+dog")
    chips.nth(1).locator(".boost").click(modifiers=["Shift"])
    settled(page)
    assert line(page) == f"a dog -{second}"


def test_a_dropped_picture_finds_itself(page: Page, drawn: Drawn) -> None:
    file = drawn.folder / "images/000007.jpg"
    drop(page, file)
    expect(page.locator(".drop img")).to_be_visible()
    settled(page)
    right = search_index(drawn.images, SearchRequest(images=(file.read_bytes(),), k=1)).hits[0].id
    assert ids(page)[0] == right
    page.reload()
    expect(page.locator(".drop img")).to_be_visible()
    settled(page)
    assert ids(page)[0] == right
    ask(page, "in the snow")
    expect(page.get_by_label("Share: picture to words")).to_be_visible()
    expect(page.get_by_role("group", name="Words gained").locator(".pill").first).to_be_visible()


def drop(page: Page, file: Path) -> None:
    content = list(file.read_bytes())
    transfer = page.evaluate_handle(
        """content => { const made = new DataTransfer();
        made.items.add(new File([new Uint8Array(content)], "a.jpg", {type: "image/jpeg"})); return made; }""",
        content,
    )
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.dispatch_event("body", "drop", {"dataTransfer": transfer})


def test_the_explanation_adds_up(page: Page) -> None:
    ask(page, "a dog in the snow xyzzy")
    page.locator(f"{TILES} .shot").nth(1).click()
    panel = page.get_by_role("dialog")
    expect(panel.locator(".bars .row").first).to_be_visible()
    said = panel.locator(".score").inner_text()
    score, words, vector = (float(number) for number in re.findall(r"\d+\.?\d*", said))
    assert score == pytest.approx(words + vector, abs=0.2 + score / 100)
    expect(panel.locator(".missing")).to_contain_text("xyzzy")
    panel.get_by_role("button", name="Why is No. 1 above it?").click()
    expect(panel.locator(".tug .row").first).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(panel.locator(".where")).to_have_text("No. 3")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert "item" not in page.url


def test_scrolling_goes_on_without_repeats(page: Page) -> None:
    for _ in range(30):
        page.mouse.wheel(0, 4000)
        page.wait_for_timeout(60)
        if page.locator(".end p").count():
            break
    shown = ids(page)
    assert len(shown) == COUNT
    assert len(set(shown)) == COUNT


def test_facets_keep_what_they_count(page: Page) -> None:
    ask(page, "a dog")
    row = page.get_by_title("Only time night", exact=True)
    page.get_by_role("button", name="words", exact=True).click()
    settled(page)
    counted = int(row.locator("small").inner_text().replace(",", ""))
    row.click()
    settled(page)
    expect(page.locator(".total")).to_contain_text(f"{counted:,} match")
    expect(row).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Take out time=night").click()
    settled(page)
    assert "filter" not in page.url


def test_all_of_it_by_the_keyboard(page: Page) -> None:
    page.keyboard.press("/")
    completions = page.locator("#completions li")
    page.keyboard.type("sno")
    expect(completions.first).to_be_visible()
    page.keyboard.type("wy do")
    # Those of another word are gone at once, whenever the new ones come.
    shown = "[...document.querySelectorAll('#completions:not([hidden]) li')].map((option) => option.dataset.form)"
    assert not [word for word in page.evaluate(shown) if word.startswith("sno")]
    expect(completions.first).to_contain_text("do")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert line(page) == "snowy dog "
    page.keyboard.press("Enter")
    settled(page)
    page.locator(f"{TILES} .shot").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog")
    expect(panel).to_be_visible()
    opened = parse_qs(urlsplit(page.url).query)["item"][0]
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.closest('.tile')?.dataset.id") == opened
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.className"))
    assert reached == ["thumb like", "thumb unlike", "boost"]


def test_a_caption_of_the_collection_is_judged(page: Page) -> None:
    page.locator(".examples li a").first.click()
    expect(page.locator(".verdict")).to_contain_text(re.compile("comes first|comes as No|is not among"))


def test_more_like_this_and_the_weight(page: Page) -> None:
    first = ids(page)[0]
    page.locator(f"{TILES} .shot").first.click()
    page.get_by_role("link", name="More like this").click()
    expect(page.get_by_role("group", name="More like").locator("img")).to_be_visible()
    settled(page)
    assert first not in ids(page)
    slider = page.get_by_label("Balance: words to vector")
    with page.expect_response(lambda answer: "weight=" in answer.url):
        slider.fill("80")
    settled(page)
    assert float(parse_qs(urlsplit(page.url).query)["weight"][0]) > 0


def test_words_that_people_wrote_are_weighed_and_explained(page: Page) -> None:
    ask(page, "a dog in the snow")
    with page.expect_response(lambda answer: "written_weight=5" in answer.url):
        page.get_by_label("Written by people: learned to written").fill("50")
    settled(page)
    page.locator(f"{TILES} .shot").first.click()
    expect(page.locator(".score")).to_contain_text("of what people wrote")
    expect(page.locator(".bars")).to_contain_text("“dog”")


def test_the_query_can_be_copied_whole(page: Page, client: OpenSearch, drawn: Drawn) -> None:
    ask(page, "a dog in the snow")
    page.get_by_role("button", name="Query", exact=True).click()
    sheet = page.get_by_role("dialog")
    expect(sheet.locator("pre").last).to_contain_text("rank_feature")
    expect(sheet.locator("pre").first).to_contain_text("/drawn-images/_search")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_nothing_found_and_a_question_that_makes_no_sense(page: Page) -> None:
    page.goto("/?q=%2Bdog+-dog&mode=words")
    expect(page.locator(".empty")).to_contain_text("Nothing found")
    page.get_by_role("button", name="Without conditions").click()
    expect(page.locator(TILES).first).to_be_visible()


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_on_a_phone_nothing_is_wider_than_the_screen(page: Page) -> None:
    ask(page, "a dog")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.querySelector('#q').clientWidth") >= 200
    page.get_by_role("button", name="Refine").click()
    expect(page.locator(".facets li").first).to_be_visible()
    page.locator(f"{TILES} .shot").first.click()
    expect(page.get_by_role("dialog").locator(".bars .row").first).to_be_visible()
    assert page.evaluate("document.querySelector('#panel').scrollWidth") <= 390


def test_the_page_reads_queries_as_the_server_does(page: Page) -> None:
    cases = json.loads((TESTS / "pipeline/search/query_syntax_cases.json").read_text("utf-8"))
    read = page.evaluate(
        "async (typed) => { const { tokens } = await import('/page/js/query-syntax.js'); return typed.map(tokens); }",
        [case["typed"] for case in cases],
    )
    assert read == [case["tokens"] for case in cases]
