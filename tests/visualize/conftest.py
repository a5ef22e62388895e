"""A headless Chromium for the tests that open a page; where there is none they are skipped and say so."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from archspec.spec import Spec
from visualize.page import page_data, page_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

    Open = Callable[..., Page]

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WINDOW: ViewportSize = {"width": 1400, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module; open a page with `browser.new_page()` and close it again."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no browser tests")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium on the path: no browser tests")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=program, args=list(FLAGS))
        yield launched
        launched.close()


@cache
def report(spec: Spec) -> str:
    return page_html(page_data(spec))


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    """A page that test after test opens its report in, as a new one takes longer than most reports."""
    page = browser.new_page(viewport=WINDOW)
    yield page
    page.close()


@pytest.fixture
def opened(browser: Browser, tab: Page, tmp_path: Path) -> Iterator[Open]:
    """Opens the report of a spec as a file; what a console or the network would hear of fails the test."""
    path = tmp_path / "report.html"
    heard: list[str] = []
    others: list[Page] = []
    listeners = {
        "console": lambda message: heard.append(message.text),
        "pageerror": lambda error: heard.append(str(error)),
        "request": lambda request: None if request.url == path.as_uri() else heard.append(request.url),
    }

    def open_report(spec: Spec, found: dict[str, object] | None = None, **context: Any) -> Page:
        """In a page of its own where a `context` is given."""
        path.write_text(page_html(page_data(spec, found)) if found else report(spec), encoding="utf-8")
        page = browser.new_page(**{"viewport": WINDOW, **context}) if context else tab
        others.extend([page] if context else [])
        page.set_default_timeout(30_000)  # on a busy machine
        for event, listener in listeners.items():
            page.on(event, listener)  # type: ignore[call-overload]
        page.goto(path.as_uri())
        return page

    yield open_report
    for page in others:
        page.close()
    for event, listener in listeners.items():
        with suppress(KeyError):  # it was not opened there
            tab.remove_listener(event, listener)
    assert heard == []
