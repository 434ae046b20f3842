"""How the count engine looks ahead: joint draws of rates, and exact quantiles without draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.models.base import MEAN_DAYS, stream
from forecast.models.calibrating import rate_factors, stretch_levels, stretch_paths
from forecast.models.designs import share_columns
from forecast.models.draws import FloatArray, IntArray
from forecast.models.evidence import BLOCK
from forecast.models.filtering import gamma_moments, level_steps, look_ahead, mix_moments
from forecast.models.grids import DAMPINGS, share_settings, total_settings
from forecast.models.mixtures import mixture_quantiles
from forecast.models.states import OffenceState, ShareState, TotalState
from forecast.periods import days_in

_LEAST_REST = 0.05  # of one minus a share
_LEAST_WEIGHT = 1e-3  # settings below it are left out of closed-form mixtures


@dataclass(frozen=True, eq=False)
class Horizon:
    """What is known of the periods ahead, from the first that was not seen on.

    Attributes
    ----------
    periods : pandas.PeriodIndex
    columns : numpy.ndarray
        Regressors of the total, shape (period, state).
    jumps : numpy.ndarray
        Variance that the total's level may gain before each period, shape (period,).
    """

    periods: pd.PeriodIndex
    columns: FloatArray
    jumps: FloatArray


def _offset(ahead: pd.PeriodIndex) -> FloatArray:
    """Log of the days of each period over their mean, shape (period,)."""
    return np.log(days_in(ahead) / MEAN_DAYS[str(ahead.freqstr)])


def _level_steps(state: TotalState, settings: FloatArray) -> FloatArray:
    """Variance by which each setting's level moves a period, shape (setting,)."""
    return _moves(state.covariances[:, 0, 0], settings[:, 0], state.steps)


def _moves(variance: FloatArray, discount: FloatArray, held: FloatArray) -> FloatArray:
    """Variance by which levels move a period, (..., setting): in a gap that of before it."""
    both = np.broadcast_to(discount, variance.shape)
    following = level_steps(variance.ravel(), both.ravel()).reshape(variance.shape)
    return np.where(held < 0, following, held)


def total_moments(state: TotalState, horizon: Horizon) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return weights, and mean and variance of the log rate of a total ahead, by setting.

    Returns
    -------
    weights, f, q : numpy.ndarray
        Shapes (setting,), (setting, period) and (setting, period).
    """
    ahead = horizon.periods
    freq = str(ahead.freqstr)
    settings = total_settings(freq)
    steps, offset = _level_steps(state, settings), _offset(ahead)
    f, q = np.empty((len(settings), len(ahead))), np.empty((len(settings), len(ahead)))
    every = np.ones(len(ahead), dtype=bool)
    for k in range(len(settings)):
        look_ahead(
            state.means[k], state.covariances[k], horizon.columns, offset, horizon.jumps,
            settings[k], DAMPINGS[freq], float(steps[k]), every, f[k], q[k],
        )  # fmt: skip
    return state.shares(), f, q


def share_moments(
    state: OffenceState, share: ShareState, part: slice, ahead: pd.PeriodIndex
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return weights, and mean and relative variance of some areas' shares ahead, by setting.

    Returns
    -------
    weights, mean, variance : numpy.ndarray
        Shapes (series, setting), then (series, setting, period) twice; means are of shares
        before they are made to add up.
    """
    settings = share_settings(str(ahead.freqstr))
    variance = share.variance[part]
    move = _moves(variance, settings[:, 0], share.held[part])  # (series, setting)
    each = np.broadcast_to(1 + move[:, :, None], (*move.shape, len(ahead)))
    spread = ((1 + variance) * (1 + settings[:, 1]))[:, :, None] * np.cumprod(each, axis=2)
    return *_share_means(state, share, part, ahead), spread - 1


def _share_means(
    state: OffenceState, share: ShareState, part: slice, ahead: pd.PeriodIndex
) -> tuple[FloatArray, FloatArray]:
    """Weights and means of some areas' shares, as in `share_moments`."""
    waves, _ = share_columns(ahead)
    own = np.exp(state.deviation[part] @ waves.T)  # (series, period)
    return state.area_weights(part), share.level[part][:, :, None] * own[:, None]


