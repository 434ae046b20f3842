"""The command line: which commands there are, and how they end."""

from __future__ import annotations

import os
import sys

import typer

from forecast.commands.counting import count
from forecast.commands.doctor import doctor
from forecast.commands.evaluating import evaluate, plan
from forecast.commands.fetching import fetch
from forecast.commands.forecasting import backtest, profile
from forecast.commands.notebooks import notebook
from forecast.commands.notifying import notify
from forecast.commands.refreshing import refresh, status
from forecast.commands.reporting import report
from forecast.commands.scheduling import schedule
from forecast.commands.showing import say
from forecast.commands.simulating import simulate
from forecast.commands.storing import store
from forecast.commands.vintages import data
from forecast.errors import ForecastError

app = typer.Typer(
    name="forecast",
    help="Forecasts of violence and robbery, and honest evaluation of police campaigns.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong use or bad input, 3 data not ready, 4 stale.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


EVALUATING = (evaluate, report, plan, profile, backtest)
NIGHTLY = (refresh, status, notify, schedule, doctor)

for command in (*EVALUATING, count, simulate, *NIGHTLY):
    app.command()(command)
for name, group in (("data", data), ("fetch", fetch), ("notebook", notebook), ("store", store)):
    app.add_typer(group, name=name)


def main() -> None:
    """Run the command line; errors made for people end it with one message and their code."""
    try:
        run_app()
    except ForecastError as error:
        say(f"Error: {error}", to_error=True)
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:  # the reader, such as head, has seen enough
        # What is still to be written goes nowhere, or Python would complain on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        say(
            f"Error: {str(error.filename or 'A file')!r} must be readable or writable: "
            f"{error.strerror or error}. Check the path and its permissions, or choose another.",
            to_error=True,
        )
        raise SystemExit(2) from None


def run_app() -> None:
    """Run the command and write its last words, while a reader that left can still be told."""
    try:
        app()
    except SystemExit as end:
        # Typer and Rich both turn a broken pipe into exit code 1.
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None
        print(end="", flush=True)
        raise
