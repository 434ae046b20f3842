"""Which counts may still grow."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.data.lag import Completeness
from forecast.data.maturity import find_immature, lags_of, leave_out_immature, taken_in
from forecast.data.panel import Panel
from forecast.data.sources import Snapshot


def panel(retrieved: str | None) -> Panel:
    """Two offences from January to April 2024."""
    series = pd.DataFrame({"area": "A", "offence": ["robbery", "theft"]})
    periods = pd.period_range("2024-01", periods=4, freq="M")
    values = np.arange(8.0).reshape(2, 4)
    return Panel(values, series, periods, snapshot=Snapshot(retrieved=retrieved))


def lag(lower: list[float], offence: str = "robbery") -> Completeness:
    """A lag of one offence; shares lie halfway between the bound and one."""
    bound = np.array(lower)
    table = pd.DataFrame({"offence": offence, "lag": range(len(lower)), "share": (1 + bound) / 2})
    return Completeness(
        table.assign(lower=bound, upper=1.0, cells=9), "M", pd.Period("2024-04", "M")
    )


@pytest.mark.parametrize(
    ("written", "period"),
    [
        ("2024-04", "2024-04"),
        ("vintage 2024-04", "2024-04"),
        ("2024-04-30", "2024-04"),
        ("2024-04-30T09:12:00+00:00", "2024-04"),
    ],
)
def test_when_figures_were_taken(written: str, period: str) -> None:
    assert taken_in(panel(written)) == pd.Period(period, "M")


def test_it_may_not_be_known_when_figures_were_taken() -> None:
    for written in (None, "", "last spring"):
        assert taken_in(panel(written)) is None
        assert lags_of(panel(written)) is None
        assert not find_immature(panel(written).with_lag(lag([0.1, 1.0]))).any()


def test_a_period_still_running_is_immature_whatever_is_known() -> None:
    taken = panel("2024-04-20")
    found = lags_of(taken)
    assert found is not None
    assert found.tolist() == [2, 1, 0, -1]  # January was over for two whole months
    assert find_immature(taken).tolist() == [[False, False, False, True]] * 2


def test_only_the_offence_of_the_lag_is_marked_below_99_per_cent() -> None:
    taken = panel("2024-05").with_lag(lag([0.95, 0.9899, 0.99, 1.0]))
    assert find_immature(taken).tolist() == [[False, False, True, True], [False] * 4]


def test_a_lag_of_which_nothing_is_known_counts_as_immature() -> None:
    taken = panel("2024-05").with_lag(lag([0.95, float("nan"), 1.0]))
    assert find_immature(taken)[0].tolist() == [False, False, True, True]


def test_immature_counts_are_made_missing_and_counted_in_a_note() -> None:
    taken = panel("2024-04").with_lag(lag([0.95, 1.0]))
    left = leave_out_immature(taken)
    np.testing.assert_array_equal(left.values, [[0, 1, np.nan, np.nan], [4, 5, 6, np.nan]])
    assert left.notes == (
        "3 counts that may not be complete yet are left out of what is learnt (2024-03, 2024-04).",
    )
    assert leave_out_immature(left) is left
    np.testing.assert_array_equal(taken.values, panel(None).values)
