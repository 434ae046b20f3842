"""Pages and files of a night of small wards: no hidden count is there, or follows from others."""

from __future__ import annotations

import csv
import re
import zipfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from forecast.data.panel import Panel
from forecast.data.sources import OGL_ATTRIBUTION, Snapshot
from forecast.errors import DataError
from forecast.nightly.configuring import Configuration
from forecast.nightly.contents import Contents, read_contents
from forecast.nightly.fans import describe_numbers, draw_fan, find_last, tabulate_fan
from forecast.nightly.site import write_site
from forecast.nightly.store import open_store
from forecast.nightly.withholding import withhold
from tests.nightly import simulated

WARDS = tuple(f"Ward {letter}" for letter in "ABCDEFGH")


def configure(disclosure: str) -> Configuration:
    return Configuration.build(
        {
            "source": [{"name": "calls", "path": "calls.csv"}],
            "publish": {"disclosure": disclosure},
        }
    )


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Panel]:
    """A night of eight wards, two offences a day or fewer of one kind and many of another."""
    place = tmp_path_factory.mktemp("night")
    panel, means = simulated.make_counts(WARDS, ("robbery", "theft"), days=60)
    panel = replace(panel, snapshot=Snapshot("calls.csv"))  # nothing else is known of them
    with open_store(place / "nightly.db") as store:
        simulated.fill_store(store, panel, means, nights=6)
        for how in ("auto", "off"):
            write_site(store, place / how, config=configure(how), counts=[panel])
    return place, panel


@pytest.fixture(scope="module")
def contents(night: tuple[Path, Panel]) -> Contents:
    place, panel = night
    with open_store(place / "nightly.db") as store:
        return read_contents(store, configure("auto"), [panel])


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def truth(panel: Panel) -> dict[tuple[str, str, str], float]:
    frame = panel.to_frame()
    periods = frame["period"].astype(str)
    return dict(
        zip(zip(frame["area"], frame["offence"], periods, strict=True), frame["count"], strict=True)
    )


def test_small_counts_of_wards_are_c_in_the_table_and_zeros_stay(
    night: tuple[Path, Panel],
) -> None:
    place, panel = night
    true = truth(panel)
    small = zero = 0
    for row in read_csv(place / "auto" / "downloads" / "everything.csv"):
        count = true.get((row["area"], row["offence"], row["period"]))
        if row["observed"] == "" or count is None:
            continue
        small += 1 <= count <= 4
        zero += count == 0 and row["observed"] == "0"
        assert (row["observed"] == "c") >= (1 <= count <= 4)
        assert row["observed"] in ("c", f"{count:.0f}")
        assert row["observed"] != "c" or count >= 1
    assert small > 100
    assert zero > 0


def test_no_hidden_count_follows_from_all_that_stands_in_the_table(
    night: tuple[Path, Panel],
) -> None:
    tables: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in read_csv(night[0] / "auto" / "downloads" / "everything.csv"):
        if row["observed"] != "":
            tables[row["offence"], row["period"]][row["area"]] = row["observed"]
    attacked = 0
    for cells in tables.values():
        names = [*WARDS]
        known = [name for name in names if cells[name] != "c"]
        matrix = [[float(name == other) for other in names] for name in known]
        right = [float(cells[name]) for name in known]
        if cells["all areas"] != "c":
            matrix.append([1.0] * len(names))
            right.append(float(cells["all areas"]))
        for name in [name for name in names if cells[name] == "c"][:2]:  # they are all alike
            goal = np.array([float(name == other) for other in names])
            ends: list[Any] = [
                linprog(sign * goal, A_eq=matrix or None, b_eq=right or None, bounds=(0, None))
                for sign in (1, -1)
            ]
            assert ends[0].status == 0
            assert ends[1].status == 3 or -ends[1].fun - ends[0].fun >= 5 - 1e-6
            attacked += 1
    assert attacked > 100


def test_the_workbook_and_the_page_of_a_ward_say_c_too(night: tuple[Path, Panel]) -> None:
    folder = night[0] / "auto"
    rows = read_csv(folder / "downloads" / "areas" / "ward-a.csv")
    hidden = sum(row["observed"] == "c" for row in rows)
    assert hidden > 0
    with zipfile.ZipFile(folder / "downloads" / "areas" / "ward-a.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet2.xml").decode()
        texts = re.findall(
            r"<si><t[^>]*>([^<]*)</t></si>", book.read("xl/sharedStrings.xml").decode()
        )
    assert len(re.findall(rf't="s"><v>{texts.index("c")}</v>', sheet)) == hidden
    page = (folder / "areas" / "ward-h.html").read_text("utf-8")
    newest = [r for r in read_csv(folder / "downloads" / "areas" / "ward-h.csv") if r["observed"]]
    by_offence = [[r for r in newest if r["offence"] == name][-8:] for name in ("robbery", "theft")]
    recent = sum(row["observed"] == "c" for rows in by_offence for row in rows)
    assert recent > 0
    last = sum(rows[-1]["observed"] == "c" for rows in by_offence)  # also in the list of the page
    assert len(re.findall(r"<td[^>]*>c</td>", page)) == recent + last


