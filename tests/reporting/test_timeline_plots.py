"""The timeline of a campaign: bars from first day to last, and what is not known."""

from __future__ import annotations

import datetime as dt
from typing import Any

from forecast.reporting.timeline_plots import plot_timeline
from tests.reporting.conftest import patrols


def test_bars_reach_from_the_first_day_to_the_last() -> None:
    runs = [{"year": 2020}, {"start": "2021-10-01", "end": "2021-11-30"}]
    shock = {"name": "stadium closed", "start": "2022-10-05", "end": "2022-11-14"}
    found = plot_timeline(patrols(previous=runs, disruption=[shock]))
    bars: Any = found.axes[0].patches
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]

    def days(start: tuple[int, int, int], end: tuple[int, int, int]) -> tuple[int, int]:
        return dt.date(*start).toordinal(), dt.date(*end).toordinal() + 1

    assert spans == [
        days((2022, 10, 1), (2022, 11, 30)),
        days((2020, 1, 1), (2020, 12, 31)),
        days((2021, 10, 1), (2021, 11, 30)),
        days((2022, 10, 5), (2022, 11, 14)),
    ]
    assert [bar.get_hatch() or "" for bar in bars] == ["", "....", "", "////"]
    assert found.title.endswith("(61 days), 2 other runs, 1 disruption listed")
    assert "Run of 2020: some time in 2020." in found.alt
    assert found.table["kind"].tolist() == [
        "campaign", "days not known", "other run", "disruption",
    ]  # fmt: skip


def test_a_short_campaign_among_long_years_is_still_seen() -> None:
    found = plot_timeline(patrols(start="2022-10-01", end="2022-10-01", previous=[{"year": 1999}]))
    bar: Any = found.axes[0].patches[0]
    low, high = found.axes[0].get_xlim()
    assert bar.get_width() / (high - low) > 0.01
