"""The nightly refresh: fetch or read, check, learn, forecast, score, warn, publish."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from forecast.data.records import now
from forecast.errors import DataError, ForecastError, NotReadyError
from forecast.nightly.configuring import Configuration
from forecast.nightly.faults import say_why
from forecast.nightly.journal import Journal, Progress
from forecast.nightly.locking import BusyError, Owner, locking
from forecast.nightly.making_nights import Maker
from forecast.nightly.notices import Status, Told
from forecast.nightly.seams import find_site_writer
from forecast.nightly.store import Store, open_store
from forecast.nightly.summing_up import NightMade, Refreshed
from forecast.nightly.swapping import publish_folder, read_mark
from forecast.nightly.telling import Teller
from forecast.periods import as_date


class NightNotReady(NotReadyError):  # noqa: N818 - it is a state, and the message says which
    """The figures of a night cannot be used; what readers see is as it was.

    Attributes
    ----------
    refreshed : Refreshed
        What was done, the night that was not made among it.
    """

    def __init__(self, message: str, refreshed: Refreshed) -> None:
        super().__init__(message)
        self.refreshed = refreshed


def refresh(
    config: Configuration | str | Path,
    *,
    as_of: Any = None,
    dry_run: bool = False,
    since: Any = None,
    progress: Progress | None = None,
) -> Refreshed:
    """Make the forecasts of a night, score what has come true, and publish it all or nothing.

    A night that was published before is left as it was; only pages that are not of the last
    night are written again. A night that was interrupted is made again from its beginning:
    nothing of it was visible. Periods that had not ended before the night are neither learnt
    from nor scored.

    Parameters
    ----------
    config : Configuration or path
        From `Configuration.load`, or the file.
    as_of : date or str, optional
        The date of the night; today without it.
    dry_run : bool, default False
        Do everything but write nothing: no snapshot, no engine, no night, no pages.
    since : date or str, optional
        Make the nights from this one on that are not there.
    progress : callable, optional
        Called with what is being done, how many steps are done, and of how many.

    Returns
    -------
    Refreshed
        Its `to_dict` is the JSON object of the command.

    Raises
    ------
    NightNotReady
        If the figures are incomplete, shrank, are stale or more likely wrong than true: nothing
        new is published.
    BusyError
        If another refresh is at work.
    FaultError
        If a disk, a folder or the database of the store failed.
    DataError
        If the configuration, a source or the store cannot be used.
    """
    found = config if isinstance(config, Configuration) else Configuration.load(config)
    today = dt.date.today()
    night = today if as_of is None else as_date(as_of, subject="Night")
    first = night if since is None else as_date(since, subject="First night")
    _check_dates(first, night, today)
    folder, teller = found.work_folder(), Teller.of(found)
    with ExitStack() as held:
        dead = None if dry_run else _hold(held, found, teller, night)
        journal = _open_journal(found, None if dry_run else folder, progress)
        try:
            with _opened(found, dry_run) as store:
                journal.step("begin", version=version("violence-forecast"), dry_run=dry_run)
                if as_of is None and store is not None:
                    _check_clock(store, today)
                maker = Maker(found, store, journal, today, dry_run)
                done = _make_all(maker, first, night, _tell_dead(dead, journal))
            return done if dry_run else _tell(teller, journal, night, done)
        except BaseException as error:
            journal.write("error", kind=type(error).__name__, text=say_why(error))
            if not dry_run and isinstance(error, Exception):
                _tell_trouble(teller, journal, night, error)
            raise
        finally:
            journal.step("end")
            journal.close()


def _hold(held: ExitStack, config: Configuration, teller: Teller, night: dt.date) -> Owner | None:
    """Hold the lock for a while; return who died holding it.

    A folder that cannot be written, or a refresh that hangs, ends the nights from then on: that
    is told. One that is merely slow is not.
    """
    try:
        return held.enter_context(locking(config.work_folder()))
    except ForecastError as error:
        journal = _open_journal(config, config.work_folder(), None)
        journal.about["as_of"] = str(night)
        journal.write("error", kind=type(error).__name__, text=say_why(error))
        if not isinstance(error, BusyError) or error.hours >= config.schedule.grace_hours:
            _write_told(journal, teller(night, "failed", say_why(error)))
        journal.close()
        raise


def _open_journal(config: Configuration, folder: Path | None, progress: Progress | None) -> Journal:
    """The log of a refresh; nothing is written without a folder."""
    limits = config.limits
    return Journal(folder, size=limits.log_bytes, files=limits.log_files, progress=progress)


def _tell_trouble(teller: Teller, journal: Journal, night: dt.date, error: Exception) -> None:
    """Tell why there is no night, and put down who was told."""
    status: Status = "not ready" if isinstance(error, NotReadyError) else "failed"
    told = teller(night, status, say_why(error))
    _write_told(journal, told)
    if isinstance(error, NightNotReady):
        error.refreshed = replace(error.refreshed, notices=tuple(one.to_dict() for one in told))


def _tell(teller: Teller, journal: Journal, night: dt.date, done: Refreshed) -> Refreshed:
    """Tell that the night is there, and who could not be told."""
    journal.step("notices")
    told = teller(night, "published")
    _write_told(journal, told)
    failed = tuple(one.text for one in told if one.status == "failed")
    return replace(done, notes=(*done.notes, *failed), notices=tuple(one.to_dict() for one in told))


def _write_told(journal: Journal, told: tuple[Told, ...]) -> None:
    """Write down who was told."""
    for one in told:
        journal.write("notice", **one.to_dict())


def _check_dates(first: dt.date, night: dt.date, today: dt.date) -> None:
    """Refuse nights to come, and an end before the beginning."""
    if night > today:
        raise DataError(
            f"Night must not lie in the future: found {night}, and today is {today}. Give today "
            "or an earlier date, or set the clock right."
        )
    if first > night:
        raise DataError(
            f"First night must not lie after the last: found {first} and {night}. Give an earlier "
            "date as since."
        )


def _check_clock(store: Store, today: dt.date) -> None:
    """Refuse to make a night of a day before the last one, when the clock alone says so."""
    last = store.latest()
    if last is not None and last.as_of > str(today):
        raise NotReadyError(
            f"Clock must not be behind the last night: it says {today}, and a night of "
            f"{last.as_of} was published at {last.ended[:16]}. Set the clock right; to make an "
            "earlier night say --as-of."
        )


def _tell_dead(dead: Owner | None, journal: Journal) -> tuple[str, ...]:
    """Say that an earlier refresh died, and that its lock was taken over."""
    if dead is None:
        return ()
    journal.write("lock", taken_over=dead.describe())
    return (
        f"The last refresh ({dead.describe()}) did not end by itself; its lock was taken over.",
    )


@contextmanager
def _opened(config: Configuration, dry_run: bool) -> Iterator[Store | None]:
    """The store; None for a dry run where there is none yet."""
    place = config.store_place()
    if dry_run and isinstance(place, Path) and not place.exists():
        yield None
        return
    with open_store(place, create=not dry_run) as store:
        yield store


def _make_all(maker: Maker, first: dt.date, last: dt.date, notes: tuple[str, ...]) -> Refreshed:
    """Make all nights of a span, then the pages of the last."""
    made: list[NightMade] = []
    failed: NotReadyError | None = None
    for offset in range((last - first).days + 1):
        night = first + dt.timedelta(days=offset)
        failed = None
        try:
            made.append(maker.make(night))
        except NotReadyError as error:
            failed = error
            made.append(NightMade.not_ready(str(night), str(error)))
    pages, told = (None, ()) if maker.store is None else write_pages(maker)
    done = Refreshed(
        tuple(made), pages, (*notes, *told), maker.journal.run, dict(maker.journal.seconds)
    )
    if failed is not None:
        raise NightNotReady(str(failed), done) from None
    return done


def write_pages(maker: Maker) -> tuple[str | None, tuple[str, ...]]:
    """Write the pages of the last night, unless those that are there are of it.

    Returns
    -------
    state : str or None
        "written", "already there", or None where none are wanted.
    notes : tuple of str
    """
    config, store, journal = maker.config, maker.store, maker.journal
    if store is None or maker.dry_run or config.publish.folder is None:
        return None, ()
    night = store.latest()
    if night is None:
        return None, ()
    target = config.place(config.publish.folder)
    mark = {"as_of": night.as_of, "run": night.run_id, "published": night.ended}
    found = read_mark(target)
    if found is not None and {key: found.get(key) for key in mark} == mark:
        return "already there", ()
    journal.step("pages")
    writer = find_site_writer()

    def fill(folder: Path) -> None:
        if writer is not None:
            writer(store, folder, config=config, counts=maker.counts_of(night))

    try:
        publish_folder(target, fill, mark | {"written": now()})
    except ForecastError as error:
        raise type(error)(
            f"{error} The night of {night.as_of} is in the store; the pages alone are missing."
        ) from error
    journal.step("pages written")
    without = () if writer else ("Pages are not part of this installation: only night.json is.",)
    return "written", without
