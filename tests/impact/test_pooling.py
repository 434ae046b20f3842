"""Pooled areas against published methods elsewhere, hand arithmetic and planted spreads."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from forecast.impact.effect import SeriesEffect, measure_effect
from forecast.impact.evaluation import Evaluation
from forecast.impact.pooling import SUMMARY_COLUMNS, Areas, adjust_for_many, pool_areas
from forecast.impact.shrinking import find_between_variance
from forecast.models.draws import FloatArray, Forecast

MONTHS = pd.period_range("2020-10", periods=1, freq="M")
DRAWS = 999


def make(
    rng: np.random.Generator,
    effects: FloatArray,
    *,
    mean: FloatArray,
    share_sd: float = 0.08,
    total_sd: float = 0.05,
    offence: str = "robbery",
    names: list[str] | None = None,
) -> tuple[list[SeriesEffect], Forecast]:
    """Areas with a known log effect, counted from the model that the draws come from."""
    k = len(effects)

    def rates(n: int) -> FloatArray:
        shared = total_sd * rng.standard_normal((n, 1))
        return np.asarray(mean * np.exp(shared + share_sd * rng.standard_normal((n, k))))

    draws = rng.poisson(rates(DRAWS))  # (draw, area)
    observed = rng.poisson(rates(1)[0] * np.exp(effects)).astype(float)
    areas = names or [f"Area {i:02d}" for i in range(k)]
    series = pd.DataFrame({"area": areas, "offence": offence})
    forecast = Forecast(draws[:, :, None], series, MONTHS, MONTHS[0], "known")
    groups = [(list(range(k)), "all areas", True)] + [([i], areas[i], False) for i in range(k)]
    parts = [
        measure_effect(
            observed[at].sum(keepdims=True),
            draws[:, at].sum(axis=1, keepdims=True).astype(float),
            expected=draws[:, at].sum(axis=1).mean(keepdims=True),
            offence=offence,
            area=area,
            is_total=is_total,
            periods=MONTHS,
            exposure=[1.0],
            level=0.95,
            smallest_detectable=float("nan"),
        )
        for at, area, is_total in groups
    ]
    return parts, forecast


def usual(seed: int, tau: float, effect: float = 0.0, areas: int = 12) -> tuple[Areas, FloatArray]:
    """Pool areas whose deviations have a known spread; also the true percentages."""
    rng = np.random.default_rng([seed, 7])
    true = effect + tau * rng.standard_normal(areas)
    parts, forecast = make(rng, true, mean=np.geomspace(40, 600, areas))
    return pool_areas(parts, forecast, level=0.95, seed=seed), 100 * np.expm1(true)


def test_q_values_are_those_of_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    for seed in range(5):
        p = np.random.default_rng(seed).uniform(0, 1, 40) ** 2
        assert adjust_for_many(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert len(adjust_for_many([])) == 0


def test_pooling_follows_the_formula_when_much_is_known_of_the_spread() -> None:
    # 200 areas with deviations of sd 0.3 and draws of sd about 0.3: half of each distance is kept
    rng = np.random.default_rng(5)
    k = 200
    true = 0.3 * rng.standard_normal(k)
    parts, forecast = make(rng, true, mean=np.full(k, 5000.0), share_sd=0.3, total_sd=0.02)
    table = pool_areas(parts, forecast, level=0.95).summary()
    whole = np.log1p(parts[0].percent / 100)
    own = np.log1p(table["percent"] / 100) - whole
    pooled = np.log1p(table["pooled_percent"] / 100) - whole
    slope = float(np.polyfit(own, pooled, 1)[0])
    tau2 = find_between_variance(own.to_numpy(), np.full(k, 0.3**2 + 1 / 5000))
    assert slope == pytest.approx(tau2 / (tau2 + 0.3**2 + 1 / 5000), abs=0.03)
    # and the deviation is known to tau s / sqrt(tau^2 + s^2), about 0.21
    width = np.log1p(table["pooled_percent_upper"] / 100) - np.log1p(
        table["pooled_percent_lower"] / 100
    )
    sd = np.sqrt(1 / (1 / tau2 + 1 / 0.3**2) + 0.02**2)
    assert float(width.median()) == pytest.approx(2 * 1.96 * sd, rel=0.05)


def test_pooled_effects_lie_nearer_the_total_and_closer_to_the_truth() -> None:
    own, pooled = [], []
    for seed in range(20):
        areas, true = usual(seed, tau=0.1)
        table = areas.summary()
        own.append(float(((table["percent"] - true) ** 2).mean()))
        pooled.append(float(((table["pooled_percent"] - true) ** 2).mean()))
        assert table["pooled_percent"].std() < table["percent"].std()
    assert np.mean(pooled) < 0.75 * np.mean(own)


def test_without_spread_areas_are_drawn_to_the_total() -> None:
    areas, _ = usual(3, tau=0.0, effect=-0.2)
    table = areas.summary()
    assert (areas.spreads[0].differ, areas.spreads[0].areas) == (False, 12)
    assert table["pooled_percent"].std() < 0.5 * table["percent"].std()
    assert "differ no more than chance would make them" in areas.sentences()[0]


def test_a_large_spread_is_found_and_said() -> None:
    areas, _ = usual(1, tau=0.4)
    spread = areas.spreads[0]
    assert spread.differ
    assert 20 < spread.tau_percent < 90  # exp(0.4) - 1 is 49 per cent
    assert "differ more than chance makes them (Q = " in areas.sentences()[0]


@pytest.mark.slow
@pytest.mark.parametrize("tau", [0.0, 0.05, 0.2])
def test_pooled_intervals_hold_the_truth(tau: float) -> None:
    held, wide = [], []
    for seed in range(120):
        areas, true = usual(seed, tau, effect=-0.1)
        table = areas.summary()
        held.append(
            (table["pooled_percent_lower"] <= true) & (true <= table["pooled_percent_upper"])
        )
        own = table["percent_upper"] - table["percent_lower"]
        wide.append(
            ((table["pooled_percent_upper"] - table["pooled_percent_lower"]) / own).median()
        )
    rate, ratio = float(np.mean(held)), float(np.mean(wide))
    print(f"tau {tau}: held {rate:.1%}, width {ratio:.2f} of the areas' own")
    # areas of a seed share the total's error, so 1,440 intervals count as 300 or so
    assert 0.925 <= rate <= 0.99
    assert ratio < 0.95


@pytest.mark.slow
def test_differences_that_are_not_there_are_found_at_the_stated_rate() -> None:
    alarms = np.mean([usual(seed, 0.0)[0].spreads[0].differ for seed in range(200)])
    print(f"spread found where there is none: {alarms:.1%}")
    assert alarms <= 0.08  # 5 per cent, and two standard errors of 1.3


@pytest.mark.slow
def test_false_discoveries_stay_at_the_stated_rate() -> None:
    """Two of twelve areas have a large effect: of what is marked, one in twenty may be false."""
    false, found, any_at_all = [], 0, []
    for seed in range(200):
        rng = np.random.default_rng([seed, 9])
        effects = np.zeros(12)
        effects[[2, 7]] = -0.7
        parts, forecast = make(rng, effects, mean=np.full(12, 200.0), total_sd=0.0)
        out = pool_areas(parts, forecast, level=0.95).summary()["stands_out"].to_numpy()
        true = effects != 0
        false.append((out & ~true).sum() / max(out.sum(), 1))
        found += int((out & true).sum())
        parts, forecast = make(rng, 0 * effects, mean=np.full(12, 200.0))
        any_at_all.append(pool_areas(parts, forecast, level=0.95).summary()["stands_out"].any())
    print(f"false {np.mean(false):.1%}, found {found} of 400, any {np.mean(any_at_all):.1%}")
    assert np.mean(false) <= 0.08
    assert found >= 380
    assert np.mean(any_at_all) <= 0.08


def test_areas_keep_the_order_of_the_data_and_rows_without_a_place_are_left_out() -> None:
    rng = np.random.default_rng(0)
    names = ["Sutton", "Not allocated", "Brent", "Unknown", "Camden"]
    parts, forecast = make(rng, np.array([0.5, 0, -0.5, 0, 0]), mean=np.full(5, 400.0), names=names)
    table = pool_areas(parts, forecast, level=0.95).summary()
    assert table["area"].tolist() == ["Sutton", "Brent", "Camden"]
    assert list(table.columns) == SUMMARY_COLUMNS


def test_results_of_several_offences_are_judged_together() -> None:
    rng = np.random.default_rng(4)
    effects = np.array([-1.5, 0, 0, 0, 0])
    first, one = make(rng, effects, mean=np.full(5, 400.0))
    second, two = make(rng, 0 * effects, mean=np.full(5, 400.0), offence="burglary")
    series = pd.concat([one.series, two.series], ignore_index=True)
    both = Forecast(np.concatenate([one.draws, two.draws], axis=1), series, MONTHS, MONTHS[0], "k")
    areas = pool_areas([*first, *second], both, level=0.95)
    table = areas.summary()
    assert table["q"].to_numpy() == pytest.approx(adjust_for_many(table["p"]))
    assert table.loc[table["stands_out"], ["offence", "area"]].to_numpy().tolist() == [
        ["robbery", "Area 00"]
    ]
    said = areas.sentences()[-1]
    assert said.startswith("Of 10 results of single areas 1 stands out when a share of 5 per cent")
    assert "expected, -7" in said
    assert repr(areas) == "Areas(10 results of single areas, 1 stand out)"
    assert areas.check().status == "passed"


def test_draws_too_few_for_many_results_are_named() -> None:
    # 999 draws: p is at least 2 / 1,000; 0.05 of 64 results is 0.00078, so 3 must stand together;
    # 2 x 64 / 0.05 - 1 = 2,559 draws would do
    rng = np.random.default_rng(4)
    parts, forecast = make(rng, np.zeros(64), mean=np.full(64, 100.0))
    assert pool_areas(parts, forecast, level=0.95).sentences()[-1] == (
        "With 999 draws no p is below 0.002, so of 64 results fewer than 3 cannot stand out: ask "
        "for 2,559 draws to see a single one."
    )
    parts, forecast = make(rng, np.zeros(20), mean=np.full(20, 100.0))
    assert "none stands out" in pool_areas(parts, forecast, level=0.95).sentences()[-1]


def test_too_few_areas_are_not_pooled() -> None:
    rng = np.random.default_rng(4)
    parts, forecast = make(rng, np.zeros(2), mean=np.full(2, 100.0))
    areas = pool_areas(parts, forecast, level=0.95)
    assert areas.rows == ()
    assert areas.summary().empty
    reason = "robbery has 2 areas, and a spread between areas needs 3"
    assert areas.sentences() == [f"Areas were not pooled: {reason}."]
    assert areas.check().status == "not possible"
    assert (
        pool_areas(parts[:1], forecast, level=0.95)
        .spreads[0]
        .reason.startswith("robbery has no single areas")
    )


def test_same_seed_gives_the_same_result_and_plain_values() -> None:
    one, two = usual(2, 0.1)[0], usual(2, 0.1)[0]
    assert json.dumps(one.to_dict(), allow_nan=False) == json.dumps(two.to_dict())
    assert len(one.to_dict()["rows"][0]["pooled_percent_interval"]) == 2


def test_worked_case_marks_areas_without_a_league_table(autumn_nights: Evaluation) -> None:
    done = autumn_nights
    areas = pool_areas(done.effect.parts, done.baseline.forecast, level=done.level)
    assert len(areas.rows) == 24
    assert "Not allocated" not in areas.summary()["area"].tolist()
    order = done.counts.areas
    robbery = [r.area for r in areas.rows if r.offence == "robbery"]
    assert robbery == sorted(robbery, key=order.index)
    for text in areas.sentences():
        assert "caused" not in text
