"""Planted rises are found, nothing is found where nothing changed, and each is told once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.data.panel import Panel
from forecast.models.quantiles import QuantileForecast
from forecast.nightly.alerts import COLUMNS, NEWS, count_exceedances, find_alerts
from forecast.nightly.configuring import Configuration
from forecast.nightly.lasting import Places, find_runs, find_variance, judge_runs
from forecast.nightly.store import open_store
from forecast.nightly.tails import tail_above
from forecast.scoring import HUB_LEVELS

CONFIG = Configuration.build({"source": [{"name": "calls", "path": "calls.csv"}]})
RATE = CONFIG.alerts.rate
NOTHING = pd.DataFrame()
LEVELS = np.array(HUB_LEVELS)


def name_series(n: int) -> pd.DataFrame:
    return pd.DataFrame({"area": [f"A{i}" for i in range(n)], "offence": "robbery"})


def make_forecast(values: np.ndarray, first: str) -> QuantileForecast:
    """Quantiles (level, series, period) from a day on."""
    days = pd.period_range(first, periods=values.shape[2], freq="D")
    series = name_series(values.shape[1])
    return QuantileForecast(values, HUB_LEVELS, series, days, days[0], "DynamicCounts")


def make_panel(counts: np.ndarray, first: str) -> Panel:
    """Counts (series, period) from a day on."""
    days = pd.period_range(first, periods=counts.shape[1], freq="D")
    return Panel(counts, name_series(len(counts)), days)


def ask(panel: Panel, forecasts: list[QuantileForecast], memory: pd.DataFrame,
        as_of: str, scores: pd.DataFrame = NOTHING) -> pd.DataFrame:  # fmt: skip
    return find_alerts(
        panel, forecasts, memory, as_of=dt.date.fromisoformat(as_of), scores=scores, config=CONFIG
    )


@pytest.mark.parametrize(
    "counts",
    [
        *(stats.poisson(mean) for mean in (0.02, 0.1, 0.5, 2, 8, 50)),
        *(stats.nbinom(k, k / (k + m)) for k, m in ((1, 2), (0.5, 2), (5, 20), (20, 300))),
    ],
)
def test_p_is_not_smaller_than_it_says_even_far_out(counts: Any) -> None:
    # the quantiles are the true ones: the chance of p <= a, added up over all counts, is at
    # most a, and within the quantiles p brackets the true chance
    known = counts.ppf(LEVELS)[:, None]
    every = np.arange(int(counts.ppf(1 - 1e-10)) + 2.0)
    p = tail_above(np.repeat(known, len(every), axis=1), every)
    assert (np.diff(p) <= 0).all()
    assert p[0] == 1
    for level, most in ((1e-2, 1.0), (1e-3, 1.05), (1e-4, 1.1), (1e-5, 1.25)):
        assert counts.pmf(every)[p <= level].sum() <= most * level


def test_p_is_that_of_the_quantiles_between_them() -> None:
    # quantiles 0, 10, 20, ..., 220: a count of 115.5 + 1/2 would lie at level 0.5 + 0.55 x 0.05
    known = 10.0 * np.arange(23)[:, None]
    assert tail_above(known, np.array([116.0]))[0] == pytest.approx(1 - (0.5 + 0.55 * 0.05))
    assert np.isnan(tail_above(known, np.array([np.nan]))).all()


def test_p_beyond_the_last_quantile_goes_on_along_the_roots() -> None:
    # Poisson with mean 50: true chance of 80 or more is 5.4e-5 (scipy); ours within a factor of 3
    known = stats.poisson(50).ppf(LEVELS)[:, None]
    p = tail_above(known, np.array([80.0]))[0]
    truth = stats.poisson(50).sf(79)
    assert truth / 1.5 < p < 3 * truth


def draw_night(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts and their true quantiles; all series share one gamma factor, so they go together."""
    means = np.geomspace(0.3, 300, n)
    counts = rng.poisson(means * rng.gamma(20, 1 / 20))
    quantiles = stats.nbinom(20, 20 / (20 + means)).ppf(LEVELS[:, None])  # Poisson-gamma
    return counts.astype(float), quantiles


