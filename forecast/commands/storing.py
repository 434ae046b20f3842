"""`forecast store`: what the nightly refresh keeps; bring it up, thin it out, hand it on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecast.commands.asking import AsJson
from forecast.commands.showing import print_json, print_table, say

store = typer.Typer(
    name="store",
    help="Nights that were kept: show them, export them, prune old ones, migrate the store.",
    no_args_is_help=True,
)

Where = Annotated[
    str,
    typer.Argument(
        envvar="FORECAST_NIGHTLY",
        show_envvar=True,
        metavar="STORE",
        help="A file such as nightly.db, or postgresql+psycopg://user@host/database.",
    ),
]


@store.command("show")
def show_store(
    where: Where,
    last: Annotated[int, typer.Option(help="How many of the last runs to list.")] = 14,
    as_json: AsJson = False,
) -> None:
    """Show the last runs: which nights were published, which failed and why."""
    from forecast.nightly.store import open_store

    with open_store(where, create=False) as opened:
        runs = opened.runs()
        nights, evaluations = opened.nights(), opened.evaluations()
    shown = runs.iloc[len(runs) - max(last, 0) :] if last < len(runs) else runs
    keys = ["id", "as_of", "status", "version", "seed", "began", "ended", "reason"]
    rows = shown[keys].astype(object).where(shown[keys].notna(), None).to_dict("records")
    kept = sum(not night.pruned for night in nights)
    if as_json:
        print_json(
            {
                "schema": "forecast.store/1",
                "nights": len(nights),
                "with_forecasts": kept,
                "evaluations": len(evaluations),
                "latest": nights[-1].as_of if nights else None,
                "runs": rows,
            }
        )
        return
    if not nights:
        say("No night was published yet.")
    else:
        several = len(nights) > 1
        span = f"from {nights[0].as_of} to {nights[-1].as_of}" if several else nights[0].as_of
        say(
            f"{len(nights):,} night{'s' * several} {span}, {kept:,} with their forecasts; "
            f"{len(evaluations):,} evaluations."
        )
    if rows:
        cells = [
            [str(row["as_of"]), str(row["status"]), str(row["began"])[:16].replace("T", " "),
             str(row["version"])]
            for row in rows
        ]  # fmt: skip
        print_table("Last runs, times in UTC", ["night", "status", "began", "version"], cells)
        for row in rows:
            if row["reason"]:  # a sentence has no room in a table
                say(f"{row['as_of']}, {row['status']}: {row['reason']}")


@store.command("migrate")
def migrate_store(where: Where, as_json: AsJson = False) -> None:
    """Bring a store to the version that this package writes, or make one. Copy it first."""
    from forecast.nightly.store import reach_store

    with reach_store(where) as found:
        before, after = found.migrate()
    if as_json:
        print_json({"schema": "forecast.store-migrate/1", "before": before, "after": after})
    elif before == after:
        say(f"{found.name} has version {after} already.")
    else:
        say(f"{found.name}: version {after}, {f'was {before}' if before else 'new'}.")


@store.command("prune")
def prune_store(
    where: Where,
    keep_daily: Annotated[int, typer.Option(help="Days of which every night is kept.")] = 90,
    keep_monthly: Annotated[int, typer.Option(help="Months of which the first night is.")] = 36,
    keep_scores: Annotated[
        int | None, typer.Option(help="Days of which scores are kept; for ever without it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Say what would go, and remove nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the forecasts of old nights; never one that an evaluation refers to."""
    from forecast.nightly.keeping import prune
    from forecast.nightly.store import open_store

    with open_store(where, create=False) as opened:
        found = prune(
            opened, keep_daily=keep_daily, keep_monthly=keep_monthly, keep_scores=keep_scores,
            dry_run=dry_run,
        )  # fmt: skip
    if as_json:
        print_json({"schema": "forecast.store-prune/1"} | found.to_dict())
        return
    would = "would be removed" if dry_run else "were removed"
    say(
        f"Forecasts of {len(found.removed):,} nights {would} ({found.forecasts:,} rows); "
        f"{len(found.kept):,} nights keep theirs."
    )
    if keep_scores is not None:
        say(f"{found.scores:,} rows of scores {would}.")


@store.command("export")
def export_store(
    where: Where,
    to: Annotated[Path, typer.Option(help="Folder of the files; made when it is not there.")],
    as_of: Annotated[
        str | None, typer.Option(help="One night: the last at or before this date.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="All nights from this date on.")] = None,
    model: Annotated[str | None, typer.Option(help="One model alone.")] = None,
    totals: Annotated[bool, typer.Option(help="Sums over areas, in place of areas.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write nights as Parquet in the columns of the forecast hubs; the last one unless told."""
    from forecast.nightly.exporting import export_hub
    from forecast.nightly.store import open_store

    with open_store(where, create=False) as opened:
        made = export_hub(opened, to, as_of=as_of, since=since, model=model, totals=totals)
    if as_json:
        files = [path.relative_to(to).as_posix() for path in made]
        print_json({"schema": "forecast.store-export/1", "files": files})
        return
    for path in made:
        say(f"Written: {path}")
