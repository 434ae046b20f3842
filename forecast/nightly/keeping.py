"""Which nights keep their forecasts: every one for a while, then the first of each month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update

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
    forecasts, scores : int
        How many rows of forecasts and of scores were removed, or would be.
    dry_run : bool
    """

    kept: Mapping[str, str]
    removed: tuple[str, ...]
    forecasts: int
    scores: int
    dry_run: bool

    def to_dict(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        return {
            "kept": [{"as_of": as_of, "reason": why} for as_of, why in self.kept.items()],
            "removed": list(self.removed),
            "forecasts": self.forecasts,
            "scores": self.scores,
            "dry_run": self.dry_run,
        }


def prune(
    store: Store,
    *,
    keep_daily: int = KEEP_DAILY,
    keep_monthly: int = KEEP_MONTHLY,
    keep_scores: int | None = None,
    dry_run: bool = False,
) -> Pruned:
    """Remove the forecasts of old nights, but for one a month and those that evaluations used.

    Days and months are counted back from the last night, so that a store that is no longer
    refreshed loses nothing. Runs, snapshots, alerts and, unless told otherwise, scores stay: they
    say how good the forecasts were that are gone. The dates of nights that lose theirs stay
    taken.

    Parameters
    ----------
    store : Store
    keep_daily : int, default 90
        Days, the last night's among them, of which every night is kept.
    keep_monthly : int, default 36
        Months, the last night's among them, of which the first night is kept.
    keep_scores : int, optional
        Days, the last night's among them, of which scores are kept; for ever unless given.
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
    _check_numbers({"keep_daily": keep_daily, "keep_monthly": keep_monthly})
    _check_numbers({} if keep_scores is None else {"keep_scores": keep_scores})
    if not keep_daily + keep_monthly:
        raise ForecastError(
            "Pruning must keep something: found 0 days and 0 months. Keep at least one of them."
        )
    runs, evaluations = schema.runs, schema.evaluations
    asked = select(runs.c.as_of, runs.c.id, runs.c.pruned).where(runs.c.status == "published")
    with store.reading() if dry_run else store.writing() as connection:
        rows = connection.execute(asked.order_by(runs.c.as_of)).fetchall()
        nights = {row.as_of: row.id for row in rows if row.pruned is None}
        referred = set(connection.execute(select(evaluations.c.run_id)).scalars())
        used = [as_of for as_of, number in nights.items() if number in referred]
        kept = choose_kept(list(nights), used, keep_daily, keep_monthly)
        removed = [as_of for as_of in nights if as_of not in kept]
        numbers = [nights[as_of] for as_of in removed]
        forecasts = _remove(connection, schema.forecasts, numbers, dry_run)
        if not dry_run:
            for some in _in_parts(numbers):
                connection.execute(update(runs).where(runs.c.id.in_(some)).values(pruned=now()))
        scores = 0
        if keep_scores is not None and rows:
            since = _days_before(rows[-1].as_of, keep_scores)
            old = [row.id for row in rows if row.as_of <= since]
            scores = _remove(connection, schema.scores, old, dry_run)
    return Pruned(kept, tuple(removed), forecasts, scores, dry_run)


def _check_numbers(numbers: Mapping[str, int]) -> None:
    """Refuse what is no number of days or months."""
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise ForecastError(
                f"Argument {name} must be a whole number, 0 or more: found {number!r}. Leave it "
                "out for the default."
            )


def _remove(connection: Connection, table: Table, numbers: Sequence[int], dry_run: bool) -> int:
    """Remove the rows of some runs from a table, or only count them; how many they are."""
    count = 0
    for some in _in_parts(numbers):
        mine = table.c.run_id.in_(some)
        count += connection.execute(select(func.count()).where(mine)).scalar_one()
        if not dry_run:
            connection.execute(delete(table).where(mine))
    return count


def _in_parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Numbers in parts that one statement can hold."""
    for begin in range(0, len(numbers), _AT_ONCE):
        yield numbers[begin : begin + _AT_ONCE]


def _days_before(night: str, days: int) -> str:
    """The date so many days before a night, as text; dates as text sort as dates."""
    return str(as_date(night) - dt.timedelta(days=days))


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
    since = _days_before(nights[-1], keep_daily)
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
