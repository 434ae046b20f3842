"""Files of covariates, read by their headers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from forecast.data.covariates import load_covariates
from forecast.errors import DataError

FOLDER = "data/covariates"


def write(folder: Path, text: str) -> Path:
    path = folder / "weather.csv"
    path.write_text(text, "utf-8")
    return path


def test_one_value_a_row_with_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, "area,date,name,value\nA,2020-02,calls,5\nA,2020-03,calls,\n")
    found = load_covariates(path)
    assert (found.freq, found.names) == ("M", ["calls"])
    assert found.values["value"].tolist() == pytest.approx([5.0, float("nan")], nan_ok=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tmax_c\n5\n", "must have one column of dates .* found none among tmax_c"),
        ("date,month,x\n2020-01-01,2020-01,5\n", "one column of dates .* found date, month"),
        ("date\n2020-01-01\n", "must hold at least one covariate: it has only date"),
        ("date,value\n2020-01-01,5\n", "must have a column 'name' beside 'value'"),
        ("date,x,y\n2020-01-01,warm,cold\n", r"(?s)column x: .* 'warm' in line 2.*column y"),
        ("date,sunset_local\n2020-01-01,four\n", "must be written HH:MM: 'four' in line 2"),
        ("date,x\n2020-01-01,1\n2020-01-01,2\n", "one value a name, area and period: x 2020-01-01"),
    ],
)
def test_unusable_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        load_covariates(write(tmp_path, text))


def test_times_of_the_clock_are_no_covariates_but_sunset_tells_darkness(tmp_path: Path) -> None:
    path = write(
        tmp_path, "date,sunrise_local,sunset_local\n2020-10-24,07:41,17:45\n2020-12-12,,\n"
    )
    found = load_covariates(path)
    assert found.names == ["dark_hours"]
    # 24 less 17.75; an empty time is missing, not darkness all evening
    assert found.values["value"].tolist() == pytest.approx([6.25, float("nan")], nan_ok=True)


def test_missing_cells_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "date,rain_mm,tmax_c\n2020-01-01,,5\n2020-01-02,,\n2020-01-03,1,2\n")
    found = load_covariates(path)
    table = found.summary().set_index("name")
    assert table["missing"].to_dict() == {"rain_mm": 2, "tmax_c": 1}
    assert table["rule"].to_dict() == {"rain_mm": "sum", "tmax_c": "mean"}
    assert "3 values missing; weather.csv" in repr(found)


def test_frequency_may_be_said(tmp_path: Path) -> None:
    path = write(tmp_path, "date,x\n2020-01-06,1\n2020-01-13,2\n")  # two Mondays
    assert load_covariates(path).freq == "W-SUN"
    assert load_covariates(path, freq="D").freq == "D"


def test_names_are_chosen_and_unknown_ones_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "date,x,y\n2020-01-01,1,2\n")
    assert load_covariates(path, names="y").values["value"].tolist() == [2.0]
    with pytest.raises(DataError, match="must hold the covariate 'snow': it does not. Choose from"):
        load_covariates(path, names=["x", "snow"])


def test_the_real_files_are_known_by_their_headers(shared: Path) -> None:
    counts = {
        "weather_london_daily_2008_2020.csv.gz": 7,
        "sun_london_2008_2026.csv.gz": 3,
        "google_mobility_london_boroughs_2020-02-15_2021-01-17.csv.gz": 6,
        "oxcgrt_stringency_gbr_2020-01-01_2021-02-26.csv": 1,
    }
    for name, columns in counts.items():
        raw = pd.read_csv(shared / FOLDER / name)
        found = load_covariates(shared / FOLDER / name)
        assert len(found.names) == columns
        assert len(found.values) == columns * len(raw)
