"""`forecast report`: a saved report again, in the formats that are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecast.commands.asking import Formats
from forecast.commands.showing import say


def report(
    result: Annotated[
        Path,
        typer.Argument(
            metavar="RESULT",
            help="Folder of a report, its report.json, or an evaluation.json alone, which gives a "
            "shorter report without figures.",
        ),
    ],
    to: Formats = "html",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of reports to write to, the campaign getting a folder of its own in it; "
            "beside what was saved without it."
        ),
    ] = None,
) -> None:
    """Write a saved report again in any format, without fitting anything."""
    from forecast.reporting.remaking import remake_report

    for path in remake_report(result, to=out, formats=to):
        say(f"Written: {path}")
