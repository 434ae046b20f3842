"""Draws of an offence's usual year from the count engine, areas drawn towards their total."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.models.base import stream
from forecast.models.designs import ORDER, total_columns
from forecast.models.draws import FloatArray
from forecast.models.dynamic import DynamicCounts
from forecast.models.sharing import deviation_sums
from forecast.models.starting import shrunk_precision
from forecast.models.states import TotalState
from forecast.periods import PERIODS_A_YEAR
from forecast.seasonality.harmonics import MAX_ORDERS, fourier
from forecast.seasonality.profiles import LEAST_YEARS, MONTHS, calendar_seasons, halves_of_autumn


@dataclass(frozen=True, eq=False)
class OffenceCounts:
    """Counts of one offence by month or week, NaN where missing or left out.

    Attributes
    ----------
    offence, total_name : str
    total : numpy.ndarray
        Shape (period,).
    area_names : list of str
        One name is the total's own.
    areas : numpy.ndarray
        Shape (area, period).
    periods : pandas.PeriodIndex
    """

    offence: str
    total_name: str
    total: FloatArray
    area_names: list[str]
    areas: FloatArray
    periods: pd.PeriodIndex

    @property
    def freq(self) -> str:
        """M or W-SUN."""
        return str(self.periods.freqstr)


def draw_usual_year(
    counts: OffenceCounts, deviations: pd.DataFrame, draws: int, seed: int
) -> dict[str, FloatArray]:
    """Return draws of the log season of an offence's total and of its areas.

    Parameters
    ----------
    counts : OffenceCounts
    deviations : pandas.DataFrame
        Single years of the offence as in `Profile.deviations`, of the total and of its areas.
    draws, seed : int

    Returns
    -------
    dict
        By name of the total and of each area, shape (draw, season + 1): seasons add up to zero
        over the year but for what widening does; the last column is the autumn rise.
    """
    by_area = {
        name: _lay_out_years(deviations[deviations["area"] == name], counts.freq)
        for name in [counts.total_name, *counts.area_names]
    }
    targets = np.vstack([np.eye(PERIODS_A_YEAR[counts.freq]), _autumn(counts.periods)])
    total = _draw_total(counts, by_area[counts.total_name], targets, draws, seed)
    out = {counts.total_name: total}
    if len(counts.area_names) > 1:
        own = _learn_areas(counts, by_area)
        for name, (mean, root) in zip(counts.area_names, own, strict=True):
            rng = stream(seed, "season", counts.offence, name)
            own_draws = mean + rng.standard_normal((draws, root.shape[1])) @ root.T
            out[name] = total + own_draws @ targets.T
    return out


def _lay_out_years(deviations: pd.DataFrame, freq: str) -> FloatArray:
    """Logs of single years, shape (year, season), NaN where a season could not be used."""
    labels = list(MONTHS) if freq == "M" else list(range(1, 53))
    table = deviations.pivot(index="year", columns="season", values="percent")
    return np.log1p(table.reindex(columns=labels).to_numpy(dtype=np.float64) / 100)


def _draw_total(
    counts: OffenceCounts, years: FloatArray, targets: FloatArray, draws: int, seed: int
) -> FloatArray:
    """Draw what the targets, (target, season), ask of a total's season, shape (draw, target)."""
    fast = _fast_waves(counts.periods)
    series = pd.DataFrame({"area": [counts.total_name], "offence": [counts.offence]})
    fitted = DynamicCounts(regressors=fast).fit(
        Panel(counts.total[None], series, counts.periods)  # (1, period)
    )
    columns = total_columns(counts.periods, regressors=fast)[:, 2:]
    shape = _average_seasons(columns, counts.periods)  # (season, coefficient)
    rng = stream(seed, "season", counts.offence)
    drawn, mean, covariance = _draw_state(fitted.states[0].last.total, shape, draws, rng)
    stretch = _widen(covariance, years, shape, targets, _count_seasons(counts))
    freedom = np.isfinite(years).sum(axis=0).mean() - 1
    stretch = stretch * np.sqrt(freedom / rng.chisquare(freedom, (draws, 1)))  # (draw, target)
    rest = _draw_rest(years, mean, shape, draws, rng)
    return np.asarray(stretch * ((drawn - mean) @ targets.T) + (mean + rest) @ targets.T)


