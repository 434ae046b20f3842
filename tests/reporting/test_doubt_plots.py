"""Baselines, checks and windows of other years: rows of points with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.errors import ForecastError
from forecast.impact.checks import Check
from forecast.impact.evaluation import Evaluation
from forecast.models.draws import interval, median
from forecast.reporting.doubt_plots import plot_baseline, plot_check, plot_windows


def points(axes: Any) -> list[float]:
    """Values of the rows, from the top down."""
    return [float(line.get_xdata()[0]) for line in axes.lines if len(line.get_xdata()) == 1]


def test_a_baseline_is_drawn_as_the_model_said_and_calibrated(fewer: Evaluation) -> None:
    found, baseline = plot_baseline(fewer.baseline), fewer.baseline
    raw, calibrated = (f.draws.sum(axis=(1, 2)) for f in (baseline.raw, baseline.forecast))
    table = found.table.set_index("which")
    for which, draws in (("as the model said", raw), ("calibrated", calibrated)):
        low, high = interval(draws, 0.95)
        assert table.loc[which, ["median", "lower", "upper"]].tolist() == [
            median(draws), low, high,
        ]  # fmt: skip
    drawn: list[Any] = [x for x in found.axes[0].lines if len(x.get_xdata()) == 1]  # type: ignore[arg-type]
    assert [line.get_marker() for line in drawn] == ["s", "o"]
    assert drawn[0].get_xdata()[0] == pytest.approx(0)
    assert drawn[1].get_xdata()[0] == pytest.approx(100 * (median(calibrated) / median(raw) - 1))
    width = interval(calibrated, 0.95)[1] - interval(calibrated, 0.95)[0]
    assert f"the interval is {width:,.0f} wide once calibrated" in found.title


def test_without_calibration_it_is_said_that_there_is_none(lonely: Evaluation) -> None:
    assert plot_baseline(lonely.baseline).title.startswith("Nothing was calibrated")


def test_a_check_draws_its_percentages_with_their_intervals() -> None:
    table = pd.DataFrame(
        {"offence": ["burglary", "theft"], "observed": [10, 20], "percent": [-7.5, 3.0],
         "lower": [-14.0, -2.0], "upper": [-1.0, 8.0]}
    )  # fmt: skip
    found = plot_check(
        Check("offences not targeted", "failed", False, "One moved -7.5.", table=table)
    )
    assert points(found.axes[0]) == [-7.5, 3.0]
    bars: list[Any] = [x for x in found.axes[0].lines if len(x.get_xdata()) == 2]  # type: ignore[arg-type]
    spans = [tuple(x.get_xdata()) for x in bars if x.get_ydata()[0] == x.get_ydata()[1]]
    assert spans == [(-14.0, -1.0), (-2.0, 8.0)]
    assert found.title == "Offences not targeted: failed"
    assert "One moved \N{MINUS SIGN}7.5." in found.alt


def test_a_check_without_percentages_draws_its_first_number() -> None:
    table = pd.DataFrame({"period": ["2020-10", "2020-11"], "campaign_days": [13, 8], "days": 31})
    found = plot_check(Check("days", "failed", False, "Few.", table=table))
    assert points(found.axes[0]) == [13, 8]
    assert "October 2020" in found.alt


@pytest.mark.parametrize("table", [pd.DataFrame(), pd.DataFrame({"name": ["a"], "ok": [True]})])
def test_a_check_without_numbers_says_where_its_sentence_is(table: pd.DataFrame) -> None:
    with pytest.raises(ForecastError, match="must have a table of numbers .* in check.text"):
        plot_check(Check("late", "passed", False, "Fine.", table=table))


def test_windows_of_other_years_are_drawn_without_the_campaign(fewer: Evaluation) -> None:
    found = plot_windows(fewer.placebo)
    rows = fewer.placebo.totals
    errors = 100 * np.expm1(rows.sort_values("window")["error"])
    assert points(found.axes[0]) == pytest.approx(errors.tolist())
    assert found.title.startswith(f"{int(rows['held'].sum())} of {len(rows)} windows")
    marks = [line.get_marker() for line in found.axes[0].lines if len(line.get_xdata()) == 1]  # type: ignore[arg-type]
    season = rows.sort_values("window")["same_season"]
    assert marks == ["o" if own else "s" for own in season]


def test_too_few_windows_are_refused(lonely: Evaluation) -> None:
    with pytest.raises(ForecastError, match="must have 4 windows of other years to draw: it has"):
        plot_windows(lonely.placebo)
