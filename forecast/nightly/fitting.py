"""The count engine from night to night: it takes in what is new, and learns anew once a month."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from forecast.data.panel import Panel
from forecast.data.writing import replacing
from forecast.errors import DataError, name_offenders
from forecast.models.dynamic import DynamicCounts
from forecast.models.fitted import FittedDynamic
from forecast.models.storing import load_fitted, save_fitted
from forecast.periods import PERIODS_A_YEAR, UNIT_NAMES

YEARS = 2
"""Years of counts that a series needs to be forecast."""

Refit = Literal["nightly", "weekly", "monthly"]


@dataclass(frozen=True, eq=False)
class Fit:
    """The engine of a night.

    Attributes
    ----------
    fitted : FittedDynamic
    how : str
        "fitted" or "updated".
    why : str
        Why it was fitted, or since which night it is updated.
    """

    fitted: FittedDynamic
    how: str
    why: str


def leave_out_short(panel: Panel) -> tuple[Panel, list[str]]:
    """Return the panel without series that no model can learn, and sentences that name them.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    Panel, list of str

    Raises
    ------
    DataError
        If none is left.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> robbery = load_sample("london").select(offence="robbery")
    >>> kept, told = leave_out_short(robbery)
    >>> len(kept.series), told
    (13, [])
    """
    needed = YEARS * PERIODS_A_YEAR[panel.freq]
    unit = UNIT_NAMES[panel.freq]
    seen = (~np.isnan(panel.values)).sum(axis=1)  # (series,)
    short = seen < needed
    sums = panel.series.assign(sum=np.where(short, 0.0, np.nansum(panel.values, axis=1)))
    totals = sums.groupby("offence", sort=False)["sum"].transform("sum").to_numpy()  # (series,)
    empty = ~short & ~(totals > 0)
    names = [f"{area}, {offence}" for area, offence in panel.series[["area", "offence"]].to_numpy()]
    told = [
        f"{int(out.sum()):,} of {len(names):,} series {reason} and "
        f"{'is' if out.sum() == 1 else 'are'} left out: "
        f"{name_offenders([n for n, gone in zip(names, out, strict=True) if gone])}."
        for out, reason in (
            (short, f"have fewer than {needed} {unit}s of counts"),
            (empty, "belong to offences that were never counted"),
        )
        if out.any()
    ]
    out = short | empty
    if out.all():
        raise DataError(
            f"Figures must have {YEARS} years of counts of some series: all {len(names):,} have "
            f"fewer, or none at all. Load earlier {unit}s."
        )
    if not out.any():
        return panel, told
    return _keep(panel, ~out), told


def _keep(panel: Panel, rows: Any) -> Panel:
    """The panel of some rows, (series,)."""
    from dataclasses import replace

    return replace(panel, values=panel.values[rows], series=panel.series[rows])


def learn(
    model: DynamicCounts,
    panel: Panel,
    *,
    as_of: dt.date,
    refit: Refit,
    file: Path | None,
    save: bool = True,
    said: Callable[[str], None] | None = None,
) -> Fit:
    """Update the engine that is kept, or learn anew when that is due.

    It is kept when it was learnt, not when it was updated: every night goes on from the last
    learning, so that a night that is made again finds what it found before.

    Parameters
    ----------
    model : DynamicCounts
    panel : Panel
    as_of : date
        Of the night.
    refit : {"nightly", "weekly", "monthly"}
        When to learn anew: when the week or the month is another one than that of the last time.
    file : Path, optional
        Where the engine is kept.
    save : bool, default True
        Whether to keep what is learnt.
    said : callable, optional
        Called when something is written: "fitted".

    Returns
    -------
    Fit

    Raises
    ------
    FitError
        If the panel cannot be learnt.
    """
    if refit == "nightly" or file is None:
        return Fit(model.fit(panel), "fitted", "every night")
    kept, why = _recall(model, panel, as_of, refit, file)
    if kept is not None:
        return kept
    fitted = model.fit(panel)
    if save and why != _OLDER:
        _remember(fitted, as_of, file)
        if said is not None:
            said("fitted")
    return Fit(fitted, "fitted", why)


_OLDER = "the night is older than the engine that is kept"


def _recall(
    model: DynamicCounts, panel: Panel, as_of: dt.date, refit: Refit, file: Path
) -> tuple[Fit | None, str]:
    """The kept engine with what is new, or why it cannot be used."""
    about = _read_about(file)
    if about is None:
        return None, "none is kept"
    if about.get("settings") != _settings(model, panel):
        return None, "settings or the version changed"
    since = dt.date.fromisoformat(about["as_of"])
    if as_of < since:
        return None, _OLDER
    if _span(since, refit) != _span(as_of, refit):
        return None, f"it was last learnt on {since}"
    try:
        # the address of a scheduler is not kept: it is the night's own
        from dataclasses import replace

        found = replace(load_fitted(file), model=model).update(panel)
    except DataError as error:
        return None, str(error).split(". ")[0]
    return Fit(found, "updated", f"learnt on {since}"), ""


def _remember(fitted: FittedDynamic, as_of: dt.date, file: Path) -> None:
    """Keep the engine, then the note that says it may be used."""
    file.parent.mkdir(parents=True, exist_ok=True)
    note = _note(file)
    # between the two files an older note would speak of the newer engine
    note.unlink(missing_ok=True)
    save_fitted(fitted, file)
    about = {"as_of": str(as_of), "settings": _settings(fitted.model, fitted.panel)}
    with replacing(note) as half:
        half.write_text(json.dumps(about), "utf-8")


def _note(file: Path) -> Path:
    """The small file beside the engine."""
    return file.with_suffix(".json")


def _read_about(file: Path) -> dict[str, Any] | None:
    """What the note says; None where there is none that can be used."""
    try:
        about = json.loads(_note(file).read_text("utf-8"))
        dt.date.fromisoformat(about["as_of"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(about)


def _settings(model: DynamicCounts, panel: Panel) -> str:
    """What must be the same for a kept engine to be used."""
    told = (version("violence-forecast"), model.treatment, model.disruptions, panel.measure)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _span(day: dt.date, refit: Refit) -> tuple[int, int]:
    """The week or the month of a day."""
    year, week, _ = day.isocalendar()
    return (year, week) if refit == "weekly" else (day.year, day.month)
