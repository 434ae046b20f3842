"""Maturity: which counts of a panel may still grow, because records come in late.

Whatever was still running when the figures were taken is never complete. Of periods that were
over, the recording lag says how complete they are, where it is known (`Panel.lag`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import DataError, name_offenders
from forecast.periods import as_period, label

if TYPE_CHECKING:
    from forecast.data.panel import Panel

COMPLETE = 0.99
"""Share from which a period counts as complete, when it is sure to be at least that."""


def taken_in(panel: Panel) -> pd.Period | None:
    """Return the period in which a panel's figures were taken, or None when it is not known.

    It was still running then: it and later periods are never complete.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> taken_in(load_sample("london"))
    Period('2024-11', 'M')
    """
    written = (panel.snapshot.retrieved or "").removeprefix("vintage ").strip()[:10]
    if not written:
        return None
    try:
        return as_period(written, panel.freq)
    except DataError:
        return None


def lags_of(panel: Panel) -> NDArray[np.int64] | None:
    """Return how many periods lay between each period and the taking, shape (period,).

    0 for the last one that was over when the figures were taken, below 0 for one that was still
    running; None when it is not known when that was.
    """
    taken = taken_in(panel)
    if taken is None:
        return None
    return np.asarray(taken.ordinal - 1 - panel.periods.asi8, dtype=np.int64)


def find_immature(panel: Panel) -> NDArray[np.bool_]:
    """Return which counts may still grow, shape (series, period).

    Those of periods still running when the figures were taken or later; and, where the panel has
    a lag, those of which not surely 99 per cent (`COMPLETE`) were recorded. Without a lag, or for
    an offence it does not know, nothing is said of periods that were over.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> bool(find_immature(load_sample("london")).any())
    False
    """
    out = np.zeros(panel.values.shape, dtype=bool)
    lags = lags_of(panel)  # (period,)
    if lags is None or not len(lags):
        return out
    out |= lags < 0
    if panel.lag is not None and lags.min() <= panel.lag.longest:
        for offence in panel.offences:
            if panel.lag.knows(offence):
                rows = (panel.series["offence"] == offence).to_numpy()
                out[rows] |= ~(panel.lag.shares(offence, lags)[1] >= COMPLETE)
    return out


def describe_immature(panel: Panel) -> str | None:
    """Say which periods are left out of what is learnt, or None when all may be complete.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from forecast.data.samples import load_sample
    >>> london = load_sample("london")
    >>> early = replace(london.snapshot, retrieved="2024-10-09")
    >>> describe_immature(replace(london, snapshot=early))
    '2024-10 may not be complete yet: left out of what is learnt.'
    """
    young = find_immature(panel).any(axis=0)  # (period,)
    if not young.any():
        return None
    names = name_offenders([label(period) for period in panel.periods[np.flatnonzero(young)]])
    return f"{names} may not be complete yet: left out of what is learnt."


def leave_out_immature(panel: Panel) -> Panel:
    """Return the panel with the counts that may still grow made missing, for models to learn from.

    A count that is too low because records are late would teach a fall; missing teaches nothing.
    Every model does this when it is fitted.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> london = load_sample("london")
    >>> leave_out_immature(london) is london
    True
    """
    immature = find_immature(panel)
    if immature.any():
        immature &= np.isfinite(panel.values)
    if not immature.any():
        return panel
    names = [label(period) for period in panel.periods[np.flatnonzero(immature.any(axis=0))]]
    note = (
        f"{int(immature.sum()):,} counts that may not be complete yet are left out of what is "
        f"learnt ({name_offenders(names)})."
    )
    values = np.where(immature, np.nan, panel.values)
    return replace(panel, values=values, notes=(*panel.notes, note))
