"""Dose beside outcomes: planted responses, absent ones, and what cannot be said."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.activity import Activity, read_activity
from forecast.impact.campaign import Campaign
from forecast.impact.dose import Dose, relate_dose
from forecast.impact.effect import SeriesEffect, measure_effect
from forecast.models.draws import FloatArray, Forecast
from forecast.simulation import simulate

NAMES = [f"Area {i:02d}" for i in range(1, 13)]
MEAN = np.geomspace(80, 500, 12)
DRAWS = 999


def campaign(**given: Any) -> Campaign:
    facts: dict[str, Any] = {"name": "Test", "start": "2022-10-01", "end": "2022-10-31"}
    return Campaign(**(facts | {"offences": ["robbery"]} | given))


def panel(values: FloatArray | None = None, freq: str = "M") -> Panel:
    """Three years of steady counts before the campaign, or the counts given."""
    counts = simulate(areas=12, years=8, freq=freq)
    if values is None:
        return counts
    frame = counts.to_frame()
    frame["count"] = values.ravel()
    return Panel.from_frame(frame)


def measured(
    rng: np.random.Generator, effects: FloatArray, periods: pd.PeriodIndex, names: list[str] = NAMES
) -> tuple[list[SeriesEffect], Forecast]:
    """Effects of shape (area, period) on known rates, and the draws that they come from."""
    k, t = effects.shape
    mean = np.broadcast_to(MEAN[:k, None] / t, (k, t))

    def rates(n: int) -> FloatArray:
        noise = 0.05 * rng.standard_normal((n, 1, 1)) + 0.05 * rng.standard_normal((n, k, 1))
        return np.asarray(mean * np.exp(noise))

    draws = rng.poisson(rates(DRAWS))  # (draw, area, period)
    observed = rng.poisson(rates(1)[0] * np.exp(effects)).astype(float)
    series = pd.DataFrame({"area": names[:k], "offence": "robbery"})
    forecast = Forecast(draws, series, periods, periods[0], "known")
    groups = [(list(range(k)), "all areas", True)]
    groups += [([i], names[i], False) for i in range(k)] if k > 1 else []
    parts = [
        measure_effect(
            observed[at].sum(axis=0),
            draws[:, at].sum(axis=1).astype(float),
            expected=draws[:, at].sum(axis=1).mean(axis=0),
            offence="robbery",
            area=area,
            is_total=is_total,
            periods=periods,
            exposure=[1.0] * t,
            level=0.95,
            smallest_detectable=float("nan"),
        )
        for at, area, is_total in groups
    ]
    return parts, forecast


OCTOBER = pd.period_range("2022-10", periods=1, freq="M")


def activity(amounts: FloatArray | list[float], kind: str = "patrol hours") -> Activity:
    log = pd.DataFrame(
        {"date": "2022-10-12", "area": NAMES[: len(amounts)], "kind": kind, "amount": amounts}
    )
    return read_activity(log, campaign(), panel())


def relate(
    amounts: FloatArray | list[float], effects: FloatArray, seed: int = 0, **given: Any
) -> Dose:
    parts, forecast = measured(np.random.default_rng(seed), effects[:, None], OCTOBER)
    return relate_dose(
        activity(amounts),
        campaign(**given),
        effect_parts=parts,
        forecast=forecast,
        panel=panel(),
        level=0.95,
        seed=seed,
    )


def test_dose_is_the_amount_for_a_hundred_expected() -> None:
    amounts = np.arange(12.0)
    table = relate(amounts, np.zeros(12)).summary()
    assert table["area"].tolist() == NAMES
    assert table["amount"].tolist() == amounts.tolist()
    assert table["dose"].to_numpy() == pytest.approx(100 * amounts / table["expected"])
    percent = 100 * (table["observed"] - table["expected"]) / table["expected"]
    assert table["percent"].to_numpy() == pytest.approx(percent)


def test_contrast_is_the_slope_from_the_smallest_dose_to_the_largest() -> None:
    response = relate(np.linspace(5, 60, 12), np.zeros(12)).responses[0]
    reach = response.most - response.least
    assert response.contrast_percent == pytest.approx(
        100 * (1 + response.slope_percent / 100) ** reach - 100
    )
    assert response.contrast_interval[0] == pytest.approx(
        100 * (1 + response.slope_interval[0] / 100) ** reach - 100
    )


@pytest.mark.slow
def test_planted_response_is_recovered() -> None:
    """Amounts for 100 expected of 0 to 20, and a count 3 per cent lower for each."""
    held, slopes, clear = [], [], 0
    for seed in range(60):
        rates = np.random.default_rng([seed, 1]).permutation(np.linspace(0, 20, 12))
        response = relate(rates * MEAN / 100, np.log(0.97) * rates, seed=seed).responses[0]
        slopes.append(response.slope_percent)
        held.append(response.slope_interval[0] <= -3 <= response.slope_interval[1])
        clear += response.q <= 0.05
    print(f"slope {np.mean(slopes):.2f} (planted -3), held {np.mean(held):.0%}, clear {clear}")
    assert np.mean(slopes) == pytest.approx(-3, abs=0.15)
    assert np.mean(held) >= 0.88
    assert clear >= 55


@pytest.mark.slow
def test_response_that_is_not_there_is_found_at_the_stated_rate() -> None:
    alarms = 0
    for seed in range(150):
        rates = np.random.default_rng([seed, 2]).gamma(2, 5, 12)
        alarms += relate(rates * MEAN / 100, np.full(12, -0.2), seed=seed).responses[0].q <= 0.05
    print(f"alarms {alarms} of 150")
    assert alarms <= 13  # 14 or more of 150 would have a probability of 2 per cent


def test_response_over_days_is_recovered() -> None:
    days = pd.period_range("2022-10-01", "2022-10-31", freq="D")
    rng = np.random.default_rng(8)
    amounts = rng.permutation(np.repeat([0.0, 40.0], [15, 16]))
    # 40 hours a day for about 83 expected are 48 for 100; the count is a third lower
    parts, forecast = measured(rng, np.log(2 / 3) * (amounts / 40)[None, :].repeat(12, 0), days)
    log = pd.DataFrame({"date": [str(d) for d in days], "area": NAMES[0], "kind": "h"})
    daily = simulate(areas=12, years=8, freq="D")
    done = read_activity(log.assign(amount=amounts), campaign(), daily)
    dose = relate_dose(
        done, campaign(), effect_parts=parts, forecast=forecast, panel=daily, level=0.95
    )
    response = dose.responses[1]
    assert (response.across, response.units) == ("periods", 31)
    assert response.contrast_percent == pytest.approx(-33.3, abs=6)
    assert response.contrast_interval[0] < -33.3 < response.contrast_interval[1] < 0
    assert "more of it goes with fewer" in " ".join(dose.sentences())
    table = dose.by_period()
    assert table["amount"].tolist() == amounts.tolist()
    assert (table["percent_lower"] <= table["percent"]).all()
    assert (table["percent"] <= table["percent_upper"]).all()


def test_without_variation_or_areas_no_slope_is_made_up() -> None:
    same = relate(np.full(12, 7.0), np.zeros(12))
    assert same.responses[0].reason == "every area was given the same amount of patrol hours"
    assert "robbery is counted by month, and a slope over time needs" in same.responses[1].reason
    assert "Response by dose is not possible: every area" in " ".join(same.sentences())
    few = campaign(areas=NAMES[:3])
    parts, forecast = measured(np.random.default_rng(0), np.zeros((3, 1)), OCTOBER)
    log = pd.DataFrame({"date": "2022-10-12", "area": NAMES[:3], "kind": "h", "amount": [1, 2, 3]})
    three = relate_dose(
        read_activity(log, few, panel()),
        few,
        effect_parts=parts,
        forecast=forecast,
        panel=panel(),
        level=0.95,
    )
    assert three.responses[0].reason == "robbery has 3 areas, and a slope over areas needs 4"
    assert three.check().status == "not possible"
    assert np.isnan(three.responses[0].q)


def test_one_area_has_its_dose_and_no_slope() -> None:
    only = campaign(areas=NAMES[:1])
    parts, forecast = measured(np.random.default_rng(0), np.zeros((1, 1)), OCTOBER)
    log = pd.DataFrame({"date": "2022-10-12", "area": NAMES[:1], "kind": "h", "amount": [5]})
    dose = relate_dose(
        read_activity(log, only, panel()),
        only,
        effect_parts=parts,
        forecast=forecast,
        panel=panel(),
        level=0.95,
    )
    assert dose.summary()["amount"].tolist() == [5.0]
    assert dose.responses[0].reason.startswith("robbery has no single areas")


def test_several_kinds_are_kept_apart_and_judged_together() -> None:
    rng = np.random.default_rng(3)
    parts, forecast = measured(rng, np.zeros((12, 1)), OCTOBER)
    one, two = rng.gamma(2, 20, 12), rng.gamma(2, 20, 12)
    log = pd.concat(
        [
            pd.DataFrame({"date": "2022-10-12", "area": NAMES, "kind": kind, "amount": amount})
            for kind, amount in (("patrol hours", one), ("arrests", two))
        ]
    )
    dose = relate_dose(
        read_activity(log, campaign(), panel()),
        campaign(),
        effect_parts=parts,
        forecast=forecast,
        panel=panel(),
        level=0.95,
    )
    table = dose.summary()
    assert table.groupby("kind")["amount"].sum()["arrests"] == pytest.approx(two.sum())
    p = sorted(r.p for r in dose.responses if not r.reason)
    q = sorted(r.q for r in dose.responses if not r.reason)
    # Benjamini & Hochberg with two: the larger as it is, the smaller doubled, never above it
    assert q == pytest.approx([min(2 * p[0], p[1]), p[1]])


def test_words_are_of_association_and_amounts_are_no_effect() -> None:
    dose = relate(np.linspace(0, 60, 12), np.zeros(12), selection="the worst of last summer")
    said = dose.sentences()
    assert said[0] == (
        "patrol hours: 360 logged from 2022-10-12 to 2022-10-12 in 11 of 12 areas; 1 had none in "
        "the log. This is what was done, and no effect."
    )
    assert "no clear slope" in said[1]
    assert "Places were chosen so: the worst of last summer." in said
    assert said[-1].endswith("association and, in part, regression to the mean.")
    for text in said:
        for word in ("caused", "led to", "thanks to", "positive", "negative"):
            assert word not in text
    plain = json.dumps(dose.to_dict(), allow_nan=False)
    assert (
        json.dumps(relate(np.linspace(0, 60, 12), np.zeros(12), selection="x").to_dict()) != plain
    )
    again = relate(np.linspace(0, 60, 12), np.zeros(12), selection="the worst of last summer")
    assert json.dumps(again.to_dict()) == plain


def test_more_given_where_it_had_risen_is_seen() -> None:
    counts = panel()
    at = counts.periods.get_loc(OCTOBER[0])
    values = np.full(counts.values.shape, 100.0)
    rise = np.linspace(0, 1.1, 12)
    values[:, at - 12 : at] = 100 * (1 + rise[:, None])
    risen = panel(np.round(values))
    parts, forecast = measured(np.random.default_rng(0), np.zeros((12, 1)), OCTOBER)
    for amounts, status in ((400 * (1 + rise) ** 2, "failed"), (900 - 700 * rise, "passed")):
        dose = relate_dose(
            activity(amounts),
            campaign(),
            effect_parts=parts,
            forecast=forecast,
            panel=risen,
            level=0.95,
        )
        check = dose.check()
        assert (check.status, check.blocking) == (status, False)
    # 400 (1 + r)^2 for a level of 100 (1 + r) rises with r: the ranks agree in full
    dose = relate_dose(
        activity(400 * (1 + rise) ** 2),
        campaign(),
        effect_parts=parts,
        forecast=forecast,
        panel=risen,
        level=0.95,
    )
    assert "were given more patrol hours (rank correlation +1.00)" in dose.check().text
