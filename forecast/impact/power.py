"""Power: the smallest change that would be seen, for windows of several lengths and places.

The model is fitted before each placebo window, as it is for the campaign, once for all lengths.
Known changes are planted in each window, and each is judged as `evaluate` would judge it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.errors import DataError, name_offenders
from forecast.impact.campaign import Campaign
from forecast.impact.detecting import (
    WEEKS,
    Detectable,
    judge_power,
    list_spans,
)
from forecast.impact.placebo import Placebo, run_placebos
from forecast.impact.plain import clean, pair
from forecast.impact.windows import find_windows
from forecast.models.base import FittedModel, Model, Paths
from forecast.models.draws import Forecast, IntArray
from forecast.periods import label
from forecast.seasonality.disruptions import Disruption

KINDS = ("all areas", "set", "group", "area")
"""What is looked at: the campaign's areas together, sets that were asked for, groups, areas."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Power:
    """What could be seen, by offence, area and length of the window.

    Attributes
    ----------
    rows : tuple of Detectable
    level : float
    placebo : Placebo
        The placebo windows like the declared one, all areas together.
    together : str
        What sentences call all areas of the campaign together, when not by their name in tables.
    """

    rows: tuple[Detectable, ...]
    level: float
    placebo: Placebo
    together: str = ""

    def of(self, offence: str, area: str | None = None, weeks: float | None = None) -> Detectable:
        """Return one row: all areas together unless one is named, the declared window unless given.

        Raises
        ------
        DataError
            If it was not looked at.
        """
        for row in self.rows:
            here = row.kind == "all areas" if area is None else row.area == area
            when = row.span.declared if weeks is None else row.span.weeks == weeks
            if row.offence == offence and here and when:
                return row
        known = dict.fromkeys(repr(r.area) for r in self.rows if r.offence == offence)
        lengths = dict.fromkeys(f"{r.span.weeks:g}" for r in self.rows)
        raise DataError(
            f"Power must be of an offence, area and length that were looked at: {offence!r} in "
            f"{'all areas' if area is None else repr(area)}, "
            f"{'the declared window' if weeks is None else f'{weeks:g} weeks'}, was not. "
            f"Choose from {name_offenders(list(known) or self._offences(), 12)} and "
            f"{', '.join(lengths)} weeks."
        )

    def _offences(self) -> list[str]:
        return list(dict.fromkeys(repr(r.offence) for r in self.rows))

    def summary(self) -> pd.DataFrame:
        """Return one row an offence, area and length.

        `smallest_fall_percent` is of the whole periods, `smallest_fall_in_days_percent` of the
        campaign's days alone, both in points without a sign; `note` says why one is missing.
        """
        return pd.DataFrame(
            [
                {
                    "offence": r.offence,
                    "area": r.area,
                    "kind": r.kind,
                    "weeks": float(r.span.weeks),
                    "declared": r.span.declared,
                    "periods": len(r.periods),
                    "exposure_percent": 100 / r.in_days,
                    "windows": r.windows,
                    "tests": r.tests,
                    "false_alarms_percent": 100 * r.false_alarms,
                    "width_points": r.width,
                    "smallest_fall_percent": r.fall,
                    "smallest_fall_percent_lower": r.fall_interval[0],
                    "smallest_fall_percent_upper": r.fall_interval[1],
                    "smallest_fall_in_days_percent": r.fall_in_days,
                    "smallest_rise_percent": r.rise,
                    "expected": r.expected,
                    "smallest_fall": r.fall_count,
                    "note": r.reason,
                }
                for r in self.rows
            ]
        )

    def curve(self) -> pd.DataFrame:
        """Return the power curves: one row an offence, area, length, direction and size.

        `found` is the share of placebo windows in which the planted change was seen; its interval
        counts windows, not tests. A fall of size zero is seen as often as chance alone has it.
        """
        parts = [
            r.curve.assign(offence=r.offence, area=r.area, weeks=float(r.span.weeks))
            for r in self.rows
        ]
        table = pd.concat(parts, ignore_index=True)
        keys = ["offence", "area", "weeks"]
        return table[[*keys, *[c for c in table.columns if c not in keys]]]

    def sentences(self) -> list[str]:
        """Return what could be seen in the declared window, all areas together, in plain words."""
        return [
            say_detectable(row, place=self.together)
            for row in self.rows
            if row.kind == "all areas" and row.span.declared
        ]

    def to_dict(self) -> list[dict[str, object]]:
        """Return the rows as plain values, each with its power curve of falls."""
        return [describe_detectable(row) for row in self.rows]


def write_seen(percent: float) -> str:
    """Write the size of a change that would be seen: whole, and never less than it is.

    Examples
    --------
    >>> write_seen(23.2), write_seen(24.0)
    ('24', '24')
    """
    return f"{np.ceil(percent - 1e-9):.0f}"


