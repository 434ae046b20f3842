"""`forecast profile` and `forecast backtest`: the season, and how good forecasts were."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast.commands.asking import (
    Area,
    AsJson,
    AsOf,
    Correct,
    Data,
    Draws,
    Lag,
    Level,
    Offence,
    Query,
    Reading,
    Seed,
    StoreFolder,
    Table,
    pick_model,
    read,
    with_lag,
)
from forecast.commands.showing import number, print_json, print_table, progress_bar, say
from forecast.errors import DataError

if TYPE_CHECKING:
    from forecast.scoreboard import Scores


def profile(
    data: Data = "london",
    offence: Offence = None,
    area: Annotated[
        str | None, typer.Option(help="One area; the total and all areas without it.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="engine (the count engine) or averages (means of single years).")
    ] = "engine",
    as_of: AsOf = None,
    store: StoreFolder = None,
    query: Query = None,
    table: Table = None,
    reading: Reading = None,
    lag: Lag = None,
    level: Level = 0.95,
    seed: Seed = 0,
    draws: Draws = 1000,
    as_json: AsJson = False,
) -> None:
    """Show how far each month or week stands from its own year's level."""
    from forecast.models.seasons import profile as run

    counts = read(data, as_of=as_of, store=store, query=query, table=table, reading=reading)
    counts = with_lag(counts, lag, "mark")  # nothing is expected here that could be thinned
    found = run(
        counts, offence=offence, area=area, level=level, method=method, seed=seed, draws=draws
    )
    if as_json:
        print_json(found.to_dict())
        return
    for name, part in found.summary().groupby("offence", sort=False):
        rows = [
            [
                str(row.season),
                f"{row.percent:+.1f}",
                f"{row.percent_lower:+.1f} to {row.percent_upper:+.1f}",
                str(row.years),
            ]
            for row in part.itertuples()
        ]
        title = f"{name}: per cent from the year's level"
        print_table(title, ["season", "per cent", f"{100 * level:.0f} % interval", "years"], rows)
    say(repr(found))
    for note in found.notes:
        say(f"Note: {note}.")


def backtest(
    data: Data = "london",
    models: Annotated[str, typer.Option(help="Models with commas between, or 'all'.")] = "dynamic",
    offence: Offence = None,
    area: Area = None,
    horizon: Annotated[int, typer.Option(help="Periods ahead.")] = 3,
    origins: Annotated[int, typer.Option(help="How many past dates to forecast from.")] = 8,
    out: Annotated[
        Path | None, typer.Option(help="HTML page to write: the table, figures, their numbers.")
    ] = None,
    as_of: AsOf = None,
    store: StoreFolder = None,
    query: Query = None,
    table: Table = None,
    reading: Reading = None,
    lag: Lag = None,
    correct: Correct = "mark",
    seed: Seed = 0,
    draws: Draws = 1000,
    as_json: AsJson = False,
) -> None:
    """Forecast from past dates and score what came, always beside the seasonal naive model."""
    from forecast.backtesting import backtest as run
    from forecast.models.named import NAMED

    if out is not None and (out.suffix != ".html" or not out.parent.is_dir()):
        raise DataError(
            f"Page to write must be HTML, in a folder that exists: found {out.name!r}. End its "
            "name in .html, and make its folder first."
        )
    names = list(NAMED) if models == "all" else [name.strip() for name in models.split(",")]
    chosen = [pick_model(name) for name in names]
    known = read(data, as_of=as_of, store=store, query=query, table=table, reading=reading)
    counts = with_lag(known.select(offence=offence, area=area), lag, correct)
    with progress_bar() as show:
        scores = run(
            chosen,
            counts,
            horizon=horizon,
            origins=origins,
            seed=seed,
            draws=draws,
            progress=lambda done, of: show("past dates", done, of),
        )
    if out is not None:
        from forecast.reporting.score_plots import write_scores

        write_scores(scores, counts, to=out)
    if as_json:
        print_json(scores.to_dict())
    else:
        print_scores(scores)
    if out is not None:
        say(f"Page: {out}", to_error=as_json)


def print_scores(scores: Scores) -> None:
    """Print the leaderboard of a backtest, the best model first."""
    rows = [
        [
            row["model"],
            number(row["wis"], ".3f"),
            number(100 * row["skill"], "+.1f"),
            number(row["against_rivals"], ".3f"),
            *(number(100 * row[name], ".0f") for name in ("coverage_80", "coverage_95")),
            number(row["cpu_ms_per_series"], ",.1f"),
        ]
        for row in scores.leaderboard().to_dict("records")
    ]
    title = f"{scores.horizon} ahead from {len(scores.origins)} past dates, {scores.series} series"
    columns = ["model", "wis", "skill %", "rivals", "in 80 %", "in 95 %", "CPU ms"]
    print_table(title, columns, rows)
    say(
        "wis: error over that of the naive forecast in sample, smaller is better; skill: per cent\n"
        "of the naive forecast's wis saved; rivals: wis over that of all models, pair by pair;\n"
        "in 80 %, 95 %: counts inside these intervals, per cent; CPU: to fit and forecast a series"
    )
    for note in scores.notes:
        say(f"Note: {note}")
