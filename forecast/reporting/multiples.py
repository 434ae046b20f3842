"""Small multiples: one panel for each offence, all laid out alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes

from forecast.errors import ForecastError, name_offenders
from forecast.reporting.formatting import capitalise
from forecast.reporting.theme import Sheet, lay_out


def choose_offences(
    offences: Sequence[str], wanted: str | None, *, ax: Axes | None, subject: str
) -> list[str]:
    """Return the offences to draw: the one that is wanted, or all.

    Parameters
    ----------
    offences : sequence of str
        Those that there are.
    wanted : str, optional
    ax : Axes, optional
        Axes of the caller's own hold one offence.
    subject : str
        What is drawn, as errors call it.

    Raises
    ------
    ForecastError
        If there is no such offence, or one pair of axes would have to hold several.

    Examples
    --------
    >>> choose_offences(["robbery", "theft"], "theft", ax=None, subject="Profile")
    ['theft']
    """
    names = list(dict.fromkeys(offences))
    if wanted is not None and wanted not in names:
        raise ForecastError(
            f"{subject} must have the offence to draw: {wanted!r} is not in it. "
            f"Choose from {name_offenders([repr(name) for name in names], 12)}."
        )
    chosen = names if wanted is None else [wanted]
    if ax is not None and len(chosen) > 1:
        raise ForecastError(
            f"{subject} must have one offence to be drawn on axes of your own: found "
            f"{name_offenders([repr(name) for name in chosen])}. Name one with offence=..., or "
            "leave ax out."
        )
    return chosen


def keep_offences(table: pd.DataFrame, offences: Sequence[str]) -> pd.DataFrame:
    """Return the rows of some offences, numbered anew."""
    return table[table["offence"].isin(list(offences))].reset_index(drop=True)


def lay_out_panels(
    names: Sequence[str],
    *,
    title: str,
    subtitle: str,
    source: str,
    right: float = 0.35,
    ax: Axes | None = None,
) -> Sheet:
    """Lay out one panel for each name, two abreast when there are several.

    Parameters
    ----------
    names : sequence of str
        What stands above the panels when there are several.
    title, subtitle, source : str
    right : float
        Inches right of the outermost panels.
    ax : Axes, optional
        The caller's own, for the only panel.
    """
    across = 1 if len(names) == 1 else 2
    rows = -(-len(names) // across)
    sheet = lay_out(
        title=title,
        subtitle=subtitle,
        source=source,
        heights=[2.9 if across == 1 else 1.6] * rows,
        columns=[across] * rows,
        right=right,
        headroom=0.42 if across > 1 else 0.12,
        ax=ax,
    )
    for spare in sheet.axes[len(names) :]:
        spare.remove()
    if across > 1:
        for axes, name in zip(sheet.axes, names, strict=False):
            axes.set_title(capitalise(name))
    return replace(sheet, axes=sheet.axes[: len(names)])
