"""The evaluation: one call from a campaign and its counts to what may be said."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.errors import CampaignError, name_offenders
from forecast.impact import checks as looking
from forecast.impact.baseline import Baseline, calibrate, fit_before, hide_shocks, log_sd, shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check, blocking_reasons
from forecast.impact.comparison import Headline, climb, compare_years
from forecast.impact.effect import (
    Effect,
    SeriesEffect,
    Verdict,
    find_smallest_detectable,
    measure_effect,
)
from forecast.impact.placebo import Placebo, run_placebos
from forecast.impact.results import describe_evaluation
from forecast.models.base import Model
from forecast.models.draws import Forecast
from forecast.models.structural import StructuralTrend
from forecast.periods import UNIT_NAMES, describe_span, label
from forecast.seasonality.disruptions import Disruption, disrupted

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """Everything that is said of a campaign, and what it rests on.

    Attributes
    ----------
    campaign : Campaign
    counts : Panel
        The panel that was passed.
    effect : Effect
        By offence and area, totals first.
    headline : Headline
        The public claims, step by step.
    year_on_year : pandas.DataFrame
        Change, not effect.
    placebo : Placebo
    checks : tuple of Check
    baseline : Baseline
    shocks : tuple of Disruption
        Disruptions in the periods of the campaign or in the year before.
    untargeted : tuple of SeriesEffect
        Totals of the offences that the campaign did not target.
    counterfactual, model : str
    level : float
    seed, draws : int
    seconds : float
    """

    campaign: Campaign
    counts: Panel
    effect: Effect
    headline: Headline
    year_on_year: pd.DataFrame
    placebo: Placebo
    checks: tuple[Check, ...]
    baseline: Baseline
    shocks: tuple[Disruption, ...]
    untargeted: tuple[SeriesEffect, ...]
    counterfactual: str
    model: str
    level: float
    seed: int
    draws: int
    seconds: float

    @property
    def main(self) -> SeriesEffect:
        """The effect that the verdict is of: the first offence named, in total."""
        return self.effect.of(self.campaign.offences[0])

    @property
    def verdict(self) -> Verdict:
        """One of four, for the first offence named, in total."""
        return self.main.verdict

    @property
    def reason(self) -> str:
        """The sentence behind the verdict."""
        return self.main.reason

    def __repr__(self) -> str:
        return (
            f"Evaluation({self.campaign.name!r}, {self.main.offence} in {self.main.area}: "
            f"{self.verdict}; {describe_span(self.counts.periods)}; "
            f"{self.counts.snapshot.sentence()})"
        )

    def _repr_html_(self) -> str:
        from forecast.reporting.tables import render_evaluation

        return str(render_evaluation(self))

    def to_dict(self, *, command: str | None = None) -> dict[str, object]:
        """Return the object of `evaluation.json` (schema forecast.evaluation/1)."""
        return describe_evaluation(self, command=command)


def evaluate(
    campaign: Campaign,
    counts: Panel,
    *,
    model: Model | Forecast | None = None,
    counterfactual: str = "before",
    level: float = 0.95,
    seed: int = 0,
    draws: int = 1000,
    progress: Progress | None = None,
) -> Evaluation:
    """Say how much a campaign changed against what would have been expected without it.

    The model learns from the periods before the window alone, without the disrupted ones. The
    same is done for every quiet window of other years, and the errors made there set the width
    of the interval. Nothing at or after the window is seen, apart from the placebo windows of
    later years, which only calibrate; pass `counts.through(campaign.end)` for earlier years only.

    Parameters
    ----------
    campaign : Campaign
    counts : Panel
        Counts by area and offence; needs two years before the window.
    model : Model or Forecast, optional
        `StructuralTrend()` unless given. A stored `Forecast` whose cutoff is not after the window's
        start is taken as the baseline as it stands; its model is not known, so that nothing can
        be calibrated.
    counterfactual : {"before"}, default "before"
        Learn from before the window only.
    level : float, default 0.95
    seed : int, default 0
        The same seed gives the same result to the byte.
    draws : int, default 1000
    progress : callable, optional
        Called with a word, steps done and steps in all.

    Returns
    -------
    Evaluation

    Raises
    ------
    CampaignError
        If the campaign cannot be evaluated on these counts; all reasons together.
    FitError
        If the model cannot be fitted to a series; the series is named.

    Notes
    -----
    The effect is observed less expected: below zero means fewer offences. The assumption that
    carries it is that, but for the campaign, the window would have followed the level just
    before it and the season of other years, as the placebo windows did.

    References
    ----------
    Placebo inference in time: Abadie, Diamond & Hainmueller (2015), Comparative politics and
    the synthetic control method, American Journal of Political Science 59(2), section 4.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> counts = simulate(areas=2, years=8, effect=-0.25)
    >>> quiet = Campaign(name="Test", start="2022-10-01", end="2022-11-30", offences=["robbery"])
    >>> evaluate(quiet, counts, draws=500).verdict
    'fewer than expected'
    """
    began = time.perf_counter()
    _check_arguments(counterfactual, level, draws, seed)
    campaign.check(counts)
    panel = counts if campaign.areas is None else counts.select(area=campaign.areas)
    _check_observed(campaign, panel)
    shocks = shocks_of(campaign, panel)
    placebo_model = model if isinstance(model, Model) else StructuralTrend()

    def step(done: int, of: int) -> None:
        if progress:
            progress("placebo windows", done, of)

    placebo = run_placebos(
        placebo_model, panel, campaign, shocks, level=level, draws=draws, seed=seed, progress=step
    )
    baseline, forecasts = _make_baselines(campaign, panel, shocks, model, placebo, draws, seed)
    untargeted = _measure_untargeted(
        campaign, panel, shocks, placebo_model, placebo, level, draws, seed
    )
    found = _look(campaign, counts, panel, shocks, placebo, untargeted, baseline, level)
    total_name = _name_total(campaign, counts)
    effect = Effect(_measure_all(campaign, panel, baseline, placebo, found, level, total_name))
    ladders = tuple(
        climb(claim, campaign, panel, forecasts, level=level, draws=draws, seed=seed)
        for claim in campaign.claim
    )
    targets = panel.select(offence=campaign.offences)
    return Evaluation(
        campaign=campaign,
        counts=counts,
        effect=effect,
        headline=Headline(ladders),
        year_on_year=compare_years(
            campaign, targets, total_name=total_name, level=level, draws=draws, seed=seed
        ),
        placebo=placebo,
        checks=found,
        baseline=baseline,
        shocks=_near(campaign, panel, shocks),
        untargeted=untargeted,
        counterfactual=counterfactual,
        model=baseline.forecast.model,
        level=level,
        seed=seed,
        draws=draws,
        seconds=time.perf_counter() - began,
    )


def _check_arguments(counterfactual: str, level: float, draws: int, seed: int) -> None:
    """Refuse arguments that make no sense."""
    if counterfactual != "before":
        raise CampaignError(
            f"Argument counterfactual must be 'before': found {counterfactual!r}. "
            "Only forecasts from before the window can be made so far."
        )
    if not 0 < level < 1:
        raise CampaignError(
            f"Level must lie between 0 and 1: found {level!r}. Use 0.95 for 95 per cent."
        )
    needed = max(100, int(np.ceil(2 / (1 - level) - 1e-6)) - 1)  # one draw in each tail
    if draws < needed:
        raise CampaignError(
            f"Draws must number at least {needed:,} for level {level:g}: found {draws:,}. "
            f"Pass draws={max(needed, 1000)}."
        )
    if seed < 0:
        raise CampaignError(f"Seed must be 0 or more: found {seed}. Leave it at 0.")


def _name_total(campaign: Campaign, counts: Panel) -> str:
    """What the sum over the campaign's areas is called: of some areas it is not "London"."""
    if campaign.areas is None or set(campaign.areas) == set(counts.areas):
        return counts.total_name
    return "campaign areas"


