"""Displacement and diffusion: did the neighbours rise, or fall too, against areas further away?

More offences next door than the controls' course would give are in keeping with displacement,
fewer with a diffusion of benefits. The same is asked of offences that the campaign did not
target, in its own areas. Displacement in time is in `aftermath`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.impact.campaign_parts import Previous
from forecast.impact.checks import Check, Status, join_words
from forecast.impact.differences import Difference, measure_difference
from forecast.impact.effect import FEWER, MORE, format_points
from forecast.impact.places import Places, find_places
from forecast.impact.spans import lay_spans
from forecast.models.base import stream
from forecast.models.draws import FloatArray
from forecast.periods import UNIT_NAMES, first_day, label, last_day
from forecast.seasonality.disruptions import Disruption, disrupted

TREATED, NEIGHBOURS, BOTH = "campaign areas", "neighbouring areas", "both together"
OTHER = "campaign areas, offence not targeted"


@dataclass(frozen=True, eq=False)
class Displacement:
    """Where offences may have gone: to the areas next door, or to other offences.

    Attributes
    ----------
    rows : tuple of Difference
    reasons : tuple of str
        What could not be measured, and why.
    treated, neighbours, controls : tuple of str
    window : pandas.PeriodIndex
    level : float
    notes : tuple of str
        What a reader must know to trust the rows.
    """

    rows: tuple[Difference, ...]
    reasons: tuple[str, ...]
    treated: tuple[str, ...]
    neighbours: tuple[str, ...]
    controls: tuple[str, ...]
    window: pd.PeriodIndex
    level: float
    notes: tuple[str, ...]

    def of(self, group: str) -> tuple[Difference, ...]:
        """Return the rows of one group."""
        return tuple(row for row in self.rows if row.group == group)

    def summary(self) -> pd.DataFrame:
        """Return one row a group and offence; percentages in points."""
        columns = [
            "group",
            "offence",
            "compared_with",
            "before",
            "after",
            "control_before",
            "control_after",
        ]
        columns += ["expected", "difference", "difference_lower", "difference_upper"]
        columns += ["poisson_error", "dispersion", "standard_error", "z", "difference_percent"]
        columns += ["difference_percent_lower", "difference_percent_upper", "p", "verdict"]
        rows = [
            [
                r.group,
                r.offence,
                r.compared_with,
                r.before,
                r.after,
                r.control_before,
                r.control_after,
            ]
            + [r.expected, r.weighted.estimate, *r.interval, r.weighted.poisson_error]
            + [r.weighted.dispersion, r.weighted.standard_error, r.weighted.z]
            + [r.percent, *r.percent_interval, r.p, r.verdict]
            for r in self.rows
        ]
        return pd.DataFrame(rows, columns=columns)

    def sentences(self) -> list[str]:
        """Say what was measured and what could not be."""
        found = [row.sentence(self.level) for row in self.rows]
        if self.rows:
            found += [self._say_neighbours(), self._say_offences()]
        return [text for text in [*found, *self.notes, *self.reasons] if text]

    def _say_neighbours(self) -> str:
        """What the neighbours' course is in keeping with."""
        rows = self.of(NEIGHBOURS)
        if not rows:
            return ""
        parts = []
        for row in rows:
            low, high = (format_points(v) for v in row.percent_interval)
            what = {
                MORE: "rose against the controls, which is in keeping with displacement",
                FEWER: "fell against the controls, which is in keeping with a diffusion of "
                "benefits",
            }.get(
                row.verdict,
                f"did not clearly part from the controls (a change from {low} to {high} per cent "
                "cannot be excluded)",
            )
            parts.append(f"{row.offence} {what}")
        text = f"In the {_count(self.neighbours, 'neighbouring area')}, {join_words(parts)}."
        fell = any(row.verdict == FEWER for row in self.of(TREATED))
        if any(row.verdict == MORE for row in rows) and not fell:
            text += " But the campaign's own areas did not clearly fall, so nothing was seen to go."
        return text

    def _say_offences(self) -> str:
        """Which offences that were not targeted rose or fell in the campaign's areas."""
        rows = self.of(OTHER)
        if not rows:
            return ""
        rose = [row.offence for row in rows if row.verdict == MORE]
        fell = [row.offence for row in rows if row.verdict == FEWER]
        text = f"Of {_count(rows, 'offence')} not targeted in the campaign's areas, "
        text += f"{_list(rose)} rose and {_list(fell)} fell clearly against the controls"
        chance = len(rows) * (1 - self.level)
        return f"{text}; by chance alone about {chance:.2g} would."

    def to_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return {
            "areas": list(self.treated),
            "neighbours": list(self.neighbours),
            "controls": list(self.controls),
            "window": [label(p) for p in self.window],
            "level": self.level,
            "differences": [row.to_dict() for row in self.rows],
            "notes": list(self.notes),
            "not_possible": list(self.reasons),
        }

    def check(self) -> Check:
        """See whether neighbours, or offences not targeted, clearly rose against the controls."""
        name = "displacement"
        rows = [*self.of(NEIGHBOURS), *self.of(OTHER)]
        if not rows:
            return Check(name, "not possible", False, " ".join(self.reasons))
        rose = [f"{r.offence} in {r.group.split(',')[0]}" for r in rows if r.verdict == MORE]
        status: Status = "failed" if rose else "passed"
        text = (
            f"Rose clearly against the controls: {_list(rose)}. Offences may have moved there."
            if rose
            else f"None of {len(rows)} comparisons of neighbours and offences not targeted rose "
            "clearly against the controls."
        )
        if not self.of(NEIGHBOURS):
            text += f" {' '.join(self.reasons)}"
        return Check(name, status, False, text, table=self.summary())


