"""Scores of past forecasts, and what they add up to: by model, by step, by rival, as weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import DataError, ForecastError, name_offenders
from forecast.models.naive import SeasonalNaive
from forecast.periods import UNIT_NAMES, label
from forecast.scoring import coverage

NAIVE = SeasonalNaive().name
"""The model that skill is measured against."""

_POOL = "Ensemble"  # a pool of the others: it cannot be a member of itself
_CELL = ["origin", "area", "offence", "step"]
_MEANS = {"wis": "wis_scaled", "wis_raw": "wis", "crps": "crps_scaled", "mase": "error_scaled"}


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """How good forecasts were at past origins. Smaller is better, but for coverage and skill.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a model, origin, series and step ahead; what was not counted has no row.
        `model`, `origin` and `period` (pandas Periods), `area`, `offence`, `step` (1 is the
        origin itself), `observed`, `median`; in offences `wis` and its parts `dispersion`,
        `overprediction`, `underprediction`, and `crps`; `scale`, the in-sample error of the
        seasonal naive forecast, in offences; without unit `wis_scaled`, `crps_scaled`,
        `error_scaled` (absolute error of the median over the scale); and `pit`.
    horizon : int
        Periods ahead.
    origins : pandas.PeriodIndex
        First periods that were not seen.
    series : int
        How many series were forecast.
    cpu_seconds_per_series : dict of str to float
        To fit one series and forecast it, by model: of the median origin, so that loading a
        library once is not counted.
    notes : tuple of str
        Which periods may have been incomplete, and what was done about them.
    """

    table: pd.DataFrame
    horizon: int
    origins: pd.PeriodIndex
    series: int
    cpu_seconds_per_series: dict[str, float]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        best = self.summary().sort_values("wis").iloc[0]
        unit = UNIT_NAMES[str(self.origins.freqstr)]
        return (
            f"Scores({_plural(len(self.models), 'model')}, {self.series} series, "
            f"{_plural(len(self.origins), 'origin')} from {label(self.origins[0])} to "
            f"{label(self.origins[-1])}, {_plural(self.horizon, unit)} ahead; "
            f"lowest WIS {best['model']} {best['wis']:.3f})"
        )

    def _repr_html_(self) -> str:
        from forecast.reporting.score_plots import render_scores

        return render_scores(self)

    @property
    def models(self) -> list[str]:
        """Names of the models, in the order in which they were given."""
        return list(self.cpu_seconds_per_series)

    def summary(self) -> pd.DataFrame:
        """Return one row a model, means over all origins, series and steps.

        Returns
        -------
        pandas.DataFrame
            `model`; `wis` (scaled: twice the mean pinball loss over 23 quantiles, over the
            in-sample error of the seasonal naive forecast), `wis_raw` (in offences), `crps`
            and `mase` (scaled as `wis`); `coverage_80` and `coverage_95`, the shares inside
            the intervals, by randomised PIT; `skill`, one minus `wis` over that of
            `SeasonalNaive`; `cpu_seconds_per_series`. Series whose scale is undefined (no
            change from year to year) are left out of what is scaled.
        """
        found = self._means(self.table.assign(step=0)).drop(columns="step")
        return found.assign(cpu_seconds_per_series=list(self.cpu_seconds_per_series.values()))

    def by_horizon(self) -> pd.DataFrame:
        """Return one row a model and step ahead, means over all origins and series.

        Returns
        -------
        pandas.DataFrame
            `model`, `step` (1 is the origin itself), `wis` (scaled), `skill` against
            `SeasonalNaive` at the same step, `coverage_80`, `coverage_95`.
        """
        return self._means(self.table).drop(columns=["wis_raw", "crps", "mase"])

    def _means(self, table: pd.DataFrame) -> pd.DataFrame:
        """Means by model and step; the models in their order."""
        groups = table.groupby(["model", "step"])
        found = groups[list(_MEANS.values())].mean()
        found.columns = pd.Index(_MEANS)
        for level in (80, 95):
            found[f"coverage_{level}"] = groups["pit"].apply(coverage, level=level / 100)
        table = found.loc[self.models].reset_index()
        naive = table[table["model"] == NAIVE].set_index("step")["wis"]
        rival = table["step"].map(naive.where(naive > 0))  # one over zero is no skill
        table["skill"] = 1 - table["wis"] / rival
        return table[["model", "step", *_MEANS, "coverage_80", "coverage_95", "skill"]]

    def leaderboard(self) -> pd.DataFrame:
        """Return one row a model, the lowest scaled WIS first.

        Returns
        -------
        pandas.DataFrame
            `model`, `wis`, `skill`, `coverage_80` and `coverage_95` as in `summary`;
            `against_rivals` as in `relative_skill`; `cpu_ms_per_series`, in milliseconds.
        """
        table = self.summary().merge(self.relative_skill(), on="model", validate="1:1")
        table["cpu_ms_per_series"] = 1000 * table["cpu_seconds_per_series"]
        columns = ["model", "wis", "skill", "against_rivals", "coverage_80", "coverage_95"]
        table = table.sort_values("wis", kind="stable", ignore_index=True)
        return table[[*columns, "cpu_ms_per_series"]]

    def pit_histogram(self, bins: int = 10) -> pd.DataFrame:
        """Return how often counts fell into each part of the forecast, by model.

        Shares that are alike say that the intervals mean what they say; high ends say that they
        are too narrow, a high middle that they are too wide, a slope that forecasts are too low
        (rising) or too high (falling).

        Parameters
        ----------
        bins : int, default 10
            Parts of equal probability, two or more.

        Returns
        -------
        pandas.DataFrame
            `model`, `lower` and `upper` (ends of the part, from 0 to 1), `share` of the counts;
            `1 / bins` is right.

        Raises
        ------
        ForecastError
            If `bins` is not a whole number of two or more.

        References
        ----------
        Czado, Gneiting & Held (2009), Predictive model assessment for count data, Biometrics
        65, section 2.
        """
        if isinstance(bins, bool) or not isinstance(bins, int | np.integer) or bins < 2:
            raise ForecastError(
                f"Bins must be a whole number, 2 or more: found {bins!r}. Leave it out for 10."
            )
        edges = np.arange(bins + 1) / bins  # (edge,)
        parts = []
        for name in self.models:
            pit = self.table.loc[self.table["model"] == name, "pit"].dropna()
            counts, _ = np.histogram(pit, bins=edges)  # (bin,)
            columns = {"lower": edges[:-1], "upper": edges[1:], "share": counts / max(len(pit), 1)}
            parts.append(pd.DataFrame({"model": name, **columns}))
        return pd.concat(parts, ignore_index=True)

    def _cells(self, models: Sequence[str]) -> NDArray[np.float64]:
        """Scaled WIS of models, shape (cell, model); NaN where one was not scored."""
        wide = self.table.set_index([*_CELL, "model"])["wis_scaled"].unstack("model")
        return np.asarray(wide[list(models)], dtype=np.float64)

    def relative_skill(self) -> pd.DataFrame:
        """Return how each model did against all others, pair by pair.

        A pair is compared on the cells (origin, series, step) that both have, so that a model
        that left out what is hard gains nothing. Below one is better.

        Returns
        -------
        pandas.DataFrame
            `model`; `against_rivals`, the geometric mean of the ratios of scaled WIS to those
            of all models, itself among them; `relative_wis`, the same over that of
            `SeasonalNaive`. Where all models have the same cells it is one minus the skill.
            NaN where a mean is zero or a pair has no cell in common.

        Notes
        -----
        With ``theta_ij`` the mean WIS of model i over that of model j on their common cells and
        M models::

            against_rivals_i = (prod_j theta_ij) ** (1 / M)
            relative_wis_i = against_rivals_i / against_rivals_naive

        References
        ----------
        Cramer et al. (2022), Evaluation of individual and ensemble probabilistic forecasts of
        COVID-19 mortality in the United States, PNAS 119(15), e2113561119, "Forecast evaluation
        metrics": relative WIS. Theirs is of WIS in deaths; here it is scaled, so that large
        areas do not count for more.
        """
        wis = self._cells(self.models)  # (cell, model)
        known = ~np.isnan(wis)
        # Row i, column j: the sum of model i over the cells that model j has as well.
        sums = np.where(known, wis, 0.0).T @ known  # (model, model)
        sums = np.where(sums > 0, sums, np.nan)
        against = np.exp(np.log(sums / sums.T).mean(axis=1))  # (model,)
        naive = against[self.models.index(NAIVE)] if NAIVE in self.models else np.nan
        columns = {"against_rivals": against, "relative_wis": against / naive}
        return pd.DataFrame({"model": self.models, **columns})

    def weights(
        self, models: Sequence[str] | None = None, *, shrink: float = 0.5
    ) -> dict[str, float]:
        """Return weights for `Ensemble`, learnt from the origins that were scored.

        To score an ensemble with them, learn them from earlier origins than those that it is
        scored on: `backtest` of `panel.before(...)` sees no later count.

        Parameters
        ----------
        models : sequence of str, optional
            Names of the members. Every model that was scored unless given, but for
            `SeasonalNaive`, the bar that members have to clear, and an ensemble.
        shrink : float, default 0.5
            How far the weights go back to equal ones, from 0 (not at all) to 1 (all the way).

        Returns
        -------
        dict of str to float
            Weights by name; their sum is one.

        Raises
        ------
        ForecastError
            If `shrink` is not between 0 and 1, or a model was not scored.
        DataError
            If no cell has a scaled score of every model.

        Notes
        -----
        ``w_i = shrink / M + (1 - shrink) * s_i ** -2 / sum_j s_j ** -2`` with s_i the mean scaled
        WIS of model i over the cells that all M have. WIS is an error in the unit of the counts,
        its square stands for the variance. Learnt weights are noisy and equal ones hard to
        beat, so they meet half-way.

        References
        ----------
        Bates & Granger (1969), The combination of forecasts, Operational Research Quarterly 20,
        451-468: weights by inverse error variance, dependence left out. Diebold & Pauly (1990),
        The use of prior information in forecast combination, International Journal of
        Forecasting 6, 503-508: shrinkage towards equal weights.
        """
        if isinstance(shrink, bool) or not 0 <= shrink <= 1:
            raise ForecastError(
                f"Shrink must lie between 0 and 1: found {shrink!r}. Leave it out for half-way."
            )
        names = self._members(models)
        wis = self._cells(names)  # (cell, model)
        common = wis[~np.isnan(wis).any(axis=1)]
        if not len(common):
            raise DataError(
                "Weights must be learnt from cells that every model has a scaled score of: found "
                f"none for {name_offenders(names)}. Score them on the same origins and series."
            )
        mean = common.mean(axis=0)  # (model,)
        # A model that is never wrong takes all; several share it.
        learnt = (mean == 0).astype(float) if (mean == 0).any() else (mean / mean.min()) ** -2
        mixed = shrink / len(names) + (1 - shrink) * learnt / learnt.sum()
        return dict(zip(names, mixed.tolist(), strict=True))

    def _members(self, models: Sequence[str] | None) -> list[str]:
        """Names of the models that get a weight."""
        if models is None:
            kept = [n for n in self.models if n != NAIVE and n.split("(")[0] != _POOL]
            return kept or [NAIVE]
        names = [models] if isinstance(models, str) else list(dict.fromkeys(models))
        strange = [str(name) for name in names if name not in self.models]
        if strange or not names:
            raise ForecastError(
                f"Models to weigh must be among those scored ({', '.join(self.models)}): found "
                f"{name_offenders(strange) or 'none'}. Take names from `summary()`."
            )
        return names

    def to_dict(self) -> dict[str, Any]:
        """Return the object `forecast.scores/1`, ready for JSON: undefined is None, never NaN.

        It has "notes" where periods may have been incomplete.
        """
        summary = self.summary().drop(columns="skill")
        models = [
            {key: _plain(value) for key, value in row.items()}
            for row in summary.to_dict(orient="records")
        ]
        told: dict[str, Any] = {
            "schema": "forecast.scores/1",
            "horizon": self.horizon,
            "origins": [label(origin) for origin in self.origins],
            "series": self.series,
            "models": models,
        }
        return told | {"notes": list(self.notes)} if self.notes else told


def _plural(count: int, noun: str) -> str:
    """A count and its noun: "1 month", "3 months"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _plain(value: Any) -> Any:
    """A Python value for JSON, None where it is undefined."""
    if isinstance(value, str):
        return value
    number = float(value)
    return number if np.isfinite(number) else None
