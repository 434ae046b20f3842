"""Whether the nightly refresh is alive: its last good night, and how old its figures are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.nightly.configuration_parts import STALE_DAYS
from forecast.nightly.configuring import Configuration
from forecast.nightly.journal import read_last_error
from forecast.nightly.locking import BusyError, is_held, read_owner
from forecast.nightly.recording import Night
from forecast.nightly.store import Store, open_store
from forecast.nightly.swapping import read_mark
from forecast.periods import as_period, last_day

SCHEMA = "forecast.status/1"

_BUSY = BusyError.__name__  # who came too early says nothing of the one that is at work


@dataclass(frozen=True)
class Health:
    """How the refresh stands.

    Attributes
    ----------
    now : str
        The local time at which was looked.
    night, published : str or None
        Date of the last good night, and when it was published (UTC).
    next_due : str
        When the next night is due, on the local clock; in the past when it is late.
    running : str or None
        Who is at work now.
    attempt : dict or None
        The last run after the good night that did not succeed: `as_of`, `status`, `reason`.
    sources : dict
        By name: the last period with counts, its age in days, and from when that is stale.
    problems : tuple of str
        Reasons why what readers see is stale. None: all is well.
    """

    now: str
    night: str | None
    published: str | None
    next_due: str
    running: str | None
    attempt: Mapping[str, Any] | None
    sources: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def stale(self) -> bool:
        """Whether readers see something older than they should."""
        return bool(self.problems)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of `forecast status --json`."""
        told = asdict(self)
        told["problems"] = list(self.problems)
        return {"schema": SCHEMA, "stale": self.stale, **told}


def check_health(config: Configuration, *, now: dt.datetime | None = None) -> Health:
    """Look how the refresh of a configuration stands; nothing is changed.

    Parameters
    ----------
    config : Configuration
    now : datetime, optional
        A local time; the present without it.

    Returns
    -------
    Health

    Raises
    ------
    DataError
        If the store is there and cannot be read.
    """
    present = dt.datetime.now() if now is None else now  # noqa: DTZ005 - nights are local days
    night, attempt = _look(config)
    owner = read_owner(config.work_folder()) if is_held(config.work_folder()) else None
    running = None if owner is None else owner.describe()
    due = _next_due(night, config, present)
    sources = {} if night is None else _ages(night, config, present.date())
    problems = [
        *_find_missed(night, attempt, running, config, present),
        *_find_old(sources),
        *_find_pages(night, config),
    ]
    return Health(
        present.isoformat(sep=" ", timespec="minutes"),
        None if night is None else night.as_of,
        None if night is None else night.ended,
        due.isoformat(sep=" ", timespec="minutes"),
        running,
        attempt,
        sources,
        tuple(problems),
    )


def _look(config: Configuration) -> tuple[Night | None, dict[str, Any] | None]:
    """The last good night, and the last run after it that came to nothing."""
    place = config.store_place()
    folder = config.work_folder()
    if isinstance(place, Path) and not place.exists():
        error = read_last_error(folder)
        return None, None if error is None else _describe_error(error)
    with open_store(place, create=False) as store:
        night = store.latest()
        return night, _find_attempt(store, night, folder, held=is_held(folder))


def _find_attempt(
    store: Store, night: Night | None, folder: Path, *, held: bool
) -> dict[str, Any] | None:
    """The last run after the last night that did not succeed, as the store or the log knows it."""
    runs = store.runs()
    since = "" if night is None else night.as_of
    late = runs[(runs["as_of"] > since) & (runs["status"] != "published")]
    known = None if late.empty else _describe_run(late.iloc[-1], held=held)
    error = read_last_error(folder)
    if error is None or held or error["time"] <= ("" if night is None else night.ended):
        return known
    if known is not None and (error["time"] <= known["began"] or error["kind"] == _BUSY):
        return known
    if known is not None and known["status"] == "failed" and known["reason"] == error["text"]:
        return known
    return _describe_error(error)


