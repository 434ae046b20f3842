"""Which periods are compared: counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.impact.spans import lay_spans, name_runs

MONTHS = pd.period_range("2018-01", "2020-11", freq="M")  # 35 months, the window the last two


def test_window_is_compared_with_the_quarter_before_it() -> None:
    spans = lay_spans(MONTHS, MONTHS[-2:], np.ones(35, dtype=bool))
    assert spans is not None
    assert name_runs(MONTHS[spans.before]) == "2020-07 to 2020-09"
    assert spans.window.tolist() == [33, 34]
    # July to September have 92 days, October and November 61
    assert spans.lengths[0] == pytest.approx(92 / 61)


def test_history_is_laid_out_alike_and_never_reaches_the_window() -> None:
    spans = lay_spans(MONTHS, MONTHS[-2:], np.ones(35, dtype=bool))
    assert spans is not None
    # windows that begin with month 3 (three before it) to 31 (two months long, before 33)
    assert sorted(spans.earlier[:, 0].tolist()) == list(range(3, 32))
    assert spans.earlier.max() == 32
    assert (spans.earlier_before[:, -1] == spans.earlier[:, 0] - 1).all()
    # 29 months of starts, five months each
    assert spans.stretches == 5
    assert spans.lengths.shape == (30,)


def test_disrupted_months_are_passed_over() -> None:
    clear = np.ones(35, dtype=bool)
    clear[[30, 31]] = False  # July and August 2020
    spans = lay_spans(MONTHS, MONTHS[-2:], clear)
    assert spans is not None
    assert name_runs(MONTHS[spans.before]) == "2020-05 to 2020-06, 2020-09"
    assert not np.isin([30, 31], spans.earlier).any()
    clear[21:31] = False  # one month of the year before is left
    assert lay_spans(MONTHS, MONTHS[-2:], clear) is None


@pytest.mark.parametrize(("freq", "first", "length"), [("W-SUN", 13, 3), ("D", 91, 21)])
def test_weeks_and_days_look_back_a_quarter_too(freq: str, first: int, length: int) -> None:
    periods = pd.period_range("2018-01-01", periods=500, freq=freq)
    spans = lay_spans(periods, periods[-length:], np.ones(500, dtype=bool))
    assert spans is not None
    assert spans.before.tolist() == list(range(500 - length - first, 500 - length))
    assert spans.lengths[0] == pytest.approx(first / length)
