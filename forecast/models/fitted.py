"""The count engine after it has learnt a panel: forecasts, quantiles, coverage, new periods."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.data.maturity import leave_out_immature
from forecast.data.panel import Panel
from forecast.errors import DataError
from forecast.models.base import FittedModel, Paths
from forecast.models.calibrating import find_breaks
from forecast.models.draws import Forecast
from forecast.models.learning import advance
from forecast.models.looking import Horizon, draw_paths, look_quantiles
from forecast.models.states import OffenceState
from forecast.models.summing import sum_areas
from forecast.models.updating import check_follows, check_same_columns, first_change
from forecast.periods import PERIODS_A_YEAR

if TYPE_CHECKING:
    from forecast.models.dynamic import DynamicCounts


def find_flags(panel: Panel, states: list[OffenceState], pits: list[np.ndarray]) -> pd.DataFrame:
    """Series whose one-step forecasts have been failing."""
    rows = []
    for state, pit in zip(states, pits, strict=True):
        members = panel.series["offence"] == state.offence
        areas = panel.series.loc[members, "area"].astype(str).tolist()
        names = [panel.total_name, *areas] if len(areas) > 1 else areas
        for name, found in zip(names, find_breaks(pit[: len(names)]).tolist(), strict=True):
            if found:
                word = "higher" if found > 0 else "lower"
                rows.append((name, state.offence, word, abs(found)))
    columns = ["area", "offence", "counts_were", "forecasts"]
    return pd.DataFrame(rows, columns=columns)


def _as_levels(levels: float | list[float] | np.ndarray) -> np.ndarray:
    """Levels as they were asked for, shape (level,), none outside of 0 to 1."""
    typed = np.atleast_1d(np.asarray(levels, dtype=object)).tolist()
    try:
        asked = np.array(typed, dtype=np.float64)
    except (TypeError, ValueError):
        asked = np.array([np.nan])
    if asked.ndim != 1 or not len(asked) or not bool(np.all((asked > 0) & (asked < 1))):
        found = ", ".join(map(repr, typed)) or "none"
        raise DataError(
            f"Levels must lie between 0 and 1: found {found}. Use 0.95 for 95 per cent."
        )
    return asked


@dataclass(frozen=True, eq=False, repr=False)
class FittedDynamic(FittedModel):
    """The count engine after it has learnt a panel.

    Attributes
    ----------
    states : tuple of OffenceState
        One an offence, in the panel's order.
    flags : pandas.DataFrame
        Series whose one-step forecasts have failed for several periods, which may be a break:
        `area`, `offence`, `counts_were` ("higher" or "lower" than forecast), `forecasts` (since
        how many judged forecasts). Nothing is done about them.
    """

    model: DynamicCounts
    states: tuple[OffenceState, ...] = ()
    flags: pd.DataFrame = field(default_factory=pd.DataFrame)

    def coverage(self) -> pd.DataFrame:
        """Return how often past forecasts held, by offence and steps ahead.

        Each was made from the counts before it, but with the season and the common weights of
        the settings that were learnt from the whole panel, so that it is a little flattering.
        `update` leaves it as it was.

        Returns
        -------
        pandas.DataFrame
            `offence`, `of` ("total" or "areas"), `step`, `level`, `before` (share inside as the
            filter had it), `after` (stretched by what other years said), `forecasts`.
        """
        parts = []
        for state in self.states:
            parts.append(state.total_stretch.reached.assign(offence=state.offence, of="total"))
            if state.last.share is not None:
                parts.append(state.area_stretch.reached.assign(offence=state.offence, of="areas"))
        table = pd.concat(parts, ignore_index=True)
        return table[["offence", "of", "step", "level", "before", "after", "forecasts"]]

    def paths(self, periods: int | pd.PeriodIndex, *, draws: int = 1000, seed: int = 0) -> Paths:
        """Return draws before counting noise, stretched as past forecasts ask; see `Paths`."""
        ahead, wanted = self._ahead(periods)
        horizon = self._horizon(ahead)
        n_series = len(self.panel.series)
        log_total = np.empty((draws, len(self.states), wanted))
        log_share = np.zeros((draws, n_series, wanted))
        for index, state in enumerate(self.states):
            members = self._members(state)
            areas = self.panel.series["area"].to_numpy(str)[members].tolist()
            total, share = draw_paths(state, areas, horizon, draws, seed)
            log_total[:, index] = total[:, -wanted:]
            if len(members) > 1:
                log_share[:, members] = share[:, :, -wanted:]
        offence_of = pd.Index(self.panel.offences).get_indexer(
            pd.Index(self.panel.series["offence"])
        )
        return Paths(log_total, log_share, offence_of.astype(np.int64))

    def forecast(
        self, periods: int | pd.PeriodIndex, *, draws: int = 1000, seed: int = 0
    ) -> Forecast:
        """Return the forecast of the periods ahead in integer draws, with its past coverage."""
        found = FittedModel.forecast(self, periods, draws=draws, seed=seed)
        return replace(found, coverage=self.coverage())

    def quantile(
        self,
        periods: int | pd.PeriodIndex,
        levels: float | list[float] | np.ndarray,
        *,
        by: str = "area",
    ) -> np.ndarray:
        """Return exact quantiles of the periods ahead without draws, for many series at once.

        Parameters
        ----------
        periods : int or pandas.PeriodIndex
            How many periods ahead, or consecutive periods at or after the cutoff.
        levels : float or sequence of float
            Each between 0 and 1, in any order.
        by : {"area", "offence"}, default "area"
            Of every series, or of the totals over areas.

        Returns
        -------
        numpy.ndarray
            Whole numbers, shape (level, series, period) or (level, offence, period), in the
            order of the levels.

        Raises
        ------
        DataError
            If a level does not lie between 0 and 1, or periods or `by` cannot be used.
        """
        if by not in ("area", "offence"):
            raise DataError(
                f"Argument by must be 'area' or 'offence': found {by!r}. Use 'offence' for totals."
            )
        ahead, wanted = self._ahead(periods)
        horizon = self._horizon(ahead)
        asked = _as_levels(levels)  # (level,)
        where, place = np.unique(asked, return_inverse=True)  # they are found from low to high
        rows = len(self.panel.series) if by == "area" else len(self.states)
        out = np.empty((len(where), rows, wanted), dtype=np.int64)
        for index, state in enumerate(self.states):
            found = look_quantiles(state, horizon, where, wanted, totals=by == "offence")
            out[:, self._members(state) if by == "area" else [index]] = found
        return out[place]

    def update(self, panel: Panel, *, regressors: pd.DataFrame | None = None) -> FittedDynamic:
        """Take in new periods, and revised ones, without learning anew.

        Season of the areas, common weights, stretch and flags stay as they were learnt; levels,
        seasons and weights of the settings move on. The filter starts again from its last state
        before the first period of which something differs.

        Parameters
        ----------
        panel : Panel
            The same series in the same order, from the same first period, at least as long.
            Counts that may still grow are taken in later, when a panel has them complete.
        regressors : pandas.DataFrame, optional
            The model's regressors with the values that came since; the same columns.

        Returns
        -------
        FittedDynamic

        Raises
        ------
        DataError
            If measure, series or first period differ, or the panel is shorter.
        """
        old, engine = self.panel, self.model
        check_follows(panel, old)
        panel = leave_out_immature(panel)
        column = len(old.periods)
        if regressors is not None:
            check_same_columns(regressors, engine.regressors)
            engine = replace(engine, regressors=regressors)
            column = first_change(*(e._columns(old.periods).T for e in (self.model, engine)))
        states = []
        with engine._mapper() as run:
            for state in self.states:
                members = self._members(state)
                begin = min(column, self._first_change(panel, members))
                state = state.going_on_from(begin)
                if state.last.at < len(panel.periods):
                    evidence = engine._gather(panel, state.offence, state.last.at)
                    state = advance(evidence, state, run)[0]
                states.append(state)
        return replace(self, model=engine, panel=panel, states=tuple(states))

    def _first_change(self, panel: Panel, members: np.ndarray) -> int:
        """First column of which a later panel says otherwise, of an offence's counts or total."""
        size = len(self.panel.periods)
        old, new = (self.model._masked(p, members) for p in (self.panel, panel))
        column = first_change(old, new[:, :size])
        if not any(np.isnan(counts[:, [0, -1]]).any() for counts in (old, new)):
            return column
        # what stands for an area outside its span depends on counts of other periods
        totals = [sum_areas(counts, PERIODS_A_YEAR[panel.freq]) for counts in (old, new)]
        return min(column, first_change(totals[0], totals[1][:size]))

    def _members(self, state: OffenceState) -> np.ndarray:
        """Rows of an offence's series."""
        return np.flatnonzero(self.panel.series["offence"].to_numpy(str) == state.offence)

    def _horizon(self, ahead: pd.PeriodIndex) -> Horizon:
        """What is known of the periods ahead, disruptions that begin or end there among it."""
        whole = pd.period_range(self.panel.periods[0], ahead[-1], freq=self.panel.freq)
        jumps = self.model._jumps(whole)[len(self.panel.periods) :]
        return Horizon(ahead, self.model._columns(ahead), jumps)