def look_quantiles(
    state: OffenceState,
    horizon: Horizon,
    levels: FloatArray,
    wanted: int,
    *,
    totals: bool,
) -> IntArray:
    """Return quantiles of an offence's total, (level, 1, period), or areas.

    An area's rate is the total's times its share: of each setting the mean and the variance are
    known, and a gamma with these makes the count negative binomial. The mixture over settings is
    walked exactly, at the levels that the stretch learnt from past forecasts asks for. Shape
    (level, series, period), or (level, 1, period) for the total.
    """
    ahead = horizon.periods
    weights, f, q = total_moments(state.last.total, horizon)
    mean, variance = gamma_moments(f, q)  # (setting, period)
    first = len(ahead) - wanted
    steps = np.arange(1, len(ahead) + 1)[first:]
    mean, variance = mean[:, first:], variance[:, first:]
    share = state.last.share
    if totals or share is None:
        cells = _cells(weights[None], mean[None], variance[None])
        return _walk(cells, levels, state.total_stretch.at(steps), 1)
    rate, relative = mix_moments(weights, mean, variance)
    n = len(state.deviation)
    parts = [slice(begin, begin + BLOCK) for begin in range(0, n, BLOCK)]
    sums = _share_sums(state, share, parts, ahead)[first:]
    stretch = state.area_stretch.at(steps)
    out = np.empty((len(levels), n, wanted), dtype=np.int64)
    for part in parts:
        own, level, spread = share_moments(state, share, part, ahead)
        level, spread = level[:, :, first:] / sums, spread[:, :, first:]
        spread = (1 + spread) * (1 + relative) - 1
        out[:, part] = _walk(_cells(own, level * rate, spread), levels, stretch, len(own))
    return out


def _share_sums(
    state: OffenceState, share: ShareState, parts: list[slice], ahead: pd.PeriodIndex
) -> FloatArray:
    """Sum of the shares before they are made to add up, shape (period,)."""
    middle = np.empty((len(state.deviation), len(ahead)))
    for part in parts:
        own, level = _share_means(state, share, part, ahead)
        middle[part] = np.einsum("sk,skh->sh", own, level)
    return _sum_rows(middle)


def _sum_rows(values: FloatArray) -> FloatArray:
    """Sum over the first axis that does not depend on the order of its rows."""
    return np.asarray(np.sort(values, axis=0).sum(axis=0))


