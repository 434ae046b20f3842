"""Which nights keep their forecasts: every one for a while, then the first of each month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update

from forecast.data.records import now
from forecast.errors import ForecastError
from forecast.nightly import schema
from forecast.nightly.store import Store
from forecast.periods import as_date

KEEP_DAILY, KEEP_MONTHLY = 90, 36
"""Days for which every night is kept, and months of which the first night is."""

_AT_ONCE = 500  # numbers in one statement


@dataclass(frozen=True)
class Pruned:
    """What pruning did, or would do.

    Attributes
    ----------
    kept : dict
        Dates of the nights that keep their forecasts, with the reason: "daily", "monthly" or
        "evaluation".
    removed : tuple of str
        Dates of the nights that lose them.
    forecasts : int
        How many rows of forecasts were removed, or would be.
    dry_run : bool
    """

    kept: Mapping[str, str]
    removed: tuple[str, ...]
    forecasts: int
    dry_run: bool

    def to_dict(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        return {
            "kept": [{"as_of": as_of, "reason": why} for as_of, why in self.kept.items()],
            "removed": list(self.removed),
            "forecasts": self.forecasts,
            "dry_run": self.dry_run,
        }


def prune(
    store: Store,
    *,
    keep_daily: int = KEEP_DAILY,
    keep_monthly: int = KEEP_MONTHLY,
    dry_run: bool = False,
) -> Pruned:
    """Remove the forecasts of old nights, but for one a month and those that evaluations used.

    Days and months are counted back from the last night, so that a store that is no longer
    refreshed loses nothing. Runs, snapshots, scores and alerts stay: they say how good the
    forecasts were that are gone. The dates of nights that lose theirs stay taken.

    Parameters
    ----------
    store : Store
    keep_daily : int, default 90
        Days, the last night's among them, of which every night is kept.
    keep_monthly : int, default 36
        Months, the last night's among them, of which the first night is kept.
    dry_run : bool, default False
        Say what would be done, and do nothing.

    Returns
    -------
    Pruned

    Raises
    ------
    ForecastError
        If a number is below zero, or both are zero.
    """
    for name, number in (("keep_daily", keep_daily), ("keep_monthly", keep_monthly)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise ForecastError(
                f"Argument {name} must be a whole number, 0 or more: found {number!r}. Leave it "
                "out for the default."
            )
    if not keep_daily + keep_monthly:
        raise ForecastError(
            "Pruning must keep something: found 0 days and 0 months. Keep at least one of them."
        )
    runs, evaluations, table = schema.runs, schema.evaluations, schema.forecasts
    asked = (
        select(runs.c.as_of, runs.c.id)
        .where(runs.c.status == "published", runs.c.pruned.is_(None))
        .order_by(runs.c.as_of)
    )
    with store.reading() if dry_run else store.writing() as connection:
        nights = {row.as_of: row.id for row in connection.execute(asked)}
        referred = set(connection.execute(select(evaluations.c.run_id)).scalars())
        used = [as_of for as_of, number in nights.items() if number in referred]
        kept = choose_kept(list(nights), used, keep_daily, keep_monthly)
        removed = [as_of for as_of in nights if as_of not in kept]
        numbers = [nights[as_of] for as_of in removed]
        count = 0
        for begin in range(0, len(numbers), _AT_ONCE):
            some = numbers[begin : begin + _AT_ONCE]
            mine = table.c.run_id.in_(some)
            count += connection.execute(select(func.count()).where(mine)).scalar_one()
            if not dry_run:
                connection.execute(delete(table).where(mine))
                connection.execute(update(runs).where(runs.c.id.in_(some)).values(pruned=now()))
    return Pruned(kept, tuple(removed), count, dry_run)


def choose_kept(
    nights: Sequence[str], used: Sequence[str], keep_daily: int, keep_monthly: int
) -> dict[str, str]:
    """Return which nights are kept, and why.

    Parameters
    ----------
    nights : sequence of str
        Dates, in their order.
    used : sequence of str
        Those that evaluations refer to.
    keep_daily, keep_monthly : int

    Examples
    --------
    >>> nights = ["2024-01-01", "2024-01-02", "2024-02-01", "2024-02-02", "2024-02-03"]
    >>> choose_kept(nights, ["2024-01-02"], keep_daily=2, keep_monthly=1)
    {'2024-01-02': 'evaluation', '2024-02-01': 'monthly', '2024-02-02': 'daily', '2024-02-03': 'daily'}
    """  # noqa: E501
    if not nights:
        return {}
    last = as_date(nights[-1])
    since = str(last - dt.timedelta(days=keep_daily))  # dates as text sort as dates
    firsts: dict[int, str] = {}
    for night in nights:
        date = as_date(night)
        firsts.setdefault(12 * date.year + date.month, night)
    this_month = 12 * last.year + last.month
    monthly = {night for month, night in firsts.items() if month > this_month - keep_monthly}
    why = {}
    for night in nights:
        if night > since:
            why[night] = "daily"
        elif night in used:
            why[night] = "evaluation"
        elif night in monthly:
            why[night] = "monthly"
    return why
