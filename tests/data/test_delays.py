"""Files of recording delays, and the triangle they make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.delays import Delays, read_lag
from forecast.errors import DataError
from forecast.periods import as_periods

VAWG = "data/mps_other/vawg_recording_lag_2014-01_2024-10.csv"


def write(folder: Path, text: str) -> Path:
    path = folder / "lag.csv"
    path.write_text(text, "utf-8")
    return path


def test_a_month_of_recording_is_turned_round_by_hand(tmp_path: Path) -> None:
    text = (
        "recorded_month,lag_months_capped2,count\n"
        "2024-01,0,8\n2024-01,1,99\n"  # happened in December, whose own records are not there
        "2024-02,0.0,9\n2024-02,1,2\n"
        "2024-03,0,7\n2024-03,1,3\n2024-03,2,50\n2024-03,-1,4\n"
    )
    delays = read_lag(write(tmp_path, text), offence="robbery")
    seen, periods = delays.triangle("robbery")
    assert [str(p) for p in periods] == ["2024-01", "2024-02", "2024-03"]
    np.testing.assert_array_equal(seen, [[8, 10], [9, 12], [7, np.nan]])
    assert (delays.capped, delays.errors) == (2, 4)


def test_a_lag_that_is_not_listed_is_no_record(tmp_path: Path) -> None:
    text = "recorded,lag,count\n2024-01,0,8\n2024-02,0,9\n2024-03,0,7\n2024-03,1,3\n"
    seen, _ = read_lag(write(tmp_path, text)).triangle("all offences")
    np.testing.assert_array_equal(seen, [[8, 8], [9, 12], [7, np.nan]])


def test_a_month_without_any_record_is_missing_not_zero(tmp_path: Path) -> None:
    text = "recorded,lag,count\n2024-01,0,8\n2024-03,0,7\n2024-03,1,3\n2024-03,2,1\n"
    seen, _ = read_lag(write(tmp_path, text)).triangle("all offences")
    np.testing.assert_array_equal(
        seen, [[8, np.nan, np.nan], [np.nan, np.nan, np.nan], [7, np.nan, np.nan]]
    )


def test_the_period_of_the_event_may_stand_for_the_lag(tmp_path: Path) -> None:
    text = (
        "offence,committed,recorded,count\n"
        "robbery,2024-01,2024-01,8\nrobbery,2024-01,2024-02,2\nrobbery,2024-02,2024-02,9\n"
        "theft,2024-01,2024-02,5\ntheft,2024-02,2024-02,1\n"
    )
    delays = read_lag(write(tmp_path, text))
    assert delays.offences == ["robbery", "theft"]
    np.testing.assert_array_equal(delays.triangle("robbery")[0], [[8, 10], [9, np.nan]])


def test_shares_of_the_real_file_are_the_publishers(shared: Path) -> None:
    delays = read_lag(shared / VAWG, offence="violence against women and girls")
    since = delays.counts[pd.PeriodIndex(delays.counts["recorded"]) >= pd.Period("2018-01")]
    shares = since.groupby("lag")["count"].sum() / since["count"].sum()
    # README of the file: 81 % in the month, 7 % one month later, 4 % two years or more
    assert [round(100 * shares[lag]) for lag in (0, 1, 24)] == [81, 7, 4]
    assert delays.errors == 2  # two rows of lag -1, one event each
    assert delays.counts["count"].sum() + 2 == pd.read_csv(shared / VAWG)["count"].sum()


def test_what_is_recorded_at_the_cutoff_is_not_seen() -> None:
    counts = pd.DataFrame(
        {
            "offence": "robbery",
            "recorded": as_periods(["2024-01", "2024-02", "2024-02", "2024-03", "2024-03"]),
            "lag": [0, 0, 1, 0, 1],
            "count": [8, 9, 2, 1000, 1000],
        }
    )
    seen, periods = Delays(counts, "M").before("2024-03-15").triangle("robbery")
    np.testing.assert_array_equal(seen, [[8, 10], [9, np.nan]])
    assert str(periods[-1]) == "2024-02"
    with pytest.raises(DataError, match="must hold records from before 2024-01: it begins with"):
        Delays(counts, "M").before("2024-01")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("recorded,count\n2024-01,3\n", "must have the columns recorded, lag .* lag not found"),
        ("recorded,lag,count\n2024-01,0.5,3\n", "a whole lag in every row: not in line 2"),
        ("recorded,lag,count\n2024-01,soon,3\n", "a whole lag in every row: not in line 2"),
        ("recorded,lag,count\n2024-01,0,\n", "a count in every row: not in line 2"),
        ("recorded,lag,count\n2024-01,-1,3\n", "must hold a lag of 0 or more: it has none"),
    ],
)
def test_unusable_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_lag(write(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be a readable file: No such file"):
        read_lag(tmp_path / "none.csv")
