"""`forecast evaluate` and `forecast plan`: a campaign afterwards, and beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast.commands.asking import (
    AsJson,
    AsOf,
    Correct,
    Data,
    Disclosure,
    Draws,
    Formats,
    Lag,
    Level,
    Query,
    Reading,
    Seed,
    StoreFolder,
    Table,
    Way,
    pick_model,
    read,
    with_lag,
    write_command,
)
from forecast.commands.showing import number, print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from forecast.impact.detecting import Detectable
    from forecast.impact.evaluation import Evaluation
    from forecast.impact.planning import Plan


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
    to: Formats = "html",
    status: Annotated[
        str | None,
        typer.Option(
            help="What somebody who has checked the report says of it: draft, provisional or "
            "final, which needs figures taken 42 days after the campaign. A draft without it."
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
    as_of: AsOf = None,
    store: StoreFolder = None,
    query: Query = None,
    table: Table = None,
    reading: Reading = None,
    lag: Lag = None,
    correct: Correct = "mark",
    disclosure: Disclosure = "auto",
    level: Level = 0.95,
    seed: Seed = 0,
    draws: Draws = 1000,
    as_json: AsJson = False,
) -> None:
    """Say how much a campaign changed, how sure that is, and what may be claimed."""
    from forecast.data.disclosure import choose_disclosure
    from forecast.impact.campaign import Campaign
    from forecast.impact.disclosing import protect
    from forecast.impact.evaluation import evaluate as run
    from forecast.reporting.standing import decide_status

    formats = _check_report(out, to, status)
    plan = Campaign.load(campaign)
    chosen = pick_model(model)
    counts = read(data, as_of=as_of, store=store, query=query, table=table, reading=reading)
    counts = with_lag(counts, lag, correct)
    choose_disclosure(counts, disclosure)  # a wrong word is refused before anything is computed
    whole = out is not None if full is None else full
    command = write_command(
        "evaluate", campaign, data=data, model=model, counterfactual=counterfactual,
        previous=previous, registration=registration, activity=activity, price_year=price_year,
        as_of=as_of, query=query, table=table, reading=reading, lag=lag, correct=correct,
        full=whole or None, disclosure=disclosure, level=level, seed=seed, draws=draws,
    )  # fmt: skip
    page = None
    with progress_bar() as show:
        result = run(
            plan, counts, model=chosen, counterfactual=counterfactual, previous=previous,
            registration=registration, activity=activity, sensitivity=whole,
            level=level, seed=seed, draws=draws, progress=show,
        )  # fmt: skip
        if out is not None:
            decide_status(result, status)  # refused before what takes longest
        if whole:
            result.compare_models(progress=show)
            result.examine(price_year=price_year, progress=show)
        if out is not None:
            from forecast.reporting.pages import report

            page = report(
                result, to=out, formats=formats, status=status, command=command,
                sensitivity=whole, examine=whole, disclosure=disclosure, progress=show,
            )  # fmt: skip
    if as_json:
        print_json(protect(result, disclosure).to_dict(command=command))
    else:
        print_evaluation(result)
    if page is not None:
        say(f"Report: {page}", to_error=as_json)


def _check_report(out: Path | None, to: str, status: str | None) -> tuple[str, ...]:
    """Return the formats of the report, or refuse what no report is written for."""
    from forecast.errors import DataError
    from forecast.reporting.formats import check_formats

    if out is None and (to != "html" or status is not None):
        option, value = ("--status", status) if to == "html" else ("--to", to)
        raise DataError(
            f"Option {option} {value} must come with --out: found none, so no report is written. "
            "Give the folder of reports with --out."
        )
    return check_formats(to)


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
    as_of: AsOf = None,
    store: StoreFolder = None,
    query: Query = None,
    table: Table = None,
    reading: Reading = None,
    level: Level = 0.95,
    seed: Seed = 0,
    draws: Draws = 1000,
    as_json: AsJson = False,
) -> None:
    """Say before a campaign how small a change it could show, and what to compare it with."""
    from forecast.impact.campaign import Campaign
    from forecast.impact.planning import plan as run

    asked, chosen = Campaign.load(campaign), pick_model(model)
    counts = read(data, as_of=as_of, store=store, query=query, table=table, reading=reading)
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
        if written.after_the_fact:
            said = " ".join(written.after_the_fact)
            say(f"This registration is made after the fact: {said}", to_error=as_json)


_WORDS = {"passed": "passed", "failed": "note", "not possible": "not possible"}


def print_evaluation(result: Evaluation) -> None:
    """Print what the report says first: the plain words, the totals, the claim, the doubts."""
    from forecast.reporting.wording import plain_box

    say(f"\n{result.campaign.name}: {result.verdict.upper()} ({result.main.offence}, "
        f"{result.main.place})\n\n{plain_box(result)}")  # fmt: skip
    rows = [
        [
            f"{part.offence}, {part.place}",
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
    _print_dose(result)
    say(f"\nDesign: {' '.join(result.rating.sentences()[:-1])}")
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


def _print_dose(result: Evaluation) -> None:
    """Print what was done beside what was counted, when a log of it was given."""
    from forecast.impact.examination import relate_activity

    dose = relate_activity(result) if result.examination is None else result.examination.dose
    if dose is not None:
        say("\nActivity: dose, never effect")
        for sentence in dose.sentences():
            say(f"  {sentence}")


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
    whose = found.campaign.name_place(found.main.area)
    title = f"Smallest change that would be seen: {found.main.offence}, {whose} (* declared)"
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
    from forecast.impact.power import write_seen

    seen = ["-" if v != v else write_seen(v) for v in (row.fall, row.fall_in_days, row.rise)]
    return [name, str(row.windows), *seen, number(row.width, ".0f")]


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
