"""Models that learn one series at a time: the total of each offence, and each area's share of it.

Such a model says how one series is learnt (`_fit_series`). This module does the rest for every
one of them alike.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from forecast.data.maturity import leave_out_immature
from forecast.data.panel import Panel
from forecast.errors import FitError
from forecast.models.base import MEAN_DAYS, FittedModel, Model, Paths, stream
from forecast.models.draws import FloatArray
from forecast.periods import days_in


@dataclass(frozen=True, eq=False)
class SeriesData:
    """What a model sees of one series.

    `counts` and `offset` have shape (period,); the offset is the log of what the counts are
    relative to: the days of the period for a total, the total itself for a share.
    """

    counts: FloatArray
    offset: FloatArray
    periods: pd.PeriodIndex
    name: str
    is_london: bool
    is_share: bool


def counting_variance(data: SeriesData) -> float:
    """Return the variance of a log count that is due to counting alone, about one over the mean.

    It is that of the last 24 counts seen. Counts are drawn after the log rates, so a model
    leaves this part out. Of a share, the total being given, the counting noise is a binomial's.
    """
    seen = ~np.isnan(data.counts)
    mean = max(float(data.counts[seen][-24:].mean()), 0.5)
    if not data.is_share:
        return 1 / mean
    whole = float(np.exp(data.offset[seen][-24:]).mean())
    return max(1 / mean - 1 / whole, 0.0)


class FittedSeries(Protocol):
    """One series learnt: draws of its log rate over the offset, counting noise left out."""

    def log_rates(
        self, periods: pd.PeriodIndex, draws: int, rng: np.random.Generator
    ) -> FloatArray:
        """Return log rates, shape (draw, period), for consecutive periods after the data."""


@dataclass(frozen=True)
class SeriesModel(Model):
    """A model that learns one series at a time."""

    @abstractmethod
    def _fit_series(self, data: SeriesData) -> FittedSeries:
        """Learn one series."""

    def fit(self, panel: Panel) -> FittedBySeries:
        """Fit to a panel and return a new fitted model; the panel is not changed.

        Parameters
        ----------
        panel : Panel
            Missing counts are skipped, and those that may still grow. Every total and every share
            needs two years.

        Returns
        -------
        FittedBySeries

        Raises
        ------
        FitError
            If a series is too short, or cannot be fitted; the series is named.
        """
        panel = leave_out_immature(panel)
        totals, shares = [], []
        summed = panel.total()
        offset = np.log(days_in(panel.periods) / MEAN_DAYS[panel.freq])
        for row, offence in enumerate(panel.offences):
            members = np.flatnonzero((panel.series["offence"] == offence).to_numpy())
            alone = len(members) == 1
            area = panel.series["area"][members[0]] if alone else panel.total_name
            counts = summed.values[row]
            totals.append(self._fit_one(panel, counts, offset, f"{offence}, {area}", False))
            if alone:
                continue
            with np.errstate(divide="ignore"):
                total_offset = np.where(counts > 0, np.log(counts), np.nan)
            for member in members.tolist():
                name = f"{offence}, {panel.series['area'][member]}"
                values = np.where(counts > 0, panel.values[member], np.nan)
                shares.append((member, self._fit_one(panel, values, total_offset, name, True)))
        return FittedBySeries(self, panel, tuple(totals), dict(shares))

    def _fit_one(
        self, panel: Panel, counts: FloatArray, offset: FloatArray, name: str, is_share: bool
    ) -> FittedSeries:
        """Check one series and fit it; a failure names the series."""
        data = SeriesData(counts, offset, panel.periods, name, panel.is_london, is_share)
        self._check_counts(counts, panel.periods, name, may_be_zero=is_share)
        try:
            return self._fit_series(data)
        except (np.linalg.LinAlgError, RuntimeError, FloatingPointError) as error:
            raise FitError(
                f"{self.name} could not fit {name}: {error}. Join the area with a neighbour, "
                "or use SeasonalNaive."
            ) from error


@dataclass(frozen=True, eq=False, repr=False)
class FittedBySeries(FittedModel):
    """A model that has learnt the series of a panel one by one.

    Attributes
    ----------
    totals, shares
        The fitted totals by offence, and the fitted shares by series.
    """

    totals: Sequence[FittedSeries]
    shares: dict[int, FittedSeries]

    def paths(self, periods: int | pd.PeriodIndex, *, draws: int = 1000, seed: int = 0) -> Paths:
        """Return draws before counting noise; see `FittedModel.paths`."""
        ahead, wanted = self._ahead(periods)
        offences = self.panel.offences
        n_series = len(self.panel.series)
        log_total = np.empty((draws, len(offences), wanted))
        log_share = np.zeros((draws, n_series, wanted))
        offset = np.log(days_in(ahead) / MEAN_DAYS[self.panel.freq])  # (period,)
        for index, offence in enumerate(offences):
            rates = self.totals[index].log_rates(ahead, draws, stream(seed, "total", offence))
            log_total[:, index] = (rates + offset)[:, -wanted:]
        for row, fitted in self.shares.items():
            names = self.panel.series.loc[row, ["area", "offence"]].astype(str)
            rng = stream(seed, "share", *names)
            log_share[:, row] = fitted.log_rates(ahead, draws, rng)[:, -wanted:]
        offence_of = pd.Index(offences).get_indexer(pd.Index(self.panel.series["offence"]))
        return Paths(log_total, log_share, offence_of.astype(np.int64))
