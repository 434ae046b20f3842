"""Rows of points with intervals, time axes, shaded and hatched spans."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forecast.reporting.drawing import (
    LEADING,
    Row,
    break_labels,
    count_axis,
    day_positions,
    draw_rows,
    hatch,
    row_heights,
    shade,
    spread_apart,
    tick_days,
    write_sides,
)
from forecast.reporting.theme import lay_out, styled
from forecast.seasonality.disruptions import Disruption

NAN = float("nan")


def make_axes() -> Axes:
    """One empty panel."""
    return lay_out(title="T", subtitle="S", source="X", heights=[2.0]).axes[0]


def test_rows_are_drawn_from_the_top_with_their_intervals_and_notes() -> None:
    rows = [
        Row("first", -10.0, -20.0, 5.0, note="a note"),
        Row("second", 3.0, NAN, NAN, hollow=True, marker="D"),
    ]
    labels = break_labels(rows, 2.0)
    with styled():
        axes = make_axes()
        draw_rows(axes, rows, labels, xlabel="Change")
    bars = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_xdata()[0] < 0]
    assert [tuple(bar.get_xdata()) for bar in bars] == [(-20.0, 5.0)]
    points = [line for line in axes.lines if line.get_marker() in ("o", "D")]
    assert [float(p.get_xdata()[0]) for p in points] == [-10.0, 3.0]
    assert points[0].get_ydata()[0] < points[1].get_ydata()[0]
    assert axes.yaxis_inverted()
    assert points[1].get_markerfacecolor() == "white"
    assert [t.get_text() for t in axes.texts] == ["first", "a note", "second", ""]
    low, high = axes.get_xlim()
    assert low < -20
    assert high > 5


def test_intervals_that_reach_too_far_are_cut_with_an_arrow() -> None:
    rows = [Row("wide", 20.0, -50.0, 900.0)]
    with styled():
        axes = make_axes()
        draw_rows(axes, rows, break_labels(rows, 2.0), xlabel="x")
    assert axes.get_xlim()[1] == 150
    assert [line.get_marker() for line in axes.lines].count(">") == 1
    assert [line.get_marker() for line in axes.lines].count("<") == 0
    bar = next(line for line in axes.lines if tuple(line.get_xdata()) == (-50.0, 150.0))
    assert bar is not None


def test_rows_are_as_high_as_their_labels() -> None:
    rows = [
        Row("short", 1, 0, 2),
        Row("a label of many words that needs three lines " * 2, 1, 0, 2),
    ]
    labels = break_labels(rows, 2.0)
    assert len(labels[0]) == 1
    heights = row_heights(labels)
    assert heights[1] == pytest.approx(LEADING * len(labels[1]) + 0.13)
    assert heights[0] < heights[1]


def test_periods_lie_on_an_axis_of_days() -> None:
    starts, middles, ends = day_positions(pd.period_range("2020-02", "2020-03", freq="M"))
    first = dt.date(2020, 2, 1).toordinal()
    assert starts.tolist() == [first, first + 29]  # a leap year
    assert ends.tolist() == [first + 29, first + 60]
    assert middles.tolist() == [first + 14.5, first + 29 + 15.5]


def test_the_campaign_and_disruptions_cover_their_days_and_no_more() -> None:
    axes = make_axes()
    begin, end = dt.date(2020, 10, 19), dt.date(2020, 11, 8)
    axes.set_xlim(dt.date(2020, 10, 1).toordinal(), dt.date(2020, 12, 1).toordinal())
    shade(axes, begin, end)
    inside = Disruption("a", dt.date(2020, 11, 5), dt.date(2020, 12, 20), "x", 4, "")
    hatch(axes, inside)
    outside = Disruption("b", dt.date(2019, 1, 1), dt.date(2019, 2, 1), "x", 4, "")
    hatch(axes, outside)
    spans = [(p.get_x(), p.get_x() + p.get_width()) for p in axes.patches]  # type: ignore[attr-defined]
    assert spans == [
        (begin.toordinal(), end.toordinal() + 1),  # 21 days, both ends included
        (dt.date(2020, 11, 5).toordinal(), dt.date(2020, 12, 1).toordinal()),
    ]
    assert [p.get_hatch() for p in axes.patches] == [None, "////"]


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("2017-12-01", "2020-11-30", ["Jan 2018", "Jul 2018", "Jan 2019"]),
        ("2019-01-01", "2019-06-30", ["Jan 2019", "Feb 2019", "Mar 2019"]),
        ("2010-01-01", "2024-12-31", ["Jan 2010"]),
        ("2020-10-01", "2020-11-08", ["5 Oct", "12 Oct", "19 Oct"]),
    ],
)
def test_ticks_are_few_and_even(first: str, last: str, labels: list[str]) -> None:
    axes = make_axes()
    tick_days(axes, dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    found = [t.get_text() for t in axes.get_xticklabels()]
    assert found[: len(labels)] == labels
    assert 2 <= len(found) <= 8
    ticks = axes.get_xticks()
    assert min(ticks) >= dt.date.fromisoformat(first).toordinal()
    assert max(ticks) <= dt.date.fromisoformat(last).toordinal()


def test_counts_are_written_with_commas() -> None:
    with styled():
        axes = make_axes()
        axes.set_ylim(0, 4000)
        count_axis(axes)
        assert "1,000" in [t.get_text() for t in axes.get_yticklabels()]
        axes.set_ylim(-400, 400)
        count_axis(axes, signed=True)
        assert {"−200", "0", "+200"} <= {t.get_text() for t in axes.get_yticklabels()}


def test_labels_are_moved_apart_and_keep_their_order() -> None:
    assert spread_apart([5.0, 1.0], 2.0) == [5.0, 1.0]
    found = spread_apart([3.0, 1.0, 2.0], 2.0)
    assert found == pytest.approx([4.0, 0.0, 2.0], abs=1e-6)


def test_on_borrowed_axes_labels_are_ticks_and_notes_stand_beside() -> None:
    axes = Figure(figsize=(4, 3)).add_subplot()
    rows = [Row("one $x$", 1.0, 0.0, 2.0, note="a"), Row("two", -1.0, -2.0, 0.0, note="b")]
    draw_rows(axes, rows, break_labels(rows, 2.0), xlabel="per cent", borrowed=True)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["one $x$", "two"]
    assert not any(tick.get_parse_math() for tick in axes.get_yticklabels())
    assert [text.get_text() for text in axes.texts] == ["a", "b"]
    assert all(text.get_position()[0] > 1 for text in axes.texts)


def test_labels_that_do_not_fit_the_height_of_borrowed_axes_are_cut_to_a_line() -> None:
    tall, low = (Figure(figsize=(4, height)).add_subplot() for height in (6, 1))
    for axes, expected in ((tall, "one\ntwo"), (low, "one…")):
        write_sides(axes, [0, 1, 2], ["one\ntwo"] * 3, [""] * 3, borrowed=True)
        assert axes.get_yticklabels()[0].get_text() == expected


def test_dates_on_narrow_axes_are_fewer() -> None:
    wide, narrow = (Figure(figsize=(width, 3)).add_subplot() for width in (8, 2))
    for axes in (wide, narrow):
        tick_days(axes, dt.date(2020, 1, 1), dt.date(2022, 12, 31))
    # three years: every six months where there is room for seven dates, else every other year
    assert [len(axes.get_xticks()) for axes in (wide, narrow)] == [6, 2]


def test_tick_labels_have_as_many_decimals_as_the_axis_needs() -> None:
    axes = Figure(figsize=(4, 3)).add_subplot()
    rows = [Row("one", 0.3, float("nan"), float("nan"))]
    draw_rows(axes, rows, [["one"]], xlabel="per cent")
    # the axis is 0.38 wide: a span below 0.5 needs hundredths
    assert axes.xaxis.get_major_formatter()(0.25, 0) == "+0.25"
