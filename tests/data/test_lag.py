"""Completeness: from recorded dates and from vintages, with what is left out and why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.delays import Delays, read_lag
from forecast.data.lag import Completeness, estimate_completeness
from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.data.sources import Snapshot
from forecast.errors import DataError
from forecast.periods import as_periods

VAWG = "data/mps_other/vawg_recording_lag_2014-01_2024-10.csv"


def delays(rows: dict[tuple[str, int], int], capped: int | None = None) -> Delays:
    """Delays of robbery from the counts of (month of recording, lag)."""
    counts = pd.DataFrame(
        {
            "offence": "robbery",
            "recorded": as_periods([month for month, _ in rows]),
            "lag": [lag for _, lag in rows],
            "count": list(rows.values()),
        }
    )
    return Delays(counts, "M", capped)


THREE = {
    ("2024-01", 0): 100,
    ("2024-02", 0): 110,
    ("2024-02", 1): 50,
    ("2024-03", 0): 120,
    ("2024-03", 1): 50,
    ("2024-03", 2): 15,
}
"""The triangle 100 150 165 / 110 160 / 120."""


def vintage(taken: str, first: str, counts: list[float], offence: str = "robbery") -> Panel:
    """What was known at one time, in two areas of which the first has a fifth."""
    values = np.array([np.array(counts) * 0.2, np.array(counts) * 0.8])
    series = pd.DataFrame({"area": ["A", "B"], "offence": offence})
    periods = pd.period_range(first, periods=len(counts), freq="M")
    return Panel(values, series, periods, snapshot=Snapshot(retrieved=taken))


def test_three_by_three_triangle_by_hand() -> None:
    found = estimate_completeness(delays(THREE))
    table = found.summary()
    # 210 / 310 x 150 / 165, and 150 / 165
    assert table["share"].tolist() == pytest.approx([0.615836, 0.909091, 1.0], abs=1e-6)
    assert table["cells"].tolist() == [2, 1, 1]
    assert str(found.learnt_before) == "2024-04"
    assert found.longest == 2


def test_vintages_give_the_same_as_the_triangle_they_are() -> None:
    parts = [
        vintage("2024-02", "2024-01", [100]),
        vintage("vintage 2024-03", "2024-01", [150, 110]),
        vintage("2024-04-01", "2024-01", [165, 160, 120]),
    ]
    found = estimate_completeness(parts, horizon=2)
    expected = estimate_completeness(delays(THREE))
    columns = ["offence", "lag", "share", "lower", "upper", "cells"]
    pd.testing.assert_frame_equal(found.summary()[columns], expected.summary()[columns])
    by_date = {"2024-02": parts[0], "2024-03": parts[1], "2024-04": parts[2]}
    again = estimate_completeness(
        {day: replace(p, snapshot=Snapshot()) for day, p in by_date.items()}, horizon=2
    )
    pd.testing.assert_frame_equal(found.summary(), again.summary())


def test_nothing_recorded_at_the_cutoff_is_used() -> None:
    planted = THREE | {("2024-04", lag): 10_000 for lag in range(4)}
    found = estimate_completeness(delays(planted), as_of="2024-04")
    pd.testing.assert_frame_equal(found.summary(), estimate_completeness(delays(THREE)).summary())
    parts = [vintage("2024-02", "2024-01", [100]), vintage("2024-03", "2024-01", [150, 110])]
    parts += [vintage("2024-04", "2024-01", [165, 160, 120])]
    later = vintage("2024-05", "2024-01", [9000, 9000, 9000, 9000])
    pd.testing.assert_frame_equal(
        estimate_completeness([*parts, later], as_of="2024-04", horizon=2).summary(),
        estimate_completeness(parts, horizon=2).summary(),
    )


def test_a_period_that_was_running_when_figures_were_taken_is_not_followed() -> None:
    parts = [
        vintage("2024-02", "2024-01", [100, 3]),  # February was three days old
        vintage("2024-03", "2024-01", [150, 110, 1]),
        vintage("2024-04", "2024-01", [165, 160, 120]),
    ]
    found = estimate_completeness(parts, horizon=2).shares("robbery", [0])
    assert found[0, 0] == pytest.approx(210 / 310 * 150 / 165)


def test_an_offence_counted_differently_is_left_out_and_said() -> None:
    old = [100.0] * 30
    parts = [
        vintage("2024-07", "2022-01", [c * 1.5 for c in old]),
        vintage("2024-08", "2022-01", [*old, 100]),
        vintage("2024-09", "2022-01", [*old, 125, 100]),
        vintage("2024-10", "2022-01", [*old, 125, 125, 100]),
    ]
    found = estimate_completeness(parts, horizon=2)
    assert found.notes == (
        "Robbery was counted differently in the vintages 2024-07 than in the newest: settled "
        "counts differ by more than 2%, so they are left out.",
    )
    # July and August: 100 at first, 125 a month later
    assert found.shares("robbery", [0])[0, 0] == pytest.approx(0.8)


def test_real_vintages_of_the_met(shared: Path) -> None:
    """Recorded offences are by the month of their record, so that hardly any come later."""
    folder = shared / "data/mps_borough/raw"
    parts = [load(path) for path in sorted(folder.iterdir())]
    found = estimate_completeness(parts)
    share, lower, upper = found.shares("robbery", [0])[:, 0]
    # the four last months as first published, over the same as published last (the tidy table)
    table = pd.read_csv(shared / "data/mps_borough/tidy/london_totals_by_vintage.csv")
    robbery = table[table["major"] == "ROBBERY"].set_index(["vintage", "month"])["count"]
    newest = {month: c for (v, month), c in robbery.items() if v.startswith("v2024-11")}
    first = {"v2019-01": "2018-12", "v2020-06": "2020-05", "v2021-10": "2021-09"}
    first["v2023-08"] = "2023-07"
    now = sum(
        next(c for (v, m), c in robbery.items() if v.startswith(name) and m == month)
        for name, month in first.items()
    )
    assert share == pytest.approx(now / sum(newest[m] for m in first.values()), abs=0.002)
    assert 0.97 < lower < share < upper < 1.02
    assert any("Theft was counted differently in the vintages 2019-01" in n for n in found.notes)


def test_what_is_said_of_the_real_lag(shared: Path) -> None:
    found = estimate_completeness(read_lag(shared / VAWG, offence="violence"))
    assert found.sentences() == [
        "Of violence, 83.9% (78.4% to 88.2%) are recorded at the end of their month; 19 months "
        "after it at least 99% are, of what is recorded within 23.",
        "Periods that may be incomplete are left out of what models learn, and marked in "
        "evaluations; no count is changed.",
        "3.5% of the records came 24 months or more after the event: they belong to no known "
        "period and are left out.",
        "2 records dated before the event are left out.",
    ]
    assert repr(found).startswith("Completeness(violence, lags 0 to 23 months; violence 83.9% at")


def test_json_holds_null_for_what_is_not_known() -> None:
    table = pd.DataFrame(
        {"offence": "a", "lag": [0, 1], "share": [np.nan, 1.0], "lower": [np.nan, 1.0]}
    ).assign(upper=[np.nan, 1.0], cells=[0, 3])
    lag = Completeness(table, "M", pd.Period("2024-11"))
    content = json.loads(json.dumps(lag.to_dict(), allow_nan=False))
    assert content["lags"][0] == {
        "offence": "a",
        "lag": 0,
        "share": None,
        "lower": None,
        "upper": None,
        "cells": 0,
    }
    assert (content["learnt_before"], content["correct"]) == ("2024-11", "mark")


def test_drawn_shares_have_the_estimate_as_median_and_the_interval_as_interval() -> None:
    table = pd.DataFrame({"offence": "a", "lag": [0, 1], "share": [0.8, 1.0]})
    table = table.assign(lower=[0.7, 1.0], upper=[0.85, 1.0], cells=9)
    lag = Completeness(table, "M", pd.Period("2024-11"))
    shares = lag.draw("a", [-1, 0, 1, 7], draws=40_000, rng=np.random.default_rng(0))
    assert np.isnan(shares[:, 0]).all()
    assert (shares[:, 2:] == 1).all()
    found = np.quantile(shares[:, 1], [0.025, 0.5, 0.975])
    assert found.tolist() == pytest.approx([0.7, 0.8, 0.85], abs=0.003)


def test_a_lag_of_all_offences_holds_for_any() -> None:
    table = pd.DataFrame({"offence": ["all offences"], "lag": [0], "share": [1.0]})
    lag = Completeness(table.assign(lower=1.0, upper=1.0, cells=3), "M", pd.Period("2024-11"))
    assert lag.knows("theft")
    assert lag.shares("theft", [0])[0].tolist() == [1.0]


def test_lag_of_a_panel_keeps_its_counts_and_is_kept_by_parts() -> None:
    panel = vintage("2024-04", "2024-01", [165, 160, 120])
    lag = estimate_completeness(delays(THREE))
    with_lag = panel.with_lag(lag, correct="thin")
    np.testing.assert_array_equal(with_lag.values, panel.values)
    kept = with_lag.select(area="A").before("2024-03").total().lag
    assert kept is not None
    assert kept.correct == "thin"
    assert panel.lag is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([vintage("2024-02", "2024-01", [100])], "at least two dates: found 1"),
        (
            [vintage("2024-02", "2024-01", [100]), vintage("", "2024-01", [100])],
            "must say when they were taken: a table in memory does not",
        ),
        (
            [
                vintage("2024-02", "2024-01", [100]),
                replace(vintage("2024-03", "2024-01", [100]), measure="calls"),
            ],
            "must have one measure: found calls, recorded offences",
        ),
        (
            [vintage("2024-02", "2024-01", [100]), vintage("2024-03", "2024-01", [110])],
            "learnt from periods seen at least twice: found none of robbery",
        ),
    ],
)
def test_vintages_that_tell_nothing_are_refused(given: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        estimate_completeness(given)


def test_a_lag_in_other_periods_is_refused() -> None:
    lag = estimate_completeness(delays(THREE))
    days = Panel.from_frame(
        pd.DataFrame({"area": "A", "offence": "robbery", "period": ["2024-01-02"], "count": [1]})
    )
    with pytest.raises(DataError, match=r"counted in the panel's periods \(daily\): it is monthly"):
        days.with_lag(lag)
    with pytest.raises(DataError, match="must be 'mark' or 'thin': found 'inflate'"):
        vintage("2024-04", "2024-01", [1]).with_lag(lag, correct="inflate")  # type: ignore[arg-type]