def _count(things: Sequence[object], noun: str) -> str:
    """A number of things: "1 neighbouring area", "3 offences"."""
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _list(names: Sequence[str]) -> str:
    """Names as a sentence joins them, or "none"."""
    return join_words(names) if names else "none"


def measure_displacement(
    campaign: Campaign,
    counts: Panel,
    shocks: Sequence[Disruption],
    *,
    level: float,
    draws: int,
    seed: int,
) -> Displacement:
    """Measure displacement to neighbours and to other offences by weighted differences.

    Parameters
    ----------
    campaign : Campaign
        `areas`, `adjacent` and `comparison` say what each area is.
    counts : Panel
        With the areas that did not take part.
    shocks : sequence of Disruption
        Their periods are compared with nothing.
    level, draws, seed
        As in `evaluate`.

    Returns
    -------
    Displacement
        What cannot be measured is named in its `reasons`.

    Raises
    ------
    CampaignError
        If the table of neighbours does not fit; all problems together.

    Notes
    -----
    The window is compared with the quarter of a year directly before it. A disruption there is
    passed over, back to a year before. The same season of last year would also let an earlier
    run of the campaign cancel this one.

    References
    ----------
    Wheeler & Ratcliffe (2018), Crime Science 7:11. Displacement beside diffusion of benefits:
    Bowers et al. (2011), Journal of Experimental Criminology 7, pp. 347-374.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> facts = {"name": "Test", "start": "2022-10-01", "end": "2022-11-30"}
    >>> campaign = Campaign(**facts, offences=["robbery"])
    >>> counts = simulate(areas=4, years=8)
    >>> measure_displacement(campaign, counts, [], level=0.95, draws=1000, seed=0).reasons
    ('Displacement is not measurable because all areas took part.',)
    """
    places = find_places(campaign, counts)
    window = campaign.periods(counts.freq)
    rows, reasons = [], list(places.reasons)
    if places.controls:
        for group, offence, areas in _comparisons(campaign, counts, places):
            found = _compare(
                counts, places, shocks, window, offence, group, areas, level, draws, seed
            )
            if isinstance(found, str):
                reasons.append(found)
            else:
                rows.append(found)
    notes = [*places.notes, *_warn(campaign, counts, shocks, rows)]
    return Displacement(
        rows=tuple(rows),
        reasons=tuple(dict.fromkeys(reasons)),
        treated=places.treated,
        neighbours=places.neighbours,
        controls=places.controls,
        window=window,
        level=level,
        notes=tuple(notes),
    )


