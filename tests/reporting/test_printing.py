"""Pages become PDF by a real browser; where none is, or none ends, the message says what to do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from forecast.errors import ForecastError
from forecast.reporting import browsers
from forecast.reporting.browsers import find_browser
from forecast.reporting.printing import print_pdf

HOSTILE = "T\N{LATIN SMALL LETTER Y WITH CIRCUMFLEX} Gŵyr &lt;script&gt; =HYPERLINK(1)"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page with a verdict, which asks for something from elsewhere."""
    text = (
        '<!doctype html><html lang="en-GB"><title>Report</title><h1>Night patrols</h1>'
        f"<p>Robbery in {HOSTILE}: cannot tell</p><h2>Evidence</h2>"
        '<img src="http://127.0.0.1:9/x.png" alt="nothing"></html>'
    )
    path = tmp_path / "report.html"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def no_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setattr(browsers, "_PLACES", ())
    monkeypatch.setattr(browsers, "_OWN_PLACES", ())


def make_program(path: Path, lines: str) -> Path:
    """A program that stands in for a browser."""
    path.write_text(f"#!/bin/sh\n{lines}\n", "utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(find_browser() is None, reason="no Chromium, Chrome or Edge is installed")
def test_a_printed_page_says_what_the_page_says(page: Path, tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed (extra dev)")
    target = print_pdf(page, tmp_path / "report.pdf")
    found = pypdf.PdfReader(target)
    text = found.pages[0].extract_text()
    assert "Tŷ Gŵyr <script> =HYPERLINK(1): cannot tell" in text
    # tagged, in British English, with the headings as outline; no address at the foot of a page
    root = found.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert found.outline[0]["/Title"] == "Night patrols"
    assert "file:" not in text
    # the same again, and nothing else is left
    before = target.read_bytes()
    assert print_pdf(page, target).read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "report.pdf"]


@pytest.mark.usefixtures("no_browser")
def test_without_a_browser_the_message_says_what_to_install(page: Path, tmp_path: Path) -> None:
    assert find_browser() is None
    with pytest.raises(ForecastError, match=r"no Chromium, Chrome or Edge was found\. Install one"):
        print_pdf(page, tmp_path / "report.pdf")
    assert not (tmp_path / "report.pdf").exists()


@pytest.mark.usefixtures("no_browser")
def test_a_browser_is_found_where_an_installer_puts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "Applications" / "chrome.exe"
    place.parent.mkdir()
    place.touch()
    monkeypatch.setattr(browsers, "_PLACES", (place.relative_to("/").as_posix(),))
    assert find_browser() == place


def test_a_browser_that_hangs_is_stopped_with_its_children(page: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.pdf"
    target.write_bytes(b"as it was")
    alive = tmp_path / "alive"
    hanging = make_program(tmp_path / "chromium", f"(sleep 2; touch '{alive}') &\nsleep 60")
    begun = time.monotonic()
    with pytest.raises(ForecastError, match=r"within 0\.3 seconds: it did not end and was stopped"):
        print_pdf(page, target, wait=0.3, browser=hanging)
    assert time.monotonic() - begun < 2
    time.sleep(2)
    assert not alive.exists()
    assert target.read_bytes() == b"as it was"


def test_a_browser_that_fails_is_quoted(page: Path, tmp_path: Path) -> None:
    failing = make_program(tmp_path / "chromium", "echo 'no room on disk' >&2; exit 3")
    with pytest.raises(ForecastError, match=r"ended with 3 \(no room on disk\)\. Try again"):
        print_pdf(page, tmp_path / "report.pdf", browser=failing)
    silent = make_program(tmp_path / "chromium", "exit 0")
    with pytest.raises(ForecastError, match=r"ended with 0\. Try again"):
        print_pdf(page, tmp_path / "report.pdf", browser=silent)
    with pytest.raises(ForecastError, match=r"'chromium-9' must start: No such file"):
        print_pdf(page, tmp_path / "report.pdf", browser=tmp_path / "chromium-9")


def test_a_page_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ForecastError, match=r"'report\.html' must be there to be printed"):
        print_pdf(tmp_path / "report.html", tmp_path / "report.pdf")
