"""The count engine that follows controls into the window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import DataError, FitError
from forecast.impact.baseline import calibrate, fit_before
from forecast.impact.campaign import Campaign
from forecast.impact.controls import ControlledCounts, FittedControlled, find_controls
from forecast.impact.placebo import run_placebos
from forecast.impact.synthetic import KINDS, Kind
from forecast.impact.windows import find_windows
from forecast.models.base import Model
from forecast.models.draws import interval
from forecast.models.dynamic import DynamicCounts
from forecast.simulation import simulate

OTHERS = ["North", "South", "East"]


def make_campaign(**given: Any) -> Campaign:
    settings: dict[str, Any] = {
        "name": "Night patrols",
        "start": "2024-11-01",
        "end": "2024-12-31",
        "offences": ["robbery"],
        "areas": ["Target"],
        "comparison": {"areas": OTHERS},
    }
    return Campaign(**(settings | given))


def shocked(seed: int, *, effect: float = 0.0, shock: float = -0.2, months: int = 120) -> Panel:
    """A target and three controls that share good and bad months, and a shock in the last two.

    Their common noise wanders (first-order autoregression, 0.5, innovations of 5 per cent); each
    has 2 per cent of its own, a level that wanders by 0.6 per cent a month, and counting noise.
    """
    rng = np.random.default_rng(seed)
    common = np.zeros(months)
    for t in range(1, months):
        common[t] = 0.5 * common[t - 1] + 0.05 * rng.standard_normal()
    common[-2:] += np.log1p(shock)
    season = 0.08 * np.cos(2 * np.pi * (np.arange(months) - 9) / 12)
    level = np.log([400.0, 320.0, 480.0, 240.0])[:, None]
    own = 0.006 * np.cumsum(rng.standard_normal((4, months)), axis=1)
    own += 0.02 * rng.standard_normal((4, months))
    own[0, -2:] += np.log1p(effect)
    series = pd.DataFrame({"area": ["Target", *OTHERS], "offence": "robbery"})
    periods = pd.period_range("2015-01", periods=months, freq="M")
    counts = rng.poisson(np.exp(level + season + common + own)).astype(float)
    return Panel(counts, series, periods)


def changed(panel: Panel, area: str, period: str, factor: float) -> Panel:
    """The panel with one area's counts of one period multiplied."""
    values = panel.values.copy()
    rows = (panel.series["area"] == area).to_numpy()
    values[np.ix_(rows, panel.periods == pd.Period(period, panel.freq))] *= factor
    return replace(panel, values=values)


def two_offences() -> Panel:
    """Robbery and burglary in four areas."""
    parts = [
        simulate(areas=4, years=8, offence=offence, seed=seed).to_frame()
        for seed, offence in enumerate(["robbery", "burglary", "theft"])
    ]
    return Panel.from_frame(pd.concat(parts, ignore_index=True))


def draws_of(model: Model, panel: Panel, start: str = "2024-11") -> np.ndarray:
    fitted = fit_before(model, panel, pd.Period(start, "M"))
    return fitted.forecast(2, draws=200).draws


