"""A model whose answer is known, for tests of what is built on models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from forecast.models.base import Model
from forecast.models.draws import FloatArray
from forecast.models.series import FittedSeries, SeriesData, SeriesModel


@dataclass(frozen=True)
class _FittedSteady:
    """The same log rate for ever, with a spread that is given and not learnt."""

    centre: float
    sd: float

    def log_rates(
        self, periods: pd.PeriodIndex, draws: int, rng: np.random.Generator
    ) -> FloatArray:
        # One deviation a draw, shared by all periods: the log of a sum has the same spread.
        shared = self.sd * rng.standard_normal((draws, 1))
        return np.repeat(self.centre + shared, len(periods), axis=1)


@dataclass(frozen=True)
class _Steady(SeriesModel):
    sd: float = 0.1

    def _fit_series(self, data: SeriesData) -> FittedSeries:
        seen = ~np.isnan(data.counts)
        mean = data.counts[seen].sum() / np.exp(data.offset[seen]).sum()
        return _FittedSteady(float(np.log(max(mean, 1e-9))), self.sd)


@pytest.fixture(scope="session")
def steady() -> Callable[[float], Model]:
    """Make a model that expects the mean rate of the past, give or take `sd` on the log."""
    return _Steady
