"""Chromium, and what a person does on the search page."""

import os
import shutil

import pytest
from playwright.sync_api import Page, expect

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TILES = ".tile:not(.bone)"


def chromium() -> str:
    """The browser. In CI it has to be there."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None and os.environ.get("CI"):
        pytest.fail(
            "CI runs the page's tests, and there is no Chromium here; `scripts/setup browser` installs it as root"
        )
    if found is None:
        pytest.skip("there is no Chromium on this machine; on Debian, `scripts/setup browser` as root installs it")
    return found


def open_(page: Page, where: str) -> None:
    page.goto(where)
    expect(page.locator(TILES).first).to_be_visible()


def ask(page: Page, words: str) -> None:
    """Type a query and wait for its answer."""
    with page.expect_response(lambda answer: "/search?" in answer.url and answer.request.method in {"GET", "POST"}):
        page.get_by_role("combobox", name="Search").fill(words)
        page.keyboard.press("Enter")
    settled(page)


def settled(page: Page) -> None:
    expect(page.locator("#grid")).to_have_attribute("aria-busy", "false")


def ids(page: Page) -> list[str]:
    return [tile.get_attribute("data-id") or "" for tile in page.locator(TILES).all()]


def line(page: Page) -> str:
    return page.get_by_role("combobox", name="Search").input_value()
