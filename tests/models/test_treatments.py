"""Disruptions, regressors and flags of the count engine: planted ones are found, others not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import DataError
from forecast.models.dynamic import DynamicCounts
from forecast.seasonality.disruptions import Disruption

MEAN = 400.0
FIRST, AFTER = 50, 58  # columns: 2019-03 to 2019-10


def make_panel(values: np.ndarray) -> Panel:
    periods = pd.period_range("2015-01", periods=values.shape[1], freq="M")
    areas = [f"Area {k}" for k in range(1, len(values) + 1)]
    return Panel(values, pd.DataFrame({"area": areas, "offence": "robbery"}), periods)


def make_shock(start: str, end: str) -> Disruption:
    days = (dt.date.fromisoformat(day) for day in (start, end))
    return Disruption("planted", *days, "test", 3, "planted")


SHOCK = make_shock("2019-03-01", "2019-10-31")


def dipped(seed: int, n: int) -> Panel:
    """Counts that fall by 40 per cent for eight months and come back."""
    rate = np.full(80, MEAN)
    rate[FIRST:AFTER] *= 0.6
    counts = np.random.default_rng(seed).poisson(rate)[None, :n]
    return make_panel(counts.astype(float))


def mean_ahead(model: DynamicCounts, panel: Panel, steps: int = 2) -> float:
    return float(model.fit(panel).forecast(steps, draws=300).draws.mean())


def test_masked_counts_change_nothing() -> None:
    rng = np.random.default_rng(0)
    plain = rng.poisson([[30.0], [90.0]], (2, 72)).astype(float)
    wild, gone = plain.copy(), plain.copy()
    wild[:, FIRST:AFTER] = rng.integers(0, 10**6, (2, 8))
    gone[:, FIRST:AFTER] = np.nan
    masked = DynamicCounts(disruptions=(SHOCK,))
    found = [masked.fit(make_panel(v)) for v in (plain, wild)]
    found.append(DynamicCounts().fit(make_panel(gone)))
    draws = [f.forecast(3, draws=200).draws.tobytes() for f in found]
    assert draws[0] == draws[1] == draws[2]
    levels = [f.quantile(3, [0.1, 0.5, 0.9]).tolist() for f in found]
    assert levels[0] == levels[1] == levels[2]
    # one more month at either end is looked at
    for column in (FIRST - 1, AFTER):
        wild[:, column] *= 3
        other = masked.fit(make_panel(wild)).forecast(3, draws=200).draws
        assert other.tobytes() != draws[0]
        wild[:, column] /= 3


def test_a_step_ends_when_the_disruption_ends() -> None:
    """Twelve panels: a mean of two months of 400 has a standard error of 1 per cent and less."""
    model = DynamicCounts(disruptions=(SHOCK,), treatment="step")
    during, back, later, plain = [], [], [], []
    for seed in range(12):
        during.append(mean_ahead(model, dipped(seed, AFTER - 3)))
        back.append(mean_ahead(model, dipped(seed, AFTER)))
        later.append(mean_ahead(model, dipped(seed, 72)))
        plain.append(mean_ahead(DynamicCounts(), dipped(seed, AFTER)))
    assert np.mean(during) == pytest.approx(0.6 * MEAN, rel=0.04)
    assert np.mean(back) == pytest.approx(MEAN, rel=0.04)
    assert np.mean(later) == pytest.approx(MEAN, rel=0.02)
    assert np.mean(plain) == pytest.approx(0.6 * MEAN, rel=0.04)  # what it spares us


def test_intervals_after_a_step_hold() -> None:
    """Of 40 panels, 95 per cent of the first months after it: at least 34 but for 1 in 1,000."""
    model = DynamicCounts(disruptions=(SHOCK,), treatment="step")
    held = 0
    for seed in range(40):
        low, high = model.fit(dipped(seed, AFTER)).quantile(1, [0.025, 0.975])[:, 0, 0]
        held += bool(low <= dipped(seed, AFTER + 1).values[0, AFTER] <= high)
    assert held >= 34


def test_a_level_told_of_a_lasting_step_follows_sooner() -> None:
    """From the 61st month on 40 per cent fewer, for good."""
    told = DynamicCounts(disruptions=(make_shock("2020-01-01", "2021-12-31"),),
                         treatment="variance")  # fmt: skip
    rate = np.full(63, MEAN)
    rate[60:] *= 0.6
    misses = np.zeros((2, 2))  # (model, months seen), of a forecast one month ahead
    for seed in range(10):
        values = np.random.default_rng(seed).poisson(rate)[None].astype(float)
        for j, n in enumerate((61, 62)):
            for i, model in enumerate((told, DynamicCounts())):
                ahead = mean_ahead(model, make_panel(values[:, :n]), 1)
                misses[i, j] += abs(ahead / (0.6 * MEAN) - 1) / 10
    assert (misses[0] < 0.12).all()
    assert (misses[1] > 1.4 * misses[0]).all()


def test_before_a_disruption_begins_no_treatment_matters() -> None:
    later = make_shock("2024-01-01", "2024-02-29")
    plain = DynamicCounts().fit(dipped(0, 72)).forecast(3, draws=100).draws.tobytes()
    for treatment in ("mask", "variance"):
        model = DynamicCounts(disruptions=(later,), treatment=treatment)
        assert model.fit(dipped(0, 72)).forecast(3, draws=100).draws.tobytes() == plain


RAIN = np.random.default_rng(3).integers(0, 2, 75).astype(float)
MONTHS = pd.period_range("2015-01", periods=75, freq="M")


def test_the_effect_of_a_regressor_is_found() -> None:
    ratios = []
    for seed in range(8):
        rate = MEAN * np.exp(0.3 * RAIN[:72])
        panel = make_panel(np.random.default_rng(seed).poisson(rate)[None].astype(float))
        wet, dry = (
            pd.DataFrame({"rain": np.r_[RAIN[:72], np.full(3, value)]}, index=MONTHS)
            for value in (1.0, 0.0)
        )
        ahead = [mean_ahead(DynamicCounts(regressors=table), panel, 3) for table in (wet, dry)]
        ratios.append(ahead[0] / ahead[1])
    # 72 months of 400, half of them wet: a standard error of 0.012 a panel
    assert np.mean(ratios) == pytest.approx(np.exp(0.3), rel=0.015)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            pd.DataFrame({"rain": RAIN[:73]}, index=MONTHS[:73]),
            r"Regressors rain must have a value for every .*: 2021-02, 2021-03 have none",
        ),
        (
            pd.DataFrame({"rain": np.where(np.arange(75) == 8, np.nan, RAIN)}, index=MONTHS),
            r"Regressors rain must .*: 2015-09 have none. Add them, or leave the regressor out",
        ),
        (
            pd.DataFrame({"rain": RAIN}, index=MONTHS.to_timestamp()),
            r"Regressors must be indexed by monthly periods: found DatetimeIndex. Set the index",
        ),
    ],
)
def test_regressors_without_values_are_refused(table: pd.DataFrame, words: str) -> None:
    with pytest.raises(DataError, match=words):
        DynamicCounts(regressors=table).fit(dipped(0, 72)).forecast(3)


def test_treatments_that_do_not_exist_are_refused() -> None:
    wrong: Any = "drop"
    with pytest.raises(DataError, match="Treatment must be 'mask', 'step' or 'variance': found 'd"):
        DynamicCounts(treatment=wrong)
    with pytest.raises(DataError, match="Engine must be 'numba' or 'dask': found 'drop'. Leave it"):
        DynamicCounts(engine=wrong)


def test_a_jump_is_flagged() -> None:
    for seed in range(5):
        values = np.random.default_rng(seed).poisson([[100.0], [200.0]], (2, 96)).astype(float)
        for factor, word in ((2.0, "higher"), (0.4, "lower")):
            jumped = values.copy()
            jumped[0, -3:] = np.round(jumped[0, -3:] * factor)
            flags = DynamicCounts().fit(make_panel(jumped)).flags
            found = flags[flags["area"] == "Area 1"]
            assert found[["offence", "counts_were"]].to_numpy().tolist() == [["robbery", word]]
            assert 3 <= found["forecasts"].item() <= 8


def test_nothing_is_flagged_where_nothing_changed() -> None:
    """A sum beyond 5 is seldom: once in 465 forecasts, and it lasts for some ten of them.

    Of 120 series and totals two per cent, or some three, may be flagged; nine but for 1 in 500.
    """
    flagged = 0
    for seed in range(40):
        values = np.random.default_rng(seed).poisson([[100.0], [200.0]], (2, 96)).astype(float)
        flagged += len(DynamicCounts().fit(make_panel(values)).flags)
    assert flagged <= 9


def test_a_shock_that_ends_at_the_cutoff_or_lies_ahead_widens_the_forecast() -> None:
    """Its end lets the level jump with variance 0.1, before the first period that was not seen."""
    panel = make_panel(np.random.default_rng(3).poisson(3000.0, (1, 72)).astype(float))
    months = panel.periods
    spread = {}
    for name, first, last in (("none", None, None), ("ended", -6, -1), ("ahead", 2, 9)):
        shocks: tuple[Disruption, ...] = ()
        if first is not None and last is not None:
            start, end = (months[-1] + 1 + k for k in (first, last))
            shocks = (Disruption(name, start.start_time.date(), end.end_time.date()),)
        fitted = DynamicCounts(disruptions=shocks, treatment="variance").fit(panel)
        spread[name] = fitted.paths(4, draws=20_000).log_total[:, 0].var(axis=0)  # (period,)
    # the third month ahead is the first of a shock that begins two months after the first
    more = spread["ahead"] - spread["none"]
    assert more[:2] == pytest.approx([0.0, 0.0], abs=0.003)
    # draws are stretched as past forecasts ask, their variance by the square of the factor
    wide = float(fitted.states[0].total_stretch.at(np.array([3, 4])).mean()) ** 2
    assert more[2:] == pytest.approx([0.1 * wide] * 2, rel=0.1)
    assert (spread["ended"] - spread["none"] > 0.08).all()
