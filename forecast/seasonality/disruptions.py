"""Dated shocks and changes of recording: what a forecast must not learn as an ordinary year.

A disruption changes what happens on the street for a while (London's legal regimes of 2020 and
2021). A recording break changes what is written down, and stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import DataError
from forecast.periods import as_date, days_in
from forecast.seasonality.calendar import count_days, read_table

MAJOR_STRINGENCY = 3
"""Order from which a regime counts as a disruption.

From 3 on, people of different households could not meet indoors in public at night: venues were
shut, or open only to one household, or only outdoors. At 2 the evening went on with limits (table
service, six people, doors shut at ten). An offence that needs strangers in the same place at night
can be compared with an ordinary year at 2, with care, and cannot from 3 on. With care: at order 2
London's robberies were 17 per cent below 2019 in August 2020 and 39 per cent in June 2021.
"""

DISRUPTED_SHARE = 0.1
"""Share of a period's days from which the period counts as disrupted.

A regime that halves an offence on a tenth of the days moves the period by 5 per cent, about the
spread of London's monthly robberies around their season and trend (4.5 per cent, 2012-2019).
"""

_AREA = "London"


@dataclass(frozen=True)
class Disruption:
    """A dated shock, from its first day to its last.

    Attributes
    ----------
    name : str
    start, end : date
        First and last day, both inside; ISO text will do.
    kind : str
        In London's table "legal regime" or "guidance".
    stringency : int
        0 (no limits) to 4 (stay at home): an order made for this package, not an official
        scale. A shock that is no regime takes the order that it resembles.
    source : str
        Statutory instrument, or where the dates come from.

    Raises
    ------
    DataError
        If it ends before it starts, a day is not a date, or the order is not 0 to 4.

    Examples
    --------
    >>> Disruption("strike", "2023-01-09", "2023-01-20").end
    datetime.date(2023, 1, 20)
    """

    name: str
    start: dt.date
    end: dt.date
    kind: str = "other"
    stringency: int = 4
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            object.__setattr__(self, name, as_date(getattr(self, name), subject="Disruption"))
        if self.end < self.start:
            raise DataError(
                f"Disruption {self.name!r} must not end before it starts: found {self.start} to "
                f"{self.end}. Give the last day as `end`."
            )
        if self.stringency not in range(5):
            raise DataError(
                f"Disruption {self.name!r} must have a stringency from 0 to 4: found "
                f"{self.stringency}. Use 3 or more if an ordinary evening was not possible."
            )

    def _repr_html_(self) -> str:
        from forecast.reporting.data_cards import show_disruption

        return show_disruption(self)


@dataclass(frozen=True)
class RecordingBreak:
    """A change in what is recorded, not in what happened.

    Attributes
    ----------
    name : str
    start : date
        First day under the new practice.
    end : date or None
        Last day of a gradual change; None for a step, which stays.
    kind : "gradual" or "step"
    offences : tuple of str
        Offences that are touched; empty for all.
    source : str
        Where it is said, and what is not known.
    joined_files_only : bool
        True when the publisher has put earlier months into the new form as well: the break then
        shows only where an older file is joined to a newer one.
    """

    name: str
    start: dt.date
    end: dt.date | None
    kind: Literal["gradual", "step"]
    offences: tuple[str, ...]
    source: str
    joined_files_only: bool = False


def disruptions(area: str = _AREA) -> list[Disruption]:
    """Return the disruptions that ship for an area, in order of their first day.

    London: the legal regimes from 16 March 2020 to 18 July 2021, after which most limits were
    removed. The first two overlap by two days; from then on one follows the other without a gap.

    Parameters
    ----------
    area : str, default "London"
        The only area with a table.

    Returns
    -------
    list of Disruption

    Raises
    ------
    DataError
        If the area has no table.

    References
    ----------
    legislation.gov.uk, the statutory instruments named in `source`. SI 2020/1200 and 2020/1374
    were checked against the text, the other numbers were not.

    Examples
    --------
    >>> [d.name for d in disruptions() if d.start == dt.date(2020, 11, 5)]
    ['second national lockdown']
    """
    if area != _AREA:
        raise DataError(
            f"Area must have a table of disruptions: found {area!r}, only London has one. "
            "List the disruptions of other areas in the campaign file."
        )
    return list(_london_disruptions())


@lru_cache(maxsize=1)
def _london_disruptions() -> tuple[Disruption, ...]:
    """London's table, read once."""
    return tuple(
        Disruption(
            name=row["name"],
            start=dt.date.fromisoformat(row["start"]),
            end=dt.date.fromisoformat(row["end"]),
            kind=row["kind"],
            stringency=int(row["stringency"]),
            source=row["source"],
        )
        for row in read_table("disruptions_london.csv")
    )