def _check_observed(campaign: Campaign, panel: Panel) -> None:
    """Refuse a window in which counts are missing."""
    targets = panel.select(offence=campaign.offences)
    window = campaign.periods(panel.freq)
    at = targets.periods.get_indexer(window)
    missing = [
        f"{targets.series['area'][row]} {targets.series['offence'][row]} {label(window[column])}"
        for row, column in np.argwhere(np.isnan(targets.values[:, at]))
    ]
    if missing:
        raise CampaignError(
            f"Campaign {campaign.name!r} must have a count for every area and period of its "
            f"window: it lacks {name_offenders(missing)}. Load what is missing, or leave the area "
            "out with `areas`."
        )


def _make_baselines(
    campaign: Campaign,
    panel: Panel,
    shocks: list[Disruption],
    model: Model | Forecast | None,
    placebo: Placebo,
    draws: int,
    seed: int,
) -> tuple[Baseline, list[tuple[str, Forecast]]]:
    """The baseline, and the forecasts of the ladder: it comes last, named with what it saw."""
    window = campaign.periods(panel.freq)
    if isinstance(model, Forecast):
        stored = _take_stored(campaign, panel, model)
        return stored, [("stored forecast", stored.forecast)]
    chosen = model or StructuralTrend()
    targets = panel.select(offence=campaign.offences)
    before = targets.before(window[0])
    shaken = disrupted(before.periods, shocks)
    used = ~shaken & ~np.isnan(before.values).all(axis=0)  # (period,)
    calibration = placebo.calibration()
    fitted = fit_before(chosen, hide_shocks(targets, shocks), window[0])
    forecast, raw = calibrate(fitted, window, calibration, draws=draws, seed=seed)
    trained = f"{describe_span(before.periods)}, {int(used.sum())} of {len(used)} used"
    if shaken.any():
        trained += f"; {int(shaken.sum())} disrupted left out"
    baseline = Baseline(forecast, raw, calibration, trained)
    everything = f"model, learnt from all {UNIT_NAMES[panel.freq]}s before"
    if not shaken.any():
        return baseline, [(everything, forecast)]
    unmasked = fit_before(chosen, targets, window[0])
    plain = calibrate(unmasked, window, calibration, draws=draws, seed=seed)[0]
    left_out = f"model, disrupted {UNIT_NAMES[panel.freq]}s left out"
    return baseline, [(everything, plain), (left_out, forecast)]


