"""The plan: what a campaign could show, asked before it begins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from forecast.data.panel import Panel, check_names
from forecast.errors import CampaignError, DataError, join_problems
from forecast.impact.asking import take_panel
from forecast.impact.baseline import calibrate, fit_before, hide_shocks, shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.checks import check_bordering
from forecast.impact.comparators import Comparators, suggest_comparators
from forecast.impact.detecting import WEEKS, Detectable, list_spans
from forecast.impact.placebo import MIN_WINDOWS
from forecast.impact.plain import clean, pair
from forecast.impact.power import Power, measure_power, write_seen
from forecast.impact.rating import Rating, rate_design
from forecast.impact.registration import Registration, register
from forecast.models.base import Model, refuse_models
from forecast.models.draws import Forecast, interval
from forecast.models.dynamic import DynamicCounts
from forecast.periods import PERIODS_A_YEAR, UNIT_NAMES, describe_span, label

SCHEMA = "forecast.plan/1"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False, repr=False)
class Plan:
    """What could be seen of a campaign, beside what it could be compared with.

    Attributes
    ----------
    campaign : Campaign
    counts : Panel
        What was known: nothing at or after the campaign's start.
    expected : pandas.DataFrame
        One row an offence, all areas together: `offence`, `area`, `expected`, `expected_lower`,
        `expected_upper` over the whole periods of the declared window.
    power : Power
    comparators : Comparators
    rating : Rating
        Of a comparison of before and after, with what could be reached.
    model : Model
    level : float
    seed, draws : int
    counted_to : pandas.Period
        The last period with a count in what was passed; it may lie in the window or after it.
    """

    campaign: Campaign
    counts: Panel
    expected: pd.DataFrame
    power: Power
    comparators: Comparators
    rating: Rating
    model: Model
    level: float
    seed: int
    draws: int
    counted_to: pd.Period

    @property
    def main(self) -> Detectable:
        """What could be seen of the first offence, all areas together, in the declared window."""
        return self.power.of(self.campaign.offences[0])

    def __repr__(self) -> str:
        fall = "unknown" if np.isnan(self.main.fall) else f"{write_seen(self.main.fall)} per cent"
        return (
            f"Plan({self.campaign.name!r}, {self.main.offence} in "
            f"{self.campaign.name_place(self.main.area)}: smallest fall "
            f"that would be seen {fall}; {describe_span(self.counts.periods)}; "
            f"{self.counts.snapshot.sentence()})"
        )

    def _repr_html_(self) -> str:
        from forecast.reporting.result_cards import show_plan

        return show_plan(self)

    def summary(self) -> pd.DataFrame:
        """Return the table of what could be seen, as `Power.summary`."""
        return self.power.summary()

    def sentences(self) -> list[str]:
        """Return the plan in plain words."""
        return [
            *self._say_known(),
            *self._say_expected(),
            *self.power.sentences(),
            *self._say_lengths(),
            self._say_windows(),
            *self.comparators.sentences(),
            *(check.text for check in check_bordering(self.campaign)),
            *self.rating.sentences(),
        ]

    def _say_known(self) -> list[str]:
        """That the window is counted already, when it is: a plan is then none."""
        if self.counted_to < self.campaign.periods(self.counts.freq)[0]:
            return []
        return [
            f"The counts reach to {label(self.counted_to)}, so that some of the campaign's window "
            "is known already. Nothing of it was looked at here; but registered now, the plan is "
            "made after the fact, and the registration and the evaluation will say so."
        ]

    def _say_expected(self) -> list[str]:
        """How many offences are expected without the campaign, and from what."""
        window = self.campaign.periods(self.counts.freq)
        gap = window[0].ordinal - self.counts.periods[-1].ordinal - 1
        unit = UNIT_NAMES[self.counts.freq]
        found = [
            f"Expected in {self.campaign.name_place(row['area'])} from {label(window[0])} to "
            f"{label(window[-1])} without the campaign: {row['expected']:,.0f} {row['offence']} "
            f"({row['expected_lower']:,.0f} to {row['expected_upper']:,.0f})."
            for row in self.expected.to_dict("records")
        ]
        if gap > 0:
            found.append(
                f"The counts end {gap} {unit}{'s' if gap > 1 else ''} before the campaign; what "
                "could be seen supposes that they will reach its start."
            )
        return found

    def _say_lengths(self) -> list[str]:
        """How the smallest fall on the campaign's days depends on the length of the window."""
        main = self.main
        rows = [
            r
            for r in self.power.rows
            if r.kind == "all areas" and r.offence == main.offence and not np.isnan(r.fall_in_days)
        ]
        if len(rows) < 2:
            return []
        short, long = rows[0], rows[-1]
        return [
            f"The smallest fall on the campaign's days that would be seen is "
            f"{write_seen(short.fall_in_days)} per cent with {_weeks(short)}, and "
            f"{write_seen(long.fall_in_days)} with {_weeks(long)} ({main.offence})."
        ]

    def _say_windows(self) -> str:
        """How many placebo windows there are, and how wide their intervals."""
        main = self.main
        if main.windows < MIN_WINDOWS:
            return (
                f"There are {main.windows} placebo windows, and {MIN_WINDOWS} are needed: how wide "
                "the interval will be is not known."
            )
        return (
            f"There are {main.windows} placebo windows; the {100 * self.level:g} per cent interval "
            f"was {main.width:.0f} points wide in them."
        )

    def register(
        self,
        *,
        to: str | Path,
        counterfactual: str = "before",
        date: dt.date | str | None = None,
    ) -> Registration:
        """Write the plan down as a registration, as `forecast.impact.registration.register`."""
        return register(
            self.campaign,
            self.counts,
            to=to,
            model=self.model,
            counterfactual=counterfactual,
            level=self.level,
            seed=self.seed,
            draws=self.draws,
            date=date,
            plan=self.to_dict(),
            counted_to=self.counted_to,
        )

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values (schema forecast.plan/1)."""
        return {
            "schema": SCHEMA,
            "campaign": {
                "name": self.campaign.name,
                "start": self.campaign.start.isoformat(),
                "end": self.campaign.end.isoformat(),
            },
            "measure": self.counts.measure,
            "known": {
                "first": label(self.counts.periods[0]),
                "last": label(self.counts.periods[-1]),
                "counted_to": label(self.counted_to),
            },
            "model": self.model.name,
            "level": self.level,
            "seed": self.seed,
            "draws": self.draws,
            "expected": [
                {
                    "offence": row["offence"],
                    "area": row["area"],
                    "expected": clean(row["expected"]),
                    "expected_interval": pair((row["expected_lower"], row["expected_upper"])),
                }
                for row in self.expected.to_dict("records")
            ],
            "power": self.power.to_dict(),
            "comparators": self.comparators.to_dict(),
            "rating": self.rating.to_dict(),
            "sentences": self.sentences(),
        }


def _weeks(row: Detectable) -> str:
    """Length of a window in words."""
    weeks = row.span.weeks
    return f"{weeks:.2g} week{'' if weeks == 1 else 's'}"


def plan(
    campaign: Campaign,
    counts: Panel,
    *,
    model: Model | None = None,
    areas: Mapping[str, Sequence[str]] | None = None,
    level: float = 0.95,
    seed: int = 0,
    draws: int = 1000,
    progress: Progress | None = None,
) -> Plan:
    """Say before a campaign what it could show, and what it could be compared with.

    Known changes are planted in the quiet windows of earlier years, for windows of one to eight
    weeks and for the declared one, in all areas together, in each group and area, and in sets of
    areas that are named. Areas that the campaign leaves out are ranked by how they moved with its
    own. Nothing at or after its start is looked at, so that a plan of a past campaign says what
    could have been known.

    Parameters
    ----------
    campaign : Campaign
        Its window may lie after the data, beginning within a year of their end.
    counts : Panel
        All areas, also those that the campaign leaves out; two years before the window.
    model : Model, optional
        `DynamicCounts()` unless given.
    areas : mapping of str to sequence of str, optional
        Sets of the campaign's areas by name, each looked at as a campaign there alone.
    level, seed, draws
        As in `evaluate`.
    progress : callable, optional
        Called with a word, steps done and steps in all.

    Returns
    -------
    Plan

    Raises
    ------
    CampaignError
        If the campaign cannot be planned on these counts; all reasons together.
    DataError
        If the counts are no Panel, the model is none, or a set names unknown areas.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> ahead = Campaign(name="Test", start="2025-02-01", end="2025-02-28", offences=["robbery"],
    ...                  areas=["Area 01", "Area 02"])
    >>> found = plan(ahead, simulate(areas=4, years=10, mean=20_000), draws=200)
    >>> found.rating.could_reach, found.comparators.suggested
    (4, ('Area 03',))
    """
    chosen = model if model is not None else DynamicCounts()
    if not isinstance(chosen, Model):
        refuse_models([chosen])
    panel = _take_known(campaign, counts, level=level, draws=draws, seed=seed)
    window = campaign.periods(counts.freq)
    known = counts.before(window[0])
    sets = _check_sets(campaign, panel, areas or {})
    shocks = shocks_of(campaign, panel)
    targets = hide_shocks(panel.select(offence=campaign.offences), shocks)
    fitted = fit_before(chosen, targets, window[0])
    longest = max(len(span.periods(panel.freq)) for span in list_spans(campaign, WEEKS))
    horizon = pd.period_range(window[0], periods=longest, freq=panel.freq)
    ahead = fitted.forecast(horizon, draws=draws, seed=seed)
    power = measure_power(
        campaign, panel, shocks, model=chosen, level=level, draws=draws, seed=seed, areas=sets,
        ahead=ahead, progress=progress,
    )  # fmt: skip
    forecast, _ = calibrate(fitted, window, power.placebo.calibration(), draws=draws, seed=seed)
    expected = _expect(ahead, forecast, panel, level)
    comparators = suggest_comparators(campaign, known, shocks)
    rating = rate_design(campaign, known, controls_ok=comparators.acceptable)
    counted = np.flatnonzero(~np.isnan(counts.values).all(axis=0))
    return Plan(
        campaign, known, expected, power, comparators, rating, chosen, level, seed, draws,
        counts.periods[counted[-1]],
    )  # fmt: skip


def _expect(ahead: Forecast, calibrated: Forecast, panel: Panel, level: float) -> pd.DataFrame:
    """What is expected of each offence in the window, all areas together, with its interval.

    The mean is of the model's own draws, as `power` has it: calibrated ones have tails so heavy
    that they have no mean.
    """
    at = ahead.periods.get_indexer(calibrated.periods)
    sums = calibrated.total()
    lower, upper = interval(sums.draws.sum(axis=2), level)  # (offence,)
    return pd.DataFrame(
        {
            "offence": sums.series["offence"].astype(str),
            "area": panel.areas[0] if len(panel.areas) == 1 else panel.total_name,
            "expected": ahead.total().draws[:, :, at].sum(axis=2).mean(axis=0),
            "expected_lower": lower,
            "expected_upper": upper,
        }
    )


def _take_known(campaign: Campaign, counts: Panel, *, level: float, draws: int, seed: int) -> Panel:
    """Counts of the campaign's areas before its start, once all that is asked makes sense.

    `evaluate` asks the same of a campaign that is over: the periods that are still to come are
    put in as if they had been counted, so that the same questions can be asked in the same words.
    """
    if isinstance(campaign, Campaign) and isinstance(counts, Panel):
        _check_reach(campaign, counts)
        counts = _reach(campaign, counts)
    panel = take_panel(campaign, counts, level=level, draws=draws, seed=seed)
    window = campaign.periods(panel.freq)
    before = panel.before(window[0])
    if len(window) > len(before.periods):
        unit = UNIT_NAMES[panel.freq]
        raise CampaignError(
            f"Campaign {campaign.name!r} must be shorter than the history before it: it touches "
            f"{len(window)} {unit}s, and {len(before.periods)} come before it. Load earlier "
            f"{unit}s, or choose an earlier end."
        )
    seen = np.flatnonzero(~np.isnan(before.values).all(axis=0))
    return before.through(before.periods[seen[-1]])


def _check_reach(campaign: Campaign, counts: Panel) -> None:
    """Refuse a campaign that begins more than a year after the data."""
    last, start = counts.periods[-1], campaign.periods(counts.freq)[0]
    if start.ordinal - last.ordinal > PERIODS_A_YEAR[counts.freq]:
        raise CampaignError(
            f"Campaign {campaign.name!r} must begin within a year of the data's end: it begins in "
            f"{label(start)}, the data end with {label(last)}. Load later {UNIT_NAMES[counts.freq]}"
            "s, or choose an earlier start."
        )


def _reach(campaign: Campaign, counts: Panel) -> Panel:
    """Counts with the campaign's window in them, zero there and missing between."""
    window = campaign.periods(counts.freq)
    more = max(window[-1].ordinal - counts.periods[-1].ordinal, 0)
    first, last = counts.periods[0], counts.periods[-1] + more
    periods = pd.period_range(first, last, freq=counts.freq)
    values = np.pad(counts.values, ((0, 0), (0, more)), constant_values=np.nan)
    values[:, np.isin(periods, window)] = 0.0
    return replace(counts, values=values, periods=periods)


def _check_sets(
    campaign: Campaign, panel: Panel, areas: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Sets of areas by name, when each holds areas of the campaign."""
    problems, sets = [], {}
    for name, members in areas.items():
        wanted = (members,) if isinstance(members, str) else tuple(dict.fromkeys(members))
        if not wanted:
            problems.append(
                f"Set {name!r} must hold areas: found none. Name some, or leave it out."
            )
        try:
            check_names(wanted, panel.areas, "area")
        except DataError as error:
            problems.append(f"Set {name!r} of campaign {campaign.name!r}: {error}")
        sets[name] = wanted
    if problems:
        raise DataError(join_problems(problems))
    return sets
