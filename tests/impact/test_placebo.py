"""Placebo windows: which are chosen, how errors are measured, and who judges whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.baseline import shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.placebo import COLUMNS, Placebo, run_placebos
from forecast.impact.windows import Window, find_windows
from forecast.models.base import Model
from forecast.models.dynamic import DynamicCounts
from forecast.models.naive import SeasonalNaive
from forecast.simulation import simulate

Steady = Callable[[float], Model]


def make_campaign(start: str = "2020-10-19", end: str = "2020-11-08", **given: Any) -> Campaign:
    settings: dict[str, Any] = {"name": "A", "start": start, "end": end, "offences": ["robbery"]}
    return Campaign(**(settings | given))


def make_panel(values: dict[tuple[str, str], list[float]], start: str = "2010-01") -> Panel:
    """Monthly counts by (area, offence)."""
    series = pd.DataFrame(list(values), columns=["area", "offence"])
    counts = np.array(list(values.values()))
    return Panel(counts, series, pd.period_range(start, periods=counts.shape[1], freq="M"))


def make_placebo(rows: list[tuple[int, float]], level: float = 0.95) -> Placebo:
    """Totals of one offence, one window a year, with given studentised errors."""
    errors = pd.DataFrame(rows, columns=["year", "z"])
    errors = errors.assign(
        window=errors["year"].astype(str) + "-10",
        same_season=True,
        back=0.0,
        earlier="none known",
        offence="robbery",
        area="London",
        is_total=True,
        spread=0.1,
        error=0.1 * errors["z"],
        z_share=np.nan,
    )
    windows = tuple(
        Window(pd.period_range(f"{year}-10", periods=1, freq="M"), True, "none known")
        for year, _ in rows
    )
    return Placebo(errors, windows, level)


def run(panel: Panel, campaign: Campaign, model: Model, **given: Any) -> Placebo:
    settings: dict[str, Any] = {"level": 0.95, "draws": 4000, "seed": 0}
    return run_placebos(model, panel, campaign, [], **(settings | given))


def test_the_summary_of_no_windows_counts_none() -> None:
    nothing = pd.DataFrame(columns=COLUMNS).astype({"is_total": bool})
    table = Placebo(nothing, (), 0.95).summary()
    assert table["tests"].tolist() == [0, 0, 0, 0]
    assert table["held"].tolist() == [0, 0, 0, 0]


def test_windows_of_autumn_nights_in_london(london: Panel) -> None:
    # The data begin in 2010-04: four years before gives 2014-04 as the first. 2020 is the
    # campaign's own year. Disrupted months end with 2021-05, so windows in or a year after them
    # end with 2022-05. The new recording system of February 2024 rules out spring 2024, and
    # November 2024 is not in the data.
    campaign = Campaign.load("autumn-nights-2020")
    windows = find_windows(campaign, london, shocks_of(campaign, london))
    expected = [
        f"{year}-{first} to {year}-{last}"
        for year in range(2014, 2020)
        for first, last in (("04", "05"), ("10", "11"))
    ]
    expected += ["2022-10 to 2022-11", "2023-04 to 2023-05", "2023-10 to 2023-11"]
    assert [w.name for w in windows] == expected
    assert [w.same_season for w in windows] == [w.name[5:7] == "10" for w in windows]
    # runs of 21 October 2016 and 20 October 2023 have days; of others since 2016 none are known
    marks = {w.name[:7]: w.earlier for w in windows if w.earlier != "none known"}
    assert marks == {
        "2016-10": "known",
        "2017-10": "possible",
        "2018-10": "possible",
        "2019-10": "possible",
        "2022-10": "possible",
        "2023-10": "known",
    }


def test_a_run_is_known_in_the_window_that_holds_its_days() -> None:
    panel = simulate(areas=1, years=9, start="2013-01")
    spring_run = {"start": "2019-05-10", "end": "2019-05-20"}
    campaign = make_campaign("2022-10-01", "2022-11-30", previous=[spring_run, {"year": 2020}])
    marks = {w.name[:7]: w.earlier for w in find_windows(campaign, panel, [])}
    assert marks["2019-04"] == "known"
    # the year alone is known, or the campaign had begun: that autumn may have had a run
    assert (marks["2019-10"], marks["2020-10"], marks["2021-10"]) == ("possible",) * 3
    assert marks["2018-10"] == marks["2020-04"] == "none known"


@pytest.mark.parametrize(
    ("freq", "start", "end", "years"),
    [
        ("M", "2022-10-01", "2022-10-31", 10),
        ("M", "2022-05-01", "2022-10-31", 10),  # half a year: windows touch, but do not overlap
        ("M", "2022-05-01", "2022-11-30", 10),  # more than half: the same season only
        ("M", "2021-11-15", "2022-01-10", 10),
        ("M", "2022-01-01", "2022-12-31", 10),
        ("M", "2021-06-01", "2022-09-30", 16),
        ("W-SUN", "2022-10-03", "2022-11-06", 10),
        ("D", "2022-10-03", "2022-11-06", 10),
        ("D", "2022-01-01", "2022-06-30", 10),
    ],
)
def test_windows_are_like_the_campaign_s_and_never_overlap(
    freq: str, start: str, end: str, years: int
) -> None:
    panel = simulate(areas=1, years=years, freq=freq)
    campaign = make_campaign(start, end)
    own = campaign.periods(freq)
    windows = find_windows(campaign, panel, [])
    assert windows
    used = [p for w in windows for p in w.periods]
    assert len(used) == len(set(used))
    assert not set(used) & set(own)
    assert {len(w.periods) for w in windows} == {len(own)}
    own_years = {p.year for p in own}
    season = {"M": 12, "W-SUN": 52, "D": 365}[freq]
    history = {"M": 3, "W-SUN": 2, "D": 2}[freq] * season
    for window in windows:
        assert window.periods[0].year not in own_years
        assert (panel.periods < window.periods[0]).sum() >= history
        if window.same_season:
            # the same days of another year, to within half a week
            gap = (window.periods[0].start_time - own[0].start_time).days / 365.25
            assert abs(gap - round(gap)) * 365.25 <= 3.6
    if len(own) > season / 2:
        assert all(w.same_season for w in windows)


def test_a_short_daily_history_gives_windows_all_over_the_year() -> None:
    # four years from November 2020: two must come before a window, so that only those of
    # the end of November 2022 to September 2024 are left, a twelfth of a year apart, some in
    # its own year
    panel = simulate(areas=1, years=4, freq="D", start="2020-11")
    campaign = make_campaign("2024-10-01", "2024-10-21")
    windows = find_windows(campaign, panel, [])
    starts = [w.periods[0] for w in windows]
    assert len(windows) == 22
    assert starts[0] >= panel.periods[731]
    assert windows[-1].periods[-1] < campaign.periods("D")[0]
    assert {p.day_of_week for p in starts} == {1}  # Tuesdays, like 1 October 2024
    gaps = {(b - a).n for a, b in zip(starts[:-1], starts[1:], strict=True)}
    assert gaps <= {28, 35}


def test_a_window_that_holds_a_run_left_out_is_not_used() -> None:
    panel = simulate(areas=2, years=9, freq="D")
    campaign = make_campaign("2022-10-03", "2022-10-23")
    values = panel.values.copy()
    values[:, panel.periods == pd.Period("2019-10-10", "D")] = np.nan
    before, after = (find_windows(campaign, p, []) for p in (panel, replace(panel, values=values)))
    gone = {w.name for w in before} - {w.name for w in after}
    assert gone <= {"2019-10-01 to 2019-10-21", "2019-09-30 to 2019-10-20"}
    assert len(gone) == 1


def test_a_model_that_goes_on_sees_nothing_of_later_windows() -> None:
    panel = simulate(areas=2, years=9)
    campaign = make_campaign("2023-10-01", "2023-10-31")
    planted = panel.values.copy()
    planted[:, panel.periods >= pd.Period("2020-10", "M")] *= 3
    one, two = (
        run(p, campaign, DynamicCounts(), draws=200)
        for p in (panel, replace(panel, values=planted))
    )
    early = [f[f["window"] < "2020-10"].reset_index(drop=True) for f in (one.errors, two.errors)]
    pd.testing.assert_frame_equal(*early)
    assert not one.errors["z"].equals(two.errors["z"])


def test_error_is_studentised_by_hand(steady: Steady) -> None:
    # 10,000 every month, but October 2014 with 12,100: the model expects 31 days of the mean daily
    # rate of the 57 months before, about 10,190, give or take 0.2 on the log and the counting.
    counts = [10_000.0] * 72
    counts[57] = 12_100.0
    panel = make_panel({("Camden", "robbery"): counts})
    placebo = run(panel, make_campaign("2015-10-01", "2015-10-31"), steady(0.2), draws=50_000)
    row = placebo.errors[placebo.errors["window"] == "2014-10"].iloc[0]
    rate = 570_000 / (1461 + 273)  # 57 months of 10,000: 2010 to September 2014
    assert row["observed"] == 12_100
    error, spread, z = (float(row[name]) for name in ("error", "spread", "z"))
    assert error == pytest.approx(np.log(12_100 / (31 * rate)), abs=0.004)
    assert spread == pytest.approx(np.sqrt(0.04 + 1 / (31 * rate)), rel=0.01)
    assert z == pytest.approx(error / spread)


def test_own_window_is_never_seen(steady: Steady) -> None:
    counts = list(np.random.default_rng(0).poisson(100, 120).astype(float))
    quiet = make_panel({("Camden", "robbery"): counts})
    counts[57] = 1e6
    planted = make_panel({("Camden", "robbery"): counts})
    campaign = make_campaign("2014-10-01", "2014-10-31")
    one, two = (run(panel, campaign, steady(0.1), draws=200) for panel in (quiet, planted))
    pd.testing.assert_frame_equal(one.errors, two.errors)
    assert one.calibration() == two.calibration()


def test_each_window_is_judged_by_other_years_only() -> None:
    placebo = make_placebo([(2001, 10.0), (2002, 1.0), (2003, 1.0), (2004, 1.0)])
    rows = placebo.totals.set_index("year")
    # 2001 by three ones: t(3) = 3.182 times 1, and 10 is far outside; with its own error in, the
    # limit would have been t(4) = 2.776 times sqrt(103 / 4) = 14.1, and it would have been held
    assert rows.loc[2001, "half_width"] == pytest.approx(0.1 * 3.18245, abs=1e-5)
    # 2002 by 10, 1 and 1: 3.182 times sqrt(102 / 3)
    assert rows.loc[2002, "half_width"] == pytest.approx(0.1 * 3.18245 * np.sqrt(34), abs=1e-4)
    assert rows["held"].tolist() == [False, True, True, True]
    calibration = placebo.calibration()
    assert calibration is not None
    assert calibration.total == pytest.approx(np.sqrt(103 / 4))
    assert (calibration.degrees, calibration.share) == (4, 1.0)


def test_windows_of_one_year_are_left_out_together() -> None:
    # spring and autumn of two years: each is judged by the two windows of the other year
    placebo = make_placebo([(2001, 1.0), (2001, 9.0), (2002, 2.0), (2002, 2.0)])
    names = ["2001-04", "2001-10", "2002-04", "2002-10"]
    placebo = replace(placebo, errors=placebo.errors.assign(window=names))
    rows = placebo.totals.set_index("window")
    # t(2) = 4.30265 times 2: 8.6
    assert rows.loc["2001-04", "half_width"] == pytest.approx(0.1 * 4.30265 * 2, abs=1e-5)
    assert rows["held"].tolist() == [True, False, True, True]
    row = placebo.summary().iloc[0]
    assert (row["windows"], row["tests"], row["held"]) == (4, 4, 3)


def test_a_spread_known_to_be_nearly_right_counts_like_some_windows_more() -> None:
    # ten windows with errors of twice the spread, and a spread worth five windows
    placebo = replace(make_placebo([(y, 2.0) for y in range(2000, 2010)]), worth=5)
    found = placebo.calibration()
    assert found is not None
    assert (found.total, found.degrees) == (pytest.approx(np.sqrt(3)), 15)
    # each window is judged by the nine of other years: sqrt((5 + 36) / 14), t(14) = 2.1448
    widths = placebo.totals["half_width"].to_numpy()
    assert widths == pytest.approx(np.full(10, 0.1 * 2.14479 * np.sqrt(41 / 14)), abs=1e-5)


def test_only_the_engine_s_spread_is_known_to_be_nearly_right() -> None:
    panel = simulate(areas=1, years=9)
    campaign = make_campaign("2022-10-01", "2022-11-30")
    for model in (DynamicCounts(), SeasonalNaive()):
        placebo = run(panel, campaign, model)
        found = placebo.calibration()
        assert found is not None
        assert found.degrees - len(placebo.windows) == (4 if model == DynamicCounts() else 0)


def test_windows_with_less_history_are_done_without_where_eight_are_left() -> None:
    # Years 2014 on, campaign in October 2022: with three years before them October and April
    # of 2017 to 2021, with four those of 2018 to 2021, which are eight.
    campaign = make_campaign("2022-10-01", "2022-10-31")
    panel = simulate(areas=1, years=9, start="2014-01")
    assert [w.name for w in find_windows(campaign, panel, [])] == [
        f"{year}-{month}" for year in range(2018, 2022) for month in ("04", "10")
    ]
    # a year less of data would leave six: all eight with three years before them are used
    shorter = simulate(areas=1, years=8, start="2015-01")
    assert [w.name for w in find_windows(campaign, shorter, [])] == [
        f"{year}-{month}" for year in range(2018, 2022) for month in ("04", "10")
    ]


def test_too_few_windows_calibrate_nothing() -> None:
    assert make_placebo([(2001, 1.0), (2002, 1.0), (2003, 1.0)]).calibration() is None


def test_summary_by_hand() -> None:
    placebo = make_placebo([(y, 1.0) for y in range(2001, 2006)])
    table = placebo.summary().set_index("set")
    assert table.index.tolist() == [
        "all windows",
        "same season",
        "half a year away",
        "no earlier campaign known",
    ]
    assert table["windows"].tolist() == [5, 5, 0, 5]
    # four other windows: t(4) = 2.77645; the interval of the ratio is exp(+-0.1 x 2.77645)
    half = 0.1 * 2.77645
    width = 100 * (np.exp(half) - np.exp(-half))
    assert table.loc["all windows", "mean_width_percent"] == pytest.approx(width, abs=1e-3)
    assert table["mean_width_percent"].isna().tolist() == [False, False, True, False]


def test_other_offences_are_pooled_as_totals_and_targets_with_their_areas(steady: Steady) -> None:
    rng = np.random.default_rng(1)
    panel = make_panel(
        {
            (area, offence): list(rng.poisson(mean, 84).astype(float))
            for area, mean in (("Camden", 60), ("Brent", 30))
            for offence in ("robbery", "burglary")
        }
    )
    placebo = run(panel, make_campaign("2015-10-01", "2015-10-31"), steady(0.1), draws=200)
    errors = placebo.errors
    assert set(errors.loc[errors["is_total"], "offence"]) == {"robbery", "burglary"}
    areas = errors[~errors["is_total"]]
    assert set(zip(areas["offence"], areas["area"], strict=True)) == {
        ("robbery", "Camden"),
        ("robbery", "Brent"),
    }
    assert areas["z_share"].notna().all()
    assert errors.loc[errors["is_total"], "z_share"].isna().all()
    # total of both areas, observed
    row = errors[(errors["offence"] == "robbery") & errors["is_total"]].iloc[0]
    at = panel.periods == pd.Period(row["window"], "M")
    assert row["observed"] == panel.select(offence="robbery").values[:, at].sum()


@pytest.mark.parametrize("early", [np.nan, 0.0])
def test_offence_that_came_up_late_does_not_stop_the_others(steady: Steady, early: float) -> None:
    # burglary is not counted, or not seen, before 2014: its earlier windows say nothing
    robbery = [100.0] * 96
    burglary = [early] * 48 + [50.0] * 48
    panel = make_panel({("Camden", "robbery"): robbery, ("Camden", "burglary"): burglary})
    placebo = run(panel, make_campaign("2017-10-01", "2017-10-31"), steady(0.1), draws=200)
    found = placebo.errors.groupby("offence")["window"].apply(list)
    assert found["robbery"][0] == "2013-04"
    # two years after it was first counted, or first above zero
    assert found["burglary"][0] == "2016-04"


def test_window_with_a_missing_count_is_left_out_for_that_offence(steady: Steady) -> None:
    counts = [100.0] * 84
    counts[57] = np.nan  # October 2014
    panel = make_panel({("Camden", "robbery"): counts, ("Camden", "burglary"): [50.0] * 84})
    placebo = run(panel, make_campaign("2016-10-01", "2016-10-31"), steady(0.1), draws=200)
    windows = placebo.errors.groupby("offence")["window"].apply(set)
    assert windows["burglary"] - windows["robbery"] == {"2014-10"}


def test_progress_is_told(steady: Steady) -> None:
    panel = make_panel({("Camden", "robbery"): [100.0] * 72})
    told: list[tuple[int, int]] = []
    run(
        panel,
        make_campaign("2015-10-01", "2015-10-31"),
        steady(0.1),
        draws=100,
        progress=lambda done, of: told.append((done, of)),
    )
    assert told == [(k, 4) for k in range(1, 5)]
