"""The tables of the parts that stand beside the verdict, as the report shows them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd

from forecast.impact.evaluation import Evaluation
from forecast.impact.harm import Harm
from forecast.reporting.formatting import (
    MINUS,
    capitalise,
    typeset,
    write_count,
    write_interval,
    write_signed,
)
from forecast.reporting.sections import Table
from forecast.reporting.tables import UNDEFINED, with_interval


def spell(text: str) -> str:
    """Write what a part says for the page: a capital, periods in words, true minus signs.

    Examples
    --------
    >>> spell("robbery: -£13.5 million in 2020-10, -16 per cent")
    'Robbery: −£13.5 million in October 2020, −16 per cent'
    """
    return capitalise(typeset(text).replace("-£", f"{MINUS}£").replace("`", ""))


def write_percent(row: Any, name: str) -> str:
    """A change in per cent with its interval; the interval left out where there is none."""
    value, low, high = (float(row[f"{name}{end}"]) for end in ("", "_lower", "_upper"))
    if math.isnan(value):
        return UNDEFINED
    if math.isnan(low) or math.isnan(high):
        return f"{write_signed(value, digits=1)} (no interval)"
    return with_interval(write_signed(value, digits=1), write_interval((low, high), digits=1))


def name_percent(result: Evaluation | float, *, short: bool = False) -> str:
    """The heading of a difference in per cent."""
    level = result if isinstance(result, float) else result.level
    head = "per cent" if short else "Difference in per cent"
    return f"{head} ({100 * level:.0f} per cent interval)"


def _number(value: float, digits: int) -> str:
    """A small number for a cell."""
    return UNDEFINED if math.isnan(value) else write_count(value, digits=digits)


def _pick(table: pd.DataFrame, **columns: Callable[[Any], Any]) -> pd.DataFrame:
    """A table for the page: a column a function of a row."""
    rows = table.to_dict("records")
    return pd.DataFrame({name: [make(row) for row in rows] for name, make in columns.items()})


def lay_out_areas(part: Any, level: float) -> list[Table]:
    """Areas by their own figures and pooled, a table an offence."""
    table = part.summary()
    headers = {
        "own_interval": name_percent(level),
        "pooled_interval": "Pooled over areas",
        "q_range": "q (false discoveries)",
        "stands_out": "Stands out?",
    }
    return [
        Table(
            _pick(
                rows,
                area=lambda r: r["area"],
                observed=lambda r: r["observed"],
                expected=lambda r: r["expected"],
                own_interval=lambda r: write_percent(r, "percent"),
                pooled_interval=lambda r: write_percent(r, "pooled_percent"),
                q_range=lambda r: _number(r["q"], 3),
                stands_out=lambda r: bool(r["stands_out"]),
            ),
            f"{capitalise(str(offence))}: areas by their own figures, and pooled",
            headers,
        )
        for offence, rows in table.groupby("offence", sort=False)
    ]


def lay_out_runs(part: Any, level: float) -> list[Table]:
    """This year by what is done with other runs, and every year."""
    versions = _pick(
        part.versions.sort_values("offence", kind="stable"),
        offence=lambda r: capitalise(r["offence"]),
        runs=lambda r: r["runs"],
        observed=lambda r: r["observed"],
        expected=lambda r: r["expected"],
        effect_interval=lambda r: write_percent(r, "effect_percent"),
        p=lambda r: r["p"],
    )
    years = _pick(
        part.years[part.years["observed"].notna()].sort_values("offence", kind="stable"),
        run=lambda r: spell(f"{r['offence']}, {r['start']} to {r['end']}"),
        observed=lambda r: r["observed"],
        expected=lambda r: r["expected"],
        effect_interval=lambda r: write_percent(r, "effect_percent"),
        day_interval=lambda r: write_percent(r, "day_percent"),
    )
    headers = {"runs": "Other runs were", "effect_interval": name_percent(level), "p": "p"}
    headers |= {"day_interval": "The same of a campaign day"}
    return [
        Table(versions, "This year, by what is done with other runs", headers),
        Table(years, "Every run whose days are known, other runs left out", headers),
    ]


def lay_out_after(part: Any, level: float) -> list[Table]:
    """What was counted after the window."""
    table = _pick(
        part.summary(),
        offence=lambda r: f"{capitalise(r['offence'])} in {r['area']}",
        observed=lambda r: r["observed"],
        expected=lambda r: r["expected"],
        effect_interval=lambda r: with_interval(
            write_signed(r["effect"]), write_interval((r["effect_lower"], r["effect_upper"]))
        ),
        percent_interval=lambda r: write_percent(r, "effect_percent"),
        verdict=lambda r: r["verdict"],
    )
    headers = {
        "offence": "Offence and area",
        "effect_interval": f"Observed less expected ({100 * level:.0f} per cent interval)",
        "percent_interval": "The same in per cent",
    }
    return [Table(table, "The time after the window", headers)]


def lay_out_elsewhere(part: Any, level: float) -> list[Table]:
    """The campaign's own result among those of other places and offences."""
    table = part.summary()
    if len(table) < 2:
        return []
    shown = _pick(
        table,
        what=lambda r: f"{capitalise(r['offence'])} in {r['area']}",
        kind=lambda r: r["kind"],
        observed=lambda r: r["observed"],
        expected=lambda r: r["expected"],
        percent_interval=lambda r: write_percent(r, "effect_percent"),
        p=lambda r: r["p"],
        moved=lambda r: bool(r["moved"]),
    )
    headers = {"what": "Offence and area", "percent_interval": name_percent(level), "p": "p"}
    headers |= {"moved": "Clearly moved?"}
    return [Table(shown, "Other places and offences in the same window", headers)]


