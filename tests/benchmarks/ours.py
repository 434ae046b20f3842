"""Our own models in the cells of a data set: quantiles, PIT values and CPU time."""

from __future__ import annotations

import importlib.util
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from cells import Cells, FloatArray

from forecast.models.base import Model
from forecast.models.dynamic import DynamicCounts
from forecast.models.naive import SeasonalNaive
from forecast.models.structural import StructuralTrend
from forecast.scoring import HUB_LEVELS, pit_draws

DRAWS = 1000


@dataclass(frozen=True, eq=False)
class OwnResult:
    """Forecasts of one of our models.

    Attributes
    ----------
    name : str
    quantiles : array (origin, series, level, step)
    pit : array (origin, series, step)
        Randomised, from draws.
    seconds : float
        CPU seconds of a fit with its quantiles, the mean over origins and series.
    """

    name: str
    quantiles: FloatArray
    pit: FloatArray
    seconds: float


def our_models() -> list[Model]:
    """The models that are measured, the default first."""
    models: list[Model] = [DynamicCounts(), StructuralTrend(), SeasonalNaive()]
    if importlib.util.find_spec("forecast.models.ensemble"):
        from forecast.models.ensemble import Ensemble

        models.insert(1, Ensemble())
    return models


def level_quantiles(fitted: Any, horizon: int) -> FloatArray:
    """The 23 quantiles (level, series, step): in closed form where a model has it."""
    if hasattr(fitted, "quantile"):
        return np.asarray(fitted.quantile(horizon, HUB_LEVELS))
    return np.asarray(fitted.forecast(horizon, draws=DRAWS).quantile(HUB_LEVELS))


def our_forecasts(model: Model, cells: Cells) -> OwnResult:
    """Fit at every origin, forecast, and place what happened among the draws."""
    level_quantiles(model.fit(cells.before(cells.starts[0])), 1)  # compile outside the clock
    rng = np.random.default_rng(0)
    quantiles, pit, seconds = [], [], 0.0
    for start, observed in zip(cells.starts, cells.observed(), strict=True):
        seen = cells.before(start)
        began = time.process_time()
        fitted = model.fit(seen)
        found = level_quantiles(fitted, cells.horizon)
        seconds += time.process_time() - began
        quantiles.append(np.moveaxis(found, 0, 1))
        draws = fitted.forecast(cells.horizon, draws=DRAWS, seed=1).draws
        pit.append(pit_draws(draws, observed, rng=rng))
    fits = len(cells.starts) * len(cells.panel.series)
    return OwnResult(model.name, np.stack(quantiles), np.stack(pit), seconds / fits)
