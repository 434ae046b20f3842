"""Making the same evaluation in many ways, side by side on several processors.

What one model says under one treatment of the disruptions is one task: its errors on the placebo
windows are measured once, and set the width of the interval of all its specifications.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, replace
from pickle import PicklingError
from typing import Any

import numpy as np

from forecast.data.panel import Panel
from forecast.errors import CampaignError, ForecastError
from forecast.impact.asking import take_panel
from forecast.impact.baseline import Baseline, calibrate, shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.choices import Choice, apply_choice, find_fault, list_choices
from forecast.impact.effect import SeriesEffect
from forecast.impact.measuring import measure_all
from forecast.impact.placebo import Placebo, run_placebos
from forecast.impact.sensitivity import (
    NOT_CALIBRATED,
    OWN_OFFENCES,
    Progress,
    take_models,
    take_pool,
)
from forecast.impact.specifications import Specifications, tabulate
from forecast.impact.windows import Window, find_windows
from forecast.models.base import Model
from forecast.models.ensemble import Ensemble
from forecast.models.prophet import SeasonalProphet
from forecast.periods import PERIODS_A_YEAR, UNIT_NAMES
from forecast.seasonality.disruptions import Disruption

FEWEST = 5.0
"""Events a period below which an area is left to the main model alone."""

TOO_FEW = "fewer than five events a period: left to the main model"

ENOUGH = 8
"""Windows of the campaign's own season from which those of the other season are spared areas."""

_SLOWNESS: tuple[tuple[type[Model], int], ...] = ((SeasonalProphet, 20), (Ensemble, 4))
"""About how much longer some models take than others: the slow ones are begun first."""


def specify(
    campaign: Campaign,
    counts: Panel,
    *,
    models: Model | Sequence[Model] | None = None,
    by_area: bool = False,
    known: Mapping[str, Placebo] | None = None,
    level: float = 0.95,
    seed: int = 0,
    draws: int = 1000,
    jobs: int = 2,
    progress: Progress | None = None,
) -> Specifications:
    """Evaluate a campaign in many ways: models, spans, disruptions, windows, years left out.

    Which combinations are looked at, and why not all, is said by `list_choices`. Each is
    evaluated by the steps of `evaluate`: the same window, the same interval, the same p.

    Parameters
    ----------
    campaign : Campaign
    counts : Panel
        Counts by area and offence; needs two years before the window.
    models : Model or sequence of Model, optional
        All that ship unless given. The first is the main one.
    by_area : bool, default False
        Whether every area is looked at too, with fewer specifications.
    known : mapping of str to Placebo, optional
        Errors on the placebo windows that were measured already with disruptions left out, by
        the name of the model: those of an evaluation need not be measured again.
    level : float, default 0.95
    seed : int, default 0
    draws : int, default 1000
    jobs : int, default 2
        Processes side by side. The figures are the same whatever their number; where no further
        process can be started all is done in this one.
    progress : callable, optional
        Called with a word, specifications done and specifications in all.

    Returns
    -------
    Specifications

    Raises
    ------
    CampaignError
        If the campaign cannot be evaluated on these counts, or `jobs` is below one.
    DataError
        If `models` are none, are no models, or two have the same name.

    Notes
    -----
    The interval of every specification is calibrated in the one place where all are, by the
    errors that the same model made on the placebo windows with the same treatment of the
    disruptions. Those errors are measured once a model and treatment, with the whole span and no
    year left out, and used for its shorter spans, moved windows and years left out as well: the
    model's spread, which they stretch, is that of each specification itself. The windows are
    those that are quiet, for both treatments alike; for areas, which take long, models other
    than the main one have those of the campaign's own season alone, where there are eight.

    A model that cannot learn what a choice leaves it (too short a span, say) gives a row without
    figures and the reason in `note`; it is not counted in the rule.

    References
    ----------
    Simonsohn, Simmons & Nelson (2020), Specification curve analysis, Nature Human Behaviour 4,
    1208-1214.

    Examples
    --------
    >>> from forecast.models.naive import SeasonalNaive
    >>> from forecast.simulation import simulate
    >>> counts = simulate(areas=2, years=8, effect=-0.25)
    >>> quiet = Campaign(name="Test", start="2022-10-01", end="2022-11-30", offences=["robbery"])
    >>> specify(quiet, counts, models=SeasonalNaive(), draws=100, jobs=1)
    Specifications(robbery 14)
    """
    panel = take_panel(campaign, counts, level=level, draws=draws, seed=seed)
    if jobs < 1:
        raise CampaignError(f"Argument jobs must be 1 or more: found {jobs}. Leave it out for 2.")
    chosen = take_models(models)
    shocks = shocks_of(campaign, panel)
    asked = _Question(
        campaign, panel, shocks, find_windows(campaign, panel, shocks), level, draws, seed
    )
    tasks = asked.split(chosen, known or {}, by_area=False)
    if by_area and len(panel.areas) > 1:
        tasks += asked.split(chosen, known or {}, by_area=True)
    done, of = 0, sum(len(task.choices) for task in tasks)
    rows: dict[int, list[dict[str, Any]]] = {}
    for place, found in _answer_all(tasks, jobs):
        rows[place] = found
        done += len(tasks[place].choices)
        if progress:
            progress("sensitivity", done, of)
    together = [row for place in sorted(rows) for row in rows[place]]
    areas = {name: place for place, name in enumerate(panel.areas)}
    together.sort(
        key=lambda row: (
            not row["is_total"],
            campaign.offences.index(row["offence"]),
            areas.get(row["area"], -1),
        )
    )
    return Specifications(tabulate(together), level, campaign.name_place(panel.total_name))