def lay_out_displacement(part: Any, level: float) -> list[Table]:
    """Weighted displacement differences with the counts they are made of."""
    table = _pick(
        part.summary(),
        what=lambda r: f"{capitalise(r['offence'])}: {r['group']}",
        compared_with=lambda r: spell(r["compared_with"]),
        before=lambda r: r["before"],
        after=lambda r: r["after"],
        control_before=lambda r: r["control_before"],
        control_after=lambda r: r["control_after"],
        difference_interval=lambda r: with_interval(
            write_signed(r["difference"]),
            write_interval((r["difference_lower"], r["difference_upper"])),
        ),
        percent_interval=lambda r: write_percent(r, "difference_percent"),
        verdict=lambda r: r["verdict"],
    )
    headers = {
        "what": "Offence and places",
        "before": "Count before",
        "after": "Count in the window",
        "control_before": "Controls before",
        "control_after": "Controls in the window",
        "difference_interval": f"Weighted difference ({100 * level:.0f} per cent interval)",
        "percent_interval": "The same in per cent",
    }
    return [Table(table, "Differences against areas that serve as controls", headers)]


def lay_out_controls(part: Any, level: float) -> list[Table]:
    """What each control weighs, what it did itself, and the result without it."""
    table = _pick(
        part.summary(),
        control=lambda r: f"{capitalise(r['control'])}, for {r['offence']}",
        weight_share=lambda r: r["weight"],
        own_observed=lambda r: r["own_observed"],
        own_expected=lambda r: r["own_expected"],
        own_interval=lambda r: write_percent(r, "own_percent"),
        without_interval=lambda r: write_percent(r, "without_percent"),
    )
    headers = {
        "weight_share": "Weight",
        "own_observed": "Counted of the control itself",
        "own_expected": "Expected of it",
        "own_interval": name_percent(level),
        "without_interval": "The campaign's result without this control, per cent",
    }
    return [Table(table, "Controls", headers)]


def lay_out_harm(part: Harm, level: float) -> list[Table]:
    """What the difference comes to in pounds and in days of harm."""
    table = part.summary()
    table = table[table["value"].notna()]
    if table.empty:
        return []
    shown = _pick(
        table,
        what=lambda r: f"{capitalise(r['offence'])}: {_BASES[r['basis']]}",
        observed=lambda r: r["observed"],
        expected=lambda r: r["expected"],
        each_range=_write_each,
        value_interval=_write_worth,
        state=lambda r: r["status"] or "as its parts",
    )
    headers = {
        "what": "Offence and basis",
        "each_range": "One recorded offence",
        "value_interval": f"Observed less expected ({100 * level:.0f} per cent interval)",
        "state": "State of the value",
    }
    return [Table(shown, f"Worth of the difference, in prices of {part.price_year}", headers)]


_BASES = {
    "recorded cost": "recorded offences, £ million",
    "cost": "with offences not recorded, £ million",
    "harm": "Cambridge Crime Harm Index, days",
}


def _write_each(row: Any) -> str:
    """What one recorded offence counts for, in pounds or in days."""
    value = float(row["unit_value"])
    if math.isnan(value):
        return UNDEFINED
    return f"{value:,.0f} days" if row["unit"] == "days" else f"£{value:,.0f}"


def _write_worth(row: Any) -> str:
    """A difference with its interval, in millions of pounds or in days."""
    scale, digits = (1.0, 0) if row["unit"] == "days" else (1e6, 1)
    value, low, high = (float(row[f"value{end}"]) / scale for end in ("", "_lower", "_upper"))
    return with_interval(
        write_signed(value, digits=digits), write_interval((low, high), digits=digits)
    )


def lay_out_dose(part: Any, level: float) -> list[Table]:
    """What was done beside what was counted, by area and by period."""
    headers = {
        "dose_range": "For 100 offences expected",
        "percent_interval": name_percent(level),
    }
    tables = []
    for name, table in (("area", part.summary()), ("period", part.by_period())):
        shown = _pick(
            table,
            where=_name_by(name),
            kind=lambda r: r["kind"],
            amount=lambda r: r["amount"],
            dose_range=lambda r: _number(r["dose"], 1),
            offence=lambda r: r["offence"],
            observed=lambda r: r["observed"],
            expected=lambda r: r["expected"],
            percent_interval=lambda r: write_percent(r, "percent"),
        )
        caption = f"Activity beside what was counted, by {name}"
        tables.append(Table(shown, caption, {"where": capitalise(name), **headers}))
    return tables


def lay_out_darkness(part: Any, level: float) -> list[Table]:
    """What goes with darkness and with the change of the clocks."""
    shown = _pick(
        part.summary(),
        what=lambda r: capitalise(r["text"]),
        percent_interval=lambda r: write_percent(r, "estimate_percent"),
    )
    headers = {"what": "What goes with it", "percent_interval": name_percent(level)}
    return [Table(shown, "Darkness and the change of the clocks", headers)]


def _name_by(name: str) -> Callable[[Any], str]:
    """What names a row of a dose table."""
    return lambda row: spell(str(row[name]))
