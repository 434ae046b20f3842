"""The evaluation: one call from a campaign and its counts to what may be said."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from forecast.data.disclosure import Disclosure
from forecast.data.panel import Panel
from forecast.errors import CampaignError
from forecast.impact import checks as looking
from forecast.impact.activity import Activity, read_activity
from forecast.impact.aftermath import look_after
from forecast.impact.around import AroundModel
from forecast.impact.asking import take_panel
from forecast.impact.baseline import Baseline, shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.campaign_parts import Previous
from forecast.impact.checks import Check
from forecast.impact.comparison import compare_years
from forecast.impact.counterfactuals import (
    check_after,
    check_change_after,
    choose_model,
    choose_windows,
    has_like_controls,
    list_reaches,
)
from forecast.impact.effect import Effect, SeriesEffect, Verdict
from forecast.impact.elsewhere import look_together
from forecast.impact.headline import Headline, climb
from forecast.impact.inspecting import inspect, judge_sensitivity
from forecast.impact.maturing import hide_immature, say_lag
from forecast.impact.measuring import make_baselines, measure_all, measure_untargeted
from forecast.impact.placebo import Placebo, run_placebos
from forecast.impact.places import find_places
from forecast.impact.rating import Rating, rate_design
from forecast.impact.registration import (
    Registered,
    Registration,
    compare_registration,
    load_registration,
)
from forecast.impact.results import describe_evaluation
from forecast.impact.runs import find_masked, mask_runs
from forecast.impact.sensitivity import compare_models, describe_answer, lay_out, usual_models
from forecast.impact.specifications import Specifications
from forecast.impact.specifying import specify
from forecast.models.base import Model, refuse_models
from forecast.models.draws import Forecast
from forecast.periods import PERIODS_A_YEAR, describe_span
from forecast.seasonality.disruptions import Disruption

if TYPE_CHECKING:
    from forecast.impact.examination import Examination

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
    untouched : tuple of SeriesEffect
        Of the areas that it left out together, one an offence; empty but from before the window.
    counterfactual, model : str
    level : float
    seed, draws : int
    seconds : float
    rating : Rating
        Of the design, on the Maryland scale.
    runs_left_out : tuple of Previous
        Runs of other years whose periods were left out of what the model learnt.
    specifications : Specifications or None
        The result in many other ways, when it was asked for.
    registration : Registered
        What was laid down before the campaign, and how this evaluation departs from it.
    activity : Activity or None
        What was done, day by day and area by area, when it was given.
    asked_model : Model, Forecast or None
        As it was given to `evaluate`.
    examination : Examination or None
        All that stands beside the verdict, once `examine` was called.
    sensitivity : pandas.DataFrame or None
        What other models say, once `compare_models` was asked.
    disclosure : Disclosure or None
        What is hidden of small counts, once `protect` of `forecast.impact.disclosing` saw to it.
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
    rating: Rating
    untouched: tuple[SeriesEffect, ...] = ()
    runs_left_out: tuple[Previous, ...] = ()
    specifications: Specifications | None = None
    registration: Registered = Registered(None)
    activity: Activity | None = None
    asked_model: Model | Forecast | None = None
    examination: Examination | None = field(default=None, init=False)
    sensitivity: pd.DataFrame | None = field(default=None, init=False)
    disclosure: Disclosure | None = field(default=None, init=False)

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
            f"Evaluation({self.campaign.name!r}, {self.main.offence} in {self.main.place}: "
            f"{self.verdict}; {describe_span(self.counts.periods)}; "
            f"{self.counts.snapshot.sentence()})"
        )

    def _repr_html_(self) -> str:
        from forecast.reporting.tables import render_evaluation

        return str(render_evaluation(self))

    def compare_models(self, *, progress: Progress | None = None) -> pd.DataFrame:
        """Ask the other models too: the function of this name, on this campaign and its counts.

        What the evaluation's own model says is known and comes first. The others take longer than
        the evaluation itself, so they are asked when this is first called, and the table is kept.
        """
        if self.sensitivity is None:
            # of a stored forecast the model that made it was not asked
            stored = self.baseline.calibration is None and self.placebo.calibration() is not None
            totals = [part for part in self.effect.parts if part.is_total]
            own = [] if stored else describe_answer(self.model, self.placebo, totals)
            others = compare_models(
                self.campaign,
                self.counts,
                models=[m for m in usual_models() if stored or m.name != self.model],
                level=self.level,
                seed=self.seed,
                draws=self.draws,
                progress=progress,
            )
            table = pd.concat([lay_out(own), others], ignore_index=True)
            object.__setattr__(self, "sensitivity", table)
            return table.copy()
        return self.sensitivity.copy()

    def examine(
        self, *, price_year: int | None = None, progress: Progress | None = None
    ) -> Examination:
        """Look at all that stands beside the verdict; made when first called, and kept.

        Areas pooled, runs of other years, the time after, other places and offences,
        displacement, controls, the three counterfactuals, costs and harm, and the dose. It takes
        several times as long as the evaluation and does not change its verdict.

        Parameters
        ----------
        price_year : int, optional
            Of the costs; the latest for which there is a deflator unless given.
        progress : callable, optional
            Called with a word, steps done and steps in all.
        """
        from forecast.impact.examination import examine, price  # they know this class

        found = self.examination
        if found is None and self.disclosure is not None and self.disclosure.applied:
            raise CampaignError(
                f"Evaluation of {self.campaign.name!r} must be examined before small counts are "
                "hidden: they are hidden already. Call examine() on what evaluate returned."
            )
        if found is None:
            found = examine(self, price_year=price_year, progress=progress)
        elif price_year not in (None, found.harm.price_year):
            found = replace(found, harm=price(self, price_year))
        object.__setattr__(self, "examination", found)
        return found

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
    previous: str = "mask",
    registration: Registration | str | Path | None = None,
    activity: pd.DataFrame | str | Path | None = None,
    sensitivity: bool = False,
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
        `DynamicCounts()` unless given. A stored `Forecast` whose cutoff is not after the window's
        start is taken as the baseline as it stands; its model is not known, so that nothing can
        be calibrated.
    counterfactual : {"before", "around", "controls"}, default "before"
        Learn from before the window only; or let the counts after it tell its level as well,
        which gives no verdict when these, judged from before, clearly moved; or let what the
        campaign did not touch (`comparison` in its file) tell what happened in it.
    level : float, default 0.95
    seed : int, default 0
        The same seed gives the same result to the byte.
    draws : int, default 1000
    previous : {"mask", "keep"}, default "mask"
        What to do with other runs whose days are known: leave their periods out of what is
        learnt, where they cover most of them, so that the effect is against autumns without the
        campaign; or keep them, so that it is over and above the usual campaign.
    registration : Registration or path, optional
        What was laid down before the campaign (`register`): it is quoted with every deviation.
    activity : pandas.DataFrame or path, optional
        Log of what was done: columns `date`, `area`, `kind`, `amount`; shown as dose.
    sensitivity : bool, default False
        Whether to evaluate in many other ways too, which can forbid a verdict and takes about
        half a minute.
    progress : callable, optional
        Called with a word, steps done and steps in all.

    Returns
    -------
    Evaluation

    Raises
    ------
    CampaignError
        If the campaign cannot be evaluated on these counts; all reasons together.
    DataError
        If the counts are no Panel, or `model` is neither a model nor a forecast.
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
    if not isinstance(model, Model | Forecast | None):
        refuse_models([model])
    if previous not in ("mask", "keep"):
        raise CampaignError(
            f"Argument previous must be 'mask' or 'keep': found {previous!r}. Use 'mask' to leave "
            "earlier runs out of what is learnt."
        )
    panel = take_panel(campaign, counts, level=level, draws=draws, seed=seed)
    log = None if activity is None else read_activity(activity, campaign, counts)
    if isinstance(registration, str | Path):
        registration = load_registration(registration)
    if campaign.adjacent:
        find_places(campaign, counts)  # a table of neighbours that does not fit is refused here
    shocks = shocks_of(campaign, panel)
    left_out = find_masked(campaign, panel) if previous == "mask" else ()
    shown = hide_immature(mask_runs(panel, campaign) if left_out else panel, campaign)
    chosen = choose_model(campaign, counts, shown, shocks, model, counterfactual)
    pooled, windows = choose_windows(campaign, shown, shocks, chosen)

    def step(done: int, of: int) -> None:
        if progress:
            progress("placebo windows", done, of)

    asked: dict[str, Any] = {"level": level, "draws": draws, "seed": seed}
    placebo = run_placebos(
        chosen, pooled, campaign, shocks, windows=windows, progress=step, **asked
    )
    answer = model if isinstance(model, Forecast) else chosen
    baseline, forecasts = make_baselines(campaign, shown, shocks, answer, placebo, draws, seed)
    # with controls, what was not targeted tells what to expect, and cannot be a check of it
    untargeted = (
        None
        if counterfactual == "controls"
        else measure_untargeted(campaign, shown, shocks, chosen, placebo, level, draws, seed)
    )
    alike = has_like_controls(campaign, shown, shocks, chosen)
    rating = rate_design(campaign, counts, counterfactual=counterfactual, controls_ok=alike)
    found = inspect(campaign, counts, panel, shocks, placebo, untargeted, baseline, level, left_out)
    untouched = (
        look_together(campaign, counts, shocks, chosen, **asked)
        if counterfactual == "before"
        else ()
    )
    found += looking.check_untouched(untouched)
    found += (check_after(campaign, shown, shocks, counterfactual),)
    if isinstance(chosen, AroundModel):
        reaches = list_reaches(campaign, panel.freq)
        # two looks at one time after share the chance of a false alarm
        strict = asked | {"level": 1 - (1 - level) / len(reaches)}
        found += check_change_after(
            [
                look_after(campaign, shown, shocks, chosen.base, windows, reach=reach, **strict)
                for reach in reaches
            ]
        )
    measured = [
        measure_all(campaign, panel, baseline, placebo, found, level, panel.total_name),
    ]
    specifications = None
    if sensitivity:
        specifications = specify(
            campaign,
            hide_immature(mask_runs(counts, campaign) if left_out else counts, campaign),
            models=_with_usual(chosen if counterfactual == "before" else None),
            known={chosen.name: placebo} if counterfactual == "before" else None,
            progress=progress,
            **asked,
        )
        found += judge_sensitivity(campaign, specifications, measured[0], counterfactual)
        measured.append(
            measure_all(campaign, panel, baseline, placebo, found, level, panel.total_name)
        )
    ladders = tuple(climb(claim, campaign, panel, forecasts, **asked) for claim in campaign.claim)
    targets = panel.select(offence=campaign.offences)
    return Evaluation(
        campaign=campaign,
        counts=counts,
        effect=Effect(_name_totals(say_lag(measured[-1], panel), campaign)),
        headline=Headline(ladders),
        year_on_year=compare_years(campaign, targets, total_name=panel.total_name, **asked),
        placebo=placebo,
        checks=tuple(sorted(found, key=lambda check: not check.blocking)),
        baseline=baseline,
        shocks=_near(campaign, panel, shocks),
        untargeted=untargeted or (),
        counterfactual=counterfactual,
        model=baseline.forecast.model,
        level=level,
        seed=seed,
        draws=draws,
        seconds=time.perf_counter() - began,
        rating=rating,
        untouched=untouched,
        runs_left_out=left_out,
        specifications=specifications,
        registration=compare_registration(
            registration, campaign, counts, model=model, counterfactual=counterfactual, **asked
        ),
        activity=log,
        asked_model=model,
    )


def _name_totals(parts: tuple[SeriesEffect, ...], campaign: Campaign) -> tuple[SeriesEffect, ...]:
    """The results, their totals called by whose they are."""
    return tuple(replace(part, called=campaign.name_place(part.area)) for part in parts)


def _with_usual(model: Model | None) -> list[Model] | None:
    """A model of one's own first, then those that ship; None for those that ship alone."""
    usual = list(usual_models())
    if model is None or model.name == usual[0].name:
        return None
    return [model, *(other for other in usual if other.name != model.name)]


def _near(campaign: Campaign, panel: Panel, shocks: list[Disruption]) -> tuple[Disruption, ...]:
    """Disruptions in the periods of the campaign or in the year before them."""
    window = campaign.periods(panel.freq)
    first = window[0] - PERIODS_A_YEAR[panel.freq]
    start, end = first.start_time.date(), window[-1].end_time.date()
    return tuple(s for s in shocks if s.end >= start and s.start <= end)