def _cells(
    weights: FloatArray, mean: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean, shape parameter and weight of each cell, (series * period, setting), light ones out."""
    n_periods = mean.shape[2]
    strong = (weights > _LEAST_WEIGHT).any(axis=0)
    weights = np.where(weights > _LEAST_WEIGHT, weights, 0.0)[:, strong]
    weights = weights / weights.sum(axis=1, keepdims=True)
    n = int(strong.sum())
    flat = [np.moveaxis(a[:, strong], 2, 1).reshape(-1, n) for a in (mean, variance)]
    return flat[0], 1 / flat[1], np.repeat(weights, n_periods, axis=0)


def _walk(
    cells: tuple[FloatArray, FloatArray, FloatArray],
    levels: FloatArray,
    stretch: FloatArray,
    n_series: int,
) -> IntArray:
    """Quantiles of cells at stretched levels, (level, series, period)."""
    asked = np.stack([stretch_levels(levels, step) for step in stretch.T])  # (period, level)
    found = mixture_quantiles(*cells, np.tile(asked, (n_series, 1)))
    return found.reshape(len(levels), n_series, stretch.shape[1])


def draw_paths(
    state: OffenceState,
    areas: list[str],
    horizon: Horizon,
    draws: int,
    seed: int,
) -> tuple[FloatArray, FloatArray]:
    """Draw joint paths of the log rate of an offence's total and of the log shares of its areas.

    Returns
    -------
    total, share : numpy.ndarray
        Shapes (draw, period) and (draw, series, period).
    """
    ahead = horizon.periods
    steps = np.arange(1, len(ahead) + 1)
    rng = stream(seed, "total", state.offence)
    total = _draw_total(state.last.total, horizon, draws, rng)
    weights, f, q = total_moments(state.last.total, horizon)
    rate, variance = mix_moments(weights, *gamma_moments(f, q))  # (period,)
    wanted = np.log1p(variance)
    factors = state.total_stretch.at(steps)  # (2, period)
    on_total = rate_factors(factors, wanted, 1 / rate, wanted + 1 / rate)
    total = stretch_paths(total, on_total[:, None])
    share = state.last.share
    if share is None:
        return total, np.zeros((draws, 1, len(ahead)))
    out = np.empty((draws, len(areas), len(ahead)))
    middles = np.empty((len(areas), len(ahead)))
    spreads = np.empty((len(areas), len(ahead)))
    for begin in range(0, len(areas), BLOCK):
        part = slice(begin, begin + BLOCK)
        own, level, spread = share_moments(state, share, part, ahead)
        middles[part], spreads[part] = mix_moments(own, level, spread)
    sums = _sum_rows(middles)  # (period,)
    # relative variance by counting alone, (series, period)
    counting = sums / (middles * rate)
    own_part = np.log1p(spreads)
    whole = own_part + wanted + counting
    known = counting + on_total[:, None] ** 2 * wanted
    on_share = rate_factors(state.area_stretch.at(steps)[:, None], own_part, known, whole)
    # What was learnt is the spread of a share p as it is when all add up. Making draws add up
    # takes the p-th part of the variance away (as of gammas that make a Dirichlet): put it on.
    on_share = on_share / np.sqrt(np.maximum(1 - middles / sums, _LEAST_REST))
    for row, area in enumerate(areas):
        rng = stream(seed, "share", area, state.offence)
        path = _draw_share(state, share, row, ahead, draws, rng)
        out[:, row] = stretch_paths(path, on_share[:, row][:, None])
    return total, out


def _draw_total(
    state: TotalState,
    horizon: Horizon,
    draws: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw paths of a total's log rate, shape (draw, period)."""
    ahead = horizon.periods
    freq = str(ahead.freqstr)
    settings, damping = total_settings(freq), DAMPINGS[freq]
    steps = _level_steps(state, settings)
    chosen = rng.choice(len(settings), size=draws, p=state.shares())
    start = _draw_states(state, chosen, rng)  # (draw, state)
    # all noise at once, (period, draw): a call a period and setting would take most of the time
    moves, pushes, stray = rng.standard_normal((3, len(ahead), draws))
    moves *= np.sqrt(steps[chosen] + horizon.jumps[:, None])
    pushes *= np.sqrt((1 - damping**2) * settings[chosen, 2])
    stray *= np.sqrt(settings[chosen, 1])
    drift, level = start[:, 1], np.zeros(draws)
    path = (start @ horizon.columns.T).T + stray
    for t in range(len(ahead)):
        level = level + drift + moves[t]
        drift = damping * drift + pushes[t]
        path[t] += level
    return np.asarray(path.T + _offset(ahead))


def _draw_states(state: TotalState, chosen: IntArray, rng: np.random.Generator) -> FloatArray:
    """Draw the state under the setting that each draw has, shape (draw, state)."""
    out = rng.standard_normal((len(chosen), state.means.shape[1]))
    for index in np.unique(chosen):
        here = chosen == index
        root = np.linalg.cholesky(state.covariances[index] + 1e-12 * np.eye(out.shape[1]))
        out[here] = state.means[index] + out[here] @ root.T
    return out


def _draw_share(
    state: OffenceState,
    share: ShareState,
    row: int,
    ahead: pd.PeriodIndex,
    draws: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw paths of an area's log share before shares are made to add up, shape (draw, period)."""
    settings = share_settings(str(ahead.freqstr))
    waves, _ = share_columns(ahead)
    log_weights = share.weight[row] + state.prior
    weights = np.exp(log_weights - log_weights.max())
    chosen = rng.choice(len(settings), size=draws, p=weights / weights.sum())
    variance, held = share.variance[row, chosen], share.held[row, chosen]  # (draw,)
    move = _moves(variance, settings[chosen, 0], held)
    level = rng.gamma(1 / variance) * variance * share.level[row, chosen]
    walk = _noise(np.log1p(move)[:, None], (draws, len(ahead)), rng).cumsum(axis=1)
    stray = _noise(np.log1p(settings[chosen, 1])[:, None], (draws, len(ahead)), rng)
    own = waves @ state.deviation[row]  # (period,)
    start = np.log(np.maximum(level, 1e-300))[:, None]
    return np.asarray(start + own + walk + stray)


def _noise(variance: FloatArray, shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """Normal noise of a log, shape (draw, period), such that its exponential has mean 1."""
    return np.asarray(np.sqrt(variance) * rng.standard_normal(shape) - variance / 2)
