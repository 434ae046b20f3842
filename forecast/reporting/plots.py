"""The verb `plot`: the figure of a result, whatever kind of result it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, overload

from matplotlib.axes import Axes

from forecast.data.lag import Completeness
from forecast.data.panel import Panel
from forecast.data.revisions import VintageDiff
from forecast.errors import ForecastError, join_problems
from forecast.impact.baseline import Baseline
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check
from forecast.impact.effect import Effect
from forecast.impact.evaluation import Evaluation
from forecast.impact.examination import Examination
from forecast.impact.placebo import Placebo
from forecast.impact.planning import Plan
from forecast.impact.specifications import Specifications
from forecast.models.draws import Forecast
from forecast.models.quantiles import QuantileForecast
from forecast.reporting.calibration_plots import plot_calibration, plot_coverage
from forecast.reporting.campaign_plots import plot_window
from forecast.reporting.control_plots import plot_controls, plot_dose, plot_ways
from forecast.reporting.doubt_plots import plot_baseline, plot_check, plot_windows
from forecast.reporting.figures import Plot
from forecast.reporting.forecast_plots import plot_forecast, plot_quantiles
from forecast.reporting.interval_plots import (
    plot_areas,
    plot_ladder,
    plot_placebo,
    plot_totals,
    plot_years,
)
from forecast.reporting.lag_plots import plot_completeness
from forecast.reporting.map_plots import plot_counts_map, plot_effect_map, plot_forecast_map
from forecast.reporting.other_models import plot_models
from forecast.reporting.panel_plots import plot_change_periods, plot_changes, plot_counts
from forecast.reporting.power_plots import plot_comparators, plot_curve, plot_power
from forecast.reporting.profile_plots import plot_profile, plot_ring
from forecast.reporting.score_plots import plot_scores
from forecast.reporting.specification_plots import plot_specifications
from forecast.reporting.timeline_plots import plot_timeline
from forecast.scoreboard import Scores
from forecast.seasonality.profiles import Profile


@dataclass(frozen=True)
class _Kind:
    """A figure of a noun: what draws it, and which options it takes beside `ax`."""

    draw: Callable[..., Plot]
    takes: tuple[str, ...] = ()


def plot_claim(result: Evaluation, *, offence: str | None = None, ax: Axes | None = None) -> Plot:
    """Draw the first public claim of a campaign step by step, or the first on an offence.

    Raises
    ------
    ForecastError
        If the campaign file lists no such claim.
    """
    ladders = [x for x in result.headline.ladders if offence in (None, x.claim.offence)]
    if not ladders:
        about = "" if offence is None else f" about {offence!r}"
        raise ForecastError(
            f"Campaign {result.campaign.name!r} must list a claim{about} to draw: it lists none. "
            "Add a [[claim]] to the campaign file, or draw kind='years'."
        )
    return plot_ladder(result, ladders[0], ax=ax)


def _plot_own_specifications(
    result: Evaluation, *, offence: str | None = None, ax: Axes | None = None
) -> Plot:
    """The specification curve of an evaluation that was made in many ways."""
    if result.specifications is None:
        raise ForecastError(
            f"Evaluation of {result.campaign.name!r} must have been made in many ways for this "
            "figure: it was made in one. Call evaluate(campaign, counts, sensitivity=True)."
        )
    source = result.counts.snapshot.sentence()
    name = offence or result.main.offence
    return plot_specifications(result.specifications, source=source, offence=name, ax=ax)


def _plot_specifications(
    found: Specifications, *, offence: str | None = None, ax: Axes | None = None
) -> Plot:
    """The specification curve by itself, which does not know its snapshot."""
    source = "named by the evaluation to which the specifications belong"
    return plot_specifications(found, source=source, offence=offence, ax=ax)


def _plot_baseline_fan(
    baseline: Baseline,
    *,
    counts: Panel | None = None,
    offence: str | None = None,
    ax: Axes | None = None,
) -> Plot:
    """What was expected, calibrated, as a fan."""
    return plot_forecast(baseline.forecast, counts=counts, offence=offence, ax=ax)


_OFFENCE = ("offence",)
_FAN = ("counts", "offence")

KINDS: Mapping[type, Mapping[str, _Kind]] = {
    Evaluation: {
        "effect": _Kind(plot_window, _OFFENCE),
        "offences": _Kind(plot_totals),
        "areas": _Kind(plot_areas, _OFFENCE),
        "map": _Kind(plot_effect_map, _OFFENCE),
        "claim": _Kind(plot_claim, _OFFENCE),
        "years": _Kind(plot_years),
        "placebo": _Kind(plot_placebo),
        "models": _Kind(plot_models),
        "specifications": _Kind(_plot_own_specifications, _OFFENCE),
        "counterfactuals": _Kind(plot_ways, _OFFENCE),
        "controls": _Kind(plot_controls, _OFFENCE),
        "dose": _Kind(plot_dose, _OFFENCE),
    },
    Effect: {
        "offences": _Kind(plot_totals),
        "areas": _Kind(plot_areas, _OFFENCE),
        "map": _Kind(plot_effect_map, _OFFENCE),
    },
    Examination: {
        "counterfactuals": _Kind(plot_ways, _OFFENCE),
        "controls": _Kind(plot_controls, _OFFENCE),
        "dose": _Kind(plot_dose, _OFFENCE),
    },
    Baseline: {
        "fan": _Kind(_plot_baseline_fan, _FAN),
        "calibration": _Kind(plot_baseline),
    },
    Placebo: {"windows": _Kind(plot_windows, _OFFENCE)},
    Specifications: {"specifications": _Kind(_plot_specifications, _OFFENCE)},
    Check: {"table": _Kind(plot_check)},
    Plan: {
        "power": _Kind(plot_power, _OFFENCE),
        "curve": _Kind(plot_curve, _OFFENCE),
        "comparators": _Kind(plot_comparators),
    },
    Campaign: {"timeline": _Kind(plot_timeline)},
    Profile: {"lines": _Kind(plot_profile, _OFFENCE), "ring": _Kind(plot_ring, _OFFENCE)},
    Scores: {
        "leaderboard": _Kind(plot_scores),
        "calibration": _Kind(plot_calibration),
        "coverage": _Kind(plot_coverage),
    },
    Forecast: {"fan": _Kind(plot_forecast, _FAN), "map": _Kind(plot_forecast_map, _OFFENCE)},
    QuantileForecast: {"fan": _Kind(plot_quantiles, _FAN)},
    Panel: {"counts": _Kind(plot_counts, _OFFENCE), "map": _Kind(plot_counts_map, _OFFENCE)},
    Completeness: {"lag": _Kind(plot_completeness, _OFFENCE)},
    VintageDiff: {
        "changes": _Kind(plot_changes),
        "periods": _Kind(plot_change_periods, _OFFENCE),
    },
}
"""The figures of each noun by name; the first is drawn when no kind is asked for."""


@overload
def plot(
    thing: object,
    *,
    kind: str | None = ...,
    offence: str | None = ...,
    counts: Panel | None = ...,
    ax: None = ...,
) -> Plot: ...


@overload
def plot(
    thing: object,
    *,
    kind: str | None = ...,
    offence: str | None = ...,
    counts: Panel | None = ...,
    ax: Axes,
) -> Axes: ...


def plot(
    thing: object,
    *,
    kind: str | None = None,
    offence: str | None = None,
    counts: Panel | None = None,
    ax: Axes | None = None,
) -> Plot | Axes:
    """Draw the figure of a result: one of several, by its kind.

    =================  ============================================================================
    Evaluation         effect (observed and expected, the gap, the gap so far), offences, areas,
                       map (of London's boroughs), claim, years, placebo, models, specifications,
                       counterfactuals, controls, dose
    Effect             offences, areas, map
    Examination        counterfactuals, controls, dose
    Baseline           fan, calibration
    Check              table
    Plan               power, curve, comparators
    Campaign           timeline
    Profile            lines, ring
    Scores             leaderboard, calibration, coverage
    Forecast           fan, map
    QuantileForecast   fan
    Panel              counts, map
    Completeness       lag
    VintageDiff        changes, periods
    =================  ============================================================================

    Parameters
    ----------
    thing : any of these
    kind : str, optional
        The first of its list when left out.
    offence : str, optional
        Which offence, where a figure is of one.
    counts : Panel, optional
        For fans: the counts that a forecast follows, drawn before it.
    ax : matplotlib.axes.Axes, optional
        Your own axes (polar ones for a ring): the main panel of the figure is drawn on them,
        under the finding, and they are returned. Subtitle, source and numbers are the Plot's.

    Returns
    -------
    Plot or Axes
        Without `ax` a Plot, which shows itself in a notebook: `save(folder, name)` writes SVG and
        PNG; `alt` is the alternative text, `table` the numbers drawn, `axes` what they were drawn
        on.

    Raises
    ------
    ForecastError
        If the thing or its kind is none of these, an option does not belong to it, or something
        is not known yet that the figure needs: the error says how to get it.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> from forecast.models.seasons import profile
    >>> year = profile(load_sample("london"), offence="robbery")
    >>> plot(year).title[:44]
    'Robbery in London: October and November are '
    >>> plot(year, kind="ring").axes[0].name
    'polar'
    """
    kinds = next((own for noun, own in KINDS.items() if isinstance(thing, noun)), None)
    if kinds is None:
        names = [noun.__name__ for noun in KINDS]
        raise ForecastError(
            f"Argument of plot must be of {', '.join(names[:-1])} or {names[-1]}: found a "
            f"{type(thing).__name__}. Pass what evaluate, profile, backtest, plan or forecast "
            "returned."
        )
    chosen = _choose(thing, kinds, kind)
    options: dict[str, Any] = {"offence": offence, "counts": counts}
    given = {name: value for name, value in options.items() if value is not None}
    _refuse_strange(thing, kind or next(iter(kinds)), chosen, list(given))
    found = chosen.draw(thing, ax=ax, **given)
    return found if ax is None else ax


def _choose(thing: object, kinds: Mapping[str, _Kind], kind: str | None) -> _Kind:
    """The figure of a kind, the first when none is asked for."""
    name = next(iter(kinds)) if kind is None else kind
    if name not in kinds:
        raise ForecastError(
            f"Kind of figure of {_name(thing)} must be one of those there are: found {kind!r}. "
            f"Choose from {', '.join(repr(one) for one in kinds)}."
        )
    return kinds[name]


def _refuse_strange(thing: object, name: str, kind: _Kind, given: list[str]) -> None:
    """Options that a figure does not take are refused, not left unused."""
    problems = [
        f"Argument {option} must be left out for kind {name!r} of {_name(thing)}: it says nothing "
        "there. Call plot without it."
        for option in given
        if option not in kind.takes
    ]
    if problems:
        raise ForecastError(join_problems(problems))


def _name(thing: object) -> str:
    """A noun with its article."""
    name = type(thing).__name__
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
