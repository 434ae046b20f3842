"""An evaluation with the small counts of its areas hidden, and what would give them away.

Everything that is published is made from the evaluation that `protect` returns, so that a hidden
count is in no text, table, figure or file. Totals are always shown: they are what the report is
of. Areas are shown over the whole window alone, for a count by period is smaller still.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.data.disclosure import choose_disclosure
from forecast.data.panel import Panel
from forecast.data.sources import UNALLOCATED
from forecast.data.suppressing import suppress
from forecast.errors import DataError, name_offenders
from forecast.impact.checks import Check
from forecast.impact.comparison import name_span
from forecast.impact.displacement import BOTH, NEIGHBOURS, OTHER, TREATED, Displacement
from forecast.impact.effect import CANNOT_TELL, Effect, SeriesEffect
from forecast.periods import label, shift_window

if TYPE_CHECKING:
    from forecast.impact.evaluation import Evaluation
    from forecast.impact.examination import Examination

Areas = frozenset[str]

REASON = "The count is not shown: it is small, or would tell one that is."
"""What stands in place of the reason of a hidden result."""

_NAN = float("nan")
_NOTHING = (_NAN, _NAN)
_LEFT_OUT = "areas left out"  # the check of what the campaign did not touch


def protect(result: Evaluation, disclosure: str = "auto") -> Evaluation:
    """Return an evaluation in which small counts of areas are hidden.

    Parameters
    ----------
    result : Evaluation
        One that was protected already is returned as it is.
    disclosure : {"auto", "on", "off"}, default "auto"
        As in `choose_disclosure`.

    Returns
    -------
    Evaluation
        Hidden results are NaN and marked (`SeriesEffect.hidden`); their verdict is "cannot tell",
        whatever it was. `Evaluation.disclosure` says what was done.

    Raises
    ------
    DataError
        If `disclosure` is none of the three, or a total is so small that nothing hides its parts.

    Examples
    --------
    >>> from forecast.impact.campaign import Campaign
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.simulation import simulate
    >>> plan = Campaign(name="A Test", start="2022-10-01", end="2022-10-31", offences=["robbery"])
    >>> found = evaluate(plan, simulate(areas=3, years=8), draws=100)
    >>> protect(found).disclosure.sentence()
    'Small counts are shown as they are, because the figures are simulated.'
    """
    if result.disclosure is not None:
        return result
    rule = choose_disclosure(result.counts, disclosure)
    if not rule.applied:
        return _set_apart(
            replace(result),
            sensitivity=result.sensitivity,
            examination=result.examination,
            disclosure=rule,
        )
    hidden = _choose(result, rule.least)
    ways = result.specifications
    done = replace(
        result,
        effect=Effect(tuple(_hide_part(part, hidden) for part in result.effect.parts)),
        year_on_year=_hide_years(result.year_on_year, hidden),
        checks=_hide_checks(result, hidden),
        untouched=tuple(p for p in result.untouched if not hidden.has(p.offence, [p.area])),
        specifications=None if ways is None else replace(ways, table=_keep_totals(ways.table)),
    )
    examined = result.examination
    return _set_apart(
        done,
        sensitivity=result.sensitivity,
        examination=None if examined is None else _hide_examined(examined, hidden),
        disclosure=replace(rule, small=hidden.small, beside=hidden.beside),
    )


def _set_apart(result: Evaluation, **values: object) -> Evaluation:
    """An evaluation with what is no argument of its constructor."""
    for name, value in values.items():
        object.__setattr__(result, name, value)
    return result


def _keep_totals(table: pd.DataFrame) -> pd.DataFrame:
    """The specifications of totals."""
    return table[table["is_total"].astype(bool)].reset_index(drop=True)


@dataclass(frozen=True)
class _Hidden:
    """What is hidden: sums over areas, by offence, in the window and in that of last year."""

    window: frozenset[tuple[str, Areas]]
    before: frozenset[tuple[str, Areas]]
    small: int
    beside: int
    least: int

    def has(self, offence: str, areas: Iterable[str]) -> bool:
        """Whether the sum over these areas in the window is hidden."""
        return (offence, frozenset(areas)) in self.window

    def is_small(self, areas: Iterable[str], *counts: float) -> bool:
        """Whether these are one area, with a count that is small."""
        return len(set(areas)) == 1 and any(1 <= count < self.least for count in counts)


def _choose(result: Evaluation, least: int) -> _Hidden:
    """Choose what is hidden.

    Raises
    ------
    DataError
        If a total is too small, or the campaign is of one area with small counts.
    """
    campaign, counts = result.campaign, result.counts
    treated = tuple(campaign.areas or counts.areas)
    if len(treated) == 1:
        _refuse_small(result, treated[0], least)
    window = campaign.periods(counts.freq)
    last_year = shift_window(window, years=-1)
    found: dict[str, set[tuple[str, Areas]]] = {"window": set(), "before": set()}
    small = beside = 0
    exposed = []
    for offence in campaign.offences:
        for when, periods, sums in (
            ("window", window, _list_sums(result, offence, treated)),
            ("before", last_year, _list_treated(treated)),
        ):
            chosen = _suppress_sums(counts, offence, periods, sums, least)
            found[when] |= {(offence, areas) for areas in chosen.hidden}
            small, beside = small + chosen.small, beside + chosen.beside
            if chosen.is_exposed:
                exposed.append(f"{offence} in {name_span(periods)}")
    if exposed:
        raise DataError(
            f"Totals of {campaign.name!r} must be at least {least} where small counts of areas are "
            f"hidden, or they give these away: found less of {name_offenders(exposed)}. Take more "
            "areas or a longer window, or say disclosure='off' where nobody outside reads it."
        )
    return _Hidden(frozenset(found["window"]), frozenset(found["before"]), small, beside, least)


def _refuse_small(result: Evaluation, area: str, least: int) -> None:
    """Refuse a report of one area that has small counts: there is nothing to hide them among."""
    offences = list(dict.fromkeys([p.offence for p in (*result.effect.parts, *result.untargeted)]))
    panel = result.counts.select(area=area, offence=offences)
    places = np.argwhere((panel.values >= 1) & (panel.values < least))  # (cell, 2)
    if len(places):
        named = [
            f"{panel.series['offence'][s]} in {label(panel.periods[t])}" for s, t in places[:3]
        ] + [""] * max(0, len(places) - 3)
        raise DataError(
            f"Campaign {result.campaign.name!r} of one area must have no count of 1 to "
            f"{least - 1} in any period where small counts are hidden: found "
            f"{name_offenders(named)} in {area}. Take more areas or longer periods, or say "
            "disclosure='off' where nobody outside reads it."
        )


def _list_treated(treated: tuple[str, ...]) -> dict[Areas, bool]:
    """The campaign's areas and their total, and whether each is published in any case."""
    return {frozenset([area]): False for area in treated} | {frozenset(treated): True}


