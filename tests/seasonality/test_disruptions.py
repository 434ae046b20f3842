"""Disruptions and recording breaks against the shared table and days counted by hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from forecast.data.reading import load
from forecast.errors import DataError
from forecast.seasonality.disruptions import (
    Disruption,
    disrupted,
    disruption_days,
    disruptions,
    major_disruptions,
    recording_breaks,
)


def months(start: str, end: str) -> pd.PeriodIndex:
    return pd.period_range(start, end, freq="M")


def make_shock(start: str, end: str, stringency: int = 4) -> Disruption:
    return Disruption(
        name="storm",
        start=dt.date.fromisoformat(start),
        end=dt.date.fromisoformat(end),
        kind="other",
        stringency=stringency,
        source="made for a test",
    )


class TestLondonTable:
    def test_has_the_regimes_of_the_shared_table(self, shared: Path) -> None:
        path = shared / "data" / "reference" / "lockdown_dates_london.csv"
        # The last row, "most legal limits removed", is no disruption and has no end.
        expected = pd.read_csv(path).iloc[:-1]
        found = disruptions()
        assert [str(d.start) for d in found] == expected["start"].tolist()
        assert [str(d.end) for d in found] == expected["end"].tolist()
        assert [d.stringency for d in found] == expected["stringency_order_0_4"].tolist()
        numbers = expected["legal_source"].str.extract(r"(SI \d{4}/\d+)")[0].fillna("none")
        assert all(no in d.source for no, d in zip(numbers, found, strict=True))

    def test_leaves_no_day_between_regimes(self) -> None:
        found = disruptions()[1:]
        gaps = [(b.start - a.end).days for a, b in zip(found, found[1:], strict=False)]
        assert set(gaps) == {1}

    def test_cannot_be_changed_by_the_caller(self) -> None:
        disruptions().clear()
        recording_breaks().clear()
        assert len(disruptions()) == 15
        assert len(recording_breaks()) == 3

    def test_is_for_london_only(self) -> None:
        with pytest.raises(DataError, match="found 'Leeds', only London has one"):
            disruptions("Leeds")


class TestDisruption:
    def test_must_not_end_before_it_starts(self) -> None:
        with pytest.raises(DataError, match="'storm' must not end before it starts: found 2020-02"):
            make_shock("2020-02-02", "2020-02-01")

    @pytest.mark.parametrize("stringency", [-1, 5])
    def test_must_have_an_order_that_exists(self, stringency: int) -> None:
        with pytest.raises(DataError, match=f"from 0 to 4: found {stringency}"):
            make_shock("2020-02-01", "2020-02-02", stringency)


class TestDisruptionDays:
    def test_of_2020_by_hand(self) -> None:
        # Order 3 or more: 21 March to 3 July (11 of March's days, 3 of July's), then from
        # 17 October (15 of October's days) on.
        shares = disruption_days(disruptions(), months("2020-02", "2020-12"))
        by_hand = [0, 11 / 31, 1, 1, 1, 3 / 31, 0, 0, 15 / 31, 1, 1]
        assert shares.tolist() == pytest.approx(by_hand)

    def test_of_2021_by_hand(self) -> None:
        # Step 3 began on 17 May: 16 days of May were of order 3.
        shares = disruption_days(disruptions(), months("2021-04", "2021-08"))
        assert shares.tolist() == pytest.approx([1, 16 / 31, 0, 0, 0])

    def test_with_every_regime(self) -> None:
        # From 16 March 2020 (16 of 31 days) to 18 July 2021 (18 of 31).
        ends = pd.PeriodIndex(["2020-03", "2021-07"], freq="M")
        shares = disruption_days(disruptions(), ends, min_stringency=0)
        assert shares.tolist() == pytest.approx([16 / 31, 18 / 31])

    def test_days_in_two_disruptions_count_once(self) -> None:
        shocks = [make_shock("2021-02-01", "2021-02-14"), make_shock("2021-02-08", "2021-02-21")]
        assert disruption_days(shocks, months("2021-02", "2021-02")).tolist() == [21 / 28]

    def test_of_weeks_and_days(self) -> None:
        # Tier 2 began on Saturday 17 October 2020: two days of that week.
        weeks = pd.period_range("2020-10-12", periods=2, freq="W-SUN")
        assert disruption_days(disruptions(), weeks).tolist() == pytest.approx([2 / 7, 1])
        days = pd.period_range("2020-10-16", "2020-10-17", freq="D")
        assert disruption_days(disruptions(), days).tolist() == [0, 1]

    def test_of_none(self) -> None:
        assert disruption_days([], months("2020-04", "2020-05")).tolist() == [0, 0]


class TestDisrupted:
    def test_months_of_the_pandemic(self) -> None:
        span = months("2020-01", "2021-12")
        found = [str(p) for p in span[disrupted(span, disruptions())]]
        first = ["2020-03", "2020-04", "2020-05", "2020-06"]
        second = [str(p) for p in months("2020-10", "2021-05")]
        assert found == first + second

    def test_share_is_a_floor_that_counts(self) -> None:
        # 3 of July 2020's 31 days are 9.7 per cent.
        july = months("2020-07", "2020-07")
        assert disrupted(july, disruptions(), share=3 / 31).tolist() == [True]
        assert disrupted(july, disruptions(), share=0.098).tolist() == [False]

    def test_lower_order_takes_in_more(self) -> None:
        august = months("2020-08", "2020-08")
        assert disrupted(august, disruptions()).tolist() == [False]
        assert disrupted(august, disruptions(), min_stringency=2).tolist() == [True]

    @pytest.mark.parametrize("share", [0, 1.1])
    def test_share_must_be_possible(self, share: float) -> None:
        with pytest.raises(DataError, match=f"above 0 and at most 1: found {share}"):
            disrupted(months("2020-07", "2020-07"), [], share=share)

    def test_major_ones_keep_their_order(self) -> None:
        mild, severe = (
            make_shock("2021-01-01", "2021-01-02", 2),
            make_shock("2021-01-01", "2021-01-02", 3),
        )
        assert major_disruptions([severe, mild, severe]) == [severe, severe]


class TestRecordingBreaks:
    def test_steps_have_no_end_and_gradual_changes_do(self) -> None:
        assert [(b.kind, b.end is None) for b in recording_breaks()] == [
            ("gradual", False),
            ("step", True),
            ("step", True),
        ]

    def test_new_system_came_on_28_february_2024_and_touches_all(self) -> None:
        # Disclosure 01.FOI.25.042468: the old system until the 27th, the new one on the 28th.
        new_system = recording_breaks()[-1]
        assert new_system.start == dt.date(2024, 2, 28)
        assert new_system.offences == ()
        assert not new_system.joined_files_only

    def test_offences_are_those_of_the_shipped_figures(self, shared: Path) -> None:
        path = shared / "figures" / "london_monthly_by_bcu.csv"
        known = set(pd.read_csv(path)["offence"]) | {"violence (old classes)"}
        named = {offence for b in recording_breaks() for offence in b.offences}
        assert named <= known

    def test_rise_of_violence_lies_inside_the_gradual_break(self, shared: Path) -> None:
        path = shared / "figures" / "london_monthly_by_bcu.csv"
        figures = pd.read_csv(path).drop(columns="area").groupby("offence").sum()
        years = figures.T.groupby(figures.columns.str[:4]).sum().astype(float)
        gradual = list(recording_breaks()[0].offences)
        rise = years.loc["2016", gradual] / years.loc["2013", gradual]
        before = years.loc["2013", gradual] / years.loc["2011", gradual]
        assert (rise > 1.3).all()
        assert (before < 1.05).all()

    def test_regrouping_needs_joined_files(self) -> None:
        regrouped = recording_breaks()[1]
        assert regrouped.joined_files_only

    def test_regrouped_are_those_that_differ_between_the_two_forms(self, shared: Path) -> None:
        raw = shared / "data" / "mps_borough" / "raw"
        old, new = (
            load(raw / vintage).total().to_frame().pivot(
                index="offence", columns="period", values="count"
            ).loc[:, pd.period_range("2017-01", "2018-12", freq="M")].dropna()
            for vintage in ("vintage_2019-01", "vintage_2024-11")
        )  # fmt: skip
        both = old.index.intersection(new.index)
        gaps = (100 * (old.loc[both] / new.loc[both] - 1)).abs().max(axis=1)  # the worst month
        regrouped = recording_breaks()[1]
        assert set(gaps.index[gaps >= 3]) == set(both) & set(regrouped.offences)
        assert gaps["drug offences"] == pytest.approx(8.7, abs=0.05)
        assert gaps["arson and criminal damage"] == pytest.approx(3.8, abs=0.05)
        kept = gaps.drop(list(set(both) & set(regrouped.offences)))
        assert kept.max() == pytest.approx(2.25, abs=0.05)
        assert {"robbery", "vehicle offences", "theft"} <= set(kept.index)
        # what only one form has: violence is cut otherwise, with public order and weapons apart
        apart = set(old.index) ^ set(new.index)
        assert set(regrouped.offences) - set(both) <= apart
