"""The command line: parsing and printing only."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast.errors import DataError, ForecastError

if TYPE_CHECKING:
    from forecast.data.panel import Panel
    from forecast.impact.detecting import Detectable
    from forecast.impact.evaluation import Evaluation
    from forecast.impact.planning import Plan
    from forecast.models.base import Model
    from forecast.scoreboard import Scores

app = typer.Typer(
    name="forecast",
    help="Forecasts of violence and robbery, and honest evaluation of police campaigns.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong use or bad input, 3 data not ready, 4 stale.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Data = Annotated[
    str,
    typer.Option(
        help="'london' (ships with the package), a file (CSV, CSV.gz, Parquet) or a folder."
    ),
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same result to the byte.")]
Draws = Annotated[int, typer.Option(help="Random draws behind every interval.")]
Level = Annotated[float, typer.Option(help="Level of the intervals, between 0 and 1.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")
]
Way = Annotated[
    str,
    typer.Option(
        help="before: learn from before the window; around: the counts after it too; controls: "
        "what the campaign did not touch too."
    ),
]
Offence = Annotated[
    list[str] | None, typer.Option(help="Offence; give the option again for more than one.")
]
Area = Annotated[
    list[str] | None, typer.Option(help="Area; give the option again for more than one.")
]

MODELS = {
    "dynamic": ("models.dynamic", "DynamicCounts"),
    "naive": ("models.naive", "SeasonalNaive"),
    "glm": ("models.glm", "SeasonalGLM"),
    "structural": ("models.structural", "StructuralTrend"),
    "prophet": ("models.prophet", "SeasonalProphet"),
    "ensemble": ("models.ensemble", "Ensemble"),
}
"""Names of models on the command line; the class's own name does as well."""


@app.command()
def evaluate(
    campaign: Annotated[str, typer.Argument(help="Name of a campaign that ships, or a TOML file.")],
    data: Data = "london",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of reports: the campaign gets a folder of its own in it, unless the "
            "folder has the campaign's name. Nothing is written without it."
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(help="dynamic, structural, naive, glm, prophet or ensemble.")
    ] = "dynamic",
    counterfactual: Way = "before",
    previous: Annotated[
        str,
        typer.Option(help="mask: leave other runs with known days out of what is learnt; or keep."),
    ] = "mask",
    registration: Annotated[
        Path | None, typer.Option(help="File that `forecast plan --register` wrote beforehand.")
    ] = None,
    activity: Annotated[
        Path | None,
        typer.Option(help="CSV log of what was done: date, area, kind, amount. Shown as dose."),
    ] = None,
    price_year: Annotated[
        int | None, typer.Option(help="Year of the prices of costs; the latest without it.")
    ] = None,
    full: Annotated[
        bool | None,
        typer.Option(
            "--full/--quick",
            help="Evaluate in many ways, which can bar a verdict, and look at all that stands "
            "beside it; about a minute. Full where a report is written.",
        ),
    ] = None,
    level: Level = 0.95,
    seed: Seed = 0,
    draws: Draws = 1000,
    as_json: AsJson = False,
) -> None:
    """Say how much a campaign changed, how sure that is, and what may be claimed."""
    from forecast.impact.campaign import Campaign
    from forecast.impact.evaluation import evaluate as run

    plan = Campaign.load(campaign)
    chosen = pick_model(model)
    counts = read(data)
    whole = out is not None if full is None else full
    command = write_command(
        "evaluate", campaign, data=data, model=model, counterfactual=counterfactual,
        previous=previous, registration=registration, activity=activity, price_year=price_year,
        full=whole or None, level=level, seed=seed, draws=draws,
    )  # fmt: skip
    page = None
    with progress_bar() as show:
        result = run(
            plan, counts, model=chosen, counterfactual=counterfactual, previous=previous,
            registration=registration, activity=activity, sensitivity=whole,
            level=level, seed=seed, draws=draws, progress=show,
        )  # fmt: skip
        if whole:
            result.compare_models(progress=show)
            result.examine(price_year=price_year, progress=show)
        if out is not None:
            from forecast.reporting.pages import report

            page = report(
                result, to=out, command=command, sensitivity=whole, examine=whole, progress=show
            )
    if as_json:
        print_json(result.to_dict(command=command))
    else:
        print_evaluation(result)
    if page is not None:
        say(f"Report: {page}", to_error=as_json)


