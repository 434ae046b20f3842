"""`forecast simulate`: made-up figures with a known effect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecast.commands.asking import Seed
from forecast.commands.showing import say
from forecast.errors import DataError


def simulate(
    out: Annotated[Path, typer.Option(help="CSV file to write; of incidents also .parquet.")],
    areas: Annotated[int, typer.Option(help="Areas.")] = 13,
    years: Annotated[int, typer.Option(help="Whole years.")] = 10,
    mean: Annotated[float, typer.Option(help="Mean count a month, all areas together.")] = 3000.0,
    effect: Annotated[
        float, typer.Option(help="Change planted in the window: -0.25 is a fall of a quarter.")
    ] = 0.0,
    window_start: Annotated[
        str | None, typer.Option(help="First day of the change, YYYY-MM-DD; last October without.")
    ] = None,
    window_end: Annotated[
        str | None, typer.Option(help="Last day of the change, YYYY-MM-DD; last November without.")
    ] = None,
    treated: Annotated[
        int | None, typer.Option(help="Areas with the change, from the first on; all without it.")
    ] = None,
    offences: Annotated[
        int, typer.Option(help="Offences: robbery, which changes, and up to four that do not.")
    ] = 1,
    incidents: Annotated[
        int | None,
        typer.Option(help="Write that many incidents instead, and the mapping that counts them."),
    ] = None,
    seed: Seed = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write a simulated panel with a known effect, to try the package on."""
    from forecast.data.writing import replacing
    from forecast.simulation import simulate as run

    if (window_start is None) != (window_end is None):
        raise DataError("Window must have a first and a last day: found one. Give both or none.")
    if incidents is None and out.suffix != ".csv":
        raise DataError(f"File to write must be CSV: found {out.name!r}. End its name in .csv.")
    if out.exists() and not force:
        raise DataError(
            f"File {out.name!r} must not exist yet: it does. Choose another name, or say --force."
        )
    if not out.parent.is_dir():
        raise DataError(f"Folder of {out.name!r} must exist: it does not. Make it first.")
    if incidents is not None:
        _write_incidents(out, incidents, areas, offences, years, seed)
        return
    window = (window_start, window_end) if window_start and window_end else None
    panel = run(
        areas=areas, years=years, mean=mean, effect=effect, window=window, treated=treated,
        offences=offences, seed=seed,
    )  # fmt: skip
    frame = panel.to_frame()
    with replacing(out) as half:
        frame.astype({"count": "int64"}).to_csv(half, index=False)
    say(f"{panel!r}\nWritten: {out}")


def _write_incidents(
    out: Path, rows: int, areas: int, offences: int, years: int, seed: int
) -> None:
    """Write a list of incidents, which has no effect in it."""
    from forecast.incident_simulation import simulate_incidents

    mapping = simulate_incidents(
        out, rows=rows, areas=areas, offences=offences, years=years, seed=seed
    )
    say(
        f"SIMULATED: {rows:,} incidents, none of them real\nWritten: {out}, {mapping}\n"
        f"Count them: forecast count {out.name} --mapping {mapping.name} --out panel.csv"
    )
