"""The count engine with controls: what they did inside the window shifts what is expected.

A forecast from before the window cannot know of a wet October. Areas without the campaign, and
offences that it did not target, had the same October. Here they become a model like any other,
so that the same placebo windows set its interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.errors import DataError, FitError, name_offenders
from forecast.impact.synthetic import KINDS, Index, Kind, make_index
from forecast.impact.untouched import Controls, find_controls
from forecast.models.base import FittedModel, Model, Paths
from forecast.models.draws import FloatArray
from forecast.models.dynamic import DynamicCounts
from forecast.models.evidence import Evidence
from forecast.periods import PERIODS_A_YEAR, UNIT_NAMES, label

__all__ = ["ControlledCounts", "Controls", "FittedControlled", "find_controls"]

_NAMES: dict[Kind, str] = {
    "synthetic": "synthetic control",
    "augmented": "augmented synthetic control",
    "regressors": "controls as regressors",
}


@dataclass(frozen=True)
class _Leaning(DynamicCounts):
    """The count engine on an index: its level and season are of what the index leaves."""

    shift: pd.Series | None = field(default=None, repr=False, compare=False)

    def _gather(self, panel: Panel, offence: str, begin: int = 0) -> Evidence:
        """What is known of one offence, relative to the index."""
        found = super()._gather(panel, offence, begin)
        if self.shift is None:
            return found
        return replace(found, offset=found.offset + self.shift.reindex(found.periods).to_numpy())


@dataclass(frozen=True)
class ControlledCounts(Model):
    """The count engine with controls: what they did inside a window shifts what is expected.

    For each offence weights are fitted before the cutoff, on the periods in which target and
    controls are known, and the weighted mean becomes an index: its log without its season. The
    engine learns level and season of what the index leaves, and the index is put back in the
    periods ahead.

    Parameters
    ----------
    controls : Controls
    kind : {"synthetic", "augmented", "regressors"}, default "synthetic"
        "synthetic": weights that are not negative and sum to one, and the index counts in full.
        "augmented": weights that need not sum to one, with an intercept, and the engine corrects
        how far the index counts. "regressors": every control has a coefficient of its own.
    base : DynamicCounts
        The engine, with its disruptions and further regressors.

    Notes
    -----
    A synthetic control takes off a shock that target and controls share, however large. The
    two others learn from usual times, in which what controls do is partly noise of their own: they
    take off less of an unusual shock, and are surer in usual times. Their index, and each
    regressor, is measured from its own mean of the year before, so that the coefficient is learnt
    from short-run moves and not from trends that happen to be alike; it starts at one for the
    index and at zero for a regressor, with a standard deviation of 0.6 (over all regressors).

    At a period the index depends on the controls of that period and on what came before the
    cutoff, so that nothing after a window is seen. The target is not seen at or after the cutoff;
    controls are: that is what they are for.

    References
    ----------
    Abadie, Diamond & Hainmueller (2010), Synthetic control methods for comparative case studies,
    Journal of the American Statistical Association 105(490), 493-505. Intercepts: Doudchenko &
    Imbens (2016), NBER working paper 22791; Ferman & Pinto (2021), Synthetic controls with
    imperfect pretreatment fit, Quantitative Economics 12(4), 1197-1221. Correction by an outcome
    model: Ben-Michael, Feller & Rothstein (2021), The augmented synthetic control method, Journal
    of the American Statistical Association 116(536), 1789-1803. Controls as regressors: Brodersen
    et al. (2015), Inferring causal impact using Bayesian structural time-series models, Annals of
    Applied Statistics 9(1), 247-274.

    Examples
    --------
    >>> from forecast.impact.campaign import Campaign
    >>> from forecast.simulation import simulate
    >>> counts = simulate(areas=3, years=8)
    >>> facts = {"name": "Test", "start": "2022-10-01", "end": "2022-11-30"}
    >>> facts |= {"offences": ["robbery"], "areas": ["Area 01"]}
    >>> campaign = Campaign(**facts, comparison={"areas": ["Area 02", "Area 03"]})
    >>> model = ControlledCounts(find_controls(campaign, counts))
    >>> fitted = model.fit(counts.select(area="Area 01").before("2022-10"))
    >>> fitted.weights()["weight"].sum().round(6).item()
    1.0
    """

    counts_native: ClassVar[bool] = True
    seen_too: ClassVar[str] = "; what the controls did inside the window was seen too"

    controls: Controls
    kind: Kind = "synthetic"
    base: DynamicCounts = DynamicCounts()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DataError(
                f"Kind of controls must be 'synthetic', 'augmented' or 'regressors': found "
                f"{self.kind!r}. Use 'synthetic' for weights that sum to one."
            )

    @property
    def name(self) -> str:
        """Name of the model, as in results."""
        return f"{self.base.name}, {_NAMES[self.kind]}"

    def without(self, name: str) -> ControlledCounts:
        """Return the model with one control less."""
        return replace(self, controls=self.controls.without(name))

    def fit(self, panel: Panel) -> FittedControlled:
        """Fit weights and engine to a panel, offence by offence; the panel is not changed.

        Parameters
        ----------
        panel : Panel
            Missing counts are skipped. Every total and every area needs two years.

        Returns
        -------
        FittedControlled

        Raises
        ------
        FitError
            If a series is too short, or an offence has no control with two years of counts.
        """
        fits, indices = [], []
        for offence in panel.offences:
            one = panel.select(offence=offence)
            index = self._index(one, offence)
            fits.append(self._engine(index).fit(one))
            indices.append(index)
        return FittedControlled(self, panel, tuple(fits), tuple(indices))

    def _engine(self, index: Index) -> DynamicCounts:
        """The engine that is shown the index."""
        settings = {f.name: getattr(self.base, f.name) for f in fields(DynamicCounts)}
        own = self.base.regressors
        if self.kind != "synthetic":
            both = index.columns if own is None else index.columns.join(own, how="left")
            settings["regressors"] = both
        shift = None if self.kind == "regressors" else index.columns["index"]
        return _Leaning(**settings, shift=shift)

    def _index(self, panel: Panel, offence: str) -> Index:
        """The index of one offence, from the controls that reach back far enough."""
        target = panel.total().values[0]  # (period,)
        ends = max(self.controls.panel.periods[-1], panel.periods[-1])
        periods = pd.period_range(panel.periods[0], ends, freq=panel.freq)
        rows = self.controls.rows(offence)
        counts = self._aligned(rows, periods)
        kept = self._long_enough(target, counts)
        if not kept:
            needed = self.min_seasons * PERIODS_A_YEAR[panel.freq]
            unit = UNIT_NAMES[panel.freq]
            raise FitError(
                f"{self.name} must have a control with at least {needed} {unit}s of counts "
                f"beside the target's: {offence} has none before {label(panel.periods[-1] + 1)}. "
                f"Load earlier {unit}s, name other controls, or leave the offence out."
            )
        names = tuple(self.controls.names[rows[k]] for k in kept)
        return make_index(target, counts[kept], periods, names, kind=self.kind)

    def _aligned(self, rows: Sequence[int], periods: pd.PeriodIndex) -> FloatArray:
        """Counts of some controls at some periods, (control, period), NaN where there are none."""
        at = self.controls.panel.periods.get_indexer(periods)
        values = self.controls.panel.values[list(rows)]
        return np.where(at >= 0, values[:, at], np.nan)

    def _long_enough(self, target: FloatArray, counts: FloatArray) -> list[int]:
        """Controls that share two years of counts with the target and with one another."""
        needed = self.min_seasons * PERIODS_A_YEAR[self.controls.panel.freq]
        seen = ~np.isnan(counts[:, : len(target)]) & ~np.isnan(target)  # (control, period)
        events = np.nansum(np.where(seen, counts[:, : len(target)], 0.0), axis=1) > 0
        kept = [k for k in range(len(counts)) if events[k] and seen[k].sum() >= needed]
        # the shortest go first, until the rest have enough in common
        while kept and seen[kept].all(axis=0).sum() < needed:
            kept.remove(min(kept, key=lambda k: int(seen[k].sum())))
        return kept


@dataclass(frozen=True, eq=False, repr=False)
class FittedControlled(FittedModel):
    """The count engine with controls after it has learnt a panel.

    Attributes
    ----------
    fits : tuple of FittedModel
        The engine, one an offence in the panel's order.
    indices : tuple of Index
        What the controls say, one an offence.
    """

    model: ControlledCounts
    fits: tuple[FittedModel, ...] = ()
    indices: tuple[Index, ...] = ()

    def weights(self) -> pd.DataFrame:
        """Return the weights and how near the weighted mean came before the cutoff.

        Returns
        -------
        pandas.DataFrame
            One row an offence and control: `offence, control, kind, weight, intercept,
            rmse_before, correlation_before, periods`.
        """
        controls = self.model.controls
        kind_of = dict(zip(controls.names, controls.kinds, strict=True))
        rows = [
            {
                "offence": offence,
                "control": name,
                "kind": kind_of[name],
                "weight": float(weight),
                "intercept": index.intercept,
                "rmse_before": index.rmse,
                "correlation_before": index.correlation,
                "periods": index.fitted_on,
            }
            for offence, index in zip(self.panel.offences, self.indices, strict=True)
            for name, weight in zip(index.names, index.weights, strict=True)
        ]
        return pd.DataFrame(rows)

    def paths(self, periods: int | pd.PeriodIndex, *, draws: int = 1000, seed: int = 0) -> Paths:
        """Return draws before counting noise; see `FittedModel.paths`.

        Raises
        ------
        DataError
            If a control lacks a count between the cutoff and the last period wanted.
        """
        ahead, wanted = self._ahead(periods)
        self._check_ahead(ahead)
        n_offences, n_series = len(self.fits), len(self.panel.series)
        log_total = np.empty((draws, n_offences, wanted))
        log_share = np.zeros((draws, n_series, wanted))
        offences = pd.Index(self.panel.offences)
        offence_of = offences.get_indexer(pd.Index(self.panel.series["offence"]))
        for row, (fitted, index) in enumerate(zip(self.fits, self.indices, strict=True)):
            found = fitted.paths(periods, draws=draws, seed=seed)
            shift: FloatArray | float = 0.0
            if self.model.kind != "regressors":
                shift = index.columns["index"].reindex(ahead[-wanted:]).to_numpy()
            log_total[:, row] = found.log_total[:, 0] + shift
            log_share[:, offence_of == row] = found.log_share
        return Paths(log_total, log_share, offence_of.astype(np.int64))

    def _check_ahead(self, ahead: pd.PeriodIndex) -> None:
        """Refuse periods for which a control has no count."""
        gone = [
            f"{offence} {label(period)}"
            for offence, index in zip(self.panel.offences, self.indices, strict=True)
            for period in ahead[index.columns.reindex(ahead).isna().any(axis=1).to_numpy()]
        ]
        if gone:
            raise DataError(
                f"Controls must have counts for every period that is forecast: those of "
                f"{name_offenders(gone)} are missing. Load them, or forecast fewer periods."
            )
