"""`forecast schedule`: the nightly refresh for cron, systemd, Windows or Kubernetes."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Annotated

import typer

from forecast.commands.showing import say

if TYPE_CHECKING:
    from forecast.nightly.schedule import Job, Unit


def schedule(
    config: Annotated[str, typer.Argument(help="Configuration of the refresh, a TOML file.")],
    kind: Annotated[str, typer.Option(help="cron, systemd, windows or kubernetes.")],
    at: Annotated[
        str | None,
        typer.Option(help="HH:MM in London; as the configuration says (03:15) without it."),
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="Account that it runs as (systemd and windows).")
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(help="File of NAME=value lines (cron, systemd), or a Secret (kubernetes)."),
    ] = None,
    program: Annotated[
        str | None, typer.Option(help="The program, when it is not this installation.")
    ] = None,
    image: Annotated[
        str, typer.Option(help="Image of the container (kubernetes).")
    ] = "violence-forecast",
    claim: Annotated[
        str, typer.Option(help="Volume claim that is seen at /data (kubernetes).")
    ] = "forecast",
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="The unit that looks later whether the night came, and tells if not."
        ),
    ] = False,
    to_folder: Annotated[
        Path | None, typer.Option(help="Write the files into this folder instead of printing.")
    ] = None,
) -> None:
    """Print the unit that runs the refresh every night; nothing is installed."""
    from forecast.nightly.schedule import Job, find_program, write_schedule

    words = find_program()
    if program is not None or kind == "kubernetes":
        words = (program or "forecast",)
    known, grace = _times_of(config, kind)
    job = Job(
        command=(*words, "refresh", _absolute(config, kind)),
        at=at or known or "03:15",
        user=user,
        environment=_absolute(environment, kind) if environment else None,
        image=image,
        claim=claim,
    )
    units = write_schedule(kind, _watch(job, grace) if watch else job)
    if known is not None and job.at != known:
        say(
            f"Note: the configuration says {known}. Set at = {job.at!r} in its table [schedule] "
            "too, or forecast status expects the night at another time.",
            to_error=True,
        )
    if to_folder is None:
        _show(units)
        return
    _write(units, to_folder)


def _times_of(config: str, kind: str) -> tuple[str | None, float]:
    """When a night is due, and hours of grace; None where the configuration lies elsewhere."""
    from forecast.nightly.configuration_parts import Schedule
    from forecast.nightly.configuring import Configuration

    elsewhere = kind == "kubernetes" or (kind == "windows") != (sys.platform == "win32")
    if elsewhere and not Path(config).is_file():
        return None, Schedule().grace_hours
    found = Configuration.load(config).schedule
    return found.at, found.grace_hours


def _watch(job: Job, grace: float) -> Job:
    """The job that looks, a quarter of an hour after the grace, whether the night came."""
    from dataclasses import replace

    from forecast.nightly.schedule import add_hours

    program = job.command[:-2]
    return replace(
        job,
        command=(*program, "status", job.command[-1], "--tell"),
        at=add_hours(job.at, grace + 0.25),
        name="forecast-status",
        about="Look whether the forecasts of the night are there",
    )


def _absolute(path: str, kind: str) -> str:
    """A path from the root on, as the machine that runs the refresh writes it."""
    if kind == "kubernetes":
        return path
    pure = PureWindowsPath if kind == "windows" else PurePosixPath
    return path if pure(path).is_absolute() else str(Path(path).expanduser().absolute())


def _show(units: tuple[Unit, ...]) -> None:
    """Print the files, each under its name where there are several."""
    for unit in units:
        if len(units) > 1:
            say(f"# {unit.name}")
        say(unit.text)


def _write(units: tuple[Unit, ...], folder: Path) -> None:
    """Write the files and say their names."""
    from forecast.data.writing import replacing

    folder.mkdir(parents=True, exist_ok=True)
    for unit in units:
        with replacing(folder / unit.name) as half:
            half.write_bytes(unit.text.encode())
        say(f"Written: {folder / unit.name}")
