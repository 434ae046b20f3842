"""A real browser for tests of pages: Debian's Chromium, the rules of axe-core, and no network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SCHEMES = ("light", "dark")

# WCAG 2.2 A and AA, and what axe calls best practice
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

NUMBER_STOPS = """() => {
  const all = document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]');
  const shown = [...all].filter(e => e.checkVisibility());
  shown.forEach((e, i) => { e.dataset.number = i; });
  return shown.length;
}"""
"""Numbers all that the keyboard should reach, in the order of reading."""


def find_tools() -> tuple[str, str]:
    """The browser and the text of axe-core; skipped with the reason without, but not in CI."""
    found = _look()
    if isinstance(found, str):
        if os.environ.get("CI"):
            pytest.fail(found)
        pytest.skip(found)
    return found


def _look() -> tuple[str, str] | str:
    """The browser and the text of axe-core, or why they cannot be used."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        return "no Chromium is installed (on Debian: apt-get install chromium)"
    try:
        import axe_playwright_python
        import playwright.sync_api  # noqa: F401
    except ImportError as error:
        return f"{error.name} is not installed (extra dev)"
    axe = Path(str(axe_playwright_python.__file__)).with_name("axe.min.js")
    return found, axe.read_text("utf-8")


@contextmanager
def open_browser(program: str) -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # root may not use the sandbox; these pages are our own
        found = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield found
        found.close()


class Visit:
    """A page that is open, and all that it asked for."""

    def __init__(self, browser: Any, site: Path, name: str, **settings: Any) -> None:
        self.asked: list[str] = []
        self.said: list[str] = []
        self.context = browser.new_context(**settings)
        self.page = self.context.new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda told: self.said.append(told.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto((site / name).as_uri())

    def __enter__(self) -> Any:
        return self.page

    def __exit__(self, *_: object) -> None:
        self.context.close()
        assert self.said == []
        assert all(url.startswith("file:") for url in self.asked)


def find_broken(page: Any, axe: str) -> list[tuple[str, str, str]]:
    """Rules that a page breaks, with the place and what axe says; all details are opened first."""
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.evaluate(axe)
    asked = {"runOnly": {"type": "tag", "values": RULES}}
    found = page.evaluate("asked => axe.run(document, asked)", asked)
    assert len(found["passes"]) > 20  # the rules did look at something
    return [
        (rule["id"], node["html"][:120], node["failureSummary"])
        for rule in found["violations"]
        for node in rule["nodes"][:3]
    ]
