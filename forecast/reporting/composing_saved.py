"""A shorter report from `evaluation.json` alone: its numbers and sentences, and no figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from forecast.data.disclosure import HIDDEN
from forecast.errors import ForecastError
from forecast.reporting.blocks import quote, state, tell
from forecast.reporting.composing import KICKER
from forecast.reporting.composing_sheets import compose_sheets
from forecast.reporting.documents import Block, Document, Heading, Section
from forecast.reporting.formatting import (
    NOT_KNOWN,
    capitalise,
    typeset,
    write_count,
    write_interval,
    write_range,
    write_signed,
)
from forecast.reporting.tables import UNDEFINED, make_grid, with_interval

SCHEMA = "forecast.evaluation/1"

Row = Mapping[str, Any]

_SHORTER = (
    "This report was made from the saved result alone. It has no figure and not all of the "
    "evidence; forecast evaluate with --out writes both."
)


def compose_saved(evaluation: Row) -> Document:
    """Return a report from the object of an `evaluation.json`, without the evaluation itself.

    Parameters
    ----------
    evaluation : mapping
        As `Evaluation.to_dict` gives it and `forecast evaluate --json` prints it.

    Returns
    -------
    Document
        A draft: what somebody said of a report stands in its `report.json`.

    Raises
    ------
    ForecastError
        If it is not the result of an evaluation, or part of it is missing.

    Examples
    --------
    >>> from forecast.impact.campaign import Campaign
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.simulation import simulate
    >>> plan = Campaign(name="A Test", start="2022-10-01", end="2022-10-31", offences=["robbery"])
    >>> told = evaluate(plan, simulate(areas=1, years=8), draws=100).to_dict()
    >>> [section.key for section in compose_saved(told).sections()]
    ['result', 'claims', 'years', 'areas', 'checks', 'checklist', 'data', 'again']
    """
    found = evaluation.get("schema") if isinstance(evaluation, Mapping) else None
    if found != SCHEMA:
        raise ForecastError(
            f"Saved result must be of schema {SCHEMA}: found {found!r}. Give the evaluation.json "
            "or the report.json that forecast evaluate wrote."
        )
    try:
        return _compose(evaluation)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ForecastError(
            f"Saved result must be whole: reading it gave {type(error).__name__} ({error}). Make "
            "it again with forecast evaluate."
        ) from error


def _compose(told: Row) -> Document:
    main = told["results"][0]
    totals = [row for row in told["results"] if row["area"] == main["area"]]
    sections = [
        ("result", "Result", _tell_result(main, totals)),
        ("claims", "Public claims, step by step", _tell_claims(told["headline"], main["level"])),
        ("years", "Change on the year: change, not effect", _tell_years(told, main)),
        ("areas", "Areas", _tell_areas(told["results"], main)),
        ("checks", "Checks", _tell_checks(told)),
        ("checklist", "What a report must state", _tell_checklist(told.get("checklist", ()))),
        ("data", "Data", [_list(told["data"], "breaks")]),
        ("again", "To make this again", [_list(told["provenance"])]),
    ]
    return Document(
        schema="forecast.report/1",
        title=told["campaign"]["name"],
        kicker=f"{KICKER}, from its saved result",
        verdict=main["verdict"],
        verdict_line=f"{capitalise(main['offence'])} in {main['area']}: {main['verdict']}",
        box=_say_main(told, main),
        status="draft",
        synthetic=bool(told["data"]["synthetic"]),
        summary=(),
        evidence=tuple(Section(key=k, title=t, blocks=tuple(parts)) for k, t, parts in sections),
        sheets=compose_sheets(told),
        evaluation=dict(told),
    )


def _say_main(told: Row, main: Row) -> str:
    """The main row in a sentence, and its verdict."""
    campaign = told["campaign"]
    counted = _count(main, "observed")
    expected = with_interval(_count(main, "expected"), _range(main, "expected_interval"))
    return typeset(
        f"{campaign['name']} ran from {campaign['start']} to {campaign['end']}. "
        f"{capitalise(main['offence'])} in {main['area']}, {_name_window(main)}: {counted} "
        f"{told['measure']} counted, {expected} expected. Verdict: {main['verdict']}."
    )


def _name_window(row: Row) -> str:
    first, last = row["periods"][0], row["periods"][-1]
    return str(first) if first == last else f"{first} to {last}"


def _tell_result(main: Row, totals: Iterable[Row]) -> list[Block]:
    table = _lay(totals, "Totals over the whole periods that the campaign touches", main["level"])
    reason = typeset(main["reason"])
    return [
        *tell(_SHORTER, small=True),
        *tell(reason, lead=f"{capitalise(main['verdict'])}."),
        table,
    ]


def _tell_areas(results: Iterable[Row], main: Row) -> list[Block]:
    rows = [row for row in results if row["area"] != main["area"]]
    if not rows:
        return tell("There is one area, and it is the total.")
    return [_lay(rows, "Areas over the same periods", main["level"], folded=True)]


def _lay(rows: Iterable[Row], caption: str, level: float, *, folded: bool = False) -> Block:
    """Results as a table: what was counted, what was expected, and the verdict."""
    frame = pd.DataFrame(
        [
            {
                "offence": f"{row['offence']}, {row['area']}",
                "observed": HIDDEN if row.get("suppressed") else row["observed"],
                "expected_interval": with_interval(
                    _count(row, "expected"), _range(row, "expected_interval")
                ),
                "effect_interval": _spread(row, "effect", 0),
                "percent_interval": _spread(row, "effect_percent", 1),
                "verdict": HIDDEN if row.get("suppressed") else row["verdict"],
            }
            for row in rows
        ]
    )
    interval = f"({100 * level:.0f} per cent interval)"
    headers = {
        "offence": "Offence and area",
        "expected_interval": f"Expected {interval}",
        "effect_interval": f"Observed less expected {interval}",
        "percent_interval": f"The same in per cent {interval}",
    }
    return make_grid(frame, caption=caption, headers=headers, folded=folded)


def _tell_claims(claims: Iterable[Row], level: float) -> list[Block]:
    parts = [block for claim in claims for block in _tell_claim(claim, level)]
    return parts or tell("The campaign file lists no public claim.")


def _tell_claim(claim: Row, level: float) -> list[Block]:
    frame = pd.DataFrame(
        [
            {
                "label": f"{number}. {step['label']}",
                "observed": step["observed"],
                "reference": step["reference"],
                "change_percent": step["change_percent"],
                "interval": _percents(step["change_percent_interval"]),
            }
            for number, step in enumerate(claim["steps"], start=1)
        ]
    )
    headers = {"label": "Step", "observed": "Count", "reference": "Compared with"}
    headers |= _change_headers(level)
    return [
        Heading(text=f"The claim: {quote(claim['claim'])}"),
        *tell(capitalise(typeset(claim["sentence"])), lead="What these data say."),
        make_grid(frame, caption="The claim, step by step", headers=headers),
    ]


def _tell_years(told: Row, main: Row) -> list[Block]:
    rows = [row for row in told["year_on_year"] if row["area"] == main["area"]]
    if not rows:
        return tell("No earlier year is in these data.")
    columns = ("offence", "period", "against", "before", "after", "change_percent")
    frame = pd.DataFrame([{name: row[name] for name in columns} for row in rows])
    frame["interval"] = [_percents(row["change_percent_interval"]) for row in rows]
    headers = {"period": "Counted in", "against": "Compared with"}
    headers |= {"before": "Count then", "after": "Count"} | _change_headers(main["level"])
    return [make_grid(frame, caption="Change on the year, which is not an effect", headers=headers)]


def _change_headers(level: float) -> dict[str, str]:
    return {
        "change_percent": "Change, per cent",
        "interval": f"{100 * level:.0f} per cent interval",
    }


def _tell_checks(told: Row) -> list[Block]:
    rows = [
        {
            "name": capitalise(check["name"]),
            "status": check["status"],
            "blocking": bool(check["blocking"]),
            "text": typeset(check["text"]),
        }
        for check in told["checks"]
    ]
    headers = {
        "name": "Check",
        "status": "Outcome",
        "blocking": "Can it bar a verdict?",
        "text": "What was found",
    }
    return [make_grid(pd.DataFrame(rows), caption="Checks", headers=headers)]


def _tell_checklist(fields: Iterable[Row]) -> list[Block]:
    rows = [
        {
            "field": f"{row['number']}. {capitalise(row['field'])}",
            "status": row["status"],
            "text": capitalise(typeset(row["text"])),
        }
        for row in fields
    ]
    if not rows:
        return tell("The result was saved without them: a report fills them in.")
    headers = {"field": "Field", "status": "State", "text": "What this report says"}
    caption = "All fields that a report must state"
    return [make_grid(pd.DataFrame(rows), caption=caption, headers=headers)]


def _list(facts: Row, *left_out: str) -> Block:
    """Names and what is known of each, in words."""
    known = {name: value for name, value in facts.items() if name not in left_out}
    return state((capitalise(n.replace("_", " ")), _write(v)) for n, v in known.items())


def _write(value: Any) -> str:
    """A plain value as text."""
    if value is None:
        return NOT_KNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{name.replace('_', ' ')}: {_write(v)}" for name, v in value.items())
    return str(value)


def _count(row: Row, name: str) -> str:
    """A count as text; "c" where it is hidden."""
    if row[name] is None:
        return HIDDEN if row.get("suppressed") else UNDEFINED
    return write_count(row[name])


def _range(row: Row, name: str) -> str:
    """A range of counts as text."""
    return UNDEFINED if row[name] is None else write_range(row[name])


def _spread(row: Row, name: str, digits: int) -> str:
    """A difference with its interval as text; "c" where it is hidden."""
    value, bounds = row[name], row[f"{name}_interval"]
    if value is None:
        return HIDDEN if row.get("suppressed") else UNDEFINED
    spread = UNDEFINED if bounds is None else write_interval(bounds, digits=digits)
    return with_interval(write_signed(value, digits=digits), spread)


def _percents(bounds: Any) -> str:
    """An interval of percentages, or that none was given."""
    return UNDEFINED if bounds is None else write_interval(bounds, digits=1)