def say_detectable(row: Detectable, *, place: str = "") -> str:
    """What could be seen, in one sentence or two; its area may be called otherwise."""
    where = f"{row.offence} in {place or row.area}"
    if np.isnan(row.fall):
        return f"For {where} it cannot be said what could be seen: {row.reason}."
    amount = "" if np.isnan(row.expected) else (
        f" ({row.fall_count:,.0f} of {row.expected:,.0f} expected)"
    )  # fmt: skip
    text = (
        f"For {where} a fall of {write_seen(row.fall)} per cent{amount} or more would be seen in "
        f"at least four of five of the {row.windows} placebo windows"
    )
    if row.campaign_days == row.days:
        return f"{text}."
    if np.isnan(row.fall_in_days):
        return f"{text}, over the whole periods: {row.reason}."
    return (
        f"{text}, over the whole periods; on the {row.campaign_days} campaign days of {row.days} "
        f"that is a fall of {write_seen(row.fall_in_days)} per cent."
    )


def describe_detectable(row: Detectable) -> dict[str, object]:
    """One row as plain values."""
    return {
        "offence": row.offence,
        "area": row.area,
        "kind": row.kind,
        "weeks": clean(row.span.weeks),
        "declared": row.span.declared,
        "periods": [label(p) for p in row.periods],
        "campaign_days": row.campaign_days,
        "days": row.days,
        "windows": row.windows,
        "tests": row.tests,
        "false_alarms_percent": clean(100 * row.false_alarms),
        "width_points": clean(row.width),
        "smallest_fall_percent": clean(row.fall),
        "smallest_fall_percent_interval": pair(row.fall_interval),
        "smallest_fall_in_days_percent": clean(row.fall_in_days),
        "smallest_rise_percent": clean(row.rise),
        "expected": clean(row.expected),
        "smallest_fall": clean(row.fall_count),
        "curve": [
            {
                "change": str(point["change"]),
                "size_percent": clean(point["size_percent"]),
                "found": clean(point["found"]),
                "found_interval": pair((point["found_lower"], point["found_upper"])),
            }
            for point in row.curve.to_dict("records")
        ],
        "note": row.reason or None,
    }


class _Learnt(Model):
    """A model that remembers: windows that begin alike are fitted and forecast once.

    The forecast reaches as far as the longest window; a shorter one is the beginning of it.
    """

    def __init__(self, model: Model, longest: int) -> None:
        self.inner = model
        self.longest = longest
        self.known: dict[Any, FittedModel] = {}
        # placebo windows ask how much history the model needs, and how far its spread is right
        asked = ("min_seasons", "counts_native", "spread_worth", "needs_all_draws")
        vars(self).update({name: getattr(model, name) for name in asked})

    @property
    def name(self) -> str:
        return self.inner.name

    def fit(self, panel: Panel) -> FittedModel:
        return self.recall(panel, self.inner.fit)

    def recall(self, panel: Panel, learn: Callable[[Panel], FittedModel]) -> FittedModel:
        """What was learnt from these counts; learnt now when it was not yet."""
        key = (panel.periods[0], panel.values.shape, panel.values.tobytes())
        if key not in self.known:
            self.known[key] = _Reaching(self, learn(panel))
        return self.known[key]


class _Reaching(FittedModel):
    """A fitted model that forecasts as far as the longest window once, and cuts from it."""

    def __init__(self, owner: _Learnt, fitted: FittedModel) -> None:
        vars(self).update(model=fitted.model, panel=fitted.panel)
        self.inner = fitted
        self.longest = owner.longest
        self.made: dict[tuple[int, int], NDArray[np.int32]] = {}
        if hasattr(fitted, "update"):  # new counts can be taken in without learning anew
            self.update = partial(owner.recall, learn=fitted.update)

    def paths(self, periods: int | pd.PeriodIndex, *, draws: int = 1000, seed: int = 0) -> Paths:
        ahead, wanted = self._ahead(periods)
        if (draws, seed) not in self.made:
            whole = self.inner.forecast(self.longest, draws=draws, seed=seed)
            self.made[draws, seed] = whole.draws.astype(np.int32)  # half the room: there are many
        here = slice(len(ahead) - wanted, len(ahead))
        return _Counted(self.made[draws, seed][:, :, here])


class _Counted(Paths):
    """Paths of which the counts were drawn already; the rates themselves are not kept."""

    def __init__(self, drawn: NDArray[np.int32]) -> None:
        vars(self)["drawn"] = drawn

    def counts(self, rng: np.random.Generator) -> IntArray:  # noqa: ARG002, no chance is left
        return np.asarray(vars(self)["drawn"], dtype=np.int64)


