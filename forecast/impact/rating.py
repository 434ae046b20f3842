"""The rating of a design: how far it can tell the campaign from everything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.data.sources import UNALLOCATED
from forecast.errors import name_offenders
from forecast.impact.campaign import Campaign

CAUSE_LEVEL = 3
"""Level from which a design may speak of cause at all, when its placebo windows pass as well."""

LEVELS = {
    1: "the campaign beside a count at one point in time",
    2: "counts before and after, with no comparable area that the campaign left out",
    3: "counts before and after, in the campaign's areas and in a comparable one left out",
    4: "counts before and after in several campaign areas and several left out, adjusted for "
    "other things that move them",
    5: "areas drawn by lot for the campaign",
}
"""The Maryland Scientific Methods Scale in our words."""


@dataclass(frozen=True)
class Rating:
    """The level of a design on the Maryland scale, why, and what it would take to reach more.

    Attributes
    ----------
    level : int
        1 to 4; 5 needs a draw by lot, which no counts can show.
    reason : str
        One line.
    could_reach : int
        The level that this campaign could reach on these counts.
    how : str
        What it would take to reach more.
    chosen : str
        How the campaign's places were chosen, and what follows; empty where all took part.
    """

    level: int
    reason: str
    could_reach: int
    how: str
    chosen: str = ""

    @property
    def allows_cause(self) -> bool:
        """Whether the design is strong enough to speak of cause, should its placebos pass."""
        return self.level >= CAUSE_LEVEL

    def summary(self) -> pd.DataFrame:
        """Return the five levels: `level`, `meaning`, `here`, `could_reach`."""
        return pd.DataFrame(
            {
                "level": list(LEVELS),
                "meaning": list(LEVELS.values()),
                "here": [n == self.level for n in LEVELS],
                "could_reach": [n <= self.could_reach for n in LEVELS],
            }
        )

    def sentences(self) -> list[str]:
        """Return the rating and its reason, how places were chosen, what more would take."""
        return [
            f"The design is at level {self.level} of 5 on the Maryland scale: {self.reason}",
            *([self.chosen] if self.chosen else []),
            self.how,
        ]

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "scale": "Maryland Scientific Methods Scale",
            "level": self.level,
            "meaning": LEVELS[self.level],
            "reason": self.reason,
            "could_reach": self.could_reach,
            "how": self.how,
            "chosen": self.chosen or None,
        }


def rate_design(
    campaign: Campaign,
    counts: Panel,
    *,
    counterfactual: str = "before",
    controls_ok: bool | None = None,
) -> Rating:
    """Rate an evaluation on the Maryland Scientific Methods Scale.

    Level 3 is never given without an area that the campaign left out and that moved like its
    own areas before the window; level 4 takes several of both, since the models adjust for
    season, trend, calendar and disruptions. Level 5, a draw by lot, is never given.

    Parameters
    ----------
    campaign : Campaign
    counts : Panel
        All areas, those that the campaign left out among them.
    counterfactual : {"before", "around", "controls"}
        What the expected counts were learnt from. With "controls", areas count that the campaign
        file names for comparison; offences not targeted are no comparable areas.
    controls_ok : bool, optional
        Whether the areas left out moved like the campaign's before the window; None when it was
        not looked at.

    Returns
    -------
    Rating

    References
    ----------
    Farrington, Gottfredson, Sherman & Welsh (2002), The Maryland Scientific Methods Scale, in
    Sherman, Farrington, Welsh & MacKenzie (eds), Evidence-Based Crime Prevention, Routledge,
    pages 13-21.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> patrols = Campaign(name="A", start="2022-10-01", end="2022-10-31", offences=["robbery"])
    >>> rating = rate_design(patrols, simulate(areas=3, years=8))
    >>> rating.level, rating.could_reach
    (2, 2)
    """
    treated = list(campaign.areas or counts.areas)
    left_out = find_untreated(campaign, counts)
    could = _could_reach(len(treated), len(left_out), controls_ok)
    chosen = _say_chosen(campaign, counts)
    if not _has_before(campaign, counts):
        return Rating(
            1, "nothing was counted before the campaign.", could, _how(could, left_out), chosen
        )
    used = left_out if counterfactual == "controls" and campaign.comparison.areas else []
    if used and controls_ok:
        several = len(treated) > 1 and len(left_out) > 1
        reason = (
            f"{_number(treated, 'campaign area')} beside {_number(left_out, 'area')} left out "
            f"({name_offenders(left_out)}), which moved alike before the window"
        )
        reason += ", adjusted for season, trend and disruptions." if several else "."
        return Rating(
            4 if several else 3, reason, could, _how(could, left_out, reached=True), chosen
        )
    reason = _why_two(left_out, used, controls_ok)
    return Rating(2, reason, could, _how(could, left_out), chosen)


def find_untreated(campaign: Campaign, counts: Panel) -> list[str]:
    """Return the areas that can stand for what happens without the campaign.

    They are those that the campaign file names for comparison, or all that it left out, without
    its areas' neighbours, into which offences may have moved, and without rows of no place.
    """
    treated = set(campaign.areas or counts.areas)
    next_to = list_neighbours(campaign, counts)
    named = campaign.comparison.areas or counts.areas
    barred = {*treated, *next_to, *UNALLOCATED}
    return [a for a in counts.areas if a in named and a not in barred]


def list_neighbours(campaign: Campaign, counts: Panel) -> dict[str, str]:
    """Return the areas next to a campaign area that are none themselves, with whose they are.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> patrols = Campaign(name="A", start="2022-10-01", end="2022-10-31", offences=["robbery"],
    ...                    areas=["Area 01"], adjacent={"Area 02": ["Area 01", "Area 03"]})
    >>> list_neighbours(patrols, simulate(areas=3, years=8))
    {'Area 02': 'Area 01'}
    """
    treated = list(campaign.areas or counts.areas)
    found: dict[str, str] = {}
    for area, beside in campaign.adjacent.items():
        for other in beside:
            for one, two in ((area, other), (other, area)):
                if one in treated and two not in treated and two in counts.areas:
                    found.setdefault(two, one)
    return found


def _has_before(campaign: Campaign, counts: Panel) -> bool:
    """Whether anything of the first offence was counted before the campaign."""
    rows = (counts.series["offence"] == campaign.offences[0]).to_numpy()
    before = counts.periods < campaign.periods(counts.freq)[0]
    return not bool(np.isnan(counts.values[rows][:, before]).all())


def _could_reach(treated: int, left_out: int, controls_ok: bool | None) -> int:
    """The level that is within reach without other areas."""
    if not left_out or controls_ok is False:
        return 2
    return 4 if treated > 1 and left_out > 1 else 3


def _why_two(left_out: Sequence[str], used: Sequence[str], controls_ok: bool | None) -> str:
    """Why a design is no more than a comparison of before and after."""
    first = "a comparison of before and after. "
    if not left_out:
        return first + "No comparable area was left out of the campaign."
    if not used:
        many = len(left_out) > 1
        return first + (
            f"The {_number(left_out, 'area')} left out {'are' if many else 'is'} not used."
        )
    if controls_ok is None:
        return first + "Whether the areas left out moved like the campaign's was not looked at."
    return first + "The areas left out did not move like the campaign's before the window."


def _how(could: int, left_out: Sequence[str], *, reached: bool = False) -> str:
    """What it would take to reach more than is, or is within reach."""
    lot = "Level 5 would need areas drawn by lot for the campaign."
    if reached:
        more = "" if could == 4 else "Level 4 would need two areas in the campaign, two left out. "
        return more + lot
    if could == 4:
        return f"Level 4 is within reach with the areas left out as controls. {lot}"
    if could == 3:
        return (
            "Level 3 is within reach with what was left out as a control; level 4 would need at "
            f"least two areas in the campaign and two left out. {lot}"
        )
    if left_out:
        return (
            "Level 3 would need an area left out that moves like the campaign's before it: choose "
            f"others for comparison. {lot}"
        )
    return (
        "Level 3 would need at least one comparable area that the campaign leaves out, not next "
        f"to its own, level 4 two or more. {lot}"
    )


def _say_chosen(campaign: Campaign, counts: Panel) -> str:
    """How the campaign's places were chosen, which no level of the scale tells."""
    places = {area for area in counts.areas if area not in UNALLOCATED}
    every = campaign.areas is None or places <= set(campaign.areas)
    back = "places chosen for a recent high tend to fall back without any campaign"
    if campaign.selection:
        said = f"How its places were chosen, as stated: {campaign.selection.rstrip('.')}."
        return said if every else f"{said} Where that is by recent counts, {back}."
    if every:
        return ""
    return (
        f"How its places were chosen is not stated (`selection` in the campaign file), and {back}."
    )


def _number(names: Sequence[str], word: str) -> str:
    """How many, in words: "1 area", "3 areas"."""
    return f"{len(names)} {word}{'s' if len(names) > 1 else ''}"
