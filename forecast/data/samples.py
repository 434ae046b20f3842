"""The figures that ship with the package."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import replace
from importlib.resources import files

from forecast.data.breaks import LONDON_BREAKS
from forecast.data.csvtables import read_table
from forecast.data.panel import Panel
from forecast.data.sources import MPS_BOROUGH_SOURCE, OGL_ATTRIBUTION, Snapshot
from forecast.data.wide_layouts import wide_panel
from forecast.errors import DataError, name_offenders

SAMPLES = {"london": "london_monthly_by_bcu.csv.gz"}
"""Names that `forecast.load` takes, and their files in `forecast/data/tables`."""

LONDON_SOURCE = f"{MPS_BOROUGH_SOURCE}, 2010-04 to 2024-10, counted up to Basic Command Units"


def load_sample(name: str) -> Panel:
    """Load figures that ship with the package.

    ``"london"`` is recorded offences in London by Basic Command Unit (twelve groups of boroughs,
    and "Not allocated"), eleven offences that never overlap, monthly from 2010-04 to 2024-10.
    Recording of violence improved over 2013-2016, a new recording system came in at the end of
    February 2024, and "Not allocated" is large in 2020-03, 2023-03 and 2023-10: single units dip
    there, the sums do not.

    Parameters
    ----------
    name : {"london"}

    Returns
    -------
    Panel

    Raises
    ------
    DataError
        If nothing of that name ships; the nearest name is suggested.

    References
    ----------
    Metropolitan Police Service, MPS Recorded Crime: Geographic Breakdown, London Datastore.
    Contains public sector information licensed under the Open Government Licence v3.0.

    Examples
    --------
    >>> robbery = load_sample("london").select(offence="robbery").total()
    >>> robbery.values[0, robbery.periods.get_loc("2019-10")]
    np.float64(3748.0)
    """
    if name not in SAMPLES:
        raise DataError(f"Source must be a name that ships: found {name!r}. {suggest_sample(name)}")
    data = (files("forecast.data") / "tables" / SAMPLES[name]).read_bytes()
    snapshot = Snapshot(
        source=LONDON_SOURCE,
        retrieved="2024-11",
        sha256=hashlib.sha256(data).hexdigest(),
        licence=OGL_ATTRIBUTION,
    )
    panel = wide_panel(read_table(data, SAMPLES[name]))
    return replace(panel, snapshot=snapshot, breaks=LONDON_BREAKS)


def suggest_sample(name: str) -> str:
    """Say which name that ships is nearest, or all of them when none is near.

    Examples
    --------
    >>> suggest_sample("Londn")
    "Did you mean 'london'?"
    """
    near = difflib.get_close_matches(name.casefold(), SAMPLES, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Names that ship: {name_offenders([repr(known) for known in SAMPLES], 12)}."
