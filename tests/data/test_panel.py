"""Panel: counts by series and period, missing kept apart from zero."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel, check_names, describe_missing
from forecast.errors import DataError

#          2020-09  2020-10  2020-11
# Camden robbery  5  6  (absent)
# Camden burglary 1  2  3
# Brent  robbery  7  8  9
ROWS = [
    ("Camden", "robbery", "2020-09", 5),
    ("Camden", "robbery", "2020-10", 6),
    ("Camden", "burglary", "2020-09", 1),
    ("Camden", "burglary", "2020-10", 2),
    ("Camden", "burglary", "2020-11", 3),
    ("Brent", "robbery", "2020-11", 9),
    ("Brent", "robbery", "2020-10", 8),
    ("Brent", "robbery", "2020-09", 7),
]


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=["area", "offence", "period", "count"])


@pytest.fixture
def panel(frame: pd.DataFrame) -> Panel:
    return Panel.from_frame(frame)


def test_series_keep_their_order_and_missing_is_not_zero(panel: Panel) -> None:
    assert panel.areas == ["Camden", "Brent"]
    assert panel.offences == ["robbery", "burglary"]
    np.testing.assert_array_equal(panel.values, [[5, 6, np.nan], [1, 2, 3], [7, 8, 9]])
    assert panel.freq == "M"


def test_absent_rows_are_zero_only_when_said(frame: pd.DataFrame) -> None:
    assert Panel.from_frame(frame, absent="zero").values[0].tolist() == [5, 6, 0]
    with pytest.raises(DataError, match="absent must be 'missing' or 'zero': found 'none'"):
        Panel.from_frame(frame, absent="none")


def test_an_empty_count_is_missing_even_where_absent_is_zero(frame: pd.DataFrame) -> None:
    frame.loc[0, "count"] = np.nan
    assert np.isnan(Panel.from_frame(frame, absent="zero").values[0, 0])


def test_a_month_without_rows_stays_missing() -> None:
    gap = pd.DataFrame(
        {"area": "Camden", "offence": "robbery", "period": ["2020-01", "2020-04"], "count": [5, 0]}
    )
    found = Panel.from_frame(gap)
    assert [str(p) for p in found.periods] == ["2020-01", "2020-02", "2020-03", "2020-04"]
    np.testing.assert_array_equal(found.values, [[5, np.nan, np.nan, 0]])
    assert describe_missing(found) == (
        "2 counts are missing (Camden robbery 2020-02, Camden robbery 2020-03); "
        "none is read as zero"
    )


def test_describe_missing_counts_the_rest(panel: Panel) -> None:
    one = "1 count is missing (Camden robbery 2020-11); none is read as zero"
    assert describe_missing(panel) == one
    assert describe_missing(panel.before("2020-11")) is None
    empty = Panel(np.full((3, 3), np.nan), panel.series, panel.periods)
    assert "9 counts are missing" in str(describe_missing(empty))
    assert "6 more" in str(describe_missing(empty))


@pytest.mark.parametrize(
    ("periods", "freq"),
    [
        ([pd.Period("2020-10", "M"), pd.Period("2020-11", "M")], "M"),
        ([dt.date(2020, 10, 19), dt.date(2020, 10, 26)], "W-SUN"),
        (["2020-10-19", "2020-10-20"], "D"),
    ],
)
def test_periods_may_be_text_dates_or_periods(periods: list[object], freq: str) -> None:
    tidy = pd.DataFrame({"area": "A", "offence": "x", "period": periods, "count": [1, 2]})
    assert Panel.from_frame(tidy).freq == freq


def test_round_trip(panel: Panel) -> None:
    again = Panel.from_frame(panel.to_frame())
    np.testing.assert_array_equal(again.values, panel.values)
    pd.testing.assert_frame_equal(again.series, panel.series)
    assert again.periods.equals(panel.periods)


def test_frame_is_tidy(panel: Panel) -> None:
    tidy = panel.to_frame()
    assert list(tidy.columns) == ["area", "offence", "period", "count"]
    assert len(tidy) == 9
    assert tidy["period"].iloc[2] == pd.Period("2020-11", "M")
    assert np.isnan(tidy["count"].iloc[2])


def test_groups_stay_with_their_areas(frame: pd.DataFrame) -> None:
    frame["group"] = frame["area"].map({"Camden": "North", "Brent": "West"})
    panel = Panel.from_frame(frame)
    assert panel.series["group"].tolist() == ["North", "North", "West"]
    assert list(panel.to_frame().columns) == ["area", "offence", "period", "count", "group"]


def test_values_cannot_be_written(panel: Panel) -> None:
    with pytest.raises(ValueError, match="read-only"):
        panel.values[0, 0] = 1


def test_the_given_array_is_not_tied_to_the_panel(panel: Panel) -> None:
    given = np.zeros((3, 3))
    made = Panel(given, panel.series, panel.periods)
    given[0, 0] = 9
    assert made.values[0, 0] == 0


def test_shape_is_checked(panel: Panel) -> None:
    with pytest.raises(DataError, match=r"one row of values a series.*found \(2, 3\) for 3 series"):
        Panel(np.zeros((2, 3)), panel.series, panel.periods)


def test_select_keeps_the_panels_order(panel: Panel) -> None:
    robbery = panel.select(offence="robbery", area=["Brent", "Camden"])
    assert robbery.areas == ["Camden", "Brent"]
    assert robbery.values[1].tolist() == [7, 8, 9]
    assert panel.values.shape == (3, 3)


def test_unknown_names_are_suggested(panel: Panel) -> None:
    with pytest.raises(DataError, match="area 'camdn': it does not. Did you mean 'Camden'"):
        panel.select(area="camdn")
    with pytest.raises(DataError, match="offence 'zzz': it does not. Choose from 'robbery', 'burg"):
        panel.select(offence="zzz")
    with pytest.raises(DataError, match="(?s)'x'.*'y'"):
        check_names(["x", "y"], ["a"], "area")


@pytest.mark.parametrize(
    "cut", ["2020-10", "2020-10-19", dt.date(2020, 10, 31), pd.Period("2020-10", "M")]
)
def test_before_leaves_out_the_period_that_holds_the_date(panel: Panel, cut: object) -> None:
    assert [str(p) for p in panel.before(cut).periods] == ["2020-09"]
    assert [str(p) for p in panel.through(cut).periods] == ["2020-09", "2020-10"]


def test_totals_by_hand(panel: Panel) -> None:
    total = panel.total()
    assert total.areas == ["all areas"]  # Camden and Brent are not the whole of London
    assert total.offences == ["robbery", "burglary"]
    # robbery: 5 + 7, 6 + 8, missing + 9
    np.testing.assert_array_equal(total.values, [[12, 14, np.nan], [1, 2, 3]])
    by_area = panel.total(by="area")
    assert by_area.areas == ["Camden", "Brent"]
    np.testing.assert_array_equal(by_area.values, [[6, 8, np.nan], [7, 8, 9]])


def test_totals_of_groups_by_hand(panel: Panel) -> None:
    with pytest.raises(DataError, match="must have a column 'group' for sums by group: found none"):
        panel.total(by="group")
    series = panel.series.assign(group="North")
    by_group = replace(panel, series=series).total(by="group")
    assert by_group.series.to_dict("list") == {
        "area": ["North", "North"],
        "offence": ["robbery", "burglary"],
    }
    np.testing.assert_array_equal(by_group.values, panel.total().values)


def test_total_of_other_places_is_all_areas(frame: pd.DataFrame) -> None:
    frame["area"] = frame["area"].replace("Brent", "Leeds")
    assert Panel.from_frame(frame).total().areas == ["all areas"]


def test_total_is_refused_by_anything_else(panel: Panel) -> None:
    with pytest.raises(DataError, match="by must be 'offence', 'group' or 'area': found 'month'"):
        panel.total(by="month")


def test_series_index(panel: Panel) -> None:
    assert panel.series_index("Brent", "robbery") == 2
    with pytest.raises(DataError, match="offence 'arson': it does not"):
        panel.series_index("Brent", "arson")


def test_repr_is_one_line_with_the_source(panel: Panel) -> None:
    # 5 + 6 + 1 + 2 + 3 + 9 + 8 + 7 = 41
    assert repr(panel) == (
        "Panel(2 areas, 2 offences, 2020-09 to 2020-11, monthly, 41 recorded offences; "
        "a table in memory)"
    )


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("Area 1", "'Area 01'"),  # and neither of the others, though each adds one sign as well
        ("area_013", "'Area 13'"),
        ("Area 7", "'Area"),  # no such number: the nearest spelling
    ],
)
def test_an_unknown_name_is_first_of_all_a_known_one_written_otherwise(
    asked: str, near: str
) -> None:
    tidy = pd.DataFrame(
        [(area, "theft", "2024-01", 1) for area in ("Area 13", "Area 10", "Area 01")],
        columns=["area", "offence", "period", "count"],
    )
    panel = Panel.from_frame(tidy, freq="M")
    end = r"\?$" if near.endswith("'") else ""
    with pytest.raises(DataError, match=rf"area '{asked}': it does not\. Did you mean {near}{end}"):
        panel.select(area=asked)
