"""The baseline: what would have been expected, learnt from before the window alone.

Here also is the calibration: how far a forecast's own spread must be widened, or narrowed, so
that it agrees with the errors that the same model made on windows in which nothing happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.maturity import leave_out_immature
from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.models.base import FittedModel, Model, Paths, stream
from forecast.models.draws import FloatArray, Forecast
from forecast.models.thinning import thin_recent
from forecast.periods import PERIODS_A_YEAR
from forecast.seasonality.disruptions import Disruption, disrupted, disruptions


@dataclass(frozen=True)
class Calibration:
    """How placebo errors compare with the model's own spread.

    Attributes
    ----------
    total, share : float
        How many times wider the model's own spread must be, of totals and of areas' shares: 1
        when it was right, more when it was too sure. See `pooled_errors.moderate`.
    degrees, share_degrees : float
        Degrees of freedom of the t distributions of totals and of shares: the windows, by what
        each counts and by how many series in them stray on their own, and what
        the model's own spread is worth.
    """

    total: float
    share: float
    degrees: float
    share_degrees: float


@dataclass(frozen=True, eq=False)
class Baseline:
    """What was expected in the window, by area and offence, with its calibration.

    Attributes
    ----------
    forecast : Forecast
        Calibrated draws of the window's periods.
    raw : Forecast
        The model's own draws, before calibration.
    calibration : Calibration or None
        None when there were too few placebo windows.
    trained : str
        In words, what the model learnt from.
    """

    forecast: Forecast
    raw: Forecast
    calibration: Calibration | None
    trained: str

    def _repr_html_(self) -> str:
        from forecast.reporting.result_cards import show_baseline

        return show_baseline(self)


def shocks_of(campaign: Campaign, panel: Panel) -> list[Disruption]:
    """Return the disruptions that apply: the campaign's own, and London's table for London.

    The campaign's own count as serious whatever they are: that is why they were listed.
    """
    own = [
        Disruption(shock.name, shock.start, shock.end, "campaign file", 4, shock.source)
        for shock in campaign.disruption
        if shock.treatment == "mask"
    ]
    listed = {(shock.start, shock.end) for shock in campaign.disruption}
    table = disruptions() if panel.is_london else []
    own += [d for d in table if (d.start, d.end) not in listed]
    return sorted(own, key=lambda d: (d.start, d.end))


def mask(panel: Panel, hidden: NDArray[np.bool_]) -> Panel:
    """Return the panel with the periods of `hidden`, shape (period,), made missing."""
    return replace(panel, values=np.where(hidden, np.nan, panel.values))


def hide_shocks(panel: Panel, shocks: Sequence[Disruption]) -> Panel:
    """Return the panel with its disrupted periods made missing."""
    return mask(panel, disrupted(panel.periods, shocks))


def log_sd(counts: NDArray[np.int64]) -> FloatArray:
    """Standard deviation over draws of log counts, zeros read as one half; shape (...)."""
    return np.asarray(np.log(np.maximum(counts, 0.5)).std(axis=0))


def calibrate(
    fitted: FittedModel,
    window: pd.PeriodIndex,
    calibration: Calibration | None,
    *,
    draws: int,
    seed: int,
) -> tuple[Forecast, Forecast]:
    """Forecast a window, and once more with the spread that placebo errors ask for.

    The spread of the window's sum is multiplied by the calibration, with the heavier tails of a
    t distribution, by stretching the rates before counts are drawn. Counting noise is not
    stretched: it is known. Areas still add up to their total draw by draw. Where the panel's lag
    is corrected for, both are of what was recorded when the figures were taken.

    Returns
    -------
    calibrated, raw : Forecast
    """
    paths = fitted.paths(window, draws=draws, seed=seed)
    raw = fitted.count(paths, window, seed=seed)
    recorded = thin_recent(raw, fitted.panel, seed=seed)
    if calibration is None:
        return recorded, recorded
    factors = _stretch(paths, raw, calibration)
    heavy = [
        np.sqrt(degrees / stream(seed, name).chisquare(degrees, size=(draws, 1)))
        for name, degrees in (
            ("tails", calibration.degrees),
            ("tails of shares", calibration.share_degrees),  # apart: totals do without shares
        )
    ]
    spread = paths.spread(factors[0] * heavy[0], factors[1] * heavy[1])
    calibrated = fitted.count(spread, window, seed=seed)
    return thin_recent(calibrated, fitted.panel, seed=seed), recorded


def _stretch(
    paths: Paths, raw: Forecast, calibration: Calibration
) -> tuple[FloatArray, FloatArray]:
    """Factors on the rates of totals, shape (offence,), and on the shares, shape (series,)."""
    totals = raw.total().draws.sum(axis=2)  # (draw, offence)
    rates = np.log(np.exp(paths.log_total).sum(axis=2)).std(axis=0)  # (offence,)
    total = _solve(log_sd(totals), rates, calibration.total)
    areas = raw.draws.sum(axis=2)  # (draw, series)
    of_total = np.maximum(totals[:, paths.offence_of], 1)
    shares = np.log(np.maximum(areas, 0.5) / of_total).std(axis=0)  # (series,)
    share_rates = share_of_window(paths).std(axis=0)
    return total, _solve(shares, share_rates, calibration.share)


def share_of_window(paths: Paths) -> FloatArray:
    """Log share of each series in its offence, over the window, shape (draw, series)."""
    out = np.zeros(paths.log_share.shape[:2])
    rate = np.exp(paths.log_total)  # (draw, offence, period)
    for offence in range(rate.shape[1]):
        members = np.flatnonzero(paths.offence_of == offence)
        share = np.exp(paths.log_share[:, members])
        share /= share.sum(axis=1, keepdims=True)
        counts = (share * rate[:, [offence]]).sum(axis=2)  # (draw, member)
        out[:, members] = np.log(counts / rate[:, offence].sum(axis=1)[:, None])
    return out


def _solve(whole: FloatArray, rates: FloatArray, factor: float) -> FloatArray:
    """Factor on the rates that makes the whole spread `factor` times what it was."""
    counting = np.maximum(whole**2 - rates**2, 0.0)
    wanted = np.maximum((factor * whole) ** 2 - counting, 0.0)
    ratio = np.divide(wanted, rates**2, out=np.ones_like(wanted), where=rates > 1e-9)
    return np.asarray(np.sqrt(ratio))


def fit_before(model: Model, panel: Panel, start: pd.Period) -> FittedModel:
    """Fit to what came before a period; the periods at and after it are cut off first.

    Counts that may still grow are not learnt from either.
    """
    return model.fit(leave_out_immature(panel.before(start)))


class Learner:
    """Fits a model before one period after another, and goes on where it can.

    A model that can take in new counts without learning anew (`update`) is fitted anew once a
    year and goes on in between, so that many windows cost little more than one. It never sees
    anything at or after the period that it is asked for.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._fitted: FittedModel | None = None
        self._since: pd.Period | None = None

    def before(self, panel: Panel, start: pd.Period) -> FittedModel:
        """Return the model as it stands just before a period; periods are asked from early on."""
        fitted, since = self._fitted, self._since
        year = PERIODS_A_YEAR[panel.freq]
        if (
            fitted is not None
            and since is not None
            and hasattr(fitted, "update")
            and fitted.panel.series.equals(panel.series)
            and since <= start < since + year
        ):
            self._fitted = fitted.update(leave_out_immature(panel.before(start)))
        else:
            self._fitted, self._since = fit_before(self._model, panel, start), start
        return self._fitted
