"""What one offence is priced at and weighs, with how well each figure is known.

The figures are facts of others: unit costs of the Home Office, starting points of sentences of the
Cambridge Crime Harm Index, GDP deflators of HM Treasury. Each has a status that is printed with it:
a figure that nobody here has seen in its source must not look like one that was.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from forecast.errors import CampaignError

Kind = Literal["pounds", "days"]

BASE = "2015/16"
"""Financial year of the Home Office's prices: nine months of 2015 and three of 2016."""

GIVEN = "given by the caller"


@dataclass(frozen=True)
class UnitValue:
    """What one offence is priced at, or how many days it weighs; or why that is not known.

    Attributes
    ----------
    offence : str
    kind : "pounds" or "days"
        Pounds in prices of 2015/16, or days of imprisonment at the starting point.
    value : float or None
        None when the offence has no single value; `reason` says why.
    name : str
        The class of the source that the value is of.
    status, edition, source, note, reason : str
    """

    offence: str
    kind: Kind
    value: float | None
    name: str = ""
    status: str = ""
    edition: str = ""
    source: str = ""
    note: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Multiplier:
    """How many offences happened for each one that the police recorded.

    Attributes
    ----------
    value : float
    status, source : str
    """

    value: float
    status: str
    source: str


def say_status(status: str) -> str:
    """Return a status as it is printed: what is not verified says so.

    Examples
    --------
    >>> say_status("widely quoted"), say_status("verified in press")
    ('widely quoted, not verified', 'verified in press')
    """
    return status if "verified" in status or status == GIVEN else f"{status}, not verified"


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    """Rows of one of the tables."""
    text = (files("forecast.impact") / "tables" / f"{name}.csv").read_text("utf-8")
    return tuple(csv.DictReader(io.StringIO(text)))


def list_values(kind: Kind) -> dict[str, UnitValue]:
    """Return the values of every class of a source, by the name of the class.

    Examples
    --------
    >>> list_values("days")["robbery"].value, list_values("days")["robbery"].status
    (365.0, 'widely quoted')
    """
    return {
        row["class"]: UnitValue(
            row["class"],
            kind,
            float(row["value"]),
            row["class"],
            row["status"],
            row["edition"],
            row["source"],
        )
        for row in _rows("harm_values")
        if row["kind"] == kind
    }


def find_value(offence: str, kind: Kind) -> UnitValue:
    """Return what one offence of a panel is priced at or weighs.

    An offence has a value when one class of the source is all of it. Where it is a mixture of
    classes, the mixture is not known from counts and no value is made up: the reason says between
    what values it lies. An offence named like a class has the value of that class.

    Parameters
    ----------
    offence : str
    kind : {"pounds", "days"}

    Examples
    --------
    >>> find_value("robbery", "pounds").value
    11320.0
    >>> find_value("burglary", "pounds").reason
    'burglary is a mixture of domestic burglary (5,930 pounds) and commercial burglary (15,460 pounds), and how it is mixed is not known'
    """  # noqa: E501
    known = list_values(kind)
    for row in _rows("offence_classes"):
        if row["offence"] == offence and row["kind"] == kind:
            break
    else:
        if offence in known:
            return known[offence]
        source = "Home Office unit cost" if kind == "pounds" else "weight of the index"
        return UnitValue(offence, kind, None, reason=f"no {source} is known for {offence}")
    names = [name for name in row["classes"].split("|") if name]
    if row["whole"] == "yes" and len(names) == 1:
        one = known[names[0]]
        return UnitValue(
            offence,
            kind,
            one.value,
            one.name,
            one.status,
            one.edition,
            one.source,
            row["note"],
        )
    if not names:
        return UnitValue(offence, kind, None, reason=f"{offence}: {row['note']}")
    parts = [f"{name} ({known[name].value:,.0f} {kind})" for name in names]
    mixed = f"{offence} is a mixture of {' and '.join(parts)}"
    if row["note"]:
        reason = f"{mixed}{' and others' if len(parts) == 1 else ''}: {row['note']}"
    else:
        reason = f"{mixed}, and how it is mixed is not known"
    return UnitValue(offence, kind, None, reason=reason)


def find_multiplier(name: str) -> Multiplier | None:
    """Return how many offences of a class happened for each one recorded; None if not known.

    It is the number estimated for England and Wales over the number recorded there, in 2015/16.
    Recording has become fuller since, so that for later years it is probably too large.

    Examples
    --------
    >>> round(find_multiplier("domestic burglary").value, 1)
    3.6
    """
    for row in _rows("recorded_multipliers"):
        if row["class"] == name:
            value = float(row["estimated"]) / float(row["recorded"])
            return Multiplier(value, row["status"], row["source"])
    return None


@cache
def _deflators() -> dict[int, float]:
    """GDP deflators by calendar year; 2024 is 100."""
    return {int(row["year"]): float(row["value"]) for row in _rows("gdp_deflators")}


def deflator_status() -> str:
    """Return how well the deflators are known."""
    return _rows("gdp_deflators")[0]["status"]


def price_years() -> list[int]:
    """Return the calendar years whose prices are known.

    Examples
    --------
    >>> price_years()[0], price_years()[-1]
    (2010, 2024)
    """
    return list(_deflators())


def check_price_year(year: int) -> int:
    """Return a price year when it is one of the table.

    Raises
    ------
    CampaignError
        If it is not.
    """
    years = price_years()
    if year not in years:
        raise CampaignError(
            f"Price year must lie in the table of GDP deflators: found {year}. "
            f"Choose {years[0]} to {years[-1]}."
        )
    return year


def uprate(amount: float, *, to_year: int, from_year: int | None = None) -> float:
    """Return an amount of pounds in the prices of another year.

    Parameters
    ----------
    amount : float
    to_year : int
        A calendar year.
    from_year : int, optional
        The calendar year that it is in prices of; the Home Office's 2015/16 when left out, whose
        deflator is three quarters of that of 2015 and one quarter of that of 2016.

    Raises
    ------
    CampaignError
        If a year is not in the table.

    References
    ----------
    HM Treasury (2022), The Green Book: real prices by the GDP deflator.

    Examples
    --------
    >>> round(uprate(100, to_year=2024), 2)
    132.49
    """
    table = _deflators()
    base = 0.75 * table[2015] + 0.25 * table[2016]
    if from_year is not None:
        base = table[check_price_year(from_year)]
    return amount * table[check_price_year(to_year)] / base
