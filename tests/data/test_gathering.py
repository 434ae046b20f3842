"""Rows to a panel: nothing lost, nothing missing read as zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.data.csvtables import TextTable
from forecast.data.gathering import gather_long, gather_wide, refuse_repeats
from forecast.errors import DataError

MONTHS = pd.period_range("2020-01", periods=4, freq="M")

rows = st.lists(
    st.tuples(
        st.sampled_from("ABC"), st.sampled_from("xy"), st.integers(0, 3), st.integers(0, 10**6)
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(rows=rows, absent=st.sampled_from(["missing", "zero", "complete"]))
def test_every_count_of_a_long_table_is_in_the_panel(
    rows: list[tuple[str, str, int, int]], absent: str
) -> None:
    areas, offences, at, counts = zip(*rows, strict=True)
    periods = MONTHS[list(at)]
    panel = gather_long(areas, offences, periods, np.array(counts, dtype=float), absent=absent)
    frame = pd.DataFrame(rows, columns=["area", "offence", "at", "count"])
    theirs = frame.groupby(["area", "offence", "at"])["count"].sum()
    ours = panel.to_frame().set_index(["area", "offence", "period"])["count"]
    for (area, offence, month), count in theirs.items():
        assert ours[area, offence, MONTHS[month]] == count
    assert np.nansum(panel.values) == sum(counts)
    if absent == "missing":
        assert int((~np.isnan(panel.values)).sum()) == len(theirs)
    if absent == "complete":
        counted = frame.groupby("offence")["at"].nunique()
        assert int((~np.isnan(panel.values)).sum()) == sum(counted) * frame["area"].nunique()


@settings(max_examples=60, deadline=None)
@given(rows=rows, complete=st.booleans())
def test_every_count_of_a_wide_table_is_in_the_panel(
    rows: list[tuple[str, str, int, int]], complete: bool
) -> None:
    areas, offences, _, counts = zip(*rows, strict=True)
    cells = np.array([[c, 2 * c] for c in counts], dtype=float)
    found = pd.PeriodIndex(["2020-03", "2020-01"], freq="M")  # in any order
    panel = gather_wide(areas, offences, cells, found, complete=complete)
    assert panel.values[:, 2].sum() == sum(counts)
    assert panel.values[:, 0].sum() == 2 * sum(counts)
    assert np.isnan(panel.values[:, 1]).all()
    pairs = set(zip(areas, offences, strict=True))
    every = len(set(areas)) * len(set(offences))
    assert len(panel.series) == (every if complete else len(pairs))


def test_groups_follow_their_areas() -> None:
    months = MONTHS[:1]
    panel = gather_wide(
        ["A", "B", "A"], ["x", "x", "y"], np.ones((3, 1)), months, groups={"A": "g", "B": "h"}
    )
    assert panel.series["group"].tolist() == ["g", "h", "g"]


def test_rows_that_say_the_same_twice_are_named() -> None:
    table = TextTable(
        "a.csv", ("area",), [["Leeds"], ["LEEDS"], [" leeds"], ["York"]], [2, 3, 5, 6]
    )
    keys = [["Leeds", "LEEDS", "leeds", "York"]]
    with pytest.raises(
        DataError, match=r"2 rows repeat \(LEEDS in lines 2 and 3, leeds in lines 2"
    ):
        refuse_repeats(table, "area", keys)
    refuse_repeats(table, "area", keys, periods=MONTHS)  # of four different months