def _list_sums(result: Evaluation, offence: str, treated: tuple[str, ...]) -> dict[Areas, bool]:
    """The sums over areas that are published of the window, and which are so in any case."""
    sums = _list_treated(treated)
    examined = result.examination
    singles = [p.area for p in result.untouched if p.area in result.counts.areas]
    if examined is not None:
        elsewhere = examined.elsewhere
        singles += [p.area for p in elsewhere.areas if p.offence == offence]
        singles += _list_controls(examined)
        moved = examined.displacement
        both = (*moved.treated, *moved.neighbours)
        for group in (moved.treated, moved.neighbours, both, moved.controls):
            if moved.rows and group:
                sums.setdefault(frozenset(group), False)
        if elsewhere.together:
            sums[frozenset(p.area for p in elsewhere.areas if p.offence == offence)] = True
    for area in singles:
        sums.setdefault(frozenset([area]), False)
    return sums


def _list_controls(examined: Examination) -> list[str]:
    """Areas that serve as controls one by one."""
    if examined.controls is None:
        return []
    weights = examined.controls.weights
    return [str(name) for name in weights.loc[weights["kind"] == "area", "control"].unique()]


@dataclass(frozen=True)
class _Chosen:
    """Sums over areas that are hidden; exposed when that is not enough."""

    hidden: tuple[Areas, ...]
    is_exposed: bool
    small: int
    beside: int


def _suppress_sums(
    counts: Panel, offence: str, periods: pd.PeriodIndex, sums: Mapping[Areas, bool], least: int
) -> _Chosen:
    """Choose among published sums over areas; `sums` says which are published in any case."""
    at = counts.periods.get_indexer(periods)
    if (at < 0).any():  # nothing is published of periods that are not there
        return _Chosen((), False, 0, 0)
    one = counts.select(offence=offence)
    of_area = one.values[:, at].sum(axis=1)  # (area,)
    areas = one.series["area"].tolist()
    listed = list(sums)
    members = np.array([[name in group for name in areas] for group in listed])  # (sum, area)
    # a sum with a missing part is missing
    values = np.array([of_area[row].sum() if row.any() else np.nan for row in members])
    done = suppress(
        values,
        members,
        small=[len(group) == 1 and not group & set(UNALLOCATED) for group in listed],
        fixed=list(sums.values()),
        least=least,
    )
    return _Chosen(
        tuple(group for group, out in zip(listed, done.hidden, strict=True) if out),
        bool(done.exposed.any()),
        int(done.primary.sum()),
        int((done.hidden & ~done.primary).sum()),
    )


