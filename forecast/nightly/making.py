"""The forecasts of a night: 23 quantiles a period, and what is needed to draw jointly again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.models.base import FittedModel
from forecast.models.draws import FloatArray
from forecast.models.fitted import FittedDynamic
from forecast.models.quantiles import QuantileForecast
from forecast.nightly.dependence import Joint, find_joint
from forecast.nightly.recording import Run
from forecast.scoring import HUB_LEVELS

_CELLS = 20_000_000  # draws x series x periods that are held at once


@dataclass(frozen=True, eq=False)
class Part:
    """Forecasts of some offences.

    Attributes
    ----------
    series : pandas.DataFrame
    values : numpy.ndarray
        Quantiles, shape (level, series, period).
    joint : Joint or None
    """

    series: pd.DataFrame
    values: FloatArray
    joint: Joint | None


@dataclass(frozen=True, eq=False)
class Made:
    """Forecasts of one source by one model.

    Attributes
    ----------
    source, model, measure : str
    periods : pandas.PeriodIndex
        From the cutoff on.
    parts : tuple of Part
    """

    source: str
    model: str
    measure: str
    periods: pd.PeriodIndex
    parts: tuple[Part, ...]

    @property
    def cutoff(self) -> pd.Period:
        """The first period that was not seen."""
        return self.periods[0]

    def describe(self) -> dict[str, Any]:
        """Return facts by which later nights find it again."""
        from forecast.periods import label

        return {
            "source": self.source,
            "model": self.model,
            "measure": self.measure,
            "freq": str(self.periods.freqstr),
            "cutoff": label(self.cutoff),
            "periods": len(self.periods),
        }

    def quantiles(self) -> QuantileForecast:
        """Return all parts as one forecast."""
        return QuantileForecast(
            np.concatenate([part.values for part in self.parts], axis=1),
            HUB_LEVELS,
            pd.concat([part.series for part in self.parts], ignore_index=True),
            self.periods,
            self.cutoff,
            self.model,
        )

    def add_to(self, run: Run) -> None:
        """Add the forecasts to a night of the store."""
        for part in self.parts:
            run.forecasts(
                part.series,
                self.periods,
                part.values,
                joint=part.joint,
                model=self.model,
                measure=self.measure,
            )


def make_forecasts(
    fitted: FittedModel, source: str, *, horizon: int, draws: int, seed: int, drawn: bool
) -> Made:
    """Return the forecasts of a fitted model.

    Parameters
    ----------
    fitted : FittedModel
    source : str
    horizon : int
        Periods ahead.
    draws, seed : int
    drawn : bool
        By joint draws, which can be made again later; else exact quantiles without draws, of the
        count engine alone.

    Returns
    -------
    Made

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> from forecast.models.naive import SeasonalNaive
    >>> robbery = load_sample("london").select(offence="robbery")
    >>> made = make_forecasts(
    ...     SeasonalNaive().fit(robbery), "london", horizon=3, draws=200, seed=0, drawn=True)
    >>> made.quantiles()
    QuantileForecast(13 series, 2024-11 to 2025-01, monthly, 23 quantiles by SeasonalNaive, nothing seen from 2024-11 on)
    """  # noqa: E501
    periods = pd.period_range(fitted.cutoff, periods=horizon, freq=fitted.panel.freq)
    if drawn:
        parts = tuple(_draw_parts(fitted, horizon, draws, seed))
    elif isinstance(fitted, FittedDynamic):
        series = fitted.panel.series
        values = fitted.quantile(horizon, list(HUB_LEVELS)).astype(np.float64)
        parts = (Part(series, values, None),)
    else:
        raise TypeError(f"{fitted.model.name} has no quantiles without draws")
    return Made(source, fitted.model.name, fitted.panel.measure, periods, parts)


def _draw_parts(fitted: FittedModel, horizon: int, draws: int, seed: int) -> Iterator[Part]:
    """Parts of as many offences as are drawn at once."""
    for some in _split(fitted, horizon * draws):
        found = some.forecast(horizon, draws=draws, seed=seed)
        yield Part(found.series, found.quantile(HUB_LEVELS), find_joint(found))


def _split(fitted: FittedModel, each: int) -> Iterator[FittedModel]:
    """The fitted model by whole offences, few enough for so many cells a series."""
    panel = fitted.panel
    if len(panel.series) * each <= _CELLS or not isinstance(fitted, FittedDynamic):
        yield fitted
        return
    for state in fitted.states:
        part: Panel = panel.select(offence=state.offence)
        yield replace(fitted, panel=part, states=(state,))