def test_an_unknown_kind_is_refused() -> None:
    controls = find_controls(make_campaign(), shocked(0))
    with pytest.raises(DataError, match=r"must be 'synthetic', .* found 'lasso'"):
        ControlledCounts(controls, kind="lasso")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_the_target_is_seen_from_the_window_on(kind: Kind) -> None:
    panel = shocked(1)
    later = changed(changed(panel, "Target", "2024-11", 50.0), "Target", "2024-12", 0.0)
    found = [
        draws_of(ControlledCounts(find_controls(make_campaign(), p), kind), p.select(area="Target"))
        for p in (panel, later)
    ]
    assert (found[0] == found[1]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_a_control_is_seen_after_the_window(kind: Kind) -> None:
    panel = shocked(1)
    window = {"start": "2024-08-01", "end": "2024-09-30"}

    def look(counts: Panel) -> np.ndarray:
        """Log rates of August and September, shape (draw, period)."""
        model = ControlledCounts(find_controls(make_campaign(**window), counts), kind)
        target = counts.select(area="Target")
        fitted = fit_before(model, target, pd.Period("2024-08", "M"))
        return fitted.paths(2, draws=200).log_total[:, 0]

    plain, inside = look(panel), look(changed(panel, "North", "2024-09", 7.0))
    assert (look(changed(panel, "North", "2024-10", 7.0)) == plain).all()
    assert (inside[:, 0] == plain[:, 0]).all()
    assert inside[:, 1].mean() > plain[:, 1].mean() + 0.1


def test_a_control_with_full_weight_takes_the_target_along() -> None:
    # The only control has weight one, so half as many there are half as many expected here.
    panel = shocked(2)
    campaign = make_campaign(comparison={"areas": ["North"]})
    halved = changed(panel, "North", "2024-12", 0.5)
    target = panel.select(area="Target")
    whole, half = (
        fit_before(ControlledCounts(find_controls(campaign, p)), target, pd.Period("2024-11", "M"))
        .paths(2, draws=300)
        .log_total
        for p in (panel, halved)
    )
    north = panel.values[1, -1]
    expected = np.log(np.round(north * 0.5, 9) / north)
    assert (half - whole)[:, 0, 1] == pytest.approx(expected, abs=1e-9)
    assert (half - whole)[:, 0, 0] == pytest.approx(0, abs=0)


@pytest.mark.parametrize("kind", KINDS)
def test_several_offences_and_areas_add_up(kind: Kind) -> None:
    counts = two_offences()
    campaign = make_campaign(
        areas=["Area 01", "Area 02"], offences=["theft", "robbery"],
        comparison={"areas": ["Area 03", "Area 04"]}, start="2022-10-01", end="2022-11-30",
    )  # fmt: skip
    model = ControlledCounts(find_controls(campaign, counts), kind)
    targets = counts.select(area=campaign.areas, offence=campaign.offences)
    # rows of one offence need not follow one another
    mixed = replace(
        targets, values=targets.values[[0, 2, 1, 3]], series=targets.series.iloc[[0, 2, 1, 3]]
    )
    fitted = fit_before(model, mixed, pd.Period("2022-10", "M"))
    assert isinstance(fitted, FittedControlled)
    found = fitted.forecast(2, draws=300)
    seen = mixed.before("2022-10").values[:, -12:].mean(axis=1)
    assert found.draws.mean(axis=(0, 2)) == pytest.approx(seen, rel=0.25)
    # each offence as if it were alone
    for offence in campaign.offences:
        one = mixed.select(offence=offence)
        alone = fit_before(model, one, pd.Period("2022-10", "M")).paths(2, draws=300)
        row = mixed.offences.index(offence)
        assert (fitted.paths(2, draws=300).log_total[:, row] == alone.log_total[:, 0]).all()
    table = fitted.weights()
    assert table.groupby("offence")["control"].apply(list).to_dict() == {
        offence: ["Area 03", "Area 04"] for offence in campaign.offences
    }
    if kind == "synthetic":
        assert table.groupby("offence")["weight"].sum().to_numpy() == pytest.approx([1, 1])


def test_the_base_keeps_its_own_regressors_and_settings() -> None:
    panel = shocked(3)
    heat = pd.DataFrame({"heat": np.sin(np.arange(120))}, index=panel.periods)
    controls = find_controls(make_campaign(), panel)
    target = panel.select(area="Target")
    for kind in KINDS:
        warm = ControlledCounts(controls, kind, DynamicCounts(regressors=heat))
        assert (draws_of(warm, target) != draws_of(ControlledCounts(controls, kind), target)).any()


def test_an_offence_without_controls_cannot_be_fitted() -> None:
    counts = two_offences()
    campaign = make_campaign(
        areas=["Area 01"], comparison={"offences": ["burglary"]}, start="2022-10-01",
        end="2022-11-30",
    )  # fmt: skip
    model = ControlledCounts(find_controls(campaign, counts))
    with pytest.raises(FitError, match="must have a control .* burglary has none before 2022-10"):
        model.fit(counts.select(area="Area 01", offence="burglary").before("2022-10"))


def test_a_control_that_begins_late_is_left_out_of_early_fits() -> None:
    panel = shocked(4)
    values = panel.values.copy()
    values[1, :60] = np.nan  # North begins in January 2020
    counts = replace(panel, values=values)
    campaign = make_campaign()
    model = ControlledCounts(find_controls(campaign, counts))
    target = counts.select(area="Target")
    early = fit_before(model, target, pd.Period("2021-12", "M"))
    late = fit_before(model, target, pd.Period("2022-01", "M"))
    assert isinstance(early, FittedControlled)
    assert isinstance(late, FittedControlled)
    assert early.weights()["control"].tolist() == ["South", "East"]
    assert late.weights()["control"].tolist() == OTHERS
    # and windows in which it says nothing are no placebo windows
    windows = model.controls.choose_windows(campaign, find_windows(campaign, counts, []))
    assert min(w.periods[0] for w in windows) >= pd.Period("2022-01", "M")


def test_a_forecast_beyond_the_controls_is_refused() -> None:
    panel = shocked(5)
    model = ControlledCounts(find_controls(make_campaign(), panel))
    fitted = model.fit(panel.select(area="Target").before("2024-11"))
    with pytest.raises(DataError, match=r"those of robbery 2025-01 are missing\. Load them"):
        fitted.forecast(3)


def test_the_same_seed_gives_the_same_draws() -> None:
    panel = shocked(6)
    model = ControlledCounts(find_controls(make_campaign(), panel))
    target = panel.select(area="Target")
    assert (draws_of(model, target) == draws_of(model, target)).all()


def measure(model: Model, panel: Panel, campaign: Campaign) -> tuple[float, float, float]:
    """Effect in per cent and its calibrated interval."""
    target = panel.select(area=campaign.areas, offence=campaign.offences)
    window = campaign.periods("M")
    windows = find_windows(campaign, panel, [])
    if isinstance(model, ControlledCounts):
        windows = model.controls.choose_windows(campaign, windows)
    placebo = run_placebos(
        model, target, campaign, [], level=0.95, draws=400, seed=0, windows=windows
    )
    fitted = fit_before(model, target, window[0])
    found, raw = calibrate(fitted, window, placebo.calibration(), draws=400, seed=0)
    sums = found.draws.sum(axis=(1, 2))
    observed = target.values[:, target.periods.get_indexer(window)].sum()
    lower, upper = interval(100 * (observed - sums) / sums, 0.95)
    percent = 100 * (observed / raw.draws.sum(axis=(1, 2)).mean() - 1)
    return float(percent), float(lower), float(upper)


@pytest.mark.slow
def test_a_shock_that_controls_share_is_taken_off() -> None:
    """Twenty per cent fewer everywhere in the window, and fifteen fewer still in the target.

    Over 200 seeds the error has a standard deviation of 5.4 points (the target's own noise and
    counting), so the mean of 30 one of 1.0: it may be off by 2.5 of those.
    """
    campaign, effect = make_campaign(), -15.0
    found: dict[str, list[tuple[float, float, float]]] = {"before": [], "controls": []}
    for seed in range(30):
        panel = shocked(seed, effect=effect / 100)
        model = ControlledCounts(find_controls(campaign, panel))
        found["before"].append(measure(DynamicCounts(), panel, campaign))
        found["controls"].append(measure(model, panel, campaign))
    for name, rows in found.items():
        percent, lower, upper = np.array(rows).T
        held = float(((lower <= effect) & (upper >= effect)).mean())
        bias, width = percent.mean() - effect, (upper - lower).mean()
        print(f"{name}: bias {bias:+.1f}, held {held:.0%}, width {width:.1f} points")
        if name == "before":
            # (1 - 0.15)(1 - 0.2) - 1 = -32 per cent is what it sees
            assert bias == pytest.approx(-17, abs=4)
            assert held <= 0.6
        else:
            assert abs(bias) <= 2.5
            # of 30 intervals that hold 95 per cent, fewer than 26 would have a chance of 2 per cent
            assert held >= 26 / 30


@pytest.fixture(scope="module")
def casualties(shared: Path) -> Panel:
    table = pd.read_csv(shared / "data" / "known_answers" / "uk_seatbelts_1969_1984.csv")
    tidy = table.melt("month", ["drivers", "front", "rear"], "offence", "count")
    tidy = tidy.rename(columns={"month": "period"}).assign(area="Great Britain")
    return Panel.from_frame(tidy[["area", "offence", "period", "count"]], measure="casualties")


@pytest.mark.slow
@pytest.mark.parametrize("last", ["1984-01-31", "1984-12-31"])
def test_seat_belts_with_rear_passengers_as_control(casualties: Panel, last: str) -> None:
    """Harvey & Durbin (1986), JRSS A 149(3): drivers 23 per cent fewer, front passengers 30."""
    for name, published in (("drivers", -23.0), ("front", -30.0)):
        campaign = Campaign(
            name="Seat belts", start="1983-02-01", end=last, offences=[name],
            comparison={"offences": ["rear"]},
        )  # fmt: skip
        model = ControlledCounts(find_controls(campaign, casualties))
        percent, lower, upper = measure(model, casualties, campaign)
        print(f"{name} to {last}: {percent:+.1f} ({lower:+.1f} to {upper:+.1f})")
        assert percent == pytest.approx(published, abs=3)
        assert lower <= published <= upper < 0
        before = measure(DynamicCounts(), casualties, campaign)
        assert upper - lower < before[2] - before[1]
