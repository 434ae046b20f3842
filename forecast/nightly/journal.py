"""What a refresh says of itself: JSON lines in a file that does not grow, and progress."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from forecast.data.addresses import hide_secrets
from forecast.data.records import now

LOG = "refresh.log"
"""Name of the file in the folder of the refresh."""

_TAIL = 200_000  # bytes of the log in which the last error is looked for

Progress = Callable[[str, int, int], None]

STEPS = (
    "begin", "read", "kept", "check", "run begun", "fit", "fitted", "forecast", "score", "alerts",
    "publish", "published", "pages", "pages written", "notices", "end",
)  # fmt: skip
"""Steps of a night, in order; one is said before it begins, or after it is done."""


class _Lines(RotatingFileHandler):
    """Lines of a log that must never be the reason why a night fails."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Go on: a disk that is full says so where it matters."""


class Journal:
    """Writes what happens, with the number of the run in every line.

    Parameters
    ----------
    folder : Path or None
        Where `refresh.log` is; nothing is written without it.
    size, files : int
        Bytes of a file, and how many older ones are kept.
    progress : callable, optional
        Called with the name of the step, how many are done and of how many.

    Attributes
    ----------
    run : str
        Names this run in all its lines.
    seconds : dict
        How long each step took.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        size: int = 2_000_000,
        files: int = 5,
        progress: Progress | None = None,
    ) -> None:
        self.run = uuid.uuid4().hex[:12]
        self.seconds: dict[str, float] = {}
        self.about: dict[str, Any] = {}
        self._progress = progress
        self._last: tuple[str, float] | None = None
        self._lines: _Lines | None = None
        if folder is not None:
            with suppress(OSError):  # a folder that cannot be written is told of by the lock
                self._lines = _Lines(
                    folder / LOG, maxBytes=size, backupCount=files, encoding="utf-8"
                )

    def step(self, name: str, **facts: Any) -> None:
        """Say that a step begins, or is done."""
        present = time.perf_counter()
        if self._last is not None:
            before, began = self._last
            self.seconds[before] = self.seconds.get(before, 0.0) + present - began
        self._last = (name, present)
        self.write("step", step=name, **facts)
        if self._progress is not None and name in STEPS:
            self._progress(str(self.about.get("as_of", "refresh")), STEPS.index(name), len(STEPS))

    def write(self, event: str, **facts: Any) -> None:
        """Write one line."""
        if self._lines is None:
            return
        line = {"time": now(), "run": self.run, "event": event} | self.about | facts
        text = json.dumps(line, ensure_ascii=False, default=str)
        level = logging.ERROR if event == "error" else logging.INFO
        # nobody else's logger is touched, and nobody else's settings touch this one
        self._lines.handle(
            logging.LogRecord("forecast.nightly", level, "", 0, hide_secrets(text), None, None)
        )

    def close(self) -> None:
        """Let go of the file."""
        if self._lines is not None:
            self._lines.close()


def read_last_error(folder: Path) -> dict[str, str] | None:
    """Return what ended the last run of the log, None where that was no error.

    Some errors are in no store: of a lock, of a clock, of the store itself.

    Parameters
    ----------
    folder : Path
        Of the refresh.

    Returns
    -------
    dict or None
        `time, kind, text, as_of`.
    """
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    last = None
    for line in reversed(lines):
        with suppress(ValueError, TypeError, KeyError):  # the first and the last may be halves
            told = json.loads(line)
            last = last or told["run"]
            if told["run"] == last and told["event"] == "error":
                found = {name: str(told[name]) for name in ("time", "kind", "text")}
                return found | {"as_of": str(told.get("as_of", told["time"][:10]))}
    return None
