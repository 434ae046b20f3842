"""The chart of a night's series: its axis has room for all that is drawn, and lies beside it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from forecast.nightly.contents import Fan, Line
from forecast.nightly.fans import count_ticks, draw_fan
from forecast.scoring import HUB_LEVELS


def make_line(counts: list[float], upper: float) -> Line:
    """A series of months whose fan ends at a height."""
    past = pd.period_range("2024-01", periods=len(counts), freq="M")
    ahead = pd.period_range(past[-1] + 1, periods=3, freq="M")
    values = np.repeat(np.linspace(0, upper, len(HUB_LEVELS))[:, None], 3, axis=1)
    history = pd.Series(counts, index=past, dtype=float)
    return Line("Camden", "robbery", "calls", "M", False, Fan(ahead, values), None, history)


def heights(picture: str, kind: str) -> list[float]:
    """Heights of a path, in thousandths of the plot from its top."""
    path = next(iter(re.findall(rf'<path class="{kind}" d="M([^"hL]*L[^"]*?)Z?"/>', picture)))
    return [float(point.split()[1]) for point in path.split("L")]


def test_a_band_that_reaches_furthest_ends_below_the_top() -> None:
    picture = draw_fan(make_line([10.0, 5.0, 5.0], 44.0), "one")
    # of 23 levels the 0.975 quantile is the 22nd: 21 of 22 steps up to 44 are 42, and the axis
    # ends at 1.06 times that, beyond its highest rule of 40
    assert count_ticks(42.0)[-1] == 40.0
    assert min(heights(picture, "wide")) == pytest.approx(1000 - 1000 / 1.06, abs=0.1)


def test_a_count_at_the_highest_rule_lies_below_the_top() -> None:
    picture = draw_fan(make_line([40.0, 20.0, 20.0], 30.0), "one")
    # the axis ends at 1.06 times 40: the count lies 0.06 / 1.06 = 5.7 per cent below its top
    assert heights(picture, "observed")[0] == pytest.approx(56.6, abs=0.1)
    assert heights(picture, "observed")[1] == pytest.approx(1000 - 1000 * 20 / 42.4, abs=0.1)


def test_numbers_of_the_axis_stand_left_of_the_plot_and_level_with_their_rules() -> None:
    picture = draw_fan(make_line([40.0, 20.0, 20.0], 30.0), "one")
    numbers = re.findall(r'<text class="tick" x="-6" y="(\d+)" text-anchor="end">(\d+)<', picture)
    assert [text for _, text in numbers] == ["0", "10", "20", "30", "40"]
    # 24 pixels above the plot, 168 of it, and the letters' middle 4 above their base
    assert int(numbers[0][0]) == 24 + 168 + 4
    assert int(numbers[-1][0]) == round(24 + 168 * (1 - 40 / 42.4) + 4)


@pytest.mark.parametrize("days", [720, 721, 5000])
def test_an_axis_of_any_length_has_at_most_seven_dates(days: int) -> None:
    past = pd.period_range("2020-01-01", periods=days - 3, freq="D")
    ahead = pd.period_range(past[-1] + 1, periods=3, freq="D")
    values = np.repeat(np.linspace(0, 20, len(HUB_LEVELS))[:, None], 3, axis=1)
    history = pd.Series(5.0, index=past)
    line = Line("Camden", "robbery", "calls", "D", False, Fan(ahead, values), None, history)
    dates = re.findall(r">(\d+ [A-Z][a-z]{2})<", draw_fan(line, "one"))
    assert 3 <= len(dates) <= 7