@dataclass(frozen=True, eq=False)
class _Question:
    """What is the same for every specification."""

    campaign: Campaign
    panel: Panel
    shocks: list[Disruption]
    windows: tuple[Window, ...]
    level: float
    draws: int
    seed: int

    def split(
        self, models: Sequence[Model], known: Mapping[str, Placebo], *, by_area: bool
    ) -> list[_Task]:
        """The tasks: one a model and treatment of the disruptions."""
        choices = list_choices(models, self.campaign, self.panel, self.shocks, by_area=by_area)
        tasks = []
        for model in models:
            mine = [choice for choice in choices if choice.model == model.name]
            for treatment in dict.fromkeys(choice.treatment for choice in mine):
                measured = known.get(model.name) if treatment == "mask" else None
                if by_area and measured is not None and measured.errors["is_total"].all():
                    measured = None  # the errors of areas are not known
                tasks.append(
                    _Task(
                        self if by_area else replace(self, panel=self.panel.total()),
                        model,
                        tuple(choice for choice in mine if choice.treatment == treatment),
                        measured,
                        by_area,
                        is_main=model is models[0],
                    )
                )
        return tasks


@dataclass(frozen=True, eq=False)
class _Task:
    """The specifications of one model under one treatment of the disruptions."""

    question: _Question
    model: Model
    choices: tuple[Choice, ...]
    known: Placebo | None
    by_area: bool
    is_main: bool

    @property
    def weight(self) -> int:
        """About how long it takes, to begin with what takes longest."""
        slow = next((n for kind, n in _SLOWNESS if isinstance(self.model, kind)), 2)
        fits = len(self.choices) + (0 if self.known else len(self._windows))
        return slow * fits * len(self.question.panel.series)

    @property
    def _windows(self) -> tuple[Window, ...]:
        """The placebo windows: those of the campaign's own season where all would take long."""
        windows = self.question.windows
        season = tuple(window for window in windows if window.same_season)
        spared = self.by_area and not self.is_main and len(season) >= ENOUGH
        return season if spared else windows

    def answer(self) -> list[dict[str, Any]]:
        """The rows of all its specifications."""
        task = self
        few: list[tuple[str, str]] = []
        if self.by_area and not self.is_main:
            question, few = _leave_small(self.question)
            task = replace(self, question=question)
        rows = [_name(choice, *key) | {"note": TOO_FEW} for choice in self.choices for key in few]
        if task.question.campaign.offences:
            rows += task._ask()
        return [row | {"is_total": not self.by_area} for row in rows]

    def _ask(self) -> list[dict[str, Any]]:
        """The rows of what can be asked of the model."""
        try:
            placebo = self.known or self._measure_errors()
        except (ForecastError, ImportError) as error:  # the others can still answer
            return [row for choice in self.choices for row in self._silent(choice, str(error))]
        return [row for choice in self.choices for row in self._put(choice, placebo)]

    def _measure_errors(self) -> Placebo:
        """The model's errors on the placebo windows, with its treatment of the disruptions."""
        asked = self.question
        return run_placebos(
            self.model,
            take_pool(self.model, asked.panel, asked.campaign),
            asked.campaign,
            asked.shocks if self.choices[0].treatment == "mask" else (),
            level=asked.level,
            draws=asked.draws,
            seed=asked.seed,
            windows=self._windows,
        )

    def _put(self, choice: Choice, placebo: Placebo) -> list[dict[str, Any]]:
        """The rows of one specification."""
        asked, panel = self.question, self.question.panel
        targets = panel.select(offence=asked.campaign.offences)
        moved, seen = apply_choice(choice, asked.campaign, targets, asked.shocks)
        fault = find_fault(moved, targets)
        if fault:
            return self._silent(choice, fault)
        calibration = placebo.calibration()
        window = moved.periods(panel.freq)
        try:
            fitted = self.model.fit(seen)
            forecast, raw = calibrate(
                fitted, window, calibration, draws=asked.draws, seed=asked.seed
            )
        except (ForecastError, ImportError) as error:
            return self._silent(choice, str(error))
        baseline = Baseline(forecast, raw, calibration, "")
        parts = measure_all(moved, targets, baseline, placebo, (), asked.level, panel.total_name)
        note = "" if calibration else NOT_CALIBRATED
        if calibration and len(take_pool(self.model, panel, moved).offences) < len(panel.offences):
            note = OWN_OFFENCES
        if choice.shift and window.equals(asked.campaign.periods(panel.freq)):
            note = f"the same {UNIT_NAMES[panel.freq]}s as the declared window"
        told = {"calibrated": calibration is not None, "note": note}
        return [
            _name(choice, part.offence, part.area) | _describe(part) | told
            for part in parts
            if part.is_total is not self.by_area
        ]

    def _silent(self, choice: Choice, why: str) -> list[dict[str, Any]]:
        """Rows without figures, with the reason."""
        panel = self.question.panel.select(offence=self.question.campaign.offences)
        keys = panel.series[["offence", "area"]].astype(str).to_numpy().tolist()
        return [_name(choice, *key) | {"note": why} for key in keys]


