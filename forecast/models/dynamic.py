"""The count engine: a Bayesian dynamic count model with discount factors, no optimiser."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from forecast.data.maturity import leave_out_immature
from forecast.data.panel import Panel
from forecast.errors import DataError, FitError
from forecast.models.base import MEAN_DAYS, Model
from forecast.models.designs import exposure_of, total_columns
from forecast.models.evidence import Evidence, Mapper, in_process
from forecast.models.fitted import FittedDynamic, find_flags
from forecast.models.learning import learn_all
from forecast.models.summing import sum_areas
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
    spread_worth: ClassVar[int] = 4  # measured on real series: tests/benchmarks/bench_spread.py

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
            Missing counts are skipped, and those that may still grow. Every total and every area
            needs two years.

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
        panel = leave_out_immature(panel)
        counted = panel.series["offence"].astype(str).value_counts()
        sizes = {offence: int(counted[offence]) for offence in panel.offences}
        with self._mapper() as run:
            learnt = learn_all(lambda offence: self._show(panel, offence), sizes, run)
        states, pits = [state for state, _ in learnt], [pit for _, pit in learnt]
        return FittedDynamic(self, panel, tuple(states), find_flags(panel, states, pits))

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
        members = panel.series["offence"].to_numpy(str) == offence
        counts = self._masked(panel, members)
        total = sum_areas(counts, PERIODS_A_YEAR[panel.freq])[begin:]
        periods = panel.periods[begin:]
        return Evidence(
            offence,
            panel.series["area"].to_numpy(str)[members].tolist(),
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
