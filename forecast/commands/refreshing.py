"""`forecast refresh` and `forecast status`: the night, and whether it came."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast.commands.asking import AsJson
from forecast.commands.showing import number, print_json, print_table, progress_bar, say
from forecast.errors import ForecastError, StaleError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.nightly.configuring import Configuration
    from forecast.nightly.summing_up import NightMade, Refreshed

Config = Annotated[Path, typer.Argument(help="The configuration, a TOML file.")]


def refresh(
    config: Config,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do everything, write nothing.")
    ] = False,
    since: Annotated[
        str | None, typer.Option(help="Make the nights from this date on that are not there.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="The date of the night, YYYY-MM-DD; today without it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make tonight's forecasts, score what has come true, publish it all or nothing."""
    from forecast.nightly.pipeline import NightNotReady
    from forecast.nightly.pipeline import refresh as run

    try:
        with progress_bar() as show:
            done = run(config, as_of=as_of, dry_run=dry_run, since=since, progress=show)
    except NightNotReady as error:
        _tell(error.refreshed, as_json)
        raise
    _tell(done, as_json)


def _tell(done: Refreshed, as_json: bool) -> None:
    """Say what was done."""
    if as_json:
        print_json(done.to_dict())
        return
    for night in done.nights:
        say(night.sentence())
    for note in (*done.last.left_out, *done.last.notes, *done.notes):
        say(f"Note: {note}", to_error=True)
    _tell_scores(done.last)
    if done.pages is not None:
        say(f"Pages: {done.pages}.")


def _tell_scores(night: NightMade) -> None:
    """Print how good earlier nights were, and which model stands in for which."""
    for text in night.drift:
        say(f"Drift: {text}")
    if not night.scores:
        return
    rows = [
        [
            str(row["model"]),
            f"{row['cells']:,}",
            *(
                number(float("nan") if row[name] is None else scale * float(row[name]), form)
                for name, scale, form in (
                    ("wis", 1, ".3f"),
                    ("skill", 100, "+.1f"),
                    ("coverage_80", 100, ".0f"),
                    ("coverage_95", 100, ".0f"),
                )
            ),
        ]
        for row in night.scores
    ]
    columns = ["model", "cells", "wis", "skill %", "in 80 %", "in 95 %"]
    print_table("What came true since the last night", columns, rows)
    order = " > ".join(
        str(row["model"])
        + ("" if row["wis_scaled"] is None else f" ({float(row['wis_scaled']):.3f})")
        for row in night.order
    )
    say(f"Models, as one stands in for another: {order}")


def status(
    config: Config,
    tell: Annotated[
        bool, typer.Option("--tell", help="Send a notice when what readers see is stale.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say when the last good night was, how old its figures are, and what is due."""
    from forecast.errors import join_problems
    from forecast.nightly.configuring import Configuration
    from forecast.nightly.watching import check_health

    settings = Configuration.load(config)
    try:
        health = check_health(settings)
    except ForecastError as error:  # a store that is gone is no better than a stale one
        if tell:
            _tell_stale(settings, [str(error)])
        raise
    if as_json:
        print_json(health.to_dict())
    else:
        say(f"Last good night: {health.night or 'none'}.")
        for name, told in health.sources.items():
            say(f"{name}: counts up to {told['last']}, ended {told['age_days']} days ago.")
        say(f"Next due: {health.next_due}.")
        if health.running:
            say(f"At work now: {health.running}.")
    if tell:
        _tell_stale(settings, health.problems)
    if health.stale:
        raise StaleError(join_problems(health.problems))


def _tell_stale(settings: Configuration, problems: Sequence[str]) -> None:
    """Send notices of what is wrong, and say what became of them."""
    from forecast.nightly.telling import tell_stale

    for told in tell_stale(settings, problems):
        say(f"Notice {told.status}: {told.text}", to_error=True)