def measure_power(
    campaign: Campaign,
    panel: Panel,
    shocks: Sequence[Disruption],
    *,
    model: Model,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
    weeks: Sequence[int] = WEEKS,
    areas: Mapping[str, Sequence[str]] | None = None,
    ahead: Forecast | None = None,
    progress: Progress | None = None,
) -> Power:
    """Find the smallest change that would be seen, for windows of several lengths and places.

    The model is fitted before each placebo window of each set of areas, once for all lengths, and
    judged as `evaluate` judges it. Known falls are planted by leaving out each event of the
    window with the same probability; the smallest that is seen is the one whose interval excludes
    zero in four of five placebo windows. All ways to leave events out are averaged exactly, so
    that no random numbers are added.

    Parameters
    ----------
    campaign : Campaign
    panel : Panel
        Counts of the campaign's areas, all offences, before the campaign: nothing after its start
        should be in them.
    shocks : sequence of Disruption
    model : Model
    level, draws, seed
        As in `evaluate`.
    weeks : sequence of int
        Lengths beside the declared one.
    areas : mapping of str to sequence of str, optional
        Sets of areas by name, each looked at as a campaign in these areas alone.
    ahead : Forecast, optional
        What is expected in the periods ahead, by area.
    progress : callable, optional

    Returns
    -------
    Power

    References
    ----------
    Power by planting known changes in past windows and running the estimator on them is that of
    GeoLift (Meta Open Source, 2021), section "Power analysis" of its walkthrough. Thinning of
    events: Kingman (1993), Poisson Processes, section 5.1 (the colouring theorem).

    Examples
    --------
    >>> from forecast.models.dynamic import DynamicCounts
    >>> from forecast.simulation import simulate
    >>> quiet = Campaign(name="Test", start="2025-10-01", end="2025-10-31", offences=["robbery"])
    >>> counts = simulate(areas=2, years=10)
    >>> power = measure_power(quiet, counts, [], model=DynamicCounts(), weeks=(), draws=200)
    >>> bool(5 < power.of("robbery").fall < 20)
    True
    """
    spans = list_spans(campaign, weeks)
    longest = max(len(span.periods(panel.freq)) for span in spans)
    places = _list_places(campaign, panel, areas or {})
    rows: list[Detectable] = []
    declared: Placebo | None = None
    for done, (kind, name, part, plan) in enumerate(places):
        learnt = _Learnt(model, longest)
        run: dict[tuple[str, str], Placebo] = {}
        for span in spans:
            periods = span.periods(panel.freq)
            window = (label(periods[0]), label(periods[-1]))
            if window not in run:  # months: several lengths touch the same ones
                like = plan.model_copy(update={"end": span.end})
                run[window] = run_placebos(
                    learnt, part, like, shocks, level=level, draws=draws, seed=seed,
                    windows=find_windows(like, panel, shocks),
                )  # fmt: skip
            own = _only(ahead, part, kind)
            kinds = ("all areas", "area") if kind == "all areas" else (kind,)
            for wanted in kinds:
                rows += judge_power(
                    run[window], plan, part, span=span, kind=wanted, name=name, ahead=own
                )
            if span.declared and kind == "all areas":
                declared = run[window]
        if progress:
            progress("power", done + 1, len(places))
    assert declared is not None  # the campaign's own window is always among the spans
    rows.sort(key=lambda row: KINDS.index(row.kind))  # stable: lengths stay in order
    return Power(tuple(rows), level, declared, campaign.name_place(rows[0].area))


def _list_places(
    campaign: Campaign, panel: Panel, areas: Mapping[str, Sequence[str]]
) -> list[tuple[str, str | None, Panel, Campaign]]:
    """What is looked at: kind, name of a set, counts, and the campaign that would be there."""
    places: list[tuple[str, str | None, Panel, Campaign]] = [("all areas", None, panel, campaign)]
    if "group" in panel.series and panel.series["group"].nunique() > 1:
        grouped = panel.select(offence=campaign.offences).total(by="group")
        places.append(("group", None, grouped, campaign))
    for name, members in areas.items():
        there = campaign.model_copy(update={"areas": tuple(members)})
        places.append(("set", name, panel.select(area=list(members)), there))
    return places


def _only(ahead: Forecast | None, part: Panel, kind: str) -> Forecast | None:
    """What is expected in the places of a panel alone."""
    if ahead is None or kind == "all areas":
        return ahead
    if kind == "group":
        return ahead.total(by="group")
    rows: NDArray[np.bool_] = ahead.series["area"].isin(part.areas).to_numpy()
    return replace(ahead, draws=ahead.draws[:, rows], series=ahead.series[rows])
