"""Places: which areas took part, which are next to those, and which can be held against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forecast.data.panel import Panel
from forecast.data.sources import UNALLOCATED
from forecast.errors import CampaignError, join_problems, name_offenders
from forecast.impact.campaign import Campaign


@dataclass(frozen=True)
class Places:
    """The areas by the part they have, and why a part has none.

    Attributes
    ----------
    treated, neighbours, controls : tuple of str
    reasons : tuple of str
    notes : tuple of str
    """

    treated: tuple[str, ...]
    neighbours: tuple[str, ...]
    controls: tuple[str, ...]
    reasons: tuple[str, ...]
    notes: tuple[str, ...]


def find_places(campaign: Campaign, counts: Panel) -> Places:
    """Tell the areas that took part, those next to them, and the controls.

    Parameters
    ----------
    campaign : Campaign
        Its `adjacent` may name a pair of neighbours once, from either side.
    counts : Panel
        With the areas that did not take part.

    Returns
    -------
    Places
        Controls are those that the campaign names, without neighbours; when it names none, all
        areas that neither took part nor are neighbours.

    Raises
    ------
    CampaignError
        If `adjacent` names areas that are not in the counts, or lacks an area that took part.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> facts = {"name": "Test", "start": "2022-10-01", "end": "2022-11-30"}
    >>> campaign = Campaign(**facts, offences=["robbery"], areas=["Area 01"],
    ...                     adjacent={"Area 01": ["Area 02"]})
    >>> find_places(campaign, simulate(areas=4, years=8)).controls
    ('Area 03', 'Area 04')
    """
    known = [area for area in counts.areas if area not in UNALLOCATED]
    treated = tuple(known if campaign.areas is None else campaign.areas)
    _refuse_adjacent(campaign, counts, treated)
    beside = {b for a in treated for b in campaign.adjacent.get(a, ())}
    beside |= {a for a, names in campaign.adjacent.items() if set(names) & set(treated)}
    neighbours = tuple(a for a in known if a in beside and a not in treated)
    chosen = campaign.comparison.areas or tuple(a for a in known if a not in treated)
    controls = tuple(a for a in chosen if a not in neighbours)
    dropped = [a for a in campaign.comparison.areas if a in neighbours]
    notes = []
    if dropped:
        notes.append(
            f"Named for comparison, but next to an area of the campaign, so no control here: "
            f"{name_offenders(dropped)}."
        )
    if not set(known) - set(treated):
        reasons = ["Displacement is not measurable because all areas took part."]
        return Places(treated, (), (), tuple(reasons), ())
    reasons = []
    if not campaign.adjacent:
        reasons.append(
            "Displacement to other areas is not measurable because the campaign file does not "
            "say which areas are neighbours: add them as `adjacent`."
        )
    elif not neighbours:
        reasons.append(
            "Displacement to other areas is not measurable because every neighbour took part too."
        )
    if not controls:
        reasons.append(
            "Displacement is not measurable because no area is left as a control: every area took "
            "part or is next to one that did."
        )
    return Places(treated, neighbours, controls, tuple(reasons), tuple(notes))


def _refuse_adjacent(campaign: Campaign, counts: Panel, treated: Sequence[str]) -> None:
    """Refuse a table of neighbours that does not fit the counts or the campaign."""
    if not campaign.adjacent:
        return
    named = dict.fromkeys([*campaign.adjacent, *(b for v in campaign.adjacent.values() for b in v)])
    unknown = [repr(area) for area in named if area not in counts.areas]
    problems = []
    if unknown:
        problems.append(
            f"Campaign {campaign.name!r} must name as `adjacent` only areas that are counted: "
            f"found {name_offenders(unknown)}. Correct the names, or load counts that hold them."
        )
    lacking = [a for a in treated if a not in named]
    if lacking and campaign.areas is not None:
        problems.append(
            f"Campaign {campaign.name!r} must say in `adjacent` what is next to each of its areas: "
            f"found none for {name_offenders(lacking, 12)}. Add their neighbours, or an empty list "
            "for an area that has none."
        )
    if problems:
        raise CampaignError(join_problems(problems))
