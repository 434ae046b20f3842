"""The pages in a real browser: sort, search, keyboard, accessibility rules, and no request."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forecast.nightly.site import write_site
from forecast.nightly.store import open_store
from tests.nightly import simulated

PAGES = ("index.html", "areas/barnet.html", "areas/london.html", "offences/robbery.html")
SCHEMES = ("light", "dark")

# WCAG 2.2 A and AA, and what axe calls best practice
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def _find_browser() -> tuple[str, str] | str:
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


@pytest.fixture(scope="module")
def tools() -> tuple[str, str]:
    """Browser and rules; skipped with the reason where there are none, but not in CI."""
    found = _find_browser()
    if isinstance(found, str):
        if os.environ.get("CI"):
            pytest.fail(found)
        pytest.skip(found)
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, tools: tuple[str, str]) -> Path:
    """Pages of London's boroughs, with something above expected."""
    place = tmp_path_factory.mktemp("browser")
    panel, means = simulated.make_counts(days=60)
    with open_store(place / "nightly.db") as store:
        simulated.fill_store(store, panel, means, nights=4)
        return write_site(store, place / "site", config=simulated.CONFIG, counts=[panel])


@pytest.fixture(scope="module")
def browser(tools: tuple[str, str]) -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # root may not use the sandbox; these pages are our own
        found = driver.chromium.launch(executable_path=tools[0], args=["--no-sandbox"])
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


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_no_rule_of_accessibility_is_broken(
    browser: Any, site: Path, tools: tuple[str, str], name: str, scheme: str
) -> None:
    with Visit(browser, site, name, color_scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        page.evaluate(tools[1])
        asked = {"runOnly": {"type": "tag", "values": RULES}}
        found = page.evaluate("asked => axe.run(document, asked)", asked)
        broken = [
            (rule["id"], node["html"][:120], node["failureSummary"])
            for rule in found["violations"]
            for node in rule["nodes"][:3]
        ]
        assert broken == []
        assert len(found["passes"]) > 20  # the rules did look at something


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_but_itself(browser: Any, site: Path, name: str) -> None:
    visit = Visit(browser, site, name, offline=True)
    with visit as page:
        page.wait_for_load_state("networkidle")
        assert visit.asked == [(site / name).as_uri()]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_a_phone_need_not_scroll_sideways(browser: Any, site: Path, name: str, scheme: str) -> None:
    screen = {"width": 320, "height": 640}
    with Visit(browser, site, name, viewport=screen, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def read_column(page: Any, table: int, column: int) -> list[str]:
    """Texts of a column of the rows that are shown."""
    found: list[str] = page.evaluate(
        """([table, column]) => [...document.querySelectorAll('table.sortable')[table]
            .tBodies[0].rows].filter(row => !row.hidden)
            .map(row => row.cells[column].textContent.trim())""",
        [table, column],
    )
    return found


def test_tables_can_be_sorted_by_numbers_and_by_names(browser: Any, site: Path) -> None:
    with Visit(browser, site, "offences/robbery.html") as page:
        names = read_column(page, 0, 0)
        counts = [float(text.replace(",", "")) for text in read_column(page, 0, 3)]
        assert len(names) == 33
        observed = page.get_by_role("button", name="Observed")
        observed.click()
        head = page.locator("th", has=observed)
        assert head.get_attribute("aria-sort") == "descending"
        sorted_down = [float(text.replace(",", "")) for text in read_column(page, 0, 3)]
        assert sorted_down == sorted(counts, reverse=True)
        assert sorted_down[0] > 1000  # London: "1,234" is sorted as a number
        observed.click()
        assert head.get_attribute("aria-sort") == "ascending"
        assert [float(t.replace(",", "")) for t in read_column(page, 0, 3)] == sorted(counts)
        page.get_by_role("button", name="Area").click()
        assert read_column(page, 0, 0) == sorted(names)
        assert head.get_attribute("aria-sort") is None
        assert page.get_by_role("status").first.text_content() == "Sorted by Area, ascending."


def test_tables_can_be_searched(browser: Any, site: Path) -> None:
    with Visit(browser, site, "index.html") as page:
        box = page.get_by_label("Search areas")
        box.fill("  HAM")
        shown = read_column(page, 1, 0)
        # case and spaces around do not matter: all boroughs with "ham" in their names
        assert shown == [
            "Barking and Dagenham", "Hammersmith and Fulham", "Kingston upon Thames", "Lewisham",
            "Newham", "Richmond upon Thames", "Tower Hamlets", "Waltham Forest",
        ]  # fmt: skip
        box.fill("")
        assert len(read_column(page, 1, 0)) == 33


def test_the_keyboard_reaches_everything(browser: Any, site: Path) -> None:
    for name in PAGES:
        with Visit(browser, site, name) as page:
            wanted = page.evaluate(
                """() => {
                  const all = document.querySelectorAll(
                    'a[href], button, input, summary, [tabindex="0"]');
                  const shown = [...all].filter(e => e.checkVisibility());
                  shown.forEach((e, i) => { e.dataset.number = i; });
                  return shown.length;
                }"""
            )
            seen = set()
            for _ in range(wanted + 2):
                page.keyboard.press("Tab")
                seen.add(page.evaluate("document.activeElement.dataset.number"))
            assert seen - {None} == {str(i) for i in range(wanted)}, name


def test_a_table_is_sorted_and_a_page_is_left_by_keys_alone(browser: Any, site: Path) -> None:
    with Visit(browser, site, "index.html") as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.locator("table.sortable").nth(1).get_by_role("button", name="Area").focus()
        page.keyboard.press("Enter")
        assert read_column(page, 1, 0)[0] == "Barking and Dagenham"
        page.get_by_role("link", name="Camden: as expected").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/areas/camden.html")


def test_a_keyboard_sees_where_it_is(browser: Any, site: Path) -> None:
    with Visit(browser, site, "index.html") as page:
        for _ in range(12):
            page.keyboard.press("Tab")
            width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
            assert width == "3px"


def test_without_scripts_all_rows_and_links_are_there(browser: Any, site: Path) -> None:
    with Visit(browser, site, "offences/robbery.html", java_script_enabled=False) as page:
        assert page.locator("table.sortable tbody tr").count() == 33
        assert page.get_by_label("Search areas").count() == 0
        assert page.locator("th button").count() == 0
        page.get_by_role("link", name="Barnet", exact=True).click()
        page.wait_for_url("**/areas/barnet.html#robbery")


def test_figures_say_their_finding_and_have_their_numbers(browser: Any, site: Path) -> None:
    with Visit(browser, site, "areas/barnet.html") as page:
        figures = page.get_by_role("img")
        assert figures.count() == 3
        text = figures.first.get_attribute("aria-label")
        assert text is not None
        assert text.startswith("Robbery, Barnet: ")
        assert "are expected, 1 to 28 April 2024." in text
        page.get_by_text("Numbers of this figure").first.click()
        table = page.get_by_role("table", name="Numbers of robbery, Barnet")
        assert table.get_by_role("row").count() == 1 + 8 + 28
        assert table.get_by_role("rowheader", name="28 April 2024").count() == 1


def test_a_file_can_be_taken_along(browser: Any, site: Path) -> None:
    with Visit(browser, site, "areas/barnet.html") as page:
        names = page.locator("a[download]").evaluate_all("links => links.map(a => a.href)")
        assert [name.rpartition("/")[2] for name in names] == [
            "barnet.csv", "barnet.xlsx", "barnet-hub.parquet",
        ]  # fmt: skip
        with page.expect_download() as waiting:
            page.get_by_role("link", name="Table (CSV)").click()
        assert waiting.value.suggested_filename == "barnet.csv"
