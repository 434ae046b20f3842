"""Failures of a night that tests and benchmarks bring about, and what is to be said of each."""

from __future__ import annotations

import datetime as dt
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pandas as pd

from forecast.errors import FitError, ForecastError
from forecast.models.naive import SeasonalNaive
from forecast.nightly import locking, making_nights, pipeline, swapping
from forecast.nightly.configuring import Configuration
from forecast.nightly.pipeline import refresh
from forecast.nightly.watching import Health, check_health

DAY = dt.timedelta(days=1)

_KILLED = """
import os, signal, sys
from forecast.nightly import recording
from forecast.nightly.pipeline import refresh
write = recording.Run._write
def stop(*given):
    write(*given)
    os.kill(os.getpid(), signal.SIGKILL)
recording.Run._write = stop
refresh(sys.argv[1], as_of=sys.argv[2])
"""


@dataclass(frozen=True)
class Failure:
    """One way in which a night goes wrong.

    Attributes
    ----------
    name : str
    code : int
        What `forecast refresh` must end with; -9 for a process that is killed.
    says : str
        Part of its message.
    seen : str
        Part of what `forecast status` must say at noon.
    bring : callable
        Of the configuration; a context in which the night fails.
    late : int
        Days after the night that is due.
    """

    name: str
    code: int
    says: str
    seen: str
    bring: Callable[[Configuration], object]
    late: int = 0


@dataclass(frozen=True)
class Suffered:
    """What a failure led to."""

    code: int
    said: str
    health: Health | None
    status: str


def suffer(failure: Failure, config: Configuration, night: dt.date) -> Suffered:
    """Let a night fail, and look what the refresh and the status say."""
    due = night + failure.late * DAY
    code, said = 0, ""
    with failure.bring(config):  # type: ignore[attr-defined]
        try:
            if failure.name == "killed":
                code = _kill(config, due)
            else:
                refresh(config, as_of=None if failure.name == "clock set back" else due)
        except ForecastError as error:
            code, said = error.exit_code, str(error)
        noon = dt.datetime.combine(due, dt.time(12))
        if failure.name == "clock set back":
            noon -= 3 * DAY
        try:
            health = check_health(config, now=noon)
        except ForecastError as error:
            return Suffered(code, said, None, str(error))
    return Suffered(code, said, health, "\n".join(health.problems))


def _kill(config: Configuration, night: dt.date) -> int:
    """A refresh that is killed when its rows are written and before they are kept."""
    root = str(Path(__file__).resolve().parents[2])
    path = config.place("night.toml")
    command = [sys.executable, "-c", _KILLED, str(path), str(night)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": root}, timeout=120)
    assert done.returncode == -signal.SIGKILL
    return done.returncode


@contextmanager
def _source(
    config: Configuration, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> Iterator[None]:
    """Other figures for a while."""
    path = config.place(str(config.source[0].path))
    before = path.read_bytes()
    change(pd.read_csv(path)).to_csv(path, index=False)
    try:
        yield
    finally:
        path.write_bytes(before)


def _bring(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Configuration], object]:
    """A context of other figures."""
    return lambda config: _source(config, change)


def _half(frame: pd.DataFrame) -> pd.DataFrame:
    last = frame["period"] == frame["period"].max()
    return frame.assign(count=frame["count"].where(last, frame["count"] // 2))


def _cut(frame: pd.DataFrame) -> pd.DataFrame:
    days = sorted(frame["period"].unique())
    return frame[frame["period"] < days[-3]]


def _jump(frame: pd.DataFrame) -> pd.DataFrame:
    last = frame["period"] == frame["period"].max()
    return frame.assign(count=frame["count"].where(~last, frame["count"] * 20))


def _lack(frame: pd.DataFrame) -> pd.DataFrame:
    last = frame["period"] == frame["period"].max()
    return frame[~(last & (frame["area"] == frame["area"].iloc[0]))]


@contextmanager
def _gone(config: Configuration) -> Iterator[None]:
    path = config.place(str(config.source[0].path))
    path.rename(path.with_suffix(".away"))
    try:
        yield
    finally:
        path.with_suffix(".away").rename(path)


@contextmanager
def _damaged(config: Configuration) -> Iterator[None]:
    path = Path(config.store_place())
    path.rename(path.with_suffix(".away"))
    path.write_bytes(b"no database at all, but long enough" * 40)
    try:
        yield
    finally:
        path.with_suffix(".away").replace(path)


@contextmanager
def _clock(config: Configuration) -> Iterator[None]:
    """The refresh believes that it is three days before its last good night."""
    last = check_health(config).night
    day = dt.date.fromisoformat(str(last)) - 2 * DAY

    class Clock(dt.date):
        @classmethod
        def today(cls) -> dt.date:  # type: ignore[override]
            return day

    class Module:
        date = Clock
        timedelta = dt.timedelta

    with mock.patch.object(pipeline, "dt", Module):
        yield


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@contextmanager
def _unfitted(_: Configuration) -> Iterator[None]:
    error = FitError("Model must fit Area 1: it does not. Try another.")
    with (
        mock.patch.object(making_nights, "learn", side_effect=error),
        mock.patch.object(SeasonalNaive, "fit", side_effect=error),
    ):
        yield


def _nothing(_: Configuration) -> object:
    return mock.patch.object(os, "environ", os.environ)


FAILURES = (
    Failure("cut off", 3, "must not lose periods", "is failed: Source", _bring(_cut)),
    Failure("shrunk", 3, "must keep what it held", "is failed: Source", _bring(_half)),
    Failure("stale", 3, "must be fresh", "must be fresh: its last period", _nothing, late=6),
    Failure("jump", 3, "must be near what was expected", "more likely an error", _bring(_jump)),
    Failure("areas missing", 3, "must be complete", "is failed: Source", _bring(_lack)),
    Failure("file gone", 3, "must be readable", "is failed: Source", _gone),
    Failure("clock set back", 3, "Clock must not be behind", "Clock must not be behind", _clock),
    Failure(
        "disk full", 1, "No space left on device", "is failed: Folder",
        lambda _: mock.patch.object(locking, "_write", _full),
    ),
    Failure("store damaged", 2, "be a whole SQLite file", "be a whole SQLite file", _damaged),
    Failure(
        "two at once", 1, "must be the only one", "A refresh is at work: process",
        lambda config: locking.locking(config.work_folder()),
    ),
    Failure("killed", -9, "", "is killed: it was killed", _nothing),
    Failure("no model fits", 1, "could not be fitted", "is failed: ", _unfitted),
    Failure(
        "pages not writable", 1, "the pages alone are missing", "Pages must be of the last night",
        lambda _: mock.patch.object(swapping, "_swap", _full),
    ),
)  # fmt: skip
"""Thirteen; what is left of each is made good by the next refresh."""