def _hide_part(part: SeriesEffect, hidden: _Hidden) -> SeriesEffect:
    """One result: nothing of it but what was expected, or nothing by period."""
    if part.is_total:
        return part
    n = len(part.periods)
    if hidden.has(part.offence, [part.area]):
        return replace(
            part,
            hidden=True,
            observed_by_period=np.full(n, np.nan),
            observed=_NAN,
            effect=_NAN,
            effect_interval=_NOTHING,
            percent=_NAN,
            percent_interval=_NOTHING,
            in_window_percent=_NAN,
            in_window_interval=_NOTHING,
            cumulative=((_NAN, _NAN, _NAN),) * n,
            probability_fewer=_NAN,
            p=_NAN,
            verdict=CANNOT_TELL,
            reason=REASON,
        )
    if n == 1:
        return part
    nothing: tuple[tuple[float, float, float], ...] = ((_NAN, _NAN, _NAN),) * (n - 1)
    return replace(
        part,
        observed_by_period=np.full(n, np.nan),
        cumulative=(*nothing, part.cumulative[-1]),
    )


def _hide_years(years: pd.DataFrame, hidden: _Hidden) -> pd.DataFrame:
    """The changes on the year of areas, without hidden counts and what follows from them."""
    table = years.copy()
    keys = list(
        zip(table["offence"], table["area"].map(lambda area: frozenset([area])), strict=True)
    )
    after = np.array([key in hidden.window for key in keys], dtype=bool)
    before = np.array([key in hidden.before for key in keys], dtype=bool)
    table.loc[after, "after"] = np.nan
    table.loc[before, "before"] = np.nan
    changes = ["change_percent", "change_percent_lower", "change_percent_upper"]
    table.loc[after | before, changes] = np.nan
    return table.assign(suppressed=after | before)


def _hide_checks(result: Evaluation, hidden: _Hidden) -> tuple[Check, ...]:
    """The checks; of one area that was left out the words go where its count is hidden."""
    shown = all(not hidden.has(part.offence, [part.area]) for part in result.untouched)
    return tuple(
        check
        if shown or check.name != _LEFT_OUT
        else replace(check, text=REASON, table=pd.DataFrame())
        for check in result.checks
    )


def _hide_examined(examined: Examination, hidden: _Hidden) -> Examination:
    """All that stands beside the verdict, without the rows that are hidden."""
    missing = dict(examined.missing)
    areas, dose, controls = examined.areas, examined.dose, examined.controls
    if areas is not None:
        rows = [row for row in areas.rows if not hidden.has(row.offence, [row.area])]
        areas = replace(areas, rows=tuple(rows))
    if dose is not None:
        table = dose.areas
        shown = [not hidden.has(row["offence"], [row["area"]]) for row in table.to_dict("records")]
        dose = replace(dose, areas=table[shown].reset_index(drop=True))
    if any(areas == {name} for name in _list_controls(examined) for _, areas in hidden.window):
        controls = None
        missing["controls"] = "The count of a control is small and not shown, so neither is this."
    elsewhere = examined.elsewhere
    kept = [part for part in elsewhere.areas if not hidden.has(part.offence, [part.area])]
    return replace(
        examined,
        areas=areas,
        dose=dose,
        controls=controls,
        elsewhere=replace(elsewhere, areas=tuple(kept)),
        displacement=_hide_displacement(examined.displacement, hidden),
        missing=missing,
    )


def _hide_displacement(found: Displacement, hidden: _Hidden) -> Displacement:
    """The differences of groups of areas whose counts are shown."""
    groups = {
        TREATED: found.treated,
        OTHER: found.treated,
        NEIGHBOURS: found.neighbours,
        BOTH: (*found.treated, *found.neighbours),
    }
    rows = [
        row
        for row in found.rows
        if not hidden.has(row.offence, groups[row.group])
        and not hidden.has(row.offence, found.controls)
        and not hidden.is_small(groups[row.group], row.before, row.after)
        and not hidden.is_small(found.controls, row.control_before, row.control_after)
    ]
    lost = len(found.rows) - len(rows)
    if not lost:
        return found
    reason = f"{lost} of {len(found.rows)} comparisons are not shown, for their counts are small."
    return replace(found, rows=tuple(rows), reasons=(*found.reasons, reason))
