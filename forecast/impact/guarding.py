"""The guard of the controls: did something move them in the window?

A control is worth what it was left alone. Each is judged in the window by its own forecast from
before, and that by its own placebo windows. One that clearly moved may carry what hit the target
as well, which is why it is there, or what the campaign itself brought about there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from forecast.data.panel import Panel
from forecast.impact.baseline import Calibration, calibrate, fit_before, hide_shocks
from forecast.impact.campaign import Campaign
from forecast.impact.campaign_parts import Comparison
from forecast.impact.effect import SeriesEffect, format_points, measure_effect
from forecast.impact.placebo import MIN_WINDOWS, run_placebos
from forecast.impact.pooled_errors import PooledErrors
from forecast.impact.untouched import Controls
from forecast.impact.windows import Window
from forecast.models.base import Model
from forecast.models.draws import FloatArray
from forecast.seasonality.disruptions import Disruption

_ALIKE = 0.05  # below this chance the moves of controls are called unlike


@dataclass(frozen=True, eq=False)
class Guard:
    """What the controls themselves did in the window.

    Attributes
    ----------
    moves : pandas.DataFrame
        One row a control: `control, observed, expected, percent, percent_lower, percent_upper, p,
        moved, windows`. Intervals are at the level of the evaluation; a control `moved` when its p
        is at most that of the level shared out among all controls. Fewer than four placebo
        windows: bounds and p are NaN and nothing has moved.
    alike : float
        The p of the controls having moved alike, NaN with fewer than two that could be judged.
    """

    moves: pd.DataFrame
    alike: float

    @property
    def judged(self) -> pd.DataFrame:
        """Controls that could be judged."""
        return self.moves[self.moves["p"].notna()]

    @property
    def moved(self) -> pd.DataFrame:
        """Controls that clearly moved."""
        return self.moves[self.moves["moved"]]

    @property
    def moved_alike(self) -> bool:
        """Whether the controls moved by the same, as far as can be told."""
        return bool(self.alike >= _ALIKE)


def guard_controls(
    campaign: Campaign,
    controls: Controls,
    shocks: Sequence[Disruption],
    windows: Sequence[Window],
    *,
    base: Model,
    level: float,
    draws: int,
    seed: int,
) -> Guard:
    """Judge every control of the campaign's offences in the window by its own forecast.

    Parameters
    ----------
    campaign : Campaign
    controls : Controls
    shocks : sequence of Disruption
        Their periods are not learnt from.
    windows : sequence of Window
        Placebo windows.
    base : Model
        The model without controls.
    level, draws, seed
        As in `evaluate`.

    Returns
    -------
    Guard

    Notes
    -----
    Each control is calibrated by its own placebo errors alone. Several controls are several
    chances to find a move: a control is said to have moved when its p is at most ``1 - level``
    over their number (Bonferroni). Whether they moved alike is the chi-square of their log errors
    around the weighted mean, each over its own placebo spread (Cochran 1954, The combination of
    estimates from different experiments, Biometrics 10(1), 101-129); errors of controls go
    together, which makes it say "unlike" less often than it should.
    """
    panel = _side_by_side(campaign, controls)
    labels = panel.offences
    alone = campaign.model_copy(
        update={"offences": tuple(labels), "areas": None, "comparison": Comparison()}
    )
    placebo = run_placebos(
        base, panel, alone, shocks, level=level, draws=draws, seed=seed, windows=windows
    )
    # the rarest p that is asked for needs a draw in each tail
    enough = max(draws, int(np.ceil(2 * len(labels) / (1 - level))))
    rows, spreads = [], []
    for label in labels:
        z = placebo.errors.loc[placebo.errors["offence"] == label]
        calibration = _calibrate_alone(z, base.spread_worth)
        one = panel.select(offence=label)
        part, spread = _measure(one, alone, shocks, calibration, base, level, enough, seed)
        known = calibration is not None
        bounds = part.percent_interval if known else (np.nan, np.nan)
        p = part.p if known else np.nan
        moved = known and p <= (1 - level) / len(labels) + 1e-12
        rows.append((label, part.observed, part.expected, part.percent, *bounds, p, moved, len(z)))
        spreads.append(spread * calibration.total if calibration is not None else np.nan)
    columns = ["control", "observed", "expected", "percent", "percent_lower", "percent_upper"]
    moves = pd.DataFrame(rows, columns=[*columns, "p", "moved", "windows"])
    return Guard(moves.astype({"moved": bool}), _agree(moves, np.array(spreads)))


def describe_move(row: pd.Series) -> str:
    """A control, its counts, its change and the interval in words.

    Examples
    --------
    >>> describe_move(pd.Series({"control": "North", "observed": 90.0, "expected": 100.0,
    ...     "percent": -10.0, "percent_lower": -20.0, "percent_upper": 2.0}))
    'North -10 per cent (-20 to +2; 90 counted, 100 expected)'
    """
    size, low, high = (
        format_points(float(row[c])) for c in ("percent", "percent_lower", "percent_upper")
    )
    counts = f"{row['observed']:,.0f} counted, {row['expected']:,.0f} expected"
    return f"{row['control']} {size} per cent ({low} to {high}; {counts})"


def _side_by_side(campaign: Campaign, controls: Controls) -> Panel:
    """The controls as offences of one place, so that each is judged by itself."""
    rows = sorted({row for offence in campaign.offences for row in controls.rows(offence)})
    offences = controls.panel.series["offence"].astype(str)
    several = len(campaign.offences) > 1
    labels = [
        f"{controls.names[row]}, {offences[row]}"
        if several and controls.kinds[row] == "area"
        else controls.names[row]
        for row in rows
    ]
    series = pd.DataFrame({"area": "control", "offence": labels})
    return replace(controls.panel, values=controls.panel.values[rows], series=series)


def _calibrate_alone(errors: pd.DataFrame, worth: int) -> Calibration | None:
    """Calibration by the placebo errors of one control, None when they are too few."""
    windows = int(errors["window"].nunique())
    if windows < MIN_WINDOWS:
        return None
    factor, degrees = PooledErrors.of(errors, "z").moderate(worth)
    return Calibration(factor, 1.0, degrees, degrees)


def _measure(
    one: Panel,
    campaign: Campaign,
    shocks: Sequence[Disruption],
    calibration: Calibration | None,
    base: Model,
    level: float,
    draws: int,
    seed: int,
) -> tuple[SeriesEffect, float]:
    """A control against its own forecast, and the model's own spread of the log."""
    window = campaign.periods(one.freq)
    fitted = fit_before(base, hide_shocks(one, shocks), window[0])
    found, raw = calibrate(fitted, window, calibration, draws=draws, seed=seed)
    part = measure_effect(
        one.values[0, one.periods.get_indexer(window)],
        found.draws[:, 0].astype(float),
        expected=raw.draws[:, 0].mean(axis=0),
        offence=one.offences[0],
        area="control",
        is_total=True,
        periods=window,
        exposure=campaign.exposure(one.freq),
        level=level,
        smallest_detectable=float("nan"),
    )
    sums = np.maximum(raw.draws[:, 0].sum(axis=1), 0.5)  # (draw,)
    return part, float(np.log(sums).std())


def _agree(moves: pd.DataFrame, spreads: FloatArray) -> float:
    """The p of log errors being alike, NaN with fewer than two that are known."""
    known = np.isfinite(spreads) & (spreads > 0)
    if known.sum() < 2:
        return float("nan")
    observed, expected = (
        np.maximum(moves.loc[known, column].to_numpy(dtype=float), 0.5)
        for column in ("observed", "expected")
    )
    errors, weights = np.log(observed / expected), spreads[known] ** -2.0
    mean = (weights * errors).sum() / weights.sum()
    return float(stats.chi2.sf((weights * (errors - mean) ** 2).sum(), known.sum() - 1))
