"""What other models say of a campaign: the same question to each, answered by the same steps.

Only the totals over areas are learnt, so that it is quick. For each model the disruptions are
hidden, the placebo windows are the campaign's, the errors made there set the width of the
interval, and effect, interval and p come from where `evaluate` takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pandas as pd

from forecast.data.panel import Panel
from forecast.errors import DataError, ForecastError
from forecast.impact.asking import take_panel
from forecast.impact.baseline import Baseline, shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.effect import SeriesEffect
from forecast.impact.maturing import hide_immature
from forecast.impact.measuring import make_baselines, measure_all
from forecast.impact.placebo import Placebo, run_placebos
from forecast.impact.windows import Window, find_windows
from forecast.models.base import Model, list_models
from forecast.models.dynamic import DynamicCounts
from forecast.models.ensemble import Ensemble
from forecast.models.glm import SeasonalGLM
from forecast.models.naive import SeasonalNaive
from forecast.models.prophet import SeasonalProphet
from forecast.models.structural import StructuralTrend
from forecast.seasonality.disruptions import Disruption

COLUMNS = {
    "model": "str",
    "offence": "str",
    "observed": "float64",
    "expected": "float64",
    "effect_percent": "float64",
    "effect_percent_lower": "float64",
    "effect_percent_upper": "float64",
    "p": "float64",
    "excludes_zero": "boolean",
    "placebo_held": "Int64",
    "placebo_tests": "Int64",
    "width_points": "float64",
    "note": "str",
}
"""Columns of `compare_models` and their kinds."""

OWN_OFFENCES = "its errors on windows of other years are those of the campaign's offences alone"
"""Note of a model that is too slow for the windows of every offence."""

NOT_CALIBRATED = "too few windows of other years: the interval is the model's own, not calibrated"
"""Note of a model whose usual errors could not be measured."""

Progress = Callable[[str, int, int], None]


def usual_models() -> tuple[Model, ...]:
    """Return every model that ships, each as it comes; Prophet where it is installed."""
    prophet = (SeasonalProphet(),) if find_spec("prophet") else ()
    return (
        DynamicCounts(), Ensemble(), StructuralTrend(), SeasonalGLM(), *prophet, SeasonalNaive(),
    )  # fmt: skip


def compare_models(
    campaign: Campaign,
    counts: Panel,
    *,
    models: Model | Sequence[Model] | None = None,
    level: float = 0.95,
    seed: int = 0,
    draws: int = 1000,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Ask several models what a campaign changed, to see how much rests on the choice of one.

    Each learns the totals over areas from the periods before the window, and its interval is
    set by its own errors on the placebo windows, as in `evaluate`. A wide interval is the
    price of a model that often errs. It is no vote: models that learn alike err alike.

    Parameters
    ----------
    campaign : Campaign
    counts : Panel
        Counts by area and offence; needs two years before the window.
    models : Model or sequence of Model, optional
        All that ship unless given.
    level : float, default 0.95
    seed : int, default 0
    draws : int, default 1000
    progress : callable, optional
        Called with a word, steps done and steps in all.

    Returns
    -------
    pandas.DataFrame
        One row a model and offence of the campaign: `model`, `offence`, `observed`, `expected`,
        `effect_percent` with `effect_percent_lower` and `effect_percent_upper` (in points, below
        zero for fewer), `p`, `excludes_zero`, `placebo_held` of `placebo_tests` (windows times
        offences), `width_points` (of the interval), `note`. A model that cannot be fitted has a
        row without numbers, and the reason in `note`.

    Raises
    ------
    CampaignError
        If the campaign cannot be evaluated on these counts.
    DataError
        If `models` are none, are no models, or two have the same name.

    Notes
    -----
    The errors of `SeasonalProphet`, which is slow, are measured on the campaign's offences
    alone, those of the others on all offences of the panel; its note says so.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> counts = simulate(areas=2, years=8, effect=-0.25)
    >>> quiet = Campaign(name="Test", start="2022-10-01", end="2022-11-30", offences=["robbery"])
    >>> found = compare_models(quiet, counts, models=[StructuralTrend()], draws=100)
    >>> found[["model", "excludes_zero", "note"]].to_numpy().tolist()
    [['StructuralTrend', True, '']]
    """
    panel = take_panel(campaign, counts, level=level, draws=draws, seed=seed)
    panel = hide_immature(panel, campaign)
    chosen = take_models(models)
    asked = _Question.of(campaign, panel, level=level, draws=draws, seed=seed)
    steps = len(asked.windows) + 1  # the campaign's own window comes last
    rows: list[dict[str, Any]] = []
    for place, model in enumerate(chosen):

        def step(done: int, _: int, before: int = place * steps) -> None:
            if progress:
                progress("other models", before + done, len(chosen) * steps)

        rows += asked.put_to(model, step)
        step(steps, steps)
    return lay_out(rows)


