"""`forecast doctor`: whether everything that the nightly refresh needs is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecast.commands.asking import AsJson
from forecast.commands.showing import print_json, say


def doctor(
    config: Annotated[
        Path | None,
        typer.Argument(help="Configuration of the refresh; the machine alone without it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at the machine and at what a configuration names; exit code 1 when something failed."""
    from forecast.nightly.doctor import diagnose

    found = diagnose(config)
    if as_json:
        print_json(found.to_dict())
    else:
        for finding in found.findings:
            say(finding.line())
    if found.failed:
        raise typer.Exit(1)
