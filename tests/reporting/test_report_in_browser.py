"""The report in a real browser, on paper and in Word: read with a keyboard, a phone and a printer.

The truth is axe-core's rules of accessibility, what the browser measures, and the numbers of
`evaluation.json`, which other programs read back from each format.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import pypdf
import pytest

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.reporting.folders import DOCUMENT, read_document
from forecast.reporting.formats import print_report, write_formats
from forecast.reporting.pages import report
from tests.browsing import NUMBER_STOPS, SCHEMES, Visit, find_broken, find_tools, open_browser

pytestmark = pytest.mark.slow

FULL = "autumn-nights-2020/report.html"
CLAIMS, SIMULATED = "autumn-nights-2020/claim-check.html", "night-patrols/report.html"
PAGES = (FULL, CLAIMS, SIMULATED)

# A4 between the margins of a printed page: 210 less twice 13 mm, at 96 dots an inch
PAPER = round((210 - 2 * 13) / 25.4 * 96)

WIDER = """width => [...document.querySelectorAll('h1, h2, h3, p, li, dd, table, figure')]
    .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > width + 1)
    .map(e => e.textContent.trim().slice(0, 60))"""
"""What reaches beyond the right edge."""


@pytest.fixture(scope="module")
def tools() -> tuple[str, str]:
    """Browser and rules; skipped with the reason where there are none, but not in CI."""
    return find_tools()


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    tools: tuple[str, str],
    london: Panel,
    sides: Evaluation,
) -> Path:
    """The worked case with all its sections and formats, and a report of simulated figures."""
    place = tmp_path_factory.mktemp("reports")
    campaign = Campaign.load("autumn-nights-2020")
    result = evaluate(campaign, london, draws=100, sensitivity=True)
    report(result, to=place, formats=("html", "pdf", "docx"))
    report(sides, to=place, sensitivity=False)
    return place


@pytest.fixture(scope="module")
def folder(site: Path) -> Path:
    """The folder of the worked case."""
    return site / "autumn-nights-2020"


@pytest.fixture(scope="module")
def browser(tools: tuple[str, str]) -> Iterator[Any]:
    """A browser without a window."""
    with open_browser(tools[0]) as found:
        yield found


@pytest.mark.parametrize(
    ("name", "scheme"), [*((FULL, s) for s in SCHEMES), (CLAIMS, "dark"), (SIMULATED, "light")]
)
def test_no_rule_of_accessibility_is_broken(
    browser: Any, site: Path, tools: tuple[str, str], name: str, scheme: str
) -> None:
    visit = Visit(browser, site, name, color_scheme=scheme, offline=True)
    with visit as page:
        assert find_broken(page, tools[1]) == []
        assert visit.asked == [(site / name).as_uri()]


def test_the_pages_hold_every_kind_of_section(site: Path) -> None:
    keys = {
        section.key
        for path in site.glob(f"*/{DOCUMENT}")
        for section in read_document(path).sections()
    }
    kinds = {"claims", "ways", "models", "sensitivity", "areas", "activity", "checklist"}
    beside = {"areas", "runs", "aftermath", "elsewhere", "displacement", "controls", "harm", "dose"}
    assert kinds | {f"examined-{name}" for name in beside} <= keys


def test_a_keyboard_reaches_everything_and_sees_where_it_is(browser: Any, site: Path) -> None:
    for name in PAGES:
        with Visit(browser, site, name) as page:
            wanted = page.evaluate(NUMBER_STOPS)
            seen = []
            for _ in range(wanted):
                page.keyboard.press("Tab")
                seen.append(page.evaluate("document.activeElement.dataset.number"))
                width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
                assert width == "3px", (name, seen[-1])
            assert seen == [str(i) for i in range(wanted)], name
            assert wanted > 8


def test_the_first_key_skips_to_the_result(browser: Any, site: Path) -> None:
    with Visit(browser, site, FULL) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the result"
        box = page.evaluate("document.activeElement.getBoundingClientRect().left")
        assert box >= 0  # it can be seen while it has the focus
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Verdict"


def test_what_is_folded_opens_and_shuts_by_a_key(browser: Any, site: Path) -> None:
    with Visit(browser, site, FULL) as page:
        table = page.get_by_role("table", name="Numbers of the figure: Robbery in London").first
        assert not table.is_visible()
        page.locator("summary").first.focus()
        page.keyboard.press("Enter")
        assert table.is_visible()
        page.keyboard.press("Enter")
        assert not table.is_visible()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    "screen",
    [
        {"viewport": {"width": 320, "height": 640}},
        # what is left of 1280 at 200 per cent
        {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2},
    ],
)
def test_the_page_need_not_be_scrolled_sideways(
    browser: Any, site: Path, name: str, screen: dict[str, Any]
) -> None:
    with Visit(browser, site, name, **screen) as page:
        width = screen["viewport"]["width"]
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        # headings of tables are read without scrolling, too
        captions = page.locator("caption").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect().right)"
        )
        assert max(captions) <= width or width > 320


def test_letters_twice_as_large_fit_the_page(browser: Any, site: Path) -> None:
    with Visit(browser, site, FULL, viewport={"width": 1280, "height": 900}) as page:
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.documentElement.scrollWidth") == 1280


@pytest.mark.parametrize(
    ("status", "line"), [("draft", "dashed"), ("provisional", "double"), ("final", "solid")]
)
def test_the_state_of_a_report_is_a_word_and_a_line(
    browser: Any, folder: Path, tmp_path: Path, status: str, line: str
) -> None:
    document = read_document(folder / DOCUMENT).model_copy(update={"status": status})
    write_formats(document, tmp_path, ["html"], figures=folder / "figures")
    with Visit(browser, tmp_path, "report.html") as page:
        shown = page.locator(".status")
        assert shown.text_content() == status.capitalize()
        assert shown.evaluate("e => getComputedStyle(e).borderTopStyle") == line
        # printers leave out backgrounds: the word would be white on white
        page.emulate_media(media="print")
        assert shown.evaluate("e => getComputedStyle(e).color") == "rgb(0, 0, 0)"


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off_or_left_out_on_paper(browser: Any, site: Path, name: str) -> None:
    """What is too wide makes the printer shrink every page, or is lost at its edge."""
    with Visit(browser, site, name, viewport={"width": PAPER, "height": 1000}) as page:
        page.emulate_media(media="print")
        assert page.evaluate(WIDER, PAPER) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PAPER
        # who reads paper cannot open what is folded
        heights = page.locator("details table").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect().height)"
        )
        assert heights
        assert min(heights) > 20
        assert page.locator("summary:visible, nav:visible, .skip:visible").count() == 0


@pytest.fixture(scope="module")
def paper(folder: Path) -> list[str]:
    """The text of each printed page of the worked case."""
    return read_pages(folder / "report.pdf")


def read_pages(path: Path) -> list[str]:
    """The text of each page of a PDF, its lines joined."""
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(path).pages]


def list_numbers(folder: Path) -> list[str]:
    """Totals of the result, as one writes such numbers: rounded, with commas and a true minus."""
    told = json.loads((folder / "evaluation.json").read_text("utf-8"))
    found = []
    for part in told["results"]:
        if part["area"] == "London":
            found += [f"{part['observed']:,}", f"{part['expected']:,.0f}"]
            found += [f"{value:,.0f}" for value in part["expected_interval"]]
            found += [f"{part['effect_percent']:+.1f}".replace("-", "\N{MINUS SIGN}")]
    assert len(found) == 10
    return found


def test_the_summary_is_two_pages_of_paper(folder: Path, paper: list[str]) -> None:
    pages = pypdf.PdfReader(folder / "report.pdf").pages
    sizes = {(round(float(p.mediabox.width)), round(float(p.mediabox.height))) for p in pages}
    assert sizes == {(595, 842)}  # A4 in points
    first, second, third, *_ = paper
    assert "Robbery in London: cannot tell" in first
    for title in ("In plain words", "Verdict", "In short", "Counted and expected"):
        assert title in first
    for title in ("The public claim, in short", "What may be said", "What limits it most"):
        assert title in second
    assert "Status Draft: nobody has signed for this report." in second
    assert "Key facts" in third
    assert "Key facts" not in first + second
    # a page that was taken out of the report still says what state it is in
    assert [page for page in paper if not page.startswith("Page ") or "Draft" not in page] == []


def test_the_summary_of_another_campaign_is_two_pages_too(
    london: Panel, tmp_path: Path, tools: tuple[str, str]
) -> None:
    result = evaluate(Campaign.load("autumn-nights-2023"), london, draws=100)
    path = report(result, to=tmp_path, sensitivity=False, examine=False)
    pages = read_pages(print_report(path, tmp_path / "report.pdf"))
    assert ["Key facts" in page for page in pages[:3]] == [False, False, True]


def test_paper_and_word_tell_the_verdict_and_numbers_of_the_result(
    folder: Path, paper: list[str]
) -> None:
    told = json.loads((folder / "evaluation.json").read_text("utf-8"))
    verdict = f"Robbery in London: {told['results'][0]['verdict']}"
    file = docx.Document(str(folder / "report.docx"))
    word = "\n".join(paragraph.text for paragraph in file.paragraphs)
    cells = "\n".join(cell.text for cell in file.tables[0]._cells)
    printed = " ".join(paper[:2])
    assert verdict in word
    assert verdict in printed
    for number in list_numbers(folder):
        assert number in cells.replace("\N{NO-BREAK SPACE}", " ")
        assert number in printed
    # the plain words are the same everywhere
    box = read_document(folder / DOCUMENT).box
    assert box in word
    assert box in printed


def test_the_page_is_less_than_three_megabytes(folder: Path) -> None:
    assert (folder / "report.html").stat().st_size < 3_000_000