def _comparisons(
    campaign: Campaign, counts: Panel, places: Places
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Each comparison: the group's name, the offence, the group's areas."""
    for offence in campaign.offences:
        yield TREATED, offence, places.treated
        if places.neighbours:
            yield NEIGHBOURS, offence, places.neighbours
            yield BOTH, offence, places.treated + places.neighbours
    others = campaign.comparison.offences or [
        offence for offence in counts.offences if offence not in campaign.offences
    ]
    for offence in others:
        yield OTHER, offence, places.treated


def _compare(
    counts: Panel,
    places: Places,
    shocks: Sequence[Disruption],
    window: pd.PeriodIndex,
    offence: str,
    group: str,
    areas: tuple[str, ...],
    level: float,
    draws: int,
    seed: int,
) -> Difference | str:
    """One comparison, or why it cannot be made."""
    one = counts.select(offence=offence)
    own, control = _sum(one, areas), _sum(one, places.controls)
    whole = _sum(one, places.treated + places.neighbours + places.controls)
    what = f"{offence} in {group.split(',')[0]}"
    at = one.periods.get_indexer(window)
    if np.isnan(own[at] + control[at]).any():
        return f"Displacement of {what} is not measurable because counts of the window are missing."
    clear = ~disrupted(one.periods, shocks) & ~np.isnan(whole)  # (period,)
    spans = lay_spans(one.periods, window, clear)
    if spans is None:
        return (
            f"Displacement of {what} is not measurable because the year before the window has too "
            f"few {UNIT_NAMES[one.freq]}s that are counted and free of disruption."
        )
    rng = stream(seed, "displacement", group, offence)
    found = measure_difference(
        own, control, spans, group=group, offence=offence, level=level, draws=draws, rng=rng
    )
    return found or f"Displacement of {what} is not measurable because nothing was counted there."


def _sum(panel: Panel, areas: Sequence[str]) -> FloatArray:
    """Sum over areas, shape (period,); missing when one of them is, or when none is counted."""
    rows = panel.series["area"].isin(areas).to_numpy()
    if not rows.any():
        return np.full(len(panel.periods), np.nan)
    return np.asarray(panel.values[rows].sum(axis=0))


def _warn(
    campaign: Campaign, counts: Panel, shocks: Sequence[Disruption], rows: Sequence[Difference]
) -> Iterator[str]:
    """What a reader must know to trust the differences."""
    if not rows:
        return
    window = campaign.periods(counts.freq)
    spans = join_words(list(dict.fromkeys(row.compared_with for row in rows)))
    yield (
        f"The window is compared with {spans}; that areas would have gone on side by side since "
        "then is assumed, and how far they strayed in earlier years is in the standard error."
    )
    if any(row.stretches == 0 for row in rows):
        yield (
            "History is too short to see how areas stray from one another: some standard errors "
            "hold the luck of single counts only, and may be too small."
        )
    if disrupted(window, shocks).any():
        yield "A disruption falls in the window: it cancels only as far as it hit all areas alike."
    if any(_touches(run, row) for run in campaign.previous for row in rows):
        yield (
            "An earlier run of the campaign lies in the periods compared with: it cancels, and the "
            "differences are over and above it."
        )


def _touches(run: Previous, row: Difference) -> bool:
    """Whether the days of an earlier run lie in the periods that a window is compared with."""
    if run.start is None:
        return False
    last = run.end or run.start
    return any(run.start <= last_day(p) and last >= first_day(p) for p in row.periods)