def recording_breaks() -> list[RecordingBreak]:
    """Return the known changes in how London's offences were recorded, in order of date.

    Three: recording improved after the inspections of 2014 (gradual); the publisher regrouped
    offences in March 2019 (a step, only where older files are joined to newer ones); a new
    recording system came in on 28 February 2024 (a step).

    Returns
    -------
    list of RecordingBreak

    References
    ----------
    HMIC (2014), Crime data integrity: inspection of the Metropolitan Police Service. HMICFRS
    (2018), the same. London Datastore, MPS Recorded Crime: Geographic Breakdown, notes.
    Metropolitan Police (2025), disclosure 01.FOI.25.042468.

    Examples
    --------
    >>> [(b.start.isoformat(), b.kind) for b in recording_breaks()]
    [('2014-01-01', 'gradual'), ('2019-03-01', 'step'), ('2024-02-28', 'step')]
    """
    return list(_london_breaks())


@lru_cache(maxsize=1)
def _london_breaks() -> tuple[RecordingBreak, ...]:
    """London's table, read once."""
    return tuple(
        RecordingBreak(
            name=row["name"],
            start=dt.date.fromisoformat(row["start"]),
            end=dt.date.fromisoformat(row["end"]) if row["end"] else None,
            kind=cast(Literal["gradual", "step"], row["kind"]),
            offences=tuple(row["offences"].split(";")) if row["offences"] else (),
            source=row["source"],
            joined_files_only=row["joined_files_only"] == "true",
        )
        for row in read_table("recording_breaks_london.csv")
    )


def major_disruptions(
    shocks: Sequence[Disruption], *, min_stringency: int = MAJOR_STRINGENCY
) -> list[Disruption]:
    """Return the disruptions that are strict enough to leave their days out of an ordinary year.

    Parameters
    ----------
    shocks : sequence of Disruption
    min_stringency : int, default 3
        Lowest order that counts; `MAJOR_STRINGENCY` gives the reason for 3.

    Returns
    -------
    list of Disruption
        Those of that order or above, in their order.

    Examples
    --------
    >>> [str(d.start) for d in major_disruptions(disruptions())][:3]
    ['2020-03-21', '2020-03-26', '2020-10-17']
    """
    return [shock for shock in shocks if shock.stringency >= min_stringency]


def disruption_days(
    shocks: Sequence[Disruption],
    periods: pd.PeriodIndex,
    *,
    min_stringency: int = MAJOR_STRINGENCY,
) -> NDArray[np.float64]:
    """Return the share of each period's days that lie inside any major disruption.

    Days inside two disruptions count once.

    Parameters
    ----------
    shocks : sequence of Disruption
    periods : pandas.PeriodIndex
        Days, weeks from Monday to Sunday, or months.
    min_stringency : int, default 3
        Lowest order that counts; 0 counts all.

    Returns
    -------
    numpy.ndarray
        Shares from 0 to 1, shape (period,).

    Raises
    ------
    DataError
        If the periods are of another frequency.

    Examples
    --------
    >>> months = pd.period_range("2020-09", "2020-11", freq="M")
    >>> disruption_days(disruptions(), months).round(2).tolist()
    [0.0, 0.48, 1.0]
    """
    spans = major_disruptions(shocks, min_stringency=min_stringency)
    days = [
        shock.start + dt.timedelta(days=k)
        for shock in spans
        for k in range((shock.end - shock.start).days + 1)
    ]
    return count_days(days, periods) / days_in(periods)


def disrupted(
    periods: pd.PeriodIndex,
    shocks: Sequence[Disruption],
    *,
    share: float = DISRUPTED_SHARE,
    min_stringency: int = MAJOR_STRINGENCY,
) -> NDArray[np.bool_]:
    """Tell which periods have at least a given share of their days inside a major disruption.

    Parameters
    ----------
    periods : pandas.PeriodIndex
        Days, weeks from Monday to Sunday, or months.
    shocks : sequence of Disruption
    share : float, default 0.1
        Above 0 and at most 1; `DISRUPTED_SHARE` gives the reason for 0.1.
    min_stringency : int, default 3
        Lowest order that counts.

    Returns
    -------
    numpy.ndarray
        Booleans, shape (period,).

    Raises
    ------
    DataError
        If the share is not above 0 and at most 1, or the periods are of another frequency.

    Examples
    --------
    >>> months = pd.period_range("2020-06", "2020-10", freq="M")
    >>> disrupted(months, disruptions()).tolist()
    [True, False, False, False, True]
    """
    if not 0 < share <= 1:
        raise DataError(
            f"Share must be above 0 and at most 1: found {share}. Use 0.1 for a tenth of the days."
        )
    shares = disruption_days(shocks, periods, min_stringency=min_stringency)  # (period,)
    return np.asarray(shares >= share, dtype=np.bool_)
