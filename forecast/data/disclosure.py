"""Disclosure control: whether small counts of areas may be published as they are.

A count of one to four offences in a small area can point at a person. It is hidden ("c") unless
the figures are public at that detail already, are of areas as large as boroughs, or are simulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from forecast.data.panel import Panel
from forecast.data.sources import OGL, UNALLOCATED, is_london
from forecast.data.suppressing import LEAST
from forecast.errors import DataError

HIDDEN = "c"
"""What stands in place of a count that is not published: confidential."""

Asked = Literal["auto", "on", "off"]


@dataclass(frozen=True)
class Disclosure:
    """Whether small counts of areas are hidden, why, and how many were.

    Attributes
    ----------
    applied : bool
    why : str
        Reason, as the second half of a sentence.
    least : int
        Counts from 1 to one less than this are small.
    small, beside : int
        Results that are not shown because their count is small, and so that totals do not give
        those away.
    """

    applied: bool
    why: str
    least: int = LEAST
    small: int = 0
    beside: int = 0

    def sentence(self) -> str:
        """Say what is hidden and why, for a report.

        Examples
        --------
        >>> Disclosure(False, "the areas are boroughs or larger").sentence()
        'Small counts are shown as they are, because the areas are boroughs or larger.'
        >>> Disclosure(True, "it was asked for", small=2, beside=1).sentence()[:70]
        'Counts of 1 to 4 of single areas are hidden ("c"), because it was aske'
        """
        if not self.applied or not self.small + self.beside:
            return f"{self.rule()}{'; there were none' if self.applied else ''}."
        hidden = f"{self.small} {'is' if self.small == 1 else 'are'} hidden as small"
        return (
            f"{self.rule()}. With each goes all that follows from it. Of the results of single "
            f"areas {hidden} and {self.beside} more so that totals do not give those away: from "
            f"what is published here each could be any of at least {self.least + 1} numbers. Zero "
            "is shown. This does not protect against figures that were published elsewhere."
        )

    def rule(self) -> str:
        """Say whether anything is hidden and why, without a full stop.

        Examples
        --------
        >>> Disclosure(True, "it was asked for").rule()
        'Counts of 1 to 4 of single areas are hidden ("c"), because it was asked for'
        """
        if not self.applied:
            return f"Small counts are shown as they are, because {self.why}"
        return (
            f'Counts of 1 to {self.least - 1} of single areas are hidden ("{HIDDEN}"), because '
            f"{self.why}"
        )

    def to_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return {
            "applied": self.applied,
            "least": self.least if self.applied else None,
            "small": self.small,
            "beside": self.beside,
            "text": self.sentence(),
        }


def choose_disclosure(panel: Panel, asked: str = "auto") -> Disclosure:
    """Return whether small counts of a panel's areas are to be hidden.

    Parameters
    ----------
    panel : Panel
        All areas that are counted, not only those of a campaign.
    asked : {"auto", "on", "off"}, default "auto"
        "auto" hides them unless they are simulated, of one area alone, of London's boroughs or
        units, or a publisher's own under the Open Government Licence, and so public at this
        detail. Counts made from single incidents are hidden whatever licence these have: an
        incident may be published without what it is counted by.

    Returns
    -------
    Disclosure

    Raises
    ------
    DataError
        If `asked` is none of the three.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> choose_disclosure(load_sample("london")).applied
    False
    """
    if asked not in get_args(Asked):
        raise DataError(
            f"Argument disclosure must be 'auto', 'on' or 'off': found {asked!r}. Use 'on' to "
            "hide small counts of areas, 'off' where nobody outside reads them."
        )
    if asked != "auto":
        return Disclosure(asked == "on", "it was asked for")
    if panel.snapshot.synthetic:
        return Disclosure(False, "the figures are simulated")
    if len(set(panel.areas) - set(UNALLOCATED)) <= 1:
        return Disclosure(False, "the figures tell no areas apart")
    if is_london(panel.areas):
        return Disclosure(False, "the areas are boroughs or larger")
    if panel.tally is not None:
        return Disclosure(True, "they were counted from single incidents")
    if OGL in (panel.snapshot.licence or ""):
        return Disclosure(False, "the publisher has made them public at this detail")
    return Disclosure(True, "it is not known that they are public at this detail")
