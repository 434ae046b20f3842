"""The contract of all models, and how areas are joined: the total, and each area's share of it.

A fitted model draws, for each offence, the total over areas and each area's share of the total.
A draw of the total is divided among the areas by a draw of the shares, so that the sum of the
areas has the spread of the total, and all levels agree draw by draw.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.maturity import describe_immature
from forecast.data.panel import Panel
from forecast.errors import DataError, FitError, name_offenders
from forecast.models.draws import FloatArray, Forecast, IntArray
from forecast.periods import FREQUENCY_NAMES, PERIODS_A_YEAR, UNIT_NAMES, as_period, label

MEAN_DAYS = {"D": 1.0, "W-SUN": 7.0, "M": 365.25 / 12}
_MAX_LOG_RATE = 20.0  # exp(20) is 5e8 events a period: beyond it a forecast has lost its way


@dataclass(frozen=True, eq=False)
class Paths:
    """Draws before counting noise: log rates of the totals and log shares of the areas.

    Attributes
    ----------
    log_total : numpy.ndarray
        Shape (draw, offence, period).
    log_share : numpy.ndarray
        Shape (draw, series, period); only differences within an offence matter.
    offence_of : numpy.ndarray
        For each series the row of its offence, shape (series,).
    """

    log_total: FloatArray
    log_share: FloatArray
    offence_of: NDArray[np.int64]

    def spread(self, total: FloatArray, share: FloatArray) -> Paths:
        """Return paths whose distance from their centre is multiplied.

        Parameters
        ----------
        total : numpy.ndarray
            Factor a draw and offence, shape (draw, offence).
        share : numpy.ndarray
            Factor a draw and series, shape (draw, series).
        """
        centre_t = np.median(self.log_total, axis=0)
        centre_s = np.median(self.log_share, axis=0)
        return replace(
            self,
            log_total=centre_t + (self.log_total - centre_t) * total[:, :, None],
            log_share=centre_s + (self.log_share - centre_s) * share[:, :, None],
        )

    def counts(self, rng: np.random.Generator) -> IntArray:
        """Draw counts: a Poisson total, divided among the areas by their shares.

        Returns
        -------
        numpy.ndarray
            Shape (draw, series, period).
        """
        rate = np.exp(np.minimum(self.log_total, _MAX_LOG_RATE))
        totals = rng.poisson(rate)  # (draw, offence, period)
        n_draws, _, n_periods = totals.shape
        out = np.zeros((n_draws, len(self.offence_of), n_periods), dtype=np.int64)
        for offence in range(totals.shape[1]):
            members = np.flatnonzero(self.offence_of == offence)
            if len(members) == 1:
                out[:, members[0]] = totals[:, offence]
                continue
            share = np.moveaxis(self.log_share[:, members], 1, 2)  # (draw, period, area)
            share = np.exp(share - share.max(axis=2, keepdims=True))
            share /= share.sum(axis=2, keepdims=True)
            divided = rng.multinomial(totals[:, offence], share)  # (draw, period, area)
            out[:, members] = np.moveaxis(divided, 2, 1)
        return out


@dataclass(frozen=True)
class Model(ABC):
    """A way of learning a panel. Nothing is fitted in the constructor."""

    min_seasons: ClassVar[int] = 2
    counts_native: ClassVar[bool] = False
    """Whether forecasts stay good where counts are small, under five a period."""
    spread_worth: ClassVar[int] = 0
    """How many past windows the model's own spread is worth, as evidence of how wide its intervals
    must be; 0 where nobody has measured how nearly right it is."""
    needs_all_draws: ClassVar[bool] = False
    """Whether forecasts are steered by their draws, so that fewer of them would make them worse."""

    @property
    def name(self) -> str:
        """Name of the model, as in results."""
        return type(self).__name__

    @abstractmethod
    def fit(self, panel: Panel) -> FittedModel:
        """Fit to a panel and return a new fitted model; the panel is not changed.

        Parameters
        ----------
        panel : Panel
            Missing counts are skipped, and those that may still grow (`leave_out_immature`); the
            forecast's notes say so. Every total and every share needs two years.

        Returns
        -------
        FittedModel

        Raises
        ------
        FitError
            If a series is too short, or cannot be fitted; the series is named.
        """

    def _check_counts(
        self, counts: FloatArray, periods: pd.PeriodIndex, name: str, *, may_be_zero: bool = False
    ) -> None:
        """Refuse counts, shape (period,), that are too few or all zero."""
        freq = str(periods.freqstr)
        needed = self.min_seasons * PERIODS_A_YEAR[freq]
        seen = np.flatnonzero(~np.isnan(counts))
        unit = UNIT_NAMES[freq]
        if len(seen) < needed:
            since = f" (from {label(periods[seen[0]])})" if len(seen) else ""
            raise FitError(
                f"{self.name} must have at least {needed} {unit}s of counts: {name} has "
                f"{len(seen)}{since}. Load earlier {unit}s, or leave the series out."
            )
        if not np.nansum(counts) > 0 and not may_be_zero:
            raise FitError(
                f"{self.name} could not fit {name}: all its {len(seen)} {unit}s are zero. "
                "Leave the series out."
            )


def list_models(models: Any) -> list[Any]:
    """Return models as a list, a single one as a list of one.

    A model is whatever has a `name` and can `fit`: one of this package, or one's own.

    Raises
    ------
    DataError
        If one of them is no model: a model's name, say, or its class.
    """
    several = isinstance(models, Iterable) and not isinstance(models, str | type)
    listed = list(models) if several and not _is_model(models) else [models]
    wrong = [model for model in listed if not _is_model(model)]
    if wrong:
        refuse_models(wrong)
    return listed


def _is_model(found: object) -> bool:
    """Whether something can be used as a model: a class cannot, its instance can."""
    can_fit = callable(getattr(found, "fit", None)) and hasattr(found, "name")
    return can_fit and not isinstance(found, type)


def refuse_models(wrong: Sequence[object]) -> NoReturn:
    """Say that these are no models."""
    found = [f"the class {w.__name__}" if isinstance(w, type) else repr(w) for w in wrong]
    raise DataError(
        f"Models must be models such as DynamicCounts(): found {name_offenders(found)}. "
        "Pass the model itself, with brackets and without quotes."
    )


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return a random generator that depends on the seed and on names, not on their order."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def _as_index(periods: Any) -> pd.PeriodIndex:
    """Periods that were asked for, when they are some."""
    try:
        index = pd.PeriodIndex(periods)
    except (TypeError, ValueError):
        index = None
    if index is None or index.hasnans:
        raise DataError(
            "Forecast periods must be a whole number or a pandas.PeriodIndex: found "
            f"{periods!r}. Ask for 3, or for pandas.period_range(...)."
        )
    return index


@dataclass(frozen=True, eq=False, repr=False)
class FittedModel(ABC):
    """A model that has learnt a panel.

    Attributes
    ----------
    model : Model
    panel : Panel
        What it was fitted to.
    """

    model: Model
    panel: Panel

    def __repr__(self) -> str:
        return f"FittedModel({self.model!r} on {self.panel!r})"

    @property
    def cutoff(self) -> pd.Period:
        """The first period that was not seen."""
        return self.panel.periods[-1] + 1

    def _ahead(self, periods: int | pd.PeriodIndex) -> tuple[pd.PeriodIndex, int]:
        """All periods from the cutoff to the last one wanted, and how many are wanted."""
        freq = self.panel.freq
        if isinstance(periods, int | np.integer) and not isinstance(periods, bool):
            if periods < 1:
                raise DataError(
                    f"Forecast must reach at least one {UNIT_NAMES[freq]} ahead: found {periods}. "
                    "Ask for 1 or more."
                )
            return pd.period_range(self.cutoff, periods=periods, freq=freq), int(periods)
        wanted = _as_index(periods)
        if len(wanted) == 0 or wanted.freqstr != freq or wanted[0] < self.cutoff:
            raise DataError(
                f"Forecast periods must be {FREQUENCY_NAMES[freq]} and start at "
                f"{label(self.cutoff)} or later: found {list(map(str, wanted[:3]))}. "
                "Fit to panel.before(...) of an earlier period first."
            )
        run = pd.period_range(wanted[0], periods=len(wanted), freq=freq)
        if not wanted.equals(run):
            raise DataError(
                f"Forecast periods must follow one another: found {len(wanted)} from "
                f"{label(wanted[0])} to {label(wanted[-1])}. Ask for the whole span."
            )
        return pd.period_range(self.cutoff, as_period(wanted[-1], freq), freq=freq), len(wanted)

    @abstractmethod
    def paths(self, periods: int | pd.PeriodIndex, *, draws: int = 1000, seed: int = 0) -> Paths:
        """Return draws before counting noise, for calibration.

        Parameters
        ----------
        periods : int or pandas.PeriodIndex
            How many periods ahead, or consecutive periods at or after the cutoff.
        draws : int, default 1000
        seed : int, default 0

        Returns
        -------
        Paths
        """

    def forecast(
        self, periods: int | pd.PeriodIndex, *, draws: int = 1000, seed: int = 0
    ) -> Forecast:
        """Return the forecast of the periods ahead, in integer draws.

        Parameters
        ----------
        periods : int or pandas.PeriodIndex
            How many periods ahead, or consecutive periods at or after the cutoff.
        draws : int, default 1000
        seed : int, default 0
            The same seed gives the same draws.

        Returns
        -------
        Forecast
            Draws of shape (draw, series, period).

        Raises
        ------
        DataError
            If the periods are no periods, begin before the cutoff or have another frequency.
        """
        ahead, wanted = self._ahead(periods)
        paths = self.paths(periods, draws=draws, seed=seed)
        return self.count(paths, ahead[-wanted:], seed=seed)

    def count(self, paths: Paths, periods: pd.PeriodIndex, *, seed: int) -> Forecast:
        """Return the forecast that paths give when counts are drawn."""
        young = describe_immature(self.panel)
        return Forecast(
            draws=paths.counts(stream(seed, "counts")),
            series=self.panel.series,
            periods=periods,
            cutoff=self.cutoff,
            model=self.model.name,
            measure=self.panel.measure,
            total_name=self.panel.total_name,
            notes=() if young is None else (young,),
        )