def _widen(
    covariance: FloatArray,
    years: FloatArray,
    shape: FloatArray,
    targets: FloatArray,
    seen: FloatArray,
) -> FloatArray:
    """How many times wider the draws of each target must be, shape (target,); at least 1."""
    once = (1 / seen).mean()
    known = np.einsum("ts,su,tu->t", targets, covariance, targets)
    found = once * _vary(years, shape, targets)  # (target,)
    n = len(covariance)
    common = found[:n].sum() / known[:n].sum()
    ratio = (found / known + common) / 2  # a month's own years are few, all months' are many
    ratio[n:] = np.maximum(found / known, common)[n:]  # noise that lasts adds up in the rise
    return np.asarray(np.sqrt(np.maximum(ratio, 1.0)))


def _fast_waves(periods: pd.PeriodIndex) -> pd.DataFrame | None:
    """The waves of twelve months that the engine leaves out of its forecasts, by period."""
    if periods.freqstr != "M":
        return None
    first = 2 * ORDER["M"]
    fast = fourier(periods, order=MAX_ORDERS["M"])[:, first:]
    names = [f"wave {first // 2 + 1 + i // 2} {'cs'[i % 2]}" for i in range(fast.shape[1])]
    # the sixth wave is up in one month and down in the next
    sixth = np.where(np.asarray(periods.month) % 2 == 1, 1.0, -1.0)
    return pd.DataFrame(np.column_stack([fast, sixth]), periods, [*names, "wave 6 s"])


def _average_seasons(columns: FloatArray, periods: pd.PeriodIndex) -> FloatArray:
    """Columns averaged by calendar month or ISO week and centred, shape (season, column)."""
    _, season, _ = calendar_seasons(periods)
    n = PERIODS_A_YEAR[str(periods.freqstr)]
    sums = np.zeros((n, columns.shape[1]))
    np.add.at(sums, season, columns)
    means = sums / np.bincount(season, minlength=n)[:, None]
    return np.asarray(means - means.mean(axis=0))


def _count_seasons(counts: OffenceCounts) -> FloatArray:
    """How many of each month or week the engine saw, shape (season,)."""
    _, season, _ = calendar_seasons(counts.periods)
    seen = season[~np.isnan(counts.total)]
    return np.bincount(seen, minlength=PERIODS_A_YEAR[counts.freq]).astype(np.float64)


