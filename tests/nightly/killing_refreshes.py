"""A process that makes refreshes in children of its own and kills them at a step, or lets no
file of theirs grow beyond a size.

It is started once for all steps, so that what takes long to import is imported once. It reads
lines: a configuration, a date, and where to kill; it answers how the child ended.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forecast.models.dynamic  # noqa: F401 - children find it loaded
import forecast.models.naive  # noqa: F401
from forecast.errors import ForecastError
from forecast.nightly import journal, making_nights, pipeline, recording, swapping
from forecast.nightly.pipeline import refresh


def kill() -> None:
    """End at once, as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(where: str) -> None:
    """Let the process be killed at a step, or in a place between two, or short of room."""
    if where.startswith("room for "):
        size = int(where.split()[2])
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    elif where == "in the transaction":
        _after(recording.Run, "_write")
    elif where == "before the pages change":
        swapping._swap = lambda *_: kill()
    elif where == "between the two folders":
        swapping._exchange = lambda *_: False  # as on a system that cannot exchange them
        _after(Path, "rename")
    else:
        step = journal.Journal.step

        def stop(self: journal.Journal, name: str, **facts: Any) -> None:
            step(self, name, **facts)
            if name == where:
                kill()

        journal.Journal.step = stop  # type: ignore[method-assign]


def _after(owner: Any, name: str) -> None:
    """Kill when a function is done."""
    original: Callable[..., Any] = getattr(owner, name)

    def run(*arguments: Any, **options: Any) -> None:
        original(*arguments, **options)
        kill()

    setattr(owner, name, run)


def serve() -> None:
    """Answer lines until there are no more."""
    # a neighbour of this script, not `tests.nightly`: another package may be installed as `tests`
    from refreshing import write_two_files

    pipeline.find_site_writer = lambda: write_two_files
    making_nights.find_alert_finder = lambda: None
    for line in sys.stdin:
        config, night, where = line.rstrip("\n").split("\t")
        child = os.fork()
        if not child:
            arm(where)
            try:
                refresh(config, as_of=night)
            except ForecastError as error:
                os._exit(error.exit_code)
            os._exit(0)
        _, ended = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(ended), flush=True)


if __name__ == "__main__":
    serve()
