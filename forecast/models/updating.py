"""What must hold for a fitted model to go on with a later panel, and from where it goes on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.errors import DataError, name_offenders
from forecast.models.designs import check_table
from forecast.models.draws import FloatArray
from forecast.periods import FREQUENCY_NAMES, label


def first_change(before: FloatArray, now: FloatArray) -> int:
    """Return the first column at which two arrays differ, or how many columns they have.

    Parameters
    ----------
    before, now : numpy.ndarray
        The same shape (..., period); NaN equals NaN.

    Examples
    --------
    >>> first_change(np.array([[1.0, np.nan, 3.0]]), np.array([[1.0, np.nan, 4.0]]))
    2
    """
    if np.array_equal(before, now):
        return int(before.shape[-1])
    differ = (before != now) & ~(np.isnan(before) & np.isnan(now))
    columns = np.flatnonzero(differ.reshape(-1, differ.shape[-1]).any(axis=0))
    return int(columns[0]) if len(columns) else int(before.shape[-1])


def check_follows(panel: Panel, old: Panel) -> None:
    """Refuse a panel that does not go on from the one that was fitted.

    Raises
    ------
    DataError
        If it is no Panel, measure, series or first period differ, or the panel is shorter.
    """
    if not isinstance(panel, Panel):
        raise DataError(f"Update must have a Panel: found {type(panel).__name__}. Use load(...).")
    problems = []
    advice = "Use fit for another panel."
    if panel.measure != old.measure:
        problems.append(f"it counts {panel.measure!r}, not {old.measure!r}")
    names, known = _series_names(panel), _series_names(old)
    if names != known:
        new, gone = sorted(set(names) - set(known)), sorted(set(known) - set(names))
        parts = [f"new are {name_offenders(new)}"] if new else []
        parts += [f"missing are {name_offenders(gone)}"] if gone else []
        problems.append(f"its series differ ({'; '.join(parts) or 'they are in another order'})")
    if panel.freq != old.freq:
        problems.append(f"its periods are {FREQUENCY_NAMES[panel.freq]}")
    elif len(panel.periods) == 0:
        problems.append("it has no periods")
    elif panel.periods[0] != old.periods[0]:
        problems.append(f"it begins at {label(panel.periods[0])}, not {label(old.periods[0])}")
        if panel.periods[0] > old.periods[0]:
            advice = "Load the earlier periods too, or use fit for another panel."
    elif len(panel.periods) < len(old.periods):
        problems.append(f"it ends at {label(panel.periods[-1])}, before {label(old.periods[-1])}")
    if problems:
        raise DataError(
            "Update must have the panel that was fitted and what came since: "
            f"{'; '.join(problems)}. {advice}"
        )


def _series_names(panel: Panel) -> list[str]:
    """Area and offence of each series, as messages write them."""
    columns = (panel.series[name].tolist() for name in ("area", "offence"))
    return [f"{area} {offence}" for area, offence in zip(*columns, strict=True)]


def check_same_columns(now: pd.DataFrame, before: pd.DataFrame | None) -> None:
    """Refuse regressors of other names than those that were learnt.

    Raises
    ------
    DataError
        If they are no table, names or their order differ, or none were learnt.
    """
    check_table(now)
    found, known = ([] if t is None else [str(c) for c in t.columns] for t in (now, before))
    if found != known:
        raise DataError(
            f"Regressors must have the columns that were fitted, {known}: found {found}. "
            "Use fit for other regressors."
        )
