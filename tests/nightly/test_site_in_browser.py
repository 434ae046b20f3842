"""The pages in a real browser: sort, search, keyboard, accessibility rules, and no request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forecast.nightly.site import write_site
from forecast.nightly.store import open_store
from tests.browsing import NUMBER_STOPS, SCHEMES, Visit, find_broken, find_tools, open_browser
from tests.nightly import simulated

PAGES = ("index.html", "areas/barnet.html", "areas/london.html", "offences/robbery.html")


@pytest.fixture(scope="module")
def tools() -> tuple[str, str]:
    """Browser and rules; skipped with the reason where there are none, but not in CI."""
    return find_tools()


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
    with open_browser(tools[0]) as found:
        yield found


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_no_rule_of_accessibility_is_broken(
    browser: Any, site: Path, tools: tuple[str, str], name: str, scheme: str
) -> None:
    with Visit(browser, site, name, color_scheme=scheme) as page:
        assert find_broken(page, tools[1]) == []


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
            wanted = page.evaluate(NUMBER_STOPS)
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
