"""Controls: what a campaign did not touch, area by area and offence by offence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.errors import CampaignError, name_offenders
from forecast.impact.campaign import MIN_SEASONS, Campaign
from forecast.impact.windows import Window
from forecast.periods import PERIODS_A_YEAR, UNIT_NAMES, label


@dataclass(frozen=True, eq=False, repr=False)
class Controls:
    """The series that a campaign did not touch, and what each is.

    Attributes
    ----------
    panel : Panel
        Counts of all periods. Of an area without the campaign a row an offence; of an offence not
        targeted one row, its sum over the campaign's areas.
    kinds : tuple of str
        "area" or "offence", one a row of the panel.
    window : pandas.PeriodIndex
        The periods of the campaign.
    neighbours : tuple of str
        Areas that were named for comparison, but lie next to one of the campaign's: not among
        them.
    """

    panel: Panel
    kinds: tuple[str, ...]
    window: pd.PeriodIndex
    neighbours: tuple[str, ...] = ()

    def __repr__(self) -> str:
        pairs = dict.fromkeys(zip(self.kinds, self.names, strict=True))
        named = {kind: [n for k, n in pairs if k == kind] for kind in dict.fromkeys(self.kinds)}
        parts = [f"{kind}s {name_offenders(names)}" for kind, names in named.items()]
        return f"Controls({'; '.join(parts)})"

    @property
    def names(self) -> tuple[str, ...]:
        """What each row is called: its area, or its offence, whichever was left untouched."""
        keys = self.panel.series[["area", "offence"]].astype(str).to_dict("records")
        return tuple(key[kind] for key, kind in zip(keys, self.kinds, strict=True))

    def rows(self, offence: str) -> list[int]:
        """Return the rows that are controls of an offence: an offence is never its own control."""
        offences = self.panel.series["offence"].astype(str)
        return [
            row
            for row, (kind, found) in enumerate(zip(self.kinds, offences, strict=True))
            if (found == offence) == (kind == "area")
        ]

    def without(self, name: str) -> Controls:
        """Return the controls less one of them."""
        kept = [row for row, found in enumerate(self.names) if found != name]
        return self._keep(kept)

    def _keep(self, rows: Sequence[int]) -> Controls:
        """The controls of some rows."""
        panel = replace(
            self.panel,
            values=self.panel.values[list(rows)],
            series=self.panel.series.iloc[list(rows)],
        )
        return replace(self, panel=panel, kinds=tuple(self.kinds[row] for row in rows))

    def choose_windows(self, campaign: Campaign, windows: Iterable[Window]) -> tuple[Window, ...]:
        """Return the placebo windows in which every control of the campaign's offences counts.

        Each must have two years of counts before the window, and all of those inside it.
        """
        rows = sorted({row for offence in campaign.offences for row in self.rows(offence)})
        return tuple(w for w in windows if all(self._counts_in(row, w.periods) for row in rows))

    def choose_offences(self, panel: Panel, windows: Sequence[Window]) -> Panel:
        """Return the panel of the offences that have controls in all of the windows."""
        kept = [
            offence
            for offence in panel.offences
            if self.rows(offence)
            and all(self._counts_in(row, w.periods) for row in self.rows(offence) for w in windows)
        ]
        return panel.select(offence=kept)

    def _counts_in(self, row: int, periods: pd.PeriodIndex) -> bool:
        """Whether a control has two years of counts before some periods, and all inside them."""
        return not self._lacks(row, periods)

    def _lacks(self, row: int, periods: pd.PeriodIndex) -> str:
        """What a control lacks for a window, in words; empty when it lacks nothing."""
        freq = self.panel.freq
        values = self.panel.values[row]
        inside = values[self.panel.periods.get_indexer(periods)]
        before = values[self.panel.periods < periods[0]]
        seen = int((~np.isnan(before)).sum())
        if not np.nansum(values) > 0:
            return "has no events at all"
        if np.isnan(inside).any():
            gone = [label(p) for p in periods[np.isnan(inside)]]
            return f"lacks counts of the window ({name_offenders(gone)})"
        if seen < MIN_SEASONS * PERIODS_A_YEAR[freq]:
            return f"has {seen} {UNIT_NAMES[freq]}s before the window"
        return ""


def find_controls(campaign: Campaign, counts: Panel) -> Controls:
    """Find the controls that a campaign names, and refuse those that cannot serve.

    Parameters
    ----------
    campaign : Campaign
        Its `comparison` names areas (boroughs without the campaign, or other forces in the same
        panel) or offences that were not targeted, or both.
    counts : Panel
        All areas, the campaign's and the others.

    Returns
    -------
    Controls

    Raises
    ------
    CampaignError
        All problems together: no controls named, controls that had the campaign too, none that
        does not lie next to the campaign's areas, controls that start late or lack counts in the
        window.

    Notes
    -----
    An area next to one of the campaign's (`adjacent`) is left out: what moved there from the
    campaign would be taken for what happens without it.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> facts = {"name": "Test", "start": "2022-10-01", "end": "2022-11-30"}
    >>> facts |= {"offences": ["robbery"], "areas": ["Area 01"]}
    >>> campaign = Campaign(**facts, comparison={"areas": ["Area 02", "Area 03"]})
    >>> find_controls(campaign, simulate(areas=3, years=8))
    Controls(areas Area 02, Area 03)
    """
    areas, offences = campaign.comparison.areas, campaign.comparison.offences
    if not areas and not offences:
        raise CampaignError(
            f"Campaign {campaign.name!r} must name controls for counterfactual='controls': it "
            "names none. Give areas or offences under `comparison`, or use "
            "counterfactual='before'."
        )
    if areas and campaign.areas is None:
        raise CampaignError(
            f"Campaign {campaign.name!r} must list its own areas when it names comparison areas: "
            f"without `areas` every area had it, {name_offenders(areas)} too. List the areas that "
            "had the campaign in `areas`."
        )
    campaign.check(counts)
    _require_apart(campaign)
    controls = _gather(campaign, counts)
    _check_counts(campaign, controls)
    return controls


def _require_apart(campaign: Campaign) -> None:
    """Refuse controls all of which lie next to the campaign's areas."""
    beside = campaign.bordering
    if len(beside) < len(campaign.comparison.areas) or campaign.comparison.offences or not beside:
        return
    many = len(beside) > 1
    raise CampaignError(
        f"Campaign {campaign.name!r} must name a control that does not lie next to its areas: "
        f"{name_offenders(beside)} {'all do' if many else 'does'} (`adjacent`), and offences may "
        "have moved there. Name areas further away under `comparison`, or use "
        "counterfactual='before'."
    )