@app.command()
def plan(
    campaign: Annotated[str, typer.Argument(help="Name of a campaign that ships, or a TOML file.")],
    data: Data = "london",
    register: Annotated[
        Path | None,
        typer.Option(
            help="JSON file to write the plan to, with a date and a hash, for the later "
            "evaluation to quote. Nothing is written without it."
        ),
    ] = None,
    counterfactual: Way = "before",
    model: Annotated[
        str, typer.Option(help="dynamic, structural, naive, glm, prophet or ensemble.")
    ] = "dynamic",
    level: Level = 0.95,
    seed: Seed = 0,
    draws: Draws = 1000,
    as_json: AsJson = False,
) -> None:
    """Say before a campaign how small a change it could show, and what to compare it with."""
    from forecast.impact.campaign import Campaign
    from forecast.impact.planning import plan as run

    asked, chosen, counts = Campaign.load(campaign), pick_model(model), read(data)
    with progress_bar() as show:
        found = run(asked, counts, model=chosen, level=level, seed=seed, draws=draws, progress=show)
    written = None
    if register is not None:
        written = found.register(to=register, counterfactual=counterfactual)
    if as_json:
        print_json(found.to_dict())
    else:
        print_plan(found)
    if written is not None:
        say(f"Registered: {register} (SHA-256 {written.sha256})", to_error=as_json)


