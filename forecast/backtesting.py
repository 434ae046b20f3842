"""Rolling origins: what each model would have forecast, scored by what came."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from forecast.data.maturity import find_immature, leave_out_immature
from forecast.data.panel import Panel
from forecast.errors import DataError, ForecastError, name_offenders
from forecast.models.base import list_models, stream
from forecast.models.draws import Forecast
from forecast.models.naive import SeasonalNaive
from forecast.models.quantiles import observed_counts, score_quantiles
from forecast.models.thinning import find_thinned, thin_recent
from forecast.periods import SEASON_LENGTHS, UNIT_NAMES, as_period, label
from forecast.scoreboard import Scores
from forecast.scoring import crps_draws, pit_draws

DEFAULT_ORIGINS = 8
"""Origins when none are given: with a quarter of a year between them, they span two years."""

_SEASONS_BEFORE = 2  # what every model needs before the first origin


class FittedForecaster(Protocol):
    """What `fit` returns."""

    def forecast(self, periods: int, *, draws: int = 1000, seed: int = 0) -> Forecast:
        """Return the forecast of the periods after the data."""


class Forecaster(Protocol):
    """A model that can be scored: every model of this package, or your own."""

    @property
    def name(self) -> str:
        """Name in the results."""

    def fit(self, panel: Panel) -> FittedForecaster:
        """Return a fitted model; the panel is not changed."""


def backtest(
    models: Forecaster | Sequence[Forecaster],
    panel: Panel,
    *,
    horizon: int = 3,
    origins: int | Iterable[Any] | None = None,
    draws: int = 1000,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Scores:
    """Score models by forecasting from past origins, with only what was known then.

    For each origin every model is fitted to the panel before the origin, and its forecast is
    compared with what came. The seasonal naive forecast is always there to be compared with.

    Parameters
    ----------
    models : model or list of models
        `SeasonalNaive` is put first when it is not among them.
    panel : Panel
        Needs two years before the first origin. Missing counts are left out of the scores, and
        so are those that may still grow; where the panel's lag is corrected for (`with_lag`), the
        forecasts are of what is recorded by when its figures were taken, and are scored by that.
    horizon : int, default 3
        Periods forecast from each origin.
    origins : int or list of periods, optional
        First periods not to be seen (periods, dates or text), or how many to take: a quarter
        of a year apart (3 months, 13 weeks, 91 days), the last one as late as `horizon` allows.
        By default up to 8, so that two years are spanned.
    draws : int, default 1000
    seed : int, default 0
    progress : callable, optional
        Called with the number of fits done and the number in all, after each.

    Returns
    -------
    Scores

    Raises
    ------
    ForecastError
        If horizon, draws or models cannot be used.
    DataError
        If the panel is too short for an origin, or an origin lies outside of it.
    FitError
        If a model cannot be fitted; no model is left out silently.

    Notes
    -----
    The unit of scaled scores is the mean absolute difference between a count and that of one
    season before, within the training data of the origin, for each series.

    References
    ----------
    Tashman (2000), Out-of-sample tests of forecasting accuracy, International Journal of
    Forecasting 16, section 3. Scores: `forecast.scoring`.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> robbery = load_sample("london").select(offence="robbery").total()
    >>> backtest(SeasonalNaive(), robbery.before("2020-01"), origins=["2019-07", "2019-10"])
    Scores(1 model, 1 series, 2 origins from 2019-07 to 2019-10, 3 months ahead; lowest WIS SeasonalNaive 0.851)
    """  # noqa: E501
    _check_count(horizon, "Horizon")
    _check_count(draws, "Draws")
    named = _name_models(models)
    starts = _choose_origins(panel, origins, horizon)
    rows: list[pd.DataFrame] = []
    seconds: dict[str, list[float]] = {name: [] for name in named}
    done, total = 0, len(starts) * len(named)
    came, notes = _settle(panel, starts[0])
    for start in starts:
        past = leave_out_immature(panel.before(start))  # models of one's own may not do it
        for name, model in named.items():
            began = _cpu_seconds()
            found = model.fit(past).forecast(horizon, draws=draws, seed=seed)
            found = thin_recent(found, panel, seed=seed)
            seconds[name].append((_cpu_seconds() - began) / len(panel.series))
            rng = stream(seed, "pit", label(start))  # the same for every model
            rows.append(_score(name, found, came, rng))
            done += 1
            if progress is not None:
                progress(done, total)
    table = pd.concat(rows, ignore_index=True)
    if table.empty:
        why = "missing or may still grow" if notes else "missing"
        raise DataError(
            f"Backtest must have counts to compare with: all are {why} after the origins "
            f"{name_offenders([label(s) for s in starts])}. Choose other origins."
        )
    cpu = {name: float(np.median(values)) for name, values in seconds.items()}
    return Scores(table, horizon, starts, len(panel.series), cpu, notes)


def _settle(panel: Panel, first: pd.Period) -> tuple[Panel, tuple[str, ...]]:
    """The counts to score forecasts by, from the first origin on, and what to say of young ones.

    With a lag that is corrected for, young counts stay, since less is expected of them; those of
    periods that were still running, or of which no share is known, never do.
    """
    young = find_immature(panel)  # (series, period)
    if not young.any():
        return panel, ()
    told = []
    thinned = find_thinned(panel) & young
    for what, cells in (
        ("{} may not be complete yet: left out of the scores.", young & ~thinned),
        (
            "{} may not be complete yet: what was recorded when the figures were taken is "
            "forecast, draw by draw.",
            thinned,
        ),
    ):
        at = cells.any(axis=0) & (panel.periods >= first)  # (period,)
        if at.any():
            told.append(what.format(name_offenders([label(p) for p in panel.periods[at]])))
    told.append("What may not be complete is not learnt from.")
    return replace(panel, values=np.where(young & ~thinned, np.nan, panel.values)), tuple(told)


def _check_count(value: int, what: str) -> None:
    """Refuse anything but a whole number of at least one."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ForecastError(
            f"{what} must be a whole number, 1 or more: found {value!r}. Leave it out for the "
            "default."
        )


