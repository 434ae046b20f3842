"""Several models as one: their quantiles are averaged, the order of the draws is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from numbers import Real

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.errors import ForecastError, join_problems, name_offenders
from forecast.models.base import FittedModel, Model, Paths
from forecast.models.draws import FloatArray
from forecast.models.dynamic import DynamicCounts
from forecast.models.structural import StructuralTrend
from forecast.periods import PERIODS_A_YEAR

_FEW = 5.0  # events a period, on average: below it only models of counts are pooled
_RECENT = {**PERIODS_A_YEAR, "M": 24}  # seen counts that the average is taken over

_HOW = "Pass a dict by name, or a tuple in the order of the members."


def average_quantiles(draws: Sequence[FloatArray], weights: FloatArray) -> FloatArray:
    """Return draws whose quantiles are the weighted means of the quantiles of several sets.

    The draws of each set are sorted and the sorted values averaged. They are put back in the
    order of the first set, so that what was high together stays high together; where draws of
    the first set are equal, the next set decides.

    Parameters
    ----------
    draws : sequence of numpy.ndarray
        One array a set, each of shape (draw, row, period).
    weights : numpy.ndarray
        Shape (set, row); those of a row sum to one.

    Returns
    -------
    numpy.ndarray
        Shape (draw, row, period).

    Examples
    --------
    >>> one, two = np.array([3.0, 1.0, 2.0]), np.array([10.0, 20.0, 30.0])
    >>> average_quantiles([one[:, None, None], two[:, None, None]], np.array([[0.5], [0.5]])).ravel()
    array([16.5,  5.5, 11. ])
    """  # noqa: E501
    values = np.zeros_like(draws[0])
    for weight, drawn in zip(weights, draws, strict=True):
        values += weight[:, None] * np.sort(drawn, axis=0)
    order = np.lexsort(tuple(reversed(draws)), axis=0)  # (rank, row, period): the last key leads
    out = np.empty_like(values)
    np.put_along_axis(out, order, values, axis=0)
    return out


@dataclass(frozen=True)
class Ensemble(Model):
    """Several models pooled by averaging their quantiles.

    Each member learns the whole panel in its own way. For every total and every share the
    sorted draws of the members are averaged with the weights, and take the order of the first
    member's draws, so that the dependence between periods, areas and offences is the first
    member's. Where fewer than five events a period were seen of late, only members that model
    counts as counts are pooled. For when no one model is always the best; it takes as long as
    its members together.

    Parameters
    ----------
    members : sequence of Model, default (DynamicCounts(), StructuralTrend())
        No two of the same name.
    weights : mapping of str to float, or sequence of float, optional
        By name of the member, or in the order of the members: zero or more, in any unit, for
        they are divided by their sum. A member of weight zero is not fitted. Equal unless given.

    Raises
    ------
    ForecastError
        If members are not models or share a name, or the weights do not fit them.

    Notes
    -----
    With F_k the distribution function that member k gives to a log rate, the pooled quantiles are
    ``Q(p) = sum_k w_k F_k^-1(p)``. The mean is that of a mixture of the members; the variance is
    never larger, for disagreement about the level does not widen it. Normal members of means m_k
    and standard deviations s_k give a normal one of mean ``sum w_k m_k`` and standard deviation
    ``sum w_k s_k``.

    Rates are pooled and counts drawn afterwards: counting noise is there once, and areas sum to
    their total draw by draw. A log share is defined up to what all areas of an offence have in
    common, so each draw of a member's shares is made to sum to one first. "Of late" is the last
    24 months seen, or a year of weeks or days; when no member with weight models counts as
    counts, all are pooled.

    References
    ----------
    Lichtendahl, Grushka-Cockayne & Winkler (2013), Is it better to average probabilities or
    quantiles?, Management Science 59(7), 1594-1611. The order: Schefzik, Thorarinsdottir &
    Gneiting (2013), Uncertainty quantification in complex simulation models using ensemble
    copula coupling, Statistical Science 28(4), 616-640.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> robbery = load_sample("london").select(offence="robbery", area="Central West")
    >>> pool = Ensemble(weights={"DynamicCounts": 3, "StructuralTrend": 1})
    >>> pool.fit(robbery.before("2020-01")).forecast(3)
    Forecast(1 series, 2020-01 to 2020-03, monthly, 1,000 draws by Ensemble, nothing seen from 2020-01 on)
    """  # noqa: E501

    members: Sequence[Model] = (DynamicCounts(), StructuralTrend())
    weights: Mapping[str, float] | Sequence[float] | None = None

    def __post_init__(self) -> None:
        members = _check_members(self.members)
        object.__setattr__(self, "members", members)
        if self.weights is not None:
            names = [member.name for member in members]
            object.__setattr__(self, "weights", _in_order(self.weights, names))
        # Not a setting: what the most demanding member needs.
        object.__setattr__(self, "min_seasons", max(m.min_seasons for m in members))

    def fit(self, panel: Panel) -> FittedModel:
        """Fit every member that has weight to a panel; the panel is not changed.

        Parameters
        ----------
        panel : Panel
            What the most demanding member needs: two years of every total and share, or more.

        Returns
        -------
        FittedModel
            A `FittedEnsemble`.

        Raises
        ------
        FitError
            If a member cannot be fitted: the member's own error, with its name.
        """
        equal = (1.0,) * len(self.members)
        given = np.asarray(equal if self.weights is None else self.weights, dtype=np.float64)
        fitted = [m.fit(panel) for m, weight in zip(self.members, given, strict=True) if weight > 0]
        return FittedEnsemble(
            model=self,
            panel=panel,
            members=tuple(fitted),
            weights=given[given > 0],
        )


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class FittedEnsemble(FittedModel):
    """Members that have learnt a panel, pooled when paths are drawn.

    Attributes
    ----------
    model, panel
        The ensemble, and what it was fitted to.
    members : tuple of FittedModel
        Those with weight.
    weights : numpy.ndarray
        Shape (member,), above zero, in any unit.
    """

    members: tuple[FittedModel, ...]
    weights: FloatArray

    def paths(self, periods: int | pd.PeriodIndex, *, draws: int = 1000, seed: int = 0) -> Paths:
        """Return pooled draws before counting noise; see `FittedModel.paths`.

        The log shares of an offence's areas sum to one on the scale of shares, nearly.
        """
        found = [member.paths(periods, draws=draws, seed=seed) for member in self.members]
        totals, values = self.panel.total().values, self.panel.values  # (offence or series, period)
        return replace(
            found[0],
            log_total=average_quantiles([p.log_total for p in found], self._weights(totals)),
            log_share=average_quantiles([_normalised(p) for p in found], self._weights(values)),
        )

    def _weights(self, counts: FloatArray) -> FloatArray:
        """Weight of each member in each row of counts, shape (member, row), with sum one."""
        native = np.array([member.model.counts_native for member in self.members])
        if not native.any():
            native[:] = True
        out = np.empty((len(self.members), len(counts)))
        for row, values in enumerate(counts):
            recent = values[~np.isnan(values)][-_RECENT[self.panel.freq] :]
            few = recent.sum() < _FEW * len(recent)
            out[:, row] = self.weights * native if few else self.weights
        return np.asarray(out / out.sum(axis=0))


def _normalised(paths: Paths) -> FloatArray:
    """Log shares that sum to one over the areas of each offence, shape (draw, series, period)."""
    out = np.empty_like(paths.log_share)
    for offence in np.unique(paths.offence_of):
        areas = paths.log_share[:, paths.offence_of == offence]  # (draw, area, period)
        # Sorted first: the sum must not depend on the order of the areas, not even by rounding.
        whole = np.logaddexp.reduce(np.sort(areas, axis=1), axis=1, keepdims=True)
        out[:, paths.offence_of == offence] = areas - whole
    return out


def _check_members(members: Sequence[Model]) -> tuple[Model, ...]:
    """Members as a tuple; refuse what is no model, and two of the same name."""
    listed = tuple(members) if isinstance(members, Sequence) else (members,)
    odd = [getattr(m, "__name__", repr(m)) for m in listed if not isinstance(m, Model)]
    if odd or not listed:
        raise ForecastError(
            f"Ensemble members must be models: found {name_offenders(odd) or 'none'}. "
            "Pass some, such as (DynamicCounts(), StructuralTrend())."
        )
    names = [member.name for member in listed]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ForecastError(
            f"Ensemble members must differ in name: found {name_offenders(twice)} more than once. "
            "Keep one of each."
        )
    return listed


def _in_order(
    weights: Mapping[str, float] | Sequence[float], names: Sequence[str]
) -> tuple[float, ...]:
    """Weights in the order of the members; refuse those that do not fit."""
    if isinstance(weights, Mapping):
        _check_names(weights, names)
        values = [weights[name] for name in names]
    else:
        # An array or a column of a table may be in any order: only what was typed is trusted.
        listed = isinstance(weights, Sequence) and not isinstance(weights, str)
        if not listed or len(weights) != len(names):
            found = str(len(weights)) if listed else type(weights).__name__
            raise ForecastError(
                f"Ensemble weights must be one a member: found {found} for {len(names)} members "
                f"({name_offenders(names)}). {_HOW}"
            )
        values = list(weights)
    bad = [f"{v!r} for {n}" for n, v in zip(names, values, strict=True) if not _is_weight(v)]
    if bad:
        raise ForecastError(
            f"Ensemble weights must be numbers of zero or more: found {name_offenders(bad)}. {_HOW}"
        )
    if not any(values):
        raise ForecastError(
            "Ensemble weights must have one above zero: found none. "
            "Give a member weight, or leave weights out for equal ones."
        )
    return tuple(float(value) for value in values)


def _check_names(weights: Mapping[str, float], names: Sequence[str]) -> None:
    """Refuse weights by name that leave a member out, or are of something else."""
    # A backtest scores models that are no members: no harm when they have no weight.
    strange = [str(name) for name in weights if name not in names and weights[name] != 0]
    absent = [name for name in names if name not in weights]
    problems = []
    if strange:
        problems.append(
            f"Ensemble weights must name members only: found {name_offenders(strange)}. "
            "Put it among the members, or leave its weight out."
        )
    if absent:
        problems.append(
            f"Ensemble weights must name every member: found none for {name_offenders(absent)}. "
            "Say 0 to leave a member out."
        )
    if problems:
        raise ForecastError(join_problems(problems))


def _is_weight(value: object) -> bool:
    """Whether a value is a finite number of zero or more."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return isfinite(value) and float(value) >= 0
