"""The page in a real Chromium, for the tests that look at it."""

from collections.abc import Iterator

import pytest
from opensearchpy import OpenSearch
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from support.drawn import Drawn
from support.serving import listening, served
from support.web.chromium import FLAGS, chromium, open_


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    chromium()
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    made = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(drawn: Drawn, client: OpenSearch) -> Iterator[str]:
    with listening(served(client)) as where:
        yield where


@pytest.fixture(params=["desk"])
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that is open, and of which nothing may have gone wrong or out in the end."""
    sizes = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
    context = browser.new_context(viewport=sizes[request.param], base_url=address)  # type: ignore[arg-type]
    made = context.new_page()
    wrong: list[str] = []
    made.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith((address, "data:")) else None)
    open_(made, "/")
    yield made
    context.close()
    assert wrong == []
