"""`forecast count`: from a list of incidents to a panel, every row accounted for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast.commands.asking import Area, AsJson, Offence
from forecast.commands.showing import print_json, say
from forecast.data.quarantining import LIMIT
from forecast.errors import DataError, join_problems

if TYPE_CHECKING:
    from forecast.data.panel import Panel


def count(
    source: Annotated[
        str,
        typer.Argument(
            help="Incidents, one row each: CSV (also packed), Parquet, workbook, database."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Panel to write, .csv or .parquet.")],
    mapping: Annotated[
        Path | None,
        typer.Option(help="TOML file: which column is what, which codes make which offence."),
    ] = None,
    period: Annotated[str, typer.Option(help="D, W-SUN or M: what to count by.")] = "D",
    date: Annotated[
        str | None,
        typer.Option(help="Which date counts: date, from, to, middle or recorded."),
    ] = None,
    day_starts: Annotated[
        str | None, typer.Option(help="When a day begins, such as 05:00; midnight without.")
    ] = None,
    boundaries: Annotated[
        Path | None, typer.Option(help="GeoJSON of areas, for incidents with coordinates.")
    ] = None,
    day_first: Annotated[
        bool | None,
        typer.Option(
            "--day-first/--month-first", help="How 03/04/2024 is read where no date tells."
        ),
    ] = None,
    query: Annotated[str | None, typer.Option(help="Of a database: one SELECT.")] = None,
    table: Annotated[str | None, typer.Option(help="Of a database: a table or view.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Of a workbook: the sheet.")] = None,
    member: Annotated[str | None, typer.Option(help="Of a zip archive: the file.")] = None,
    area: Area = None,
    offence: Offence = None,
    quarantine: Annotated[
        Path | None,
        typer.Option(help="CSV file for rows that cannot be used; beside the panel without."),
    ] = None,
    limit: Annotated[
        float, typer.Option(help="Share of the rows that may be quarantined.")
    ] = LIMIT,
    until: Annotated[
        str | None, typer.Option(help="Last day that can be true, YYYY-MM-DD; today without.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a panel that exists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Count incidents by area, offence and period; rows that cannot be used are listed with why."""
    from forecast.data.incidents import count as run

    listed = quarantine or out.with_name(f"{out.stem}.quarantine.csv")
    others = {"the source": source, "the mapping": mapping, "the boundaries": boundaries}
    _check_out(out, force, {**others, "the quarantined rows": listed})
    panel = run(
        source, period, areas=area, offences=offence, mapping=mapping, boundaries=boundaries,
        date=date, day_first=day_first, day_starts=day_starts, quarantine=listed, limit=limit,
        until=until, query=query, table=table, sheet=sheet, member=member,
    )  # fmt: skip
    write_panel(panel, out)
    if as_json:
        print_json(_content(panel, out, listed))
        return
    say(f"{panel!r}")
    if panel.tally is not None:
        say(f"Rows: {panel.tally.sentence()}")
    for note in panel.notes:
        say(f"Note: {note}")
    say(f"Written: {out}\nQuarantined rows: {listed}")


def _check_out(out: Path, force: bool, others: dict[str, str | Path | None]) -> None:
    """Refuse a panel that cannot be written, before anything is counted."""
    problems = [
        f"File to write must be another than that of {what}: found {out.name!r} for both. Choose "
        "another name."
        for what, other in others.items()
        if other is not None and os.path.realpath(out) == os.path.realpath(other)
    ]
    if out.suffix not in (".csv", ".parquet"):
        problems.append(
            f"File to write must be CSV or Parquet: found {out.name!r}. End its name in .csv or "
            ".parquet."
        )
    if out.is_dir():
        problems.append(f"File to write must be a file: {out.name!r} is a folder. Name a file.")
    elif out.exists() and not force:
        problems.append(
            f"File {out.name!r} must not exist yet: it does. Choose another name, or say --force."
        )
    if not out.parent.is_dir():
        problems.append(f"Folder of {out.name!r} must exist: it does not. Make it first.")
    if problems:
        raise DataError(join_problems(problems))


def write_panel(panel: Panel, out: Path) -> None:
    """Write a panel as a tidy file that `forecast.load` reads, whole or not at all.

    Parameters
    ----------
    panel : Panel
    out : Path
        Ends in .csv or .parquet.
    """
    from forecast.data.writing import replacing
    from forecast.periods import label

    frame = panel.to_frame()
    names = {period: label(period) for period in panel.periods}
    frame["period"] = frame["period"].map(names).astype("object")
    frame["count"] = frame["count"].astype("Int64")
    with replacing(out) as half:
        if out.suffix == ".csv":
            frame.to_csv(half, index=False)
            return
        import duckdb

        with duckdb.connect() as connection:
            connection.register("frame", frame.astype({"area": "object", "offence": "object"}))
            connection.table("frame").write_parquet(str(half))


def _content(panel: Panel, out: Path, listed: Path) -> dict[str, object]:
    """What a program wants to know; files by name, never by path."""
    from dataclasses import asdict

    from forecast.periods import label

    return {
        "schema": "forecast.counts/1",
        "measure": panel.measure,
        "areas": panel.areas,
        "offences": panel.offences,
        "freq": panel.freq,
        "first": label(panel.periods[0]),
        "last": label(panel.periods[-1]),
        "total": int(panel.values.sum()),
        "tally": panel.tally.to_dict() if panel.tally is not None else None,
        "notes": list(panel.notes),
        "data": asdict(panel.snapshot),
        "out": out.name,
        "quarantine": listed.name,
    }