def _gather(campaign: Campaign, counts: Panel) -> Controls:
    """The rows of the comparison areas, and the sums of the offences that were not targeted."""
    parts, kinds = [], []
    beside = campaign.bordering
    areas = [area for area in campaign.comparison.areas if area not in beside]
    offences = campaign.comparison.offences
    if areas:
        parts.append(counts.select(area=areas))
        kinds += ["area"] * len(parts[-1].series)
    if offences:
        own = counts if campaign.areas is None else counts.select(area=campaign.areas)
        parts.append(own.select(offence=offences).total())
        kinds += ["offence"] * len(parts[-1].series)
    panel = replace(
        parts[0],
        values=np.vstack([part.values for part in parts]),
        series=pd.concat([part.series[["area", "offence"]] for part in parts], ignore_index=True),
    )
    return Controls(panel, tuple(kinds), campaign.periods(counts.freq), beside)


def _check_counts(campaign: Campaign, controls: Controls) -> None:
    """Refuse controls of the campaign's offences that are absent, start late or have gaps."""
    found = []
    for offence in campaign.offences:
        rows = controls.rows(offence)
        held = {controls.names[row] for row in rows}
        apart = [a for a in campaign.comparison.areas if a not in controls.neighbours]
        found += [f"{a} has no {offence}" for a in apart if a not in held]
        for row in rows:
            lack = controls._lacks(row, controls.window)
            if lack:
                of = f" ({offence})" if controls.kinds[row] == "area" else ""
                found.append(f"{controls.names[row]}{of} {lack}")
    if not found:
        return
    years = MIN_SEASONS * PERIODS_A_YEAR[controls.panel.freq]
    unit = UNIT_NAMES[controls.panel.freq]
    raise CampaignError(
        f"Controls of campaign {campaign.name!r} must have counts in the window and {years} "
        f"{unit}s before it: {name_offenders(list(dict.fromkeys(found)))}. Load the missing "
        f"{unit}s, or leave the control out of `comparison`."
    )