@app.command()
def profile(
    data: Data = "london",
    offence: Offence = None,
    area: Annotated[
        str | None, typer.Option(help="One area; the total and all areas without it.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="engine (the count engine) or averages (means of single years).")
    ] = "engine",
    level: Level = 0.95,
    seed: Seed = 0,
    draws: Draws = 1000,
    as_json: AsJson = False,
) -> None:
    """Show how far each month or week stands from its own year's level."""
    from forecast.models.seasons import profile as run

    found = run(
        read(data), offence=offence, area=area, level=level, method=method, seed=seed, draws=draws
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


@app.command()
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
    seed: Seed = 0,
    draws: Draws = 1000,
    as_json: AsJson = False,
) -> None:
    """Forecast from past dates and score what came, always beside the seasonal naive model."""
    from forecast.backtesting import backtest as run

    if out is not None and (out.suffix != ".html" or not out.parent.is_dir()):
        raise DataError(
            f"Page to write must be HTML, in a folder that exists: found {out.name!r}. End its "
            "name in .html, and make its folder first."
        )
    names = list(MODELS) if models == "all" else [name.strip() for name in models.split(",")]
    chosen = [pick_model(name) for name in names]
    counts = read(data).select(offence=offence, area=area)
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


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
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
    seed: Seed = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write a simulated panel with a known effect, to try the package on."""
    from forecast.data.writing import replacing
    from forecast.simulation import simulate as run

    if (window_start is None) != (window_end is None):
        raise DataError("Window must have a first and a last day: found one. Give both or none.")
    if out.suffix != ".csv":
        raise DataError(f"File to write must be CSV: found {out.name!r}. End its name in .csv.")
    if out.exists() and not force:
        raise DataError(
            f"File {out.name!r} must not exist yet: it does. Choose another name, or say --force."
        )
    if not out.parent.is_dir():
        raise DataError(f"Folder of {out.name!r} must exist: it does not. Make it first.")
    window = (window_start, window_end) if window_start and window_end else None
    panel = run(areas=areas, years=years, mean=mean, effect=effect, window=window, seed=seed)
    frame = panel.to_frame()
    with replacing(out) as half:
        frame.astype({"count": "int64"}).to_csv(half, index=False)
    say(f"{panel!r}\nWritten: {out}")


def pick_model(name: str) -> Model:
    """Return the model of a name, short or the class's own.

    Raises
    ------
    DataError
        If there is no such model.
    """
    from importlib import import_module

    for short, (module, cls) in MODELS.items():
        if name.casefold() in (short, cls.casefold()):
            found: Model = getattr(import_module(f"forecast.{module}"), cls)()
            return found
    raise DataError(
        f"Model must be one of {', '.join(MODELS)}: found {name!r}. Choose one of these."
    )


def read(data: str) -> Panel:
    """Load the counts and say what the reader found worth telling."""
    from forecast.data.reading import load

    counts = load(data)
    for note in counts.notes:
        say(f"Note: {note}", to_error=True)
    return counts


def write_command(name: str, argument: str, **options: object) -> str:
    """Write the command again for the report, without paths and without defaults."""
    defaults: dict[str, object] = {"data": "london", "model": "dynamic", "level": 0.95}
    defaults |= {"seed": 0, "draws": 1000, "counterfactual": "before", "previous": "mask"}
    words = ["forecast", name, Path(argument).name]
    for option, value in options.items():
        if value is None or value == defaults.get(option):
            continue
        flag = f"--{option.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(flag if value else "--quick")
            continue
        words += [flag, Path(value).name if isinstance(value, str | Path) else str(value)]
    return shlex.join(words)


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on standard error while something takes its time, when it is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        tasks: dict[str, Any] = {}

        def show(word: str, done: int, of: int) -> None:
            if word not in tasks:
                tasks[word] = bar.add_task(word, total=of)
            bar.update(tasks[word], completed=done)

        yield show


def print_json(content: dict[str, object]) -> None:
    """Print one JSON object and nothing else."""
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def say(text: str, *, to_error: bool = False) -> None:
    """Print a line as it stands, without mark-up and without breaking it."""
    print(text, file=sys.stderr if to_error else sys.stdout)


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table; all columns but the first are set to the right and stay in one piece."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    first, *others = columns
    table.add_column(escape(first), overflow="fold")
    for name in others:
        table.add_column(escape(name), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)


def number(value: float, form: str) -> str:
    """Write a number in a form, and a dash where it is undefined."""
    return "-" if value != value else format(value, form)


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


_WORDS = {"passed": "passed", "failed": "note", "not possible": "not possible"}


def print_evaluation(result: Evaluation) -> None:
    """Print what the report says first: the plain words, the totals, the claim, the doubts."""
    from forecast.reporting.wording import plain_box

    say(f"\n{result.campaign.name}: {result.verdict.upper()} ({result.main.offence}, "
        f"{result.main.area})\n\n{plain_box(result)}")  # fmt: skip
    rows = [
        [
            f"{part.offence}, {part.area}",
            f"{part.observed:,.0f}",
            f"{part.expected:,.0f}",
            f"{part.percent:+.1f}",
            f"{part.percent_interval[0]:+.1f} to {part.percent_interval[1]:+.1f}",
            part.verdict,
        ]
        for part in result.effect.parts
        if part.is_total
    ]
    columns = ["", "observed", "expected", "%", f"{100 * result.level:.0f} % interval", "verdict"]
    print_table("Over the whole periods that the campaign touches", columns, rows)
    for ladder in result.headline.ladders:
        print_table(f"The claim: {ladder.claim.text}", *_ladder_rows(ladder.steps))
        say(ladder.sentence)
    say(f"\nDesign: {result.rating.sentences()[0]}")
    say(" ".join(result.registration.sentences()))
    if result.specifications is None:
        say("Sensitivity was not looked at: say --full, or write a report with --out.")
    beside = () if result.examination is None else result.examination.checks()
    say("\nChecks")
    for check in (*result.checks, *beside):
        barred = "bars single areas" if check.areas_only else "bars a verdict"
        status = barred if check.blocks else _WORDS[check.status]
        say(f"  [{status}] {check.name}: {check.text}")
    say(f"\nData: {result.counts.snapshot.sentence()}")


def print_plan(found: Plan) -> None:
    """Print what could be seen in words, then by length of the window and by area."""
    say(f"\n{found.campaign.name}, {found.campaign.start} to {found.campaign.end}\n")
    for sentence in found.sentences():
        say(sentence)
    columns = ["", "windows", "fall %", "on its days %", "rise %", "width"]
    rows = [r for r in found.power.rows if r.offence == found.main.offence]
    together = [
        _power_row(
            f"{r.span.weeks:.2g} week{'' if r.span.weeks == 1 else 's'}{' *' * r.span.declared}", r
        )
        for r in rows
        if r.kind == "all areas"
    ]
    title = f"Smallest change that would be seen: {found.main.offence}, all areas (* declared)"
    print_table(title, columns, together)
    parts = [_power_row(r.area, r) for r in rows if r.kind != "all areas" and r.span.declared]
    if parts:
        print_table("By area, in the declared window", columns, parts)
    if not found.comparators.table.empty:
        table = [
            [
                f"{row['area']}{' *' if row['suggested'] else ''}",
                number(row["correlation"], ".2f"),
                number(row["gap_percent"], ".1f"),
                number(row["level_ratio"], ".2g"),
            ]
            for row in found.comparators.table.to_dict("records")
        ]
        columns = ["", "correlation", "gap %", "times the count"]
        print_table("Areas left out (* suggested for comparison)", columns, table)
    say(f"Data: {found.counts.snapshot.sentence()}")


def _power_row(name: str, row: Detectable) -> list[str]:
    """What could be seen, as a row of a table."""
    values = (row.fall, row.fall_in_days, row.rise, row.width)
    return [name, str(row.windows), *(number(v, ".1f") for v in values)]


def _ladder_rows(steps: Any) -> tuple[list[str], list[list[str]]]:
    """The columns and rows of a claim's ladder."""
    rows = [
        [
            step.label,
            number(step.observed, ",.0f"),
            number(step.reference, ",.0f"),
            number(step.change_percent, "+.1f"),
            "-"
            if step.change_percent_lower != step.change_percent_lower
            else f"{step.change_percent_lower:+.1f} to {step.change_percent_upper:+.1f}",
        ]
        for step in steps
    ]
    return ["step", "count", "against", "%", "interval"], rows


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
