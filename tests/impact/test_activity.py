"""The activity log: what is refused, by name and with what to do, and what is added up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import DataError
from forecast.impact.activity import read_activity
from forecast.impact.campaign import Campaign
from forecast.simulation import simulate


@pytest.fixture(scope="module")
def counts() -> Panel:
    return simulate(areas=4, years=8)


def campaign(**given: Any) -> Campaign:
    facts: dict[str, Any] = {"name": "Test", "start": "2022-10-03", "end": "2022-11-08"}
    return Campaign(**(facts | {"offences": ["robbery"]} | given))


def log(**columns: Any) -> pd.DataFrame:
    usual = {
        "date": ["2022-10-03", "2022-10-31", "2022-11-08"],
        "area": ["Area 01", "Area 02", "Area 01"],
        "kind": ["patrol hours", "patrol hours", "arrests"],
        "amount": [12.5, 8, 3],
    }
    return pd.DataFrame(usual | columns)


def test_amounts_are_added_by_kind_area_and_period(counts: Panel) -> None:
    found = read_activity(log(), campaign(), counts)
    assert found.kinds == ["patrol hours", "arrests"]
    assert found.by_area("patrol hours").tolist() == [12.5, 8.0, 0.0, 0.0]
    assert found.by_area("arrests").tolist() == [3.0, 0.0, 0.0, 0.0]
    assert found.by_period("patrol hours").tolist() == [20.5, 0.0]
    assert found.by_period("arrests").tolist() == [0.0, 3.0]
    assert repr(found) == "Activity(3 rows; patrol hours, arrests; 4 areas)"


def test_a_file_is_read_like_a_table(tmp_path: Path, counts: Panel) -> None:
    path = tmp_path / "log.csv"
    text = "Officer,Date,AREA,Kind,Amount\nx,2022-10-03, Area 01 ,patrol hours,12.5\n"
    path.write_text(text, "utf-8")
    found = read_activity(path, campaign(), counts)
    assert found.by_area("patrol hours").iloc[0] == 12.5
    assert "Officer" not in found.log.columns  # nobody's name is kept


def test_weeks_and_time_stamps_fall_into_their_periods() -> None:
    weekly = simulate(areas=2, years=8, freq="W-SUN")
    table = log(date=pd.to_datetime(["2022-10-03", "2022-10-09", "2022-10-10"]))
    found = read_activity(table, campaign(), weekly)
    assert found.by_period("patrol hours").tolist()[:2] == [20.5, 0.0]
    assert found.by_period("arrests").tolist()[:2] == [0.0, 3.0]


def test_all_problems_are_named_together(counts: Panel) -> None:
    bad = log(
        date=["2022-09-30", "31/10/2022", None],
        area=["Area 01", "Area 9", ""],
        kind=["patrol hours", None, "arrests"],
        amount=[-1, None, "many"],
    )
    with pytest.raises(DataError, match="Activity log must") as caught:
        read_activity(bad, campaign(), counts)
    assert str(caught.value).split("\n") == [
        "- Activity log must have a day in every row: found '31/10/2022' in row 2, nothing in row "
        "3. Write days like 2020-10-19.",
        "- Activity log must have an amount in every row: it is missing in row 2. Fill it in, or "
        "drop the row.",
        "- Activity log must have amounts that are numbers: found 'many' in row 3. Correct them.",
        "- Activity log must have amounts of zero or more: found -1 in row 1. Correct them.",
        "- Activity log must have an area in every row: it is missing in row 3. Fill it in, or "
        "drop the row.",
        "- Activity log must have a kind in every row: it is missing in row 2. Fill it in, or "
        "drop the row.",
        "- Activity log must lie inside campaign 'Test' (2022-10-03 to 2022-11-08): 1 row lies "
        "outside it (2022-09-30). Drop them, or correct the days of the log or of the campaign.",
        "- Activity log must name areas of the panel. Panel must hold the area 'Area 9': it does "
        "not. Did you mean 'Area 04' or 'Area 03' or 'Area 02'?",
    ]


def test_a_log_outside_the_window_is_counted_and_its_first_days_named(counts: Panel) -> None:
    days = ["2022-11-09", "2022-12-01", "2022-10-02"]
    words = r"3 rows lie outside it \(2022-10-02, 2022-11-09, 2022-12-01\)\. Drop them"
    with pytest.raises(DataError, match=words):
        read_activity(log(date=days), campaign(), counts)


def test_a_dose_of_zero_everywhere_is_refused(counts: Panel) -> None:
    words = r"must hold an amount above zero: all 3 are zero\. Load the amounts that were done"
    with pytest.raises(DataError, match=words):
        read_activity(log(amount=[0, 0, 0]), campaign(), counts)


def test_missing_columns_are_named_with_those_there_are(counts: Panel) -> None:
    table = log().drop(columns=["kind", "amount"]).assign(hours=1)
    words = (
        r"columns date, area, kind, amount: kind, amount are missing; it has date, area, hours\."
    )
    with pytest.raises(DataError, match=words):
        read_activity(table, campaign(), counts)
    with pytest.raises(DataError, match="must hold at least one row: it is empty"):
        read_activity(log().iloc[:0], campaign(), counts)


def test_a_file_that_is_not_there_and_lines_of_a_file_are_named(
    tmp_path: Path, counts: Panel
) -> None:
    path = tmp_path / "log.csv"
    with pytest.raises(DataError, match=r"'log\.csv' must be a CSV file: it was not found"):
        read_activity(path, campaign(), counts)
    path.write_text("date,area,kind,amount\n\n2022-10-03,Area 01,arrests,-2\n", "utf-8")
    with pytest.raises(DataError, match=r"zero or more: found -2 in line 3\."):
        read_activity(str(path), campaign(), counts)


def test_areas_where_the_campaign_did_not_run_are_refused(counts: Panel) -> None:
    words = r"campaign's areas: Area 01 is none\. Add to `areas`"
    with pytest.raises(DataError, match=words):
        read_activity(log(), campaign(areas=["Area 02", "Area 03"]), counts)