def test_nothing_is_found_where_nothing_changed_at_the_stated_rate() -> None:
    nights = [draw_night(np.random.default_rng(seed), 150) for seed in range(600)]
    counts = np.concatenate([night[0] for night in nights])
    p = tail_above(np.concatenate([night[1] for night in nights], axis=1), counts)
    q = stats.false_discovery_control(p.reshape(600, 150), axis=1)
    alarms = (q <= RATE).any(axis=1)  # (night,)
    # at most one night in ten; three standard errors of 600 nights are 0.037
    assert 0 < alarms.mean() <= RATE + 0.037
    for night in [*np.flatnonzero(alarms)[:5], *np.flatnonzero(~alarms)[:10]]:
        came, quantiles = nights[night]
        panel = make_panel(came[:, None], "2024-05-01")
        known = [make_forecast(quantiles[:, :, None], "2024-05-01")]
        found = ask(panel, known, NOTHING, "2024-05-02")
        assert len(found) == (q[night] <= RATE).sum()


def test_planted_rises_are_found_and_few_others() -> None:
    planted, right, wrong = 0, 0, 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        means = np.full(200, 60.0)
        quantiles = stats.poisson(means).ppf(LEVELS[:, None])
        counts = rng.poisson(means).astype(float)
        counts[:10] = rng.poisson(110, 10)  # 5 standard deviations at least
        panel = make_panel(counts[:, None], "2024-05-01")
        alerts = ask(panel, [make_forecast(quantiles[:, :, None], "2024-05-01")], NOTHING,
                     "2024-05-02")  # fmt: skip
        rose = alerts["area"].isin([f"A{i}" for i in range(10)])
        planted, right, wrong = planted + 10, right + rose.sum(), wrong + (~rose).sum()
    assert right / planted > 0.95
    assert wrong / (right + wrong) <= RATE


def test_an_exceedance_is_told_once_then_goes_on_then_ends(tmp_path: Any) -> None:
    quantiles = np.repeat(stats.poisson([[20.0], [20.0]]).ppf(LEVELS[:, None, None]), 1, axis=2)
    counts = np.array([[60.0, 70, 20, 60], [20.0, 20, 20, 20]])
    kinds = []
    with open_store(tmp_path / "nightly.db") as store:
        for night in range(1, 6):
            day, as_of = f"2024-05-0{night}", f"2024-05-0{night + 1}"
            panel = make_panel(counts, "2024-05-01")
            # on the fifth night no newer count has come
            fresh = [make_forecast(quantiles, day)] if night < 5 else []
            found = ask(panel, fresh, store.alerts(), as_of)
            kinds.append(found["kind"].tolist())
            with store.begin_run(as_of, "1", 0) as run:
                run.alerts(found)
                run.publish()
        kept = store.alerts()
    assert kinds == [["above expected"], ["still above expected"], ["no longer above expected"],
                     ["above expected"], ["still above expected"]]  # fmt: skip
    assert kept["first"].tolist() == ["2024-05-01"] * 3 + ["2024-05-04"] * 2
    assert kept["periods"].tolist() == [1, 2, 2, 1, 1]
    assert kept["observed"].tolist() == [60, 70, 20, 60, 60]
    assert sum(kept["kind"].isin(NEWS)) == 2


def test_what_is_told_can_be_read_and_kept() -> None:
    quantiles = np.repeat(stats.poisson([[20.0], [20.0]]).ppf(LEVELS[:, None, None]), 1, axis=2)
    panel = make_panel(np.array([[60.0], [20.0]]), "2024-05-03")
    found = ask(panel, [make_forecast(quantiles, "2024-05-03")], NOTHING, "2024-05-04")
    assert list(found.columns) == list(COLUMNS)
    [row] = found.to_dict("records")
    # 12 and 29 are the 0.025 and 0.975 quantiles of a Poisson count with mean 20 (scipy)
    assert row["text"].startswith("Robbery, A0: 60 on 3 May 2024, where 12 to 29 were expected;")
    assert (row["lower"], row["expected"], row["upper"]) == (12, 20, 29)
    assert row["q"] == pytest.approx(2 * row["p"])  # two counts, the smaller p