def take_models(models: Model | Sequence[Model] | None) -> tuple[Model, ...]:
    """Return the models to be asked: all that ship, or those given once they make sense.

    Raises
    ------
    DataError
        If they are none, are no models, or two have the same name.
    """
    chosen = usual_models() if models is None else tuple(list_models(models))
    names = [model.name for model in chosen]
    if not names or len(set(names)) < len(names):
        raise DataError(
            f"Models to compare must be one or more, of different names: found "
            f"{', '.join(names) or 'none'}. Leave `models` out for all that ship."
        )
    return chosen


def take_pool(model: Model, panel: Panel, campaign: Campaign) -> Panel:
    """Return the counts whose placebo errors are pooled: of a slow model the campaign's alone."""
    slow = isinstance(model, SeasonalProphet)
    return panel.select(offence=campaign.offences) if slow else panel


def lay_out(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the table of `compare_models` from its rows."""
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def describe_answer(
    model: str, placebo: Placebo, parts: Sequence[SeriesEffect], note: str = ""
) -> list[dict[str, Any]]:
    """Return the rows of one model: totals, and how its placebo windows went."""
    tests, judged = placebo.totals, placebo.calibration() is not None
    told = {
        "placebo_held": int(tests["held"].sum()) if judged else pd.NA,
        "placebo_tests": len(tests),
        "note": note if judged else NOT_CALIBRATED,
    }
    return [{"model": model, **_describe(part), **told} for part in parts]


def answer_totals(
    campaign: Campaign,
    totals: Panel,
    pooled: Panel,
    shocks: list[Disruption],
    windows: Sequence[Window],
    model: Model,
    *,
    level: float,
    draws: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Placebo, Baseline, tuple[SeriesEffect, ...]]:
    """Return what a model says of the totals: its placebo windows, its baseline, the effects.

    Parameters
    ----------
    campaign : Campaign
    totals : Panel
        One series an offence, summed over the campaign's areas.
    pooled : Panel
        The totals of the offences whose placebo errors are pooled.
    shocks : list of Disruption
        Their periods are not learnt from.
    windows : sequence of Window
        Placebo windows.
    model : Model
    level, draws, seed
        As in `evaluate`.
    progress : callable, optional
        Called with windows done and windows in all.
    """
    placebo = run_placebos(
        model, pooled, campaign, shocks, level=level, draws=draws, seed=seed, windows=windows,
        progress=progress,
    )  # fmt: skip
    baseline, _ = make_baselines(campaign, totals, shocks, model, placebo, draws, seed)
    parts = measure_all(campaign, totals, baseline, placebo, (), level, totals.total_name)
    return placebo, baseline, parts


@dataclass(frozen=True, eq=False)
class _Question:
    """What is the same for every model."""

    campaign: Campaign
    totals: Panel
    shocks: list[Disruption]
    windows: tuple[Window, ...]
    level: float
    draws: int
    seed: int

    @classmethod
    def of(
        cls, campaign: Campaign, panel: Panel, *, level: float, draws: int, seed: int
    ) -> _Question:
        """Sum the panel; shocks and windows are found before, while its areas are known."""
        shocks = shocks_of(campaign, panel)
        windows = find_windows(campaign, panel, shocks)
        return cls(campaign, panel.total(), shocks, windows, level, draws, seed)

    def put_to(self, model: Model, step: Callable[[int, int], None]) -> list[dict[str, Any]]:
        """The rows of one model."""
        try:
            placebo, _, parts = answer_totals(
                self.campaign, self.totals, self._pool(model), self.shocks, self.windows, model,
                level=self.level, draws=self.draws, seed=self.seed, progress=step,
            )  # fmt: skip
        except (ForecastError, ImportError) as error:  # the others can still answer
            return [
                {"model": model.name, "offence": offence, "note": str(error)}
                for offence in self.campaign.offences
            ]
        fewer = len(self._pool(model).offences) < len(self.totals.offences)
        return describe_answer(model.name, placebo, parts, OWN_OFFENCES if fewer else "")

    def _pool(self, model: Model) -> Panel:
        """The offences whose placebo errors are pooled for a model."""
        return take_pool(model, self.totals, self.campaign)


def _describe(part: SeriesEffect) -> dict[str, Any]:
    """An effect as part of a row."""
    lower, upper = part.percent_interval
    least, most = part.expected_interval
    return {
        "offence": part.offence,
        "observed": part.observed,
        "expected": part.expected,
        "effect_percent": part.percent,
        "effect_percent_lower": lower,
        "effect_percent_upper": upper,
        "p": part.p,
        "excludes_zero": not least <= part.observed <= most,
        "width_points": upper - lower,
    }
