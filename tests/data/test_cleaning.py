"""The door: what a tidy frame must be, and the words when it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.cleaning import check_tidy
from forecast.errors import DataError


def tidy(**columns: Any) -> pd.DataFrame:
    """Two good rows, with some columns replaced."""
    good: dict[str, Any] = {
        "area": ["Camden", "Brent"],
        "offence": ["robbery", "robbery"],
        "period": ["2020-10", "2020-10"],
        "count": [3, 4],
    }
    return pd.DataFrame(good | columns)


def test_types_are_settled() -> None:
    frame = tidy(
        area=[" Camden ", "Brent"], count=["3", " "], group=["Central North", "North West"]
    )
    clean = check_tidy(frame)
    assert clean["area"].tolist() == ["Camden", "Brent"]
    assert clean["count"].tolist()[0] == 3.0
    assert np.isnan(clean["count"].tolist()[1])
    assert isinstance(clean["period"].dtype, pd.PeriodDtype)
    assert clean["group"].tolist() == ["Central North", "North West"]


def test_the_callers_frame_is_not_touched() -> None:
    frame = tidy(area=[" Camden ", "Brent"], count=["3", "4"])
    before = frame.copy(deep=True)
    check_tidy(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_an_index_of_its_own_does_not_matter() -> None:
    frame = tidy().set_index(pd.Index([7, 7]))
    assert check_tidy(frame)["count"].tolist() == [3.0, 4.0]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (["n/a", 4], "counts must be numbers: 'n/a' in row 0"),
        ([3, -4], "counts must not be negative: .*-4.* in row 1"),
        ([3.5, 4], "counts must be whole: .*3.5.* in row 0. Load counts of events"),
        ([3, float("inf")], "counts must be finite: .*inf.* in row 1"),
        ([3, 2.0**53], "counts must be below 9,007,199,254,740,992: .* in row 1"),
    ],
)
def test_bad_counts_are_named(count: list[Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_tidy(tidy(count=count))


def test_lines_of_a_file_are_named() -> None:
    bad = tidy(count=["3", "n/a"])
    with pytest.raises(DataError, match="a.csv: counts must be numbers: 'n/a' in line 3"):
        check_tidy(bad, subject="a.csv", first_line=2)
    with pytest.raises(DataError, match="'n/a' in line 9"):
        check_tidy(bad, subject="a.csv", first_line=[4, 9])
    with pytest.raises(DataError, match="found '2020-1O'.* The first is in line 9"):
        check_tidy(tidy(period=["2020-10", "2020-1O"]), first_line=[4, 9])


@pytest.mark.parametrize("name", ["", "  ", None])
def test_empty_names_are_refused(name: str | None) -> None:
    with pytest.raises(DataError, match="must name the area of every row: it is empty in row 1"):
        check_tidy(tidy(area=["Camden", name]))


def test_columns_are_checked() -> None:
    with pytest.raises(DataError, match="must have the columns .*: count not found among area"):
        check_tidy(tidy().drop(columns="count"))
    with pytest.raises(DataError, match="and perhaps group: rate found as well"):
        check_tidy(tidy(rate=[1, 2]))
    doubled = pd.concat([tidy(), tidy()[["count"]]], axis=1)
    with pytest.raises(DataError, match="must have columns that differ: count found twice"):
        check_tidy(doubled)
    with pytest.raises(DataError, match="must hold at least one count: it has no rows"):
        check_tidy(tidy().iloc[:0])


def test_repeats_are_named_and_counted() -> None:
    frame = pd.concat([tidy()] * 3)
    with pytest.raises(
        DataError,
        match=r"area, offence and month: 4 rows repeat \(Camden robbery 2020-10, "
        r"Brent robbery 2020-10, Camden robbery 2020-10, 1 more\). Add them up",
    ):
        check_tidy(frame)
    week = tidy(area="Camden", period="2020-10-19")
    with pytest.raises(DataError, match=r"offence and week: 1 row repeats"):
        check_tidy(week, "W")


def test_all_problems_come_together() -> None:
    with pytest.raises(DataError) as caught:
        check_tidy(tidy(area=["", "Brent"], period=["2020-10", "x"], count=["n/a", -1]))
    message = str(caught.value)
    assert message.count("\n- ") + 1 == 4
    for words in ("name the area", "dates or months", "be numbers", "not be negative"):
        assert words in message