def _draw_state(
    state: TotalState, shape: FloatArray, draws: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draw the season of a state, (draw, season); also its mean and covariance."""
    n = shape.shape[1]
    weights = state.shares()
    places = slice(2, 2 + n)
    means = state.means[:, places] @ shape.T  # (setting, season)
    covariances = state.covariances[:, places, places]  # (setting, coefficient, coefficient)
    mean = weights @ means
    within = shape @ np.einsum("k,kpq->pq", weights, covariances) @ shape.T
    between = np.einsum("k,ks,ku->su", weights, means - mean, means - mean)
    chosen = np.sort(rng.choice(len(weights), size=draws, p=weights))
    out = np.empty((draws, len(shape)))
    for k in np.unique(chosen):
        here = chosen == k
        root = np.linalg.cholesky(covariances[k] + 1e-12 * np.eye(n))
        out[here] = means[k] + rng.standard_normal((int(here.sum()), n)) @ root.T @ shape.T
    return rng.permutation(out), mean, within + between


def _vary(years: FloatArray, shape: FloatArray, targets: FloatArray) -> FloatArray:
    """Variance of a single year about the mean in the span of `shape`, shape (target,)."""
    freedom = (np.isfinite(years).sum(axis=0) - 1).mean()
    apart = np.nan_to_num(years - np.nanmean(years, axis=0))  # (year, season)
    inside = apart @ shape @ np.linalg.pinv(shape) @ targets.T  # (year, target)
    return np.asarray((inside**2).sum(axis=0) / freedom)


def _draw_rest(
    years: FloatArray, mean: FloatArray, shape: FloatArray, draws: int, rng: np.random.Generator
) -> FloatArray:
    """Draw what the means of single years have beside the waves, shrunk, (draw, season)."""
    n_seasons = len(shape)
    beside = np.eye(n_seasons) - 1 / n_seasons - shape @ np.linalg.pinv(shape)
    freedom = round(float(np.trace(beside)))
    if freedom == 0:
        return np.zeros((draws, n_seasons))
    found = np.nanmean(years, axis=0) - mean  # (season,)
    chance = _vary(years, beside, np.eye(n_seasons)).sum() / np.isfinite(years).sum(axis=0).mean()
    kept = max(1 - chance / max(float((found**2).sum()), 1e-12), 0.0)
    error = np.sqrt(chance / freedom)
    # a Christmas week is no chance, however smooth the other weeks are
    rest = found - np.clip((1 - kept) * found, -error, error)
    spread = np.where((1 - kept) * np.abs(found) < error, np.sqrt(kept) * error, error)
    drawn = rest + spread * (rng.standard_normal((draws, n_seasons)) @ beside)
    return np.asarray(drawn - drawn.mean(axis=1, keepdims=True))


def _learn_areas(
    counts: OffenceCounts, by_area: dict[str, FloatArray]
) -> list[tuple[FloatArray, FloatArray]]:
    """Mean and root of the covariance of the log of each area's season over its total's.

    Shapes (season,) and (season, wave); the root times its transpose is the covariance.
    """
    waves, groups = _area_waves(counts.periods)
    whole = np.where(counts.total > 0, counts.total, np.nan)
    score, information = deviation_sums(
        np.ascontiguousarray(counts.areas), whole, waves, PERIODS_A_YEAR[counts.freq]
    )
    precision = shrunk_precision(score, information, groups)
    mean = np.linalg.solve(precision, score[:, :, None])[:, :, 0]  # (area, wave)
    shape = _average_seasons(waves, counts.periods)  # (season, wave)
    widened = _compare_years(counts, by_area, information, shape)
    roots = np.linalg.cholesky(widened * np.linalg.inv(precision))  # (area, wave, wave)
    return [(shape @ m, shape @ root) for m, root in zip(mean, roots, strict=True)]


def _area_waves(periods: pd.PeriodIndex) -> tuple[FloatArray, list[slice]]:
    """Waves in which areas differ, (period, wave), and those that share one variance."""
    fast = _fast_waves(periods)
    waves = fourier(periods, order=ORDER[str(periods.freqstr)])
    if fast is not None:
        waves = np.hstack([waves, fast.to_numpy(dtype=np.float64)])
    n = waves.shape[1]
    ends = [*range(0, n - 2, 2), n]  # the sixth wave of months has no cosine, and joins the fifth
    return np.ascontiguousarray(waves), [slice(a, b) for a, b in zip(ends, ends[1:], strict=False)]


def _compare_years(
    counts: OffenceCounts,
    by_area: dict[str, FloatArray],
    information: FloatArray,
    shape: FloatArray,
) -> float:
    """How many times the areas' years vary more than their information says; at least 1."""
    ratios = []
    once = (1 / _count_seasons(counts)).mean()
    total = by_area[counts.total_name]
    n = information.shape[1]
    for name, known, seen in zip(counts.area_names, information, counts.areas, strict=True):
        years = by_area[name]
        if (
            not np.nansum(seen) > 0
            or years.shape != total.shape
            or np.isfinite(years - total).sum(0).min() < LEAST_YEARS
        ):
            continue
        found = _vary(years - total, shape, np.eye(len(shape))).sum()
        ratios.append(
            found
            * once
            / float(np.trace(shape @ np.linalg.inv(known + 1e-6 * np.eye(n)) @ shape.T))
        )
    return max(float(np.mean(ratios)), 1.0) if ratios else 1.0


def _autumn(periods: pd.PeriodIndex) -> FloatArray:
    """Weights of the seasons in the autumn rise, shape (season,)."""
    _, season, month = calendar_seasons(periods)
    half = halves_of_autumn(month)
    n = PERIODS_A_YEAR[str(periods.freqstr)]
    late, autumn = (np.bincount(season[half == k], minlength=n) for k in (0, 1))
    return np.asarray(autumn / autumn.sum() - late / late.sum())