def _name(choice: Choice, offence: str, area: str) -> dict[str, Any]:
    """The part of a row that says which specification it is."""
    return {
        "offence": offence,
        "area": area,
        "model": choice.model,
        "span": choice.span,
        "treatment": choice.treatment,
        "window_days": choice.shift,
        "year_left_out": "none" if choice.left_out is None else str(choice.left_out),
        "is_main": choice.is_main,
        "calibrated": False,
    }


def _describe(part: SeriesEffect) -> dict[str, Any]:
    """An effect as part of a row."""
    least, most = part.expected_interval
    row: dict[str, Any] = {
        "observed": part.observed,
        "expected": part.expected,
        "p": part.p,
        "excludes_zero": not least <= part.observed <= most,
    }
    for name, value, bounds in (
        ("effect_percent", part.percent, part.percent_interval),
        ("effect_in_window_percent", part.in_window_percent, part.in_window_interval),
    ):
        row |= {name: value, f"{name}_lower": bounds[0], f"{name}_upper": bounds[1]}
    return row


def _leave_small(asked: _Question) -> tuple[_Question, list[tuple[str, str]]]:
    """The question without series that are too small, and which those are: offence and area.

    One such series would keep a model from learning any of the others. Their size is the mean
    of the five years before the window.
    """
    campaign, panel = asked.campaign, asked.panel
    recent = panel.before(campaign.periods(panel.freq)[0]).values
    recent = recent[:, -5 * PERIODS_A_YEAR[panel.freq] :]  # (series, period)
    seen = (~np.isnan(recent)).sum(axis=1)
    mean = np.nansum(recent, axis=1) / np.maximum(seen, 1)  # (series,)
    small = (mean < FEWEST) & panel.series["offence"].isin(campaign.offences).to_numpy()
    kept = replace(panel, values=panel.values[~small], series=panel.series[~small])
    left = tuple(offence for offence in campaign.offences if offence in kept.offences)
    keys = panel.series.loc[small, ["offence", "area"]].astype(str).to_numpy().tolist()
    question = replace(asked, panel=kept, campaign=campaign.model_copy(update={"offences": left}))
    return question, [(offence, area) for offence, area in keys]


def _answer(place: int, task: _Task) -> tuple[int, list[dict[str, Any]]]:
    """A task's place and its rows."""
    return place, task.answer()


def _answer_all(tasks: Sequence[_Task], jobs: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Answer tasks in any order, side by side where that can be done, else one by one."""
    left = dict(sorted(enumerate(tasks), key=lambda item: -item[1].weight))
    if min(jobs, len(tasks)) > 1:
        try:
            for place, rows in _start_processes(left, jobs):
                del left[place]
                yield place, rows
        except (BrokenExecutor, OSError, PicklingError):
            pass  # no further process here, or one was ended: what is left is done below
    for place in list(left):
        yield _answer(place, left.pop(place))


def _start_processes(
    tasks: Mapping[int, _Task], jobs: int
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Answer tasks in processes of their own; loky needs no guard in the calling script."""
    from joblib import Parallel, delayed, parallel_config  # type: ignore[import-untyped]

    with parallel_config(backend="loky", inner_max_num_threads=1):
        run = Parallel(jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="all")
        yield from run(delayed(_answer)(place, task) for place, task in list(tasks.items()))
