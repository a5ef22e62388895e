"""The live page in a browser: it follows a save, survives a broken text, recovers, and keeps what was folded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archspec import bundle
from tests.visualize.test_live import BROKEN, GOOD, replaced, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no browser tests")
expect = playwright.Expect()
RESNET = bundle.files()["zoo/resnet"].read_text(encoding="utf-8")
REAL = {"page_data": None, "page_html": None}
SOON = 30_000  # milliseconds, on a busy machine
expect.set_options(timeout=SOON)


@contextmanager
def shown(browser: Browser, path: Path, variant: str | None = None) -> Iterator[Page]:
    """The page of a file, which must not complain about anything."""
    with serving(path, variant, **REAL) as server:
        page = browser.new_page()
        page.set_default_timeout(SOON)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(server.url)
        yield page
        page.close()
        assert [one for one in complaints if "favicon" not in one and "404" not in one] == []


def test_the_page_follows_and_survives_and_recovers(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "resnet.yaml"
    replaced(path, RESNET)
    with shown(browser, path, "resnet50") as page:
        expect(page.locator("#live")).to_have_text("live")
        expect(page.locator("#summary")).to_contain_text("25,557,032")
        body = page.locator("#table tr.group", has_text="body").first
        folded = {"true": "false", "false": "true"}[str(body.get_attribute("aria-expanded"))]
        body.locator(".twist").click()
        expect(body).to_have_attribute("aria-expanded", folded)

        replaced(path, RESNET.replace("FC-1000", "FC-10"))
        expect(page.locator("#summary")).to_contain_text("23,528,522")
        expect(page.locator("#table tfoot")).to_contain_text("23,528,522")
        expect(body).to_have_attribute("aria-expanded", folded)
        expect(page.locator("#spec-body")).to_contain_text("FC-10")

        replaced(path, RESNET.replace("FC-1000", "FCC-1000"))
        line = RESNET[: RESNET.index("FC-1000")].count("\n") + 1
        expect(page.locator("#failure")).to_contain_text(f"line {line}: ")
        expect(page.locator(f'#spec-body [data-line="{line}"] .finding')).to_contain_text("unknown-layer")
        expect(page.locator("#summary")).to_contain_text("23,528,522")
        expect(page.locator("#live")).to_contain_text("broken")
        expect(body).to_have_attribute("aria-expanded", folded)

        replaced(path, RESNET)
        expect(page.locator("#failure")).to_be_hidden()
        expect(page.locator("#summary")).to_contain_text("25,557,032")
        expect(page.locator("#spec-body .finding.error")).to_have_count(0)
        expect(page.locator("#live")).to_have_text("live")
        expect(body).to_have_attribute("aria-expanded", folded)


def test_a_page_opened_while_the_text_is_broken_shows_the_last_good_one(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    replaced(path, GOOD)
    with shown(browser, path) as page:
        replaced(path, BROKEN)
        expect(page.locator("#failure")).to_contain_text("line 3: ")
        page.reload()
        expect(page.locator("#failure")).to_contain_text("line 3: ")
        expect(page.locator("#summary")).to_contain_text("112")


def test_a_spec_that_was_never_right_is_shown_as_soon_as_it_is(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    replaced(path, BROKEN)
    with shown(browser, path) as page:
        expect(page.locator("#error")).to_contain_text("net.yaml:3:18: error[unknown-layer]")
        replaced(path, BROKEN.replace("RELUU", "TANHH"))
        expect(page.locator("#error")).to_contain_text("TANHH")
        replaced(path, GOOD)
        expect(page.locator("#summary")).to_contain_text("112")
        expect(page).to_have_title(re.compile("^net "))