def test_a_series_that_is_not_counted_any_more_ends() -> None:
    memory = pd.DataFrame(
        {"kind": ["above expected"], "area": ["Old"], "offence": ["robbery"],
         "period": ["2024-05-01"], "first": ["2024-05-01"], "periods": [1.0], "text": ["More."]}
    )  # fmt: skip
    found = ask(make_panel(np.array([[20.0]]), "2024-05-02"), [], memory, "2024-05-03")
    assert found["kind"].tolist() == ["no longer above expected"]
    assert found["text"].tolist() == ["Robbery, Old: it is not counted any more."]


def test_counts_of_running_periods_and_missing_counts_are_not_judged() -> None:
    quantiles = np.repeat(stats.poisson([[20.0], [20.0]]).ppf(LEVELS[:, None, None]), 2, axis=2)
    panel = make_panel(np.array([[np.nan, 90.0], [20.0, 90.0]]), "2024-05-01")
    assert ask(panel, [make_forecast(quantiles, "2024-05-01")], NOTHING, "2024-05-02").empty
    assert len(ask(panel, [make_forecast(quantiles, "2024-05-01")], NOTHING, "2024-05-03")) == 2


def test_a_count_is_judged_by_the_latest_origin_and_totals_by_their_sum() -> None:
    low = np.repeat(stats.poisson([[20.0]]).ppf(LEVELS[:, None, None]), 1, axis=2)
    high = np.repeat(stats.poisson([[60.0]]).ppf(LEVELS[:, None, None]), 1, axis=2)
    one = make_panel(np.array([[60.0]]), "2024-05-01")
    late, early = make_forecast(high, "2024-05-01"), make_forecast(low, "2024-05-01")
    assert ask(one, [late, early], NOTHING, "2024-05-02").empty
    assert len(ask(one, [early, late], NOTHING, "2024-05-02")) == 1
    both = make_panel(np.array([[45.0], [45.0]]), "2024-05-01")
    total = QuantileForecast(high, HUB_LEVELS, pd.DataFrame(
        {"area": ["all areas"], "offence": ["robbery"]}), late.periods, late.cutoff, "DynamicCounts"
    )  # fmt: skip
    found = ask(both, [total], NOTHING, "2024-05-02")  # 90 where 60 are expected
    assert found[["area", "observed"]].to_numpy().tolist() == [["all areas", 90.0]]
    assert count_exceedances(both, [total, early], by="area")["above"].tolist() == [1]


def make_places(scores: np.ndarray, steps: int = 1) -> Places:
    n, periods = scores.shape
    days = pd.period_range("2024-01-01", periods=periods, freq="D")
    keys = pd.MultiIndex.from_frame(name_series(n))
    flat = np.full(scores.shape, 20.0)
    return Places(keys, days, scores, flat, flat, np.full(scores.shape, float(steps)))


def share_of_nights_with_runs(scores: np.ndarray, nights: int, steps: int = 1) -> float:
    """How many nights, of equally many series each, find any run."""
    runs = judge_runs(make_places(scores, steps), "D")
    q = stats.false_discovery_control(runs["p"].to_numpy().reshape(nights, -1), axis=1)
    return float(((q <= 0.01) & runs["every"].to_numpy().reshape(nights, -1)).any(axis=1).mean())


def test_runs_are_found_at_most_at_the_stated_rate_where_nothing_changed() -> None:
    scores = np.random.default_rng(7).standard_normal((3000 * 50, 21))
    # at most one night in a hundred; three standard errors of 3,000 nights are 0.0055
    assert share_of_nights_with_runs(scores, 3000) <= 0.01 + 0.0055


def test_p_of_runs_is_exact_where_scores_are_independent() -> None:
    scores = np.random.default_rng(1).standard_normal((20_000, 21))
    p = judge_runs(make_places(scores), "D")["p"]
    for level in (0.5, 0.1, 0.01):
        assert (p <= level).mean() == pytest.approx(level, abs=4 * (level / 20_000) ** 0.5)


def test_forecasts_further_ahead_make_no_more_false_runs() -> None:
    # three periods ahead: each score is the mean of three shocks, so neighbours go together
    shocks = np.random.default_rng(8).standard_normal((1000 * 50, 66))
    scores = (shocks[:, 2:] + shocks[:, 1:-1] + shocks[:, :-2]) / 3**0.5
    assert share_of_nights_with_runs(scores, 1000, 3) <= 0.01 + 0.0095