def _take_stored(campaign: Campaign, panel: Panel, stored: Forecast) -> Baseline:
    """Use a stored forecast as the baseline, when it fits the campaign."""
    window = campaign.periods(panel.freq)
    targets = panel.select(offence=campaign.offences)
    problems = []
    if stored.periods.freqstr != panel.freq or not bool(np.isin(window, stored.periods).all()):
        problems.append(f"it does not hold all periods from {window[0]} to {window[-1]}")
    elif stored.cutoff > window[0]:
        problems.append(f"it saw counts up to {stored.cutoff - 1}, inside the window")
    if stored.measure != panel.measure:
        problems.append(f"it counts {stored.measure}, the panel {panel.measure}")
    keys = pd.MultiIndex.from_frame(stored.series[["area", "offence"]])
    rows = keys.get_indexer(pd.MultiIndex.from_frame(targets.series[["area", "offence"]]))
    if (rows < 0).any():
        problems.append(f"{int((rows < 0).sum())} series of the campaign are not in it")
    if problems:
        raise CampaignError(
            f"Stored forecast must fit campaign {campaign.name!r}: {'; '.join(problems)}. "
            "Choose one made before the campaign for the same areas and offences."
        )
    at = stored.periods.get_indexer(window)
    forecast = replace(
        stored,
        draws=stored.draws[:, rows][:, :, at],
        series=targets.series,
        periods=window,
        total_name=targets.total_name,
    )
    trained = f"a stored forecast that saw nothing from {label(stored.cutoff)} on"
    return Baseline(forecast, forecast, None, trained)


def _measure_untargeted(
    campaign: Campaign,
    panel: Panel,
    shocks: list[Disruption],
    model: Model,
    placebo: Placebo,
    level: float,
    draws: int,
    seed: int,
) -> tuple[SeriesEffect, ...]:
    """Totals of the offences that were not targeted, by the same steps."""
    if not campaign.comparison.offences:
        return ()
    window = campaign.periods(panel.freq)
    others = panel.select(offence=campaign.comparison.offences).total()
    if np.isnan(others.values[:, others.periods.get_indexer(window)]).any():
        return ()
    fitted = fit_before(model, hide_shocks(others, shocks), window[0])
    forecast, raw = calibrate(fitted, window, placebo.calibration(), draws=draws, seed=seed)
    baseline = Baseline(forecast, raw, placebo.calibration(), "")
    plain = campaign.model_copy(update={"offences": campaign.comparison.offences})
    return _measure_all(plain, others, baseline, placebo, (), level, others.total_name)


