"""Breaks: periods from which the same name counts something else.

A publisher changes its classes or its recording system, and a series steps although nothing
happened in the streets. Such a step is no season and no effect; here it is written down once,
carried by the panel, and said whenever a panel holds periods on both sides of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from forecast.errors import name_offenders
from forecast.periods import as_period, label

if TYPE_CHECKING:
    from forecast.data.panel import Panel


class BreakWarning(UserWarning):
    """Figures were joined, or could not be joined, across a break."""


@dataclass(frozen=True)
class Break:
    """A change of what is counted under a name.

    Attributes
    ----------
    offence : str or None
        The offence that it touches; None for every offence of the panel.
    period : pandas.Period
        The first period that is counted wholly in the new way.
    what : str
        What changed, in one sentence.
    source : str
        Who says so, or what was measured.

    Examples
    --------
    >>> Break("theft", pd.Period("2013-04", "M"), "Fraud moved out.", "the publisher").sentence()
    'Counting of theft changed by 2013-04: Fraud moved out. Source: the publisher.'
    """

    offence: str | None
    period: pd.Period
    what: str
    source: str

    def sentence(self) -> str:
        """Return the break in words."""
        name = self.offence or "all offences"
        source = self.source.rstrip(".")
        return f"Counting of {name} changed by {label(self.period)}: {self.what} Source: {source}."

    def touches(self, offences: Sequence[str]) -> bool:
        """Tell whether any of some offences is counted differently since."""
        return self.offence is None or self.offence in offences


LONDON_BREAKS = (
    Break(
        None,
        pd.Period("2024-03", "M"),
        "A new recording system began at the end of February 2024; violence with injury steps "
        "down, residential burglary has a new name.",
        "London Datastore, MPS Recorded Crime: Geographic Breakdown, notes",
    ),
)
"""Breaks of the Metropolitan Police's files in the classification since 2019."""


def find_crossed(panel: Panel) -> tuple[Break, ...]:
    """Return the breaks of a panel that its own offences and periods lie on both sides of.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    tuple of Break
        In the panel's order; a break of another offence, or outside the span, is left out.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> london = load_sample("london")
    >>> [label(found.period) for found in find_crossed(london)]
    ['2024-03']
    >>> find_crossed(london.before("2024-01"))
    ()
    """
    if not len(panel.periods):
        return ()
    return tuple(
        found
        for found in panel.breaks
        if panel.periods[0] < as_period(found.period, panel.freq) <= panel.periods[-1]
        and found.touches(panel.offences)
    )


def describe_crossed(panel: Panel) -> tuple[str, ...]:
    """Return a note for every change that a panel crosses, offences of one change together.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> describe_crossed(load_sample("london"))[0][:48]
    'Counting of all offences changed by 2024-03: A n'
    """
    together: dict[tuple[str, str, str], list[str]] = {}
    for found in find_crossed(panel):
        key = (label(found.period), found.what, found.source)
        together.setdefault(key, []).append(found.offence or "all offences")
    return tuple(
        f"Counting of {name_offenders(names, 12)} changed by {when}: {what} "
        f"Source: {source.rstrip('.')}. Do not compare across it without saying so."
        for (when, what, source), names in together.items()
    )
