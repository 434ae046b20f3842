"""Breaks: carried by the panel, and said only by a panel that lies on both sides."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.data.breaks import LONDON_BREAKS, Break, describe_crossed, find_crossed
from forecast.data.panel import Panel


def panel(first: str, months: int, *breaks: Break) -> Panel:
    """Two offences in one area."""
    return Panel(
        np.ones((2, months)),
        pd.DataFrame({"area": "A", "offence": ["x", "y"]}),
        pd.period_range(first, periods=months, freq="M"),
        breaks=breaks,
    )


STEP = Break("x", pd.Period("2020-03", "M"), "Classes changed.", "a notice")


def test_a_break_is_crossed_by_periods_on_both_sides_only() -> None:
    assert find_crossed(panel("2020-02", 2, STEP)) == (STEP,)  # February and March
    assert find_crossed(panel("2020-03", 9, STEP)) == ()  # all of it in the new way
    assert find_crossed(panel("2019-01", 14, STEP)) == ()  # to 2020-02: all in the old way


def test_a_break_of_another_offence_is_not_crossed() -> None:
    both = panel("2020-01", 6, STEP)
    assert find_crossed(both.select(offence="y")) == ()
    assert find_crossed(both.select(offence="x")) == (STEP,)


def test_the_panel_keeps_its_breaks_when_it_is_cut() -> None:
    both = panel("2020-01", 6, STEP)
    assert both.before("2020-02").breaks == (STEP,)
    assert both.total().breaks == (STEP,)
    assert find_crossed(both.before("2020-03")) == ()


def test_offences_of_one_change_make_one_note() -> None:
    also = Break("y", STEP.period, STEP.what, STEP.source)
    assert describe_crossed(panel("2020-01", 6, STEP, also)) == (
        "Counting of x, y changed by 2020-03: Classes changed. Source: a notice. "
        "Do not compare across it without saying so.",
    )


def test_weeks_and_days_cross_a_monthly_break() -> None:
    weeks = pd.period_range("2020-02-17", periods=4, freq="W-SUN")  # to 2020-03-15
    weekly = Panel(np.ones((1, 4)), pd.DataFrame({"area": ["A"], "offence": ["x"]}), weeks)
    crossing = Panel(weekly.values, weekly.series, weeks, breaks=(STEP,))
    assert find_crossed(crossing) == (STEP,)


def test_the_shipped_panel_knows_of_february_2024(london: Panel) -> None:
    assert london.breaks == LONDON_BREAKS
    assert "end of February 2024" in describe_crossed(london)[0]