def _look(
    campaign: Campaign,
    counts: Panel,
    panel: Panel,
    shocks: list[Disruption],
    placebo: Placebo,
    untargeted: tuple[SeriesEffect, ...],
    baseline: Baseline,
    level: float,
) -> tuple[Check, ...]:
    """All checks, the blocking ones first."""
    calibrated = looking.check_placebo(placebo, level, campaign.periods(panel.freq)[0])
    if baseline.calibration is None and calibrated.status == "passed":
        text = "A stored forecast cannot be made again for placebo windows: it is not calibrated."
        calibrated = Check(calibrated.name, "not possible", True, text)
    found = [
        looking.check_disruptions(campaign, panel, shocks),
        looking.check_settled(campaign, panel, shocks),
        calibrated,
        looking.check_breaks(campaign, panel),
        looking.check_unallocated(campaign, counts),
        looking.check_exposure(campaign, panel),
        looking.check_untargeted(campaign, untargeted),
        looking.check_years(campaign, panel, shocks),
        looking.check_comparators(campaign, counts),
        looking.check_earlier(campaign, placebo),
        looking.check_missing(panel, campaign),
        looking.check_maturity(counts, campaign),
    ]
    return tuple(sorted(found, key=lambda check: not check.blocking))


def _measure_all(
    campaign: Campaign,
    panel: Panel,
    baseline: Baseline,
    placebo: Placebo,
    found: tuple[Check, ...],
    level: float,
    total_name: str,
) -> tuple[SeriesEffect, ...]:
    """Effects of every offence: its total, then its areas when there are several."""
    window = campaign.periods(panel.freq)
    shares = campaign.exposure(panel.freq)
    targets = panel.select(offence=campaign.offences)
    parts = []
    for offence in campaign.offences:
        one = targets.select(offence=offence)
        at = one.periods.get_indexer(window)
        rows = np.flatnonzero((baseline.forecast.series["offence"] == offence).to_numpy())
        several = len(rows) > 1
        groups = [(rows, total_name if several else str(one.series["area"][0]), True)]
        if several:
            groups += [(rows[[i]], str(one.series["area"][i]), False) for i in range(len(rows))]
        for members, area, is_total in groups:
            mine = members - rows[0]
            draws = baseline.forecast.draws[:, members].sum(axis=1).astype(float)
            raw = baseline.raw.draws[:, members].sum(axis=1)
            z = np.empty(0)  # of a stored forecast no placebo errors are known
            if baseline.calibration is not None:
                z = _placebo_errors(placebo, offence, is_total=is_total)
            smallest = find_smallest_detectable(
                draws.sum(axis=1), float(log_sd(raw.sum(axis=1))), z, level
            )
            parts.append(
                measure_effect(
                    one.values[mine][:, at].sum(axis=0),
                    draws,
                    offence=offence,
                    area=area,
                    is_total=is_total,
                    periods=window,
                    exposure=shares,
                    level=level,
                    smallest_detectable=smallest,
                    blocking=blocking_reasons(found, is_total=is_total),
                )
            )
    return tuple(parts)


def _placebo_errors(placebo: Placebo, offence: str, *, is_total: bool) -> np.ndarray:
    """Studentised placebo errors to inject a fall into: all totals, or this offence's areas."""
    rows = placebo.errors[placebo.errors["is_total"] == is_total]
    if not is_total:
        rows = rows[rows["offence"] == offence]
    return rows["z"].to_numpy(dtype=float)


def _near(campaign: Campaign, panel: Panel, shocks: list[Disruption]) -> tuple[Disruption, ...]:
    """Disruptions in the periods of the campaign or in the year before them."""
    window = campaign.periods(panel.freq)
    first = window[0] - {"M": 12, "W-SUN": 52, "D": 365}[panel.freq]
    start, end = first.start_time.date(), window[-1].end_time.date()
    return tuple(s for s in shocks if s.end >= start and s.start <= end)