def test_the_overview_and_the_workbook_say_what_is_hidden(night: tuple[Path, Panel]) -> None:
    shown, open_ = ((night[0] / how / "index.html").read_text("utf-8") for how in ("auto", "off"))
    assert "Counts of 1 to 4 of single areas are hidden" in shown
    assert "counts are hidden as small" in shown
    assert "Small counts are shown as they are, because it was asked for" in open_
    with zipfile.ZipFile(night[0] / "auto" / "downloads" / "everything.xlsx") as book:
        assert b"Small counts" in book.read("xl/sharedStrings.xml")


def test_off_shows_every_count(night: tuple[Path, Panel]) -> None:
    place, panel = night
    true = truth(panel)
    rows = read_csv(place / "off" / "downloads" / "everything.csv")
    rows = [row for row in rows if row["area"] in WARDS and row["observed"] != ""]
    assert rows
    for row in rows:
        assert float(row["observed"]) == true[row["area"], row["offence"], row["period"]]


def test_a_chart_has_no_point_of_a_hidden_count(contents: Contents, night: Any) -> None:
    view = withhold(contents, configure("auto"), [night[1]])
    for before, line in zip(contents.lines, view.lines, strict=True):
        counts = line.history
        assert counts.isna().sum() == before.history.isna().sum() + len(line.hidden)
        if not line.hidden:
            assert line is before
            continue
        drawn = re.findall(r'class="observed" d="M([^"]*)"', draw_fan(line, "fan"))
        points = [p for path in drawn[1:] for p in path.split("L")]  # the first is the key
        assert len(points) == counts.notna().sum()
        newest = find_last(line)
        assert newest is not None
        assert newest[0] == before.history.dropna().index[-1]
        if newest[0] in line.hidden:
            assert "is not shown, for it is small" in describe_numbers(line)
            table = tabulate_fan(line)
            ahead = len(line.ahead.periods)
            assert table["observed"].iloc[-ahead - 1] == "c"


def test_a_warning_about_a_hidden_count_is_not_on_the_pages(contents: Contents, night: Any) -> None:
    line = next(x for x in contents.lines if x.area == "Ward A" and x.offence == "robbery")
    newest = line.history.index[-1]
    told = contents.alerts[contents.alerts["area"] == "Ward A"]
    assert len(told) > 0  # planted: the last day is far too high
    lines = tuple(
        replace(x, history=x.history.where(x.history.index != newest, 3.0)) if x is line else x
        for x in contents.lines
    )
    view = withhold(replace(contents, lines=lines), configure("on"), [night[1]])
    now = next(x for x in view.lines if x.area == "Ward A" and x.offence == "robbery")
    assert newest in now.hidden
    assert not now.is_above
    assert now.status == "count not shown"  # not "as expected": it was not
    left = view.alerts[(view.alerts["area"] == "Ward A") & (view.alerts["offence"] == "robbery")]
    assert left.empty
    assert "not on these pages" in view.small_counts


@pytest.mark.parametrize(
    ("snapshot", "applied"),
    [
        (Snapshot("calls.csv"), True),
        (Snapshot("wards", licence=OGL_ATTRIBUTION), False),
        (Snapshot("made up", synthetic=True), False),
    ],
)
def test_where_figures_come_from_decides(
    contents: Contents, night: Any, snapshot: Snapshot, applied: bool
) -> None:
    panel = replace(night[1], snapshot=snapshot)
    view = withhold(contents, configure("auto"), [panel])
    assert any(line.hidden for line in view.lines) is applied
    assert view.small_counts.startswith("Counts of 1 to 4" if applied else "Small counts are shown")


def test_without_counts_the_snapshots_of_the_night_decide(contents: Contents) -> None:
    unknown = contents.snapshots.assign(licence=None, synthetic=False)
    public = unknown.assign(licence=OGL_ATTRIBUTION)
    found = [
        any(line.hidden for line in withhold(replace(contents, snapshots=s), configure(how)).lines)
        for s, how in ((unknown, "auto"), (public, "auto"), (public, "on"), (unknown, "off"))
    ]
    assert found == [True, False, True, False]


def test_incidents_are_hidden_though_their_licence_is_open(contents: Contents) -> None:
    source = {"name": "calls", "path": "calls.csv", "counted": "incidents"}
    public = contents.snapshots.assign(licence=OGL_ATTRIBUTION, synthetic=False)
    view = withhold(replace(contents, snapshots=public), Configuration.build({"source": [source]}))
    assert any(line.hidden for line in view.lines)


def test_a_word_that_is_not_known_is_refused() -> None:
    with pytest.raises(DataError, match=r"publish\.disclosure.*'auto', 'on' or 'off'"):
        configure("sometimes")


def test_history_that_is_missing_stays_missing(contents: Contents, night: Any) -> None:
    line = contents.lines[0]
    gap = line.history.index[3]
    lines = (replace(line, history=line.history.where(line.history.index != gap)),)
    view = withhold(replace(contents, lines=lines), configure("on"), [night[1]])
    assert gap not in view.lines[0].hidden
    assert pd.isna(view.lines[0].history[gap])