def _describe_error(error: Mapping[str, str]) -> dict[str, Any]:
    """A run that only the log knows of."""
    return {
        "as_of": error["as_of"],
        "status": "failed",
        "began": error["time"],
        "reason": error["text"],
    }


def _describe_run(row: Any, *, held: bool) -> dict[str, Any]:
    """A run of the store that did not succeed."""
    died = row["status"] == "running" and not held
    reason = "it was killed" if died else row["reason"]
    return {
        "as_of": str(row["as_of"]),
        "status": "killed" if died else str(row["status"]),
        "began": str(row["began"]),
        "reason": None if pd.isna(reason) else str(reason),
    }


def _scheduled(day: dt.date, config: Configuration) -> dt.datetime:
    """When the night of a day is due."""
    return dt.datetime.combine(day, dt.time.fromisoformat(config.schedule.at))


def _next_due(night: Night | None, config: Configuration, present: dt.datetime) -> dt.datetime:
    """When the first night that is not there is due."""
    if night is None:
        return _scheduled(present.date(), config)
    return _scheduled(dt.date.fromisoformat(night.as_of) + dt.timedelta(days=1), config)


def _find_missed(
    night: Night | None,
    attempt: Mapping[str, Any] | None,
    running: str | None,
    config: Configuration,
    present: dt.datetime,
) -> list[str]:
    """Say that a night was missed, and why as far as it is known."""
    why = "" if running is None else f" A refresh is at work: {running}."
    if attempt is not None and running is None:
        lines = (attempt["reason"] or "").splitlines()
        told = " ".join(line.removeprefix("- ") for line in lines)
        why = f" The last attempt, for {attempt['as_of']}, is {attempt['status']}"
        why += f": {told}" if told else "."
    if night is None:
        return [
            f"A night must have been published: none ever was.{why or ' Run forecast refresh.'}"
        ]
    if night.as_of > str(present.date()):
        return [
            f"Clock must not be behind the last night: it says {present:%Y-%m-%d}, and the night "
            f"of {night.as_of} is published. Set the clock right."
        ]
    latest = present - dt.timedelta(hours=config.schedule.grace_hours)
    expected = latest.date()
    if _scheduled(expected, config) > latest:
        expected -= dt.timedelta(days=1)
    if night.as_of >= str(expected):
        return []
    return [
        f"The night of {expected} must be published by now: the last one is of {night.as_of}."
        f"{why or ' Nothing was tried: see whether the schedule is at work.'}"
    ]


def _ages(night: Night, config: Configuration, today: dt.date) -> dict[str, Any]:
    """How old the figures of each source are."""
    limits = {source.name: source.stale_days for source in config.source}
    freqs = {told["source"]: told["freq"] for told in night.about.get("forecasts", [])}
    out = {}
    for name, told in night.about.get("sources", {}).items():
        freq = freqs.get(name, "D")
        ended = last_day(as_period(told["last"], freq))
        out[name] = {
            "last": told["last"],
            "age_days": (today - ended).days,
            "stale_from_days": limits.get(name) or STALE_DAYS[freq],
        }
    return out


def _find_old(sources: Mapping[str, Any]) -> list[str]:
    """Say which figures are stale."""
    return [
        f"Source {name!r} must be fresh: its last period, {told['last']}, ended "
        f"{told['age_days']} days ago, and {told['stale_from_days']} are allowed."
        for name, told in sources.items()
        if told["age_days"] > told["stale_from_days"]
    ]


def _find_pages(night: Night | None, config: Configuration) -> list[str]:
    """Say that readers do not see the last night."""
    if night is None or config.publish.folder is None:
        return []
    found = read_mark(config.place(config.publish.folder)) or {}
    if found.get("run") == night.run_id and found.get("as_of") == night.as_of:
        return []
    seen = f"those of {found['as_of']}" if "as_of" in found else "none"
    return [
        f"Pages must be of the last night, {night.as_of}: readers see {seen}. Run forecast refresh "
        "again: it writes them."
    ]
