"""The same as one season ago, with past mistakes for its uncertainty: the bar to clear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import FitError
from forecast.models.draws import FloatArray
from forecast.models.series import FittedSeries, SeriesData, SeriesModel, counting_variance
from forecast.periods import SEASON_LENGTHS, UNIT_NAMES

# Where to look when a time of the season was never seen: the same weekday, or the next period.
_NEIGHBOUR_STEPS = {"D": 7, "W-SUN": 1, "M": 1}


@dataclass(frozen=True)
class SeasonalNaive(SeriesModel):
    """What the same season was last time, wrong by as much as it was wrong before.

    The log of the daily rate is taken from one season earlier (12 months, 52 weeks, 364 days so
    that weekdays match), or from the latest season in which it was seen. Its error is a
    contiguous stretch of past differences between a season and the one before, so that
    neighbouring periods err together; up and down are taken as equally likely, so that the
    median is last season's value. Further seasons ahead add further stretches. Zero counts are
    read as one half. Every other model has to beat this one.

    Notes
    -----
    The log rate of a period k seasons after the one it is read from is::

        y[t - k m] + a D_1 + b (D_2 + ... + D_k)

    with D stretches of past differences ``y[t] - y[t - m]``, each with a random sign. With V the
    mean square of the differences and c the variance of a log count by counting alone, V holds
    the counting noise of both ends: ``a^2 = (V - c) / V``, because that of the new count is
    drawn with the count, and ``b^2 = (V - 2 c) / V``, because a season further adds only what
    truly changed. Differences are taken in a circle, so that all are used equally often.

    References
    ----------
    Hyndman & Athanasopoulos (2021), Forecasting: principles and practice, 3rd ed., sections 5.2
    and 5.5. Stretches in a circle: Politis & Romano (1992), A circular block-resampling
    procedure for stationary data, in LePage & Billard (eds), Exploring the Limits of Bootstrap.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> robbery = load_sample("london").select(offence="robbery", area="Central West")
    >>> SeasonalNaive().fit(robbery.before("2020-01")).forecast(3)
    Forecast(1 series, 2020-01 to 2020-03, monthly, 1,000 draws by SeasonalNaive, nothing seen from 2020-01 on)
    """  # noqa: E501

    def _fit_series(self, data: SeriesData) -> FittedSeries:
        freq = str(data.periods.freqstr)
        season = SEASON_LENGTHS[freq]
        logs = np.log(np.maximum(data.counts, 0.5)) - data.offset  # (period,)
        changes = logs[season:] - logs[:-season]
        changes = changes[~np.isnan(changes)]  # (difference,)
        if not len(changes):
            raise FitError(
                f"{self.name} must have a {UNIT_NAMES[freq]} that was counted in two seasons "
                f"running: {data.name} has none. Load earlier {UNIT_NAMES[freq]}s, or leave the "
                "series out."
            )
        latest, ages = _latest(logs, season, _NEIGHBOUR_STEPS[freq])
        square = float(np.mean(changes**2))
        first, further = (
            np.sqrt(max(1 - k * counting_variance(data) / square, 0.0)) if square > 0 else 0.0
            for k in (1, 2)
        )
        return _FittedNaive(latest, ages, changes, float(first), float(further))


def _latest(logs: FloatArray, season: int, step: int) -> tuple[FloatArray, NDArray[np.int64]]:
    """Latest log rate of each time of the coming season, and how many seasons it is old.

    Both have shape (season,), in the order of the periods that follow the data.
    """
    seasons = -(-len(logs) // season)
    padded = np.full(seasons * season, np.nan)
    padded[len(padded) - len(logs) :] = logs
    table = padded.reshape(seasons, season)[::-1]  # (season ago, time of season), newest first
    known = ~np.isnan(table)
    ages = np.argmax(known, axis=0)  # (time of season,)
    latest = table[ages, np.arange(season)]
    seen = np.flatnonzero(known.any(axis=0))
    for time in np.flatnonzero(~known.any(axis=0)):
        distance = np.abs(seen - time)
        distance = np.minimum(distance, season - distance)
        # Never seen: the nearest time of the season that was, of the same weekday if it can be.
        nearest = seen[np.lexsort((distance, distance % step != 0))[0]]
        latest[time], ages[time] = latest[nearest], ages[nearest]
    return latest, ages


@dataclass(frozen=True, eq=False)
class _FittedNaive:
    """Latest log rates, past differences, and how much of these is not counting noise."""

    latest: FloatArray  # (time of season,)
    ages: NDArray[np.int64]  # (time of season,), 0 when it was seen in the last season
    changes: FloatArray  # (difference,)
    first: float
    further: float

    def log_rates(
        self, periods: pd.PeriodIndex, draws: int, rng: np.random.Generator
    ) -> FloatArray:
        season = len(self.latest)
        ahead = np.arange(len(periods)) // season  # (period,), whole seasons beyond the first
        time = np.arange(len(periods)) % season  # (period,)
        ages = self.ages[time]  # (period,)
        length = min(len(periods), season)
        error = self.first * self._stretches(length, draws, rng)[:, time]  # (draw, period)
        for k in range(1, int((ages + ahead).max()) + 1):
            more = self.further * self._stretches(length, draws, rng)[:, time]
            error += np.where(ages + ahead >= k, more, 0.0)
        return np.asarray(self.latest[time] + error)

    def _stretches(self, length: int, draws: int, rng: np.random.Generator) -> FloatArray:
        """Contiguous stretches of past differences, each with a sign, shape (draw, length)."""
        starts = rng.integers(len(self.changes), size=draws)
        signs = rng.choice([-1.0, 1.0], size=draws)
        where = (starts[:, None] + np.arange(length)) % len(self.changes)  # (draw, length)
        return np.asarray(signs[:, None] * self.changes[where])