def _name_models(models: Forecaster | Sequence[Forecaster]) -> dict[str, Forecaster]:
    """Models by name, the naive one among them; two of a kind are named by their settings."""
    listed: list[Forecaster] = list_models(models)
    if not any(isinstance(model, SeasonalNaive) for model in listed):
        listed.insert(0, SeasonalNaive())
    kinds = [model.name for model in listed]
    names = [n if kinds.count(n) == 1 else repr(m) for n, m in zip(kinds, listed, strict=True)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ForecastError(
            f"Models must differ: {name_offenders(twice)} is there more than once. Name each once."
        )
    return dict(zip(names, listed, strict=True))


def _choose_origins(
    panel: Panel, origins: int | Iterable[Any] | None, horizon: int
) -> pd.PeriodIndex:
    """Origins in order of time, all with enough data before them and something after."""
    freq, unit = panel.freq, UNIT_NAMES[panel.freq]
    season = SEASON_LENGTHS[freq]
    earliest = panel.periods[0] + _SEASONS_BEFORE * {"D": 365}.get(freq, season)
    if origins is None or isinstance(origins, int | np.integer):
        wanted = DEFAULT_ORIGINS if origins is None else origins
        _check_count(wanted, "Origins")
        latest = panel.periods[-1] - horizon + 1
        chosen = [latest - k * (season // 4) for k in range(wanted)]
        enough = [origin for origin in chosen if origin >= earliest]
        if not enough or (origins is not None and len(enough) < wanted):
            raise DataError(
                f"Backtest must have two years before its first origin: the panel of "
                f"{len(panel.periods)} {unit}s has room for {len(enough)} of {wanted} origins. "
                f"Load earlier {unit}s, or ask for fewer origins."
            )
        return pd.PeriodIndex(sorted(enough), freq=freq)
    given = [origins] if isinstance(origins, str | pd.Period) else list(origins)
    listed = sorted({as_period(origin, freq) for origin in given})
    bad = [label(o) for o in listed if not earliest <= o <= panel.periods[-1]]
    if bad or not listed:
        raise DataError(
            f"Origins must lie from {label(earliest)} (two years after the panel begins) to "
            f"{label(panel.periods[-1])}: found {name_offenders(bad) or 'none'}. "
            f"Choose origins in between, or load earlier {unit}s."
        )
    return pd.PeriodIndex(listed, freq=freq)


def _score(name: str, found: Forecast, panel: Panel, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of one model and origin, those with a missing observation left out."""
    frame = score_quantiles(found, panel)
    came = observed_counts(found, panel)  # (series, period)
    counted = ~np.isnan(came)
    crps = crps_draws(found.draws, came)[counted]
    frame["model"] = name
    frame["crps"] = crps
    frame["crps_scaled"] = crps / frame["scale"]
    frame["pit"] = pit_draws(found.draws, came, rng=rng)[counted]
    return frame


def _cpu_seconds() -> float:
    """CPU time of this process and of those that it has run: Prophet's optimiser is one."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system
