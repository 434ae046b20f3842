"""The count engine: a Bayesian dynamic count model with discount factors, no optimiser."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.errors import DataError, FitError
from forecast.models.base import MEAN_DAYS, FittedModel, Model, Paths
from forecast.models.calibrating import find_breaks
from forecast.models.designs import exposure_of, total_columns
from forecast.models.draws import Forecast
from forecast.models.evidence import Evidence, Mapper, in_process
from forecast.models.learning import advance, learn_all
from forecast.models.looking import Horizon, draw_paths, look_quantiles
from forecast.models.states import OffenceState
from forecast.models.summing import sum_areas
from forecast.models.updating import check_follows, check_same_columns, first_change
from forecast.periods import PERIODS_A_YEAR, UNIT_NAMES, days_in
from forecast.seasonality.disruptions import DISRUPTED_SHARE, Disruption

Treatment = Literal["mask", "step", "variance"]

_JUMP_VARIANCE = 0.1  # a level free to move by a third when a disruption begins and ends


@dataclass(frozen=True)
class DynamicCounts(Model):
    """Dynamic count model with a moving level and a slowly moving season, for whole panels.

    Counts are negative binomial. The log of a total's rate has a level that moves at random, a
    damped drift, harmonics of the year, and for days the weekday and the calendar; each new
    count updates all of it in closed form, and missing ones are skipped. How fast the level moves
    and how much a single period strays are not chosen: some dozens of settings run side by side
    and are averaged by how well each has predicted so far, with old predictions slowly
    forgotten. An area has a share of the total, with a level that moves and a season that differs
    as much from the total's as areas of the offence have been seen to differ; which settings suit
    shares is learnt from all areas together. Every past forecast comes out of the same pass:
    where counts fell in them says how far intervals must be stretched, and is reported.

    Parameters
    ----------
    disruptions : tuple of Disruption, optional
        Dated shocks that the model is told of.
    treatment : {"mask", "step", "variance"}, default "mask"
        What to do with them: leave their periods out; give them a level of their own while they
        last; or let the level jump freely when they begin and end.
    regressors : pandas.DataFrame, optional
        Named columns (weather, darkness, a control series) indexed by period, for the totals;
        they must have a value for every period of the data and of the forecast.
    engine : {"numba", "dask"}, default "numba"
        Where blocks of areas are computed: here, or by Dask (extra `dask`). Same numbers.
    address : str, optional
        Address of a Dask scheduler that runs already; a local one is started without it.

    References
    ----------
    West, Harrison & Migon (1985), Dynamic generalized linear models and Bayesian forecasting,
    Journal of the American Statistical Association 80(389), 73-83. West & Harrison (1997),
    Bayesian Forecasting and Dynamic Models, 2nd ed., sections 6.3 (discounts) and 14.3 to 14.4.
    Berry & West (2020), Bayesian forecasting of many count-valued time series, Journal of
    Business & Economic Statistics 38(4), sections 2 and 3.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> robbery = load_sample("london").select(offence="robbery", area="Central West")
    >>> ahead = DynamicCounts().fit(robbery.before("2020-01")).forecast(3)
    >>> ahead.draws.shape
    (1000, 1, 3)
    """

    counts_native: ClassVar[bool] = True

    disruptions: tuple[Disruption, ...] = ()
    treatment: Treatment = "mask"
    regressors: pd.DataFrame | None = field(default=None, repr=False, compare=False)
    engine: Literal["numba", "dask"] = "numba"
    address: str | None = None

    def __post_init__(self) -> None:
        if self.treatment not in ("mask", "step", "variance"):
            raise DataError(
                f"Treatment must be 'mask', 'step' or 'variance': found {self.treatment!r}. "
                "Use 'mask' to leave the disrupted periods out."
            )
        if self.engine not in ("numba", "dask"):
            raise DataError(
                f"Engine must be 'numba' or 'dask': found {self.engine!r}. Leave it out for "
                "'numba'."
            )

    def fit(self, panel: Panel) -> FittedDynamic:
        """Learn a panel and return a new fitted model; the panel is not changed.

        Parameters
        ----------
        panel : Panel
            Missing counts are skipped. Every total and every area needs two years.

        Returns
        -------
        FittedDynamic

        Raises
        ------
        FitError
            If a series is too short, or a total is all zero; the series is named.
        DataError
            If a regressor is missing for a period, or settings cannot be used.
        """
        if not panel.values.size:
            raise DataError(f"Panel to fit must hold counts: found {panel!r}. Load earlier ones.")
        counted = panel.series["offence"].astype(str).value_counts()
        sizes = {offence: int(counted[offence]) for offence in panel.offences}
        with self._mapper() as run:
            learnt = learn_all(lambda offence: self._show(panel, offence), sizes, run)
        states, pits = [state for state, _ in learnt], [pit for _, pit in learnt]
        return FittedDynamic(self, panel, tuple(states), _flags(panel, states, pits))

    def _mapper(self) -> AbstractContextManager[Mapper]:
        """Where blocks are computed."""
        if self.engine == "numba":
            return nullcontext(in_process)
        from forecast.models.scaling import DaskBlocks

        return DaskBlocks(self.address)

    def _show(self, panel: Panel, offence: str) -> Evidence:
        """Evidence of an offence that can be learnt from."""
        evidence = self._gather(panel, offence)
        self._check(evidence, panel)
        return evidence

    def _check(self, evidence: Evidence, panel: Panel) -> None:
        """Refuse series that are too short, and totals without a single event."""
        several = len(evidence.areas) > 1
        name = panel.total_name if several else evidence.areas[0]
        if several:
            self._check_overlap(evidence, panel)
        self._check_counts(evidence.total, evidence.periods, f"{evidence.offence}, {name}")
        if several:
            self._check_areas(evidence, evidence.counts)

    def _check_areas(self, evidence: Evidence, counts: np.ndarray) -> None:
        """Refuse the first area whose counts, (series, period), are too few."""
        for area, values in zip(evidence.areas, counts, strict=True):
            name = f"{evidence.offence}, {area}"
            self._check_counts(values, evidence.periods, name, may_be_zero=True)

    def _check_overlap(self, evidence: Evidence, panel: Panel) -> None:
        """Refuse areas that are hardly ever counted together, since no total is known then."""
        needed = self.min_seasons * PERIODS_A_YEAR[evidence.freq]
        known = int((~np.isnan(evidence.total)).sum())
        own = self._masked(panel, (panel.series["offence"] == evidence.offence).to_numpy())
        seen = (~np.isnan(own)).sum(axis=1)  # (series,)
        if known >= needed or seen.max() < needed:
            return
        self._check_areas(evidence, own)
        unit, worst = UNIT_NAMES[evidence.freq], int(seen.argmin())
        raise FitError(
            f"{self.name} must have at least {needed} {unit}s in which every area was counted: "
            f"{evidence.offence} has {known}. Most are missing in {evidence.areas[worst]} "
            f"({own.shape[1] - seen[worst]}): leave it out, or fit it by itself."
        )

    def _gather(self, panel: Panel, offence: str, begin: int = 0) -> Evidence:
        """What is known of one offence from a column on, with disrupted periods treated."""
        members = (panel.series["offence"] == offence).to_numpy()
        counts = self._masked(panel, members)
        total = sum_areas(counts, PERIODS_A_YEAR[panel.freq])[begin:]
        periods = panel.periods[begin:]
        return Evidence(
            offence,
            [str(area) for area in panel.series.loc[members, "area"]],
            # a share of an unknown total is unknown
            np.where(np.isnan(total), np.nan, counts[:, begin:]),
            total,
            np.log(days_in(periods) / MEAN_DAYS[panel.freq]),
            self._columns(periods),
            self._jumps(panel.periods)[begin:],
            periods,
            begin,
        )

    def _masked(self, panel: Panel, members: np.ndarray) -> np.ndarray:
        """Counts of some series, (series, period), missing where a disruption is left out.

        Without disruptions, and of neighbouring rows, they are the panel's own: read only.
        """
        rows = np.flatnonzero(members) if members.dtype == bool else members
        neighbours = len(rows) == rows[-1] - rows[0] + 1
        counts = panel.values[rows[0] : rows[-1] + 1] if neighbours else panel.values[rows]
        if self.treatment != "mask" or not self.disruptions:
            return counts
        counts = counts.copy()
        for inside in self._disrupted(panel.periods):
            counts[:, inside] = np.nan
        return counts

    def _disrupted(self, periods: pd.PeriodIndex) -> list[np.ndarray]:
        """For each disruption, which periods it touches, (period,)."""
        return [exposure_of(shock, periods) >= DISRUPTED_SHARE for shock in self.disruptions]

    def _jumps(self, periods: pd.PeriodIndex) -> np.ndarray:
        """Variance that a level may have gained before each period, (period,), by disruptions."""
        jumps = np.zeros(len(periods))
        if self.treatment == "variance":
            for inside in self._disrupted(periods):
                jumps[np.flatnonzero(np.diff(inside.astype(int), prepend=0))] = _JUMP_VARIANCE
        return jumps

    def _columns(self, periods: pd.PeriodIndex) -> np.ndarray:
        """Columns of the totals at some periods."""
        stepped = self.disruptions if self.treatment == "step" else ()
        return total_columns(periods, stepped=stepped, regressors=self.regressors)


def _flags(panel: Panel, states: list[OffenceState], pits: list[np.ndarray]) -> pd.DataFrame:
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

    states: tuple[OffenceState, ...] = ()
    flags: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def _engine(self) -> DynamicCounts:
        if not isinstance(self.model, DynamicCounts):
            raise TypeError("a fitted count engine belongs to DynamicCounts")
        return self.model

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
            areas = self.panel.series.loc[members, "area"].astype(str).tolist()
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
        old, engine = self.panel, self._engine
        check_follows(panel, old)
        column = len(old.periods)
        if regressors is not None:
            check_same_columns(regressors, engine.regressors)
            engine = replace(engine, regressors=regressors)
            column = first_change(*(e._columns(old.periods).T for e in (self._engine, engine)))
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
        old, new = (self._engine._masked(p, members) for p in (self.panel, panel))
        column = first_change(old, new[:, :size])
        if not any(np.isnan(counts[:, [0, -1]]).any() for counts in (old, new)):
            return column
        # what stands for an area outside its span depends on counts of other periods
        totals = [sum_areas(counts, PERIODS_A_YEAR[panel.freq]) for counts in (old, new)]
        return min(column, first_change(totals[0], totals[1][:size]))

    def _members(self, state: OffenceState) -> np.ndarray:
        """Rows of an offence's series."""
        return np.flatnonzero((self.panel.series["offence"] == state.offence).to_numpy())

    def _horizon(self, ahead: pd.PeriodIndex) -> Horizon:
        """What is known of the periods ahead, disruptions that begin or end there among it."""
        whole = pd.period_range(self.panel.periods[0], ahead[-1], freq=self.panel.freq)
        jumps = self._engine._jumps(whole)[len(self.panel.periods) :]
        return Horizon(ahead, self._engine._columns(ahead), jumps)
