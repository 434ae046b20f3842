"""A report of small wards: no format holds a hidden count in its row, nor what follows from it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.errors import DataError
from forecast.impact.campaign import Campaign
from forecast.impact.disclosing import protect
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.models.naive import SeasonalNaive
from forecast.reporting.hiding import mark_hidden, mark_summary, mark_years
from forecast.reporting.interval_plots import plot_areas
from forecast.reporting.pages import report
from forecast.reporting.tables import render_table
from forecast.simulation import simulate


class _Rows(HTMLParser):
    """Every row of every table, as the texts of its cells."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def wards() -> Panel:
    """Ten wards with about six offences a month each, as from a file of one's own."""
    counts = simulate(areas=10, years=8, mean=60, overdispersion=1, seed=5)
    return replace(counts, snapshot=Snapshot("wards.csv"))


@pytest.fixture(scope="module")
def result(wards: Panel) -> Evaluation:
    plan = Campaign(
        name="Night patrols", start="2022-10-01", end="2022-10-31", offences=["robbery"]
    )
    log = pd.DataFrame(
        {"date": "2022-10-05", "area": wards.areas, "kind": "patrol hours", "amount": range(10)}
    )
    found = evaluate(plan, wards, draws=200, activity=log)
    found.examine()
    return found


@pytest.fixture(scope="module")
def small(result: Evaluation) -> set[str]:
    """Wards with a count from 1 to 4, read from the counts and not from what was hidden."""
    found = {p.area for p in result.effect.parts if not p.is_total and 1 <= p.observed <= 4}
    assert len(found) >= 2
    return found


@pytest.fixture(scope="module")
def folder(result: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = report(result, to=tmp_path_factory.mktemp("report"), sensitivity=False)
    return page.parent


def test_the_page_writes_c_in_every_cell_that_follows_from_a_small_count(
    folder: Path, small: set[str]
) -> None:
    reader = _Rows()
    reader.feed((folder / "report.html").read_text("utf-8"))
    rows = [row for row in reader.rows if row and row[0] in small]
    assert {row[0] for row in rows} == small
    for row in rows:  # the table: area, observed, expected, per cent with its interval, verdict
        assert set(row[1:2] + row[3:]) == {"c"}
    told = [row for row in rows if len(row) == 5]
    assert {row[0] for row in told} == small
    assert all(re.fullmatch(r"\d+ \(\d+\sto\s\d+\)", row[2]) for row in told)


def test_the_page_says_what_is_hidden_and_why(folder: Path) -> None:
    page = (folder / "report.html").read_text("utf-8")
    assert "Counts of 1 to 4 of single areas are hidden" in page
    assert "not known that they are public at this detail" in page


def test_the_result_has_no_number_of_a_hidden_row(folder: Path, small: set[str]) -> None:
    told: Any = json.loads((folder / "evaluation.json").read_text("utf-8"))
    rows = [row for row in told["results"] if row["area"] in small]
    assert len(rows) == len(small)
    for row in rows:
        assert row["suppressed"] is True
        assert row["observed"] is row["effect"] is row["effect_percent_interval"] is None
    for name in ("areas", "dose"):
        rows = told["examination"][name]["rows" if name == "areas" else "areas"]
        assert rows
        assert not small & {row["area"] for row in rows}


def test_the_figure_of_areas_has_a_c_and_no_point(
    folder: Path, result: Evaluation, small: set[str]
) -> None:
    assert (folder / "figures" / "areas.svg").is_file()
    figure = plot_areas(protect(result))
    axes = figure.figure.axes[0]
    hidden = [p for p in protect(result).effect.parts if p.hidden]
    shown = [p for p in result.effect.parts if p.area not in {h.area for h in hidden}]
    # a point and a bar for each row that is shown, the total among them, and the line of zero
    points = [line for line in axes.get_lines() if line.get_marker() not in ("None", "<", ">")]
    assert len(points) == len(shown)
    table = figure.table.set_index("area")
    for area in small:
        assert f"{area}: c: not shown." in figure.alt
        assert set(table.loc[area].drop("expected")) == {"c"}


def test_hidden_cells_leave_a_column_of_numbers_to_the_right() -> None:
    table = pd.DataFrame({"area": ["A", "B"], "observed": [2.0, 1234.0], "expected": [3.0, 4.0]})
    html = render_table(
        mark_hidden(table, [True, False], shown=["area", "expected"]), caption="Counts"
    )
    assert '<td class="number">c</td><td class="number">3</td>' in html
    assert '<td class="number">1,234</td>' in html
    assert mark_hidden(table, [False, False], shown=["area"]) is table


def test_tables_for_files_are_marked_as_the_page_is(result: Evaluation, small: set[str]) -> None:
    view = protect(result)
    rows = mark_summary(view.effect).set_index("area")
    years = mark_years(view.year_on_year)
    for area in small:
        assert set(rows.loc[area].drop(["offence", "expected"])) == {"c"}
    assert "suppressed" not in years
    own = years[years["area"].isin(small)]
    assert (own["after"] == "c").all()
    assert (own["change_percent_upper"] == "c").all()
    assert mark_years(result.year_on_year) is result.year_on_year
    pd.testing.assert_frame_equal(mark_summary(result.effect), result.effect.summary())


def test_nothing_is_hidden_where_it_is_asked_not_to(result: Evaluation, tmp_path: Path) -> None:
    page = report(result, to=tmp_path, sensitivity=False, disclosure="off")
    told: Any = json.loads((page.parent / "evaluation.json").read_text("utf-8"))
    assert not any("suppressed" in row for row in told["results"])
    assert "Small counts are shown as they are, because it was asked for" in page.read_text("utf-8")


def test_a_total_that_gives_its_parts_away_stops_the_report(wards: Panel, tmp_path: Path) -> None:
    values = wards.values.copy()
    values[:, wards.periods.get_loc("2022-10")] = [2, 1] + [0] * 8
    plan = Campaign(name="Few", start="2022-10-01", end="2022-10-31", offences=["robbery"])
    found = evaluate(plan, replace(wards, values=values), model=SeasonalNaive(), draws=100)
    with pytest.raises(DataError, match="Totals of 'Few' must be at least 5"):
        report(found, to=tmp_path, sensitivity=False, examine=False)
    assert list(tmp_path.iterdir()) == []