def test_variance_of_a_sum_is_measured_with_what_goes_together() -> None:
    # autocovariances 1, 2/3, 1/3 of the mean of three: 21 + 2 x 20 x 2/3 + 2 x 19 / 3 = 60.3
    shocks = np.random.default_rng(3).standard_normal((4000, 100))
    scores = (shocks[:, 2:] + shocks[:, 1:-1] + shocks[:, :-2]) / 3**0.5
    assert find_variance(scores, 21, 3) == pytest.approx(60.33, rel=0.02)
    assert find_variance(scores[:, :30], 21, 3) == 21 + 2 * 20 + 2 * 19
    assert find_variance(0.5 * scores, 21, 1) == 21  # never below that of independent scores


def make_scores(means: np.ndarray, rise: np.ndarray, seed: int, days: int = 60) -> pd.DataFrame:
    """Scores of forecasts that are right but for a rise in the last 21 days."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(means[:, None], days, axis=1)
    truth[:, -21:] *= 1 + rise[:, None]
    counts = rng.poisson(truth)
    dist = stats.poisson(means[:, None])
    pit = dist.cdf(counts - 1) + rng.random(counts.shape) * dist.pmf(counts)
    periods = pd.period_range("2024-03-01", periods=days, freq="D").astype(str)
    frame = name_series(len(means)).loc[lambda f: f.index.repeat(days)].reset_index(drop=True)
    return frame.assign(
        as_of="2024-04-30", model="DynamicCounts", freq="D", step=1,
        period=np.tile(periods, len(means)), pit=pit.ravel(), observed=counts.ravel().astype(float),
        median=np.repeat(dist.ppf(0.5), days),
    )  # fmt: skip


def test_rises_of_three_weeks_are_found_long_before_a_single_count_is_rare() -> None:
    means, rise = np.full(80, 12.0), np.where(np.arange(80) < 5, 0.35, 0.0)
    here = {(f"A{i}", "robbery") for i in range(80)}
    planted, right, wrong = 0, 0, 0
    for seed in range(12):
        rows = find_runs(make_scores(means, rise, seed), NOTHING, here, model="DynamicCounts",
                         freq="D")  # fmt: skip
        rose = [row["area"] in {f"A{i}" for i in range(5)} for row in rows]
        planted, right, wrong = planted + 5, right + sum(rose), wrong + len(rose) - sum(rose)
    # 35 per cent of 12 is 1.2 standard deviations a day, 5.6 over 21 days
    assert right / planted > 0.9
    assert wrong <= 1


def test_a_run_is_told_once_then_goes_on_then_ends() -> None:
    means, rise = np.full(10, 40.0), np.where(np.arange(10) < 1, 0.5, 0.0)
    scores = make_scores(means, rise, 1, days=81)
    days = sorted(scores["period"].unique())
    panel = make_panel(np.full((10, 1), 40.0), days[-1])
    usual = np.repeat(stats.poisson(means[:, None]).ppf(LEVELS[:, None, None]), 1, axis=2)
    memory, told = pd.DataFrame(), []
    for last in (-1, -1, -22):  # the third night has the scores of a quiet time again
        seen = scores[scores["period"] <= days[last]]
        found = ask(panel, [make_forecast(usual, days[-1])], memory, "2024-06-01", seen)
        told.append(found[["kind", "area"]].to_numpy().tolist())
        memory = pd.concat([memory, found.assign(as_of=f"n{len(told)}")], ignore_index=True)
    assert told == [[["above for three weeks", "A0"]], [["still above for three weeks", "A0"]],
                    [["no longer above for three weeks", "A0"]]]  # fmt: skip
    assert "it was above expected in each of three weeks" in memory["text"][0]
    assert memory["first"][0] == days[-21]


def test_without_places_in_the_forecast_there_are_no_runs() -> None:
    scores = make_scores(np.full(3, 12.0), np.full(3, 2.0), 0).assign(pit=np.nan)
    here = {("A0", "robbery")}
    assert find_runs(scores, NOTHING, here, model="DynamicCounts", freq="D") == []
