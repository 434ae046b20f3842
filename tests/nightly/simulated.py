"""A store filled by simulation, so that the pages can be tried alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.data.sources import LONDON_UNITS, Snapshot
from forecast.models.draws import Forecast
from forecast.models.quantiles import QuantileForecast
from forecast.nightly.alerts import find_alerts
from forecast.nightly.configuring import Configuration
from forecast.nightly.dependence import find_joint
from forecast.nightly.scoring_nights import score_forecasts
from forecast.nightly.store import Store
from forecast.scoring import HUB_LEVELS

BOROUGHS = tuple(sorted(b for boroughs in LONDON_UNITS.values() for b in boroughs))
OFFENCES = ("robbery", "violence with injury", "burglary")
CONFIG = Configuration.build(
    {"source": [{"name": "calls", "path": "calls.csv"}], "publish": {"title": "London tonight"}}
)
HORIZON = 28


def make_counts(
    areas: Sequence[str] = BOROUGHS, offences: Sequence[str] = OFFENCES, *, days: int = 90
) -> tuple[Panel, np.ndarray]:
    """Daily counts and their true means, (series, day).

    The last day of the first area's first offence is far too high, and the second area's first
    offence is half as high again for 24 days.
    """
    rng = np.random.default_rng(5)
    size = np.repeat(np.geomspace(30, 3, len(offences)), len(areas))
    size = size * np.tile(np.linspace(1.4, 0.6, len(areas)), len(offences))
    week = 1 + 0.25 * np.isin(np.arange(days + HORIZON) % 7, (4, 5))
    means = size[:, None] * week
    truth = means[:, :days].copy()
    truth[0, -1] *= 2.6
    truth[1 % len(areas), -24:] *= 1.5
    pairs = [(area, offence) for offence in offences for area in areas]
    periods = pd.period_range("2024-02-01", periods=days, freq="D")
    snapshot = Snapshot("tests of the pages", "2024-05-01", "0" * 64, None, synthetic=True)
    series = pd.DataFrame(pairs, columns=["area", "offence"])
    counts = rng.poisson(truth * rng.gamma(60, 1 / 60, truth.shape)).astype(float)
    return Panel(counts, series, periods, measure="calls", snapshot=snapshot), means


def draw_ahead(panel: Panel, means: np.ndarray, day: int, draws: int = 300) -> Forecast:
    """A right forecast of the days from one on."""
    rng = np.random.default_rng(day)
    rate = means[:, day : day + HORIZON]  # (series, period)
    shape = (draws, *rate.shape)
    drawn = rng.poisson(rate * rng.gamma(60, 1 / 60, shape)).astype(np.int64)
    periods = pd.period_range(panel.periods[0] + day, periods=HORIZON, freq="D")
    return Forecast(
        drawn, panel.series, periods, periods[0], "DynamicCounts", total_name=panel.total_name
    )


def fill_store(store: Store, panel: Panel, means: np.ndarray, *, nights: int = 24) -> None:
    """Publish nights that forecast, score what came true, and warn."""
    days = panel.values.shape[1]
    made: list[QuantileForecast] = []
    for day in range(days - nights + 1, days + 1):
        as_of = dt.date.fromisoformat(str(panel.periods[0])) + dt.timedelta(days=day)
        ahead = draw_ahead(panel, means, day)
        values = ahead.quantile(HUB_LEVELS)
        with store.begin_run(as_of, "0.1.0", 0) as run:
            run.snapshot("calls", panel.snapshot, first=panel.periods[0], last=panel.periods[-1])
            run.forecasts(panel.series, ahead.periods, values, joint=find_joint(ahead),
                          measure=panel.measure)  # fmt: skip
            seen = panel.before(as_of)
            fresh = [pick(one, seen.periods[-1:]) for one in made[-1:]]
            if fresh:
                run.scores(score_forecasts(fresh, seen), measure=panel.measure)
            scores = pd.concat([store.scores(), score_now(fresh, seen, as_of)], ignore_index=True)
            run.alerts(
                find_alerts(seen, fresh, store.alerts(), as_of=as_of, scores=scores, config=CONFIG)
            )
            run.publish()
        made.append(QuantileForecast(values, HUB_LEVELS, panel.series, ahead.periods,
                                     ahead.periods[0], "DynamicCounts"))  # fmt: skip


def score_now(forecasts: list[QuantileForecast], panel: Panel, as_of: dt.date) -> pd.DataFrame:
    """Scores of the night that is being made, as the store will give them."""
    found = score_forecasts(forecasts, panel)
    if found.empty:
        return found
    told = {name: found[name].astype(str) for name in ("period", "origin")}
    return found.assign(as_of=str(as_of), freq=panel.freq, measure=panel.measure, **told)


def pick(forecast: QuantileForecast, periods: pd.PeriodIndex) -> QuantileForecast:
    """Some periods of a forecast."""
    keep = forecast.periods.isin(periods)
    return QuantileForecast(forecast.values[:, :, keep], forecast.levels, forecast.series,
                            forecast.periods[keep], forecast.cutoff, forecast.model)  # fmt: skip
