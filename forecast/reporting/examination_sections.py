"""The sections of the report on what stands beside the verdict: a section for each part examined.

Each is what the part says, then its tables. A long table can be opened; it is not in the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import pandas as pd

from forecast.impact.evaluation import Evaluation
from forecast.impact.examination import Examination
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

LONG = 10
"""Rows from which a table is folded away."""

_WAYS = {
    "before": "its past alone",
    "around": "both sides of the window",
    "controls": "its past and the controls",
}


class Section(NamedTuple):
    """A section: where it is, its heading, what it is about, what is said, and its tables."""

    id: str
    title: str
    lead: str
    said: tuple[str, ...]
    tables: tuple[Table, ...] = ()

    @property
    def shown(self) -> tuple[Table, ...]:
        """Tables that are open, those without a row left out."""
        return tuple(t for t in self.tables if 0 < len(t.frame) <= LONG)

    @property
    def folded(self) -> tuple[Table, ...]:
        """Long tables, which can be opened."""
        return tuple(t for t in self.tables if len(t.frame) > LONG)


def spell(text: str) -> str:
    """Write what a part says for the page: a capital, periods in words, true minus signs.

    Examples
    --------
    >>> spell("robbery: -£13.5 million in 2020-10, -16 per cent")
    'Robbery: −£13.5 million in October 2020, −16 per cent'
    """
    return capitalise(typeset(text).replace("-£", f"{MINUS}£").replace("`", ""))


def list_sections(result: Evaluation) -> list[Section]:
    """Return a section for each part examined; none when nothing was.

    Parameters
    ----------
    result : Evaluation

    Returns
    -------
    list of Section
        A part that could not be made says why.
    """
    found = result.examination
    if found is None:
        return []
    return [_write(found, result, *chapter) for chapter in _CHAPTERS]


def _write(
    found: Examination,
    result: Evaluation,
    name: str,
    title: str,
    lead: str,
    lay_out: Callable[[Any, float], Iterable[Table]],
) -> Section:
    """The section of one part."""
    place = f"examined-{name}"
    part = getattr(found, name)
    if part is None:
        return Section(place, title, lead, (spell(found.missing[name]),))
    said = tuple(spell(text) for text in part.sentences())
    return Section(place, title, lead, said, tuple(lay_out(part, result.level)))


def show_ways(result: Evaluation) -> Table | None:
    """Return the effect by each counterfactual, None when nothing was examined."""
    if result.examination is None:
        return None
    rows = [
        {
            "offence": capitalise(row["offence"]),
            "way": _WAYS[row["counterfactual"]]
            + (" (the verdict's own)" if row["counterfactual"] == result.counterfactual else ""),
            "observed": row["observed"],
            "expected": row["expected"],
            "percent_interval": _percent(row, "effect_percent"),
            "p": row["p"],
        }
        for offence in result.campaign.offences
        for row in result.examination.ways.to_dict("records")
        if row["offence"] == offence
    ]
    headers = {"way": "What tells the expected count", "percent_interval": _in_percent(result)}
    return Table(
        pd.DataFrame(rows), "The same result by three counterfactuals", headers | {"p": "p"}
    )


def list_way_notes(result: Evaluation) -> list[str]:
    """Return why a counterfactual could not be asked, or what is special of it, once each."""
    if result.examination is None:
        return []
    noted = result.examination.ways[result.examination.ways["note"] != ""]
    notes = [
        f"By {_WAYS[way]}: {note.rstrip('.')}."
        for way, note in zip(noted["counterfactual"], noted["note"], strict=True)
    ]
    return [spell(note) for note in dict.fromkeys(notes)]


def show_specifications(result: Evaluation) -> Table | None:
    """Return how far the ways of making the evaluation agree, None when they were not asked."""
    if result.specifications is None:
        return None
    table = result.specifications.agreement()
    rows = [
        {
            "offence": f"{capitalise(row['offence'])} in {row['area']}",
            "specifications": row["specifications"],
            "same_range": f"{row['same_sign']} of {row['specifications']}",
            "clear_range": f"{row['exclude_zero']} of {row['specifications']}",
            "percent_interval": _percent(row, "effect_percent"),
            "lowest_percent": row["lowest_percent"],
            "middle_percent": row["middle_percent"],
            "highest_percent": row["highest_percent"],
        }
        for row in table[table["is_total"]].to_dict("records")
    ]
    headers = {
        "offence": "Offence and area",
        "same_range": "With the sign of the verdict's own",
        "clear_range": "Intervals without zero",
        "percent_interval": f"The verdict's own way, {_in_percent(result, short=True)}",
        "lowest_percent": "Lowest, per cent",
        "middle_percent": "Middle, per cent",
        "highest_percent": "Highest, per cent",
    }
    return Table(pd.DataFrame(rows), "How far other ways of making it agree", headers)


def show_examined_checks(result: Evaluation) -> Table | None:
    """Return the doubts that the parts looked at, None when nothing was examined."""
    if result.examination is None:
        return None
    rows = [
        {"name": capitalise(c.name), "status": c.status, "text": spell(c.text)}
        for c in result.examination.checks()
    ]
    headers = {"name": "Check", "status": "Outcome", "text": "What was found"}
    return Table(pd.DataFrame(rows), "Checks of what stands beside the verdict", headers)


def _percent(row: Any, name: str) -> str:
    """A change in per cent with its interval; the interval left out where there is none."""
    value, low, high = (float(row[f"{name}{end}"]) for end in ("", "_lower", "_upper"))
    if math.isnan(value):
        return UNDEFINED
    if math.isnan(low) or math.isnan(high):
        return f"{write_signed(value, digits=1)} (no interval)"
    return with_interval(write_signed(value, digits=1), write_interval((low, high), digits=1))


def _in_percent(result: Evaluation | float, *, short: bool = False) -> str:
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


def _lay_out_areas(part: Any, level: float) -> list[Table]:
    """Areas by their own figures and pooled, a table an offence."""
    table = part.summary()
    headers = {
        "own_interval": _in_percent(level),
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
                own_interval=lambda r: _percent(r, "percent"),
                pooled_interval=lambda r: _percent(r, "pooled_percent"),
                q_range=lambda r: _number(r["q"], 3),
                stands_out=lambda r: bool(r["stands_out"]),
            ),
            f"{capitalise(str(offence))}: areas by their own figures, and pooled",
            headers,
        )
        for offence, rows in table.groupby("offence", sort=False)
    ]


def _lay_out_runs(part: Any, level: float) -> list[Table]:
    """This year by what is done with other runs, and every year."""
    versions = _pick(
        part.versions.sort_values("offence", kind="stable"),
        offence=lambda r: capitalise(r["offence"]),
        runs=lambda r: r["runs"],
        observed=lambda r: r["observed"],
        expected=lambda r: r["expected"],
        effect_interval=lambda r: _percent(r, "effect_percent"),
        p=lambda r: r["p"],
    )
    years = _pick(
        part.years[part.years["observed"].notna()].sort_values("offence", kind="stable"),
        run=lambda r: spell(f"{r['offence']}, {r['start']} to {r['end']}"),
        observed=lambda r: r["observed"],
        expected=lambda r: r["expected"],
        effect_interval=lambda r: _percent(r, "effect_percent"),
        day_interval=lambda r: _percent(r, "day_percent"),
    )
    headers = {"runs": "Other runs were", "effect_interval": _in_percent(level), "p": "p"}
    headers |= {"day_interval": "The same of a campaign day"}
    return [
        Table(versions, "This year, by what is done with other runs", headers),
        Table(years, "Every run whose days are known, other runs left out", headers),
    ]


def _lay_out_after(part: Any, level: float) -> list[Table]:
    """What was counted after the window."""
    table = _pick(
        part.summary(),
        offence=lambda r: f"{capitalise(r['offence'])} in {r['area']}",
        observed=lambda r: r["observed"],
        expected=lambda r: r["expected"],
        effect_interval=lambda r: with_interval(
            write_signed(r["effect"]), write_interval((r["effect_lower"], r["effect_upper"]))
        ),
        percent_interval=lambda r: _percent(r, "effect_percent"),
        verdict=lambda r: r["verdict"],
    )
    headers = {
        "offence": "Offence and area",
        "effect_interval": f"Observed less expected ({100 * level:.0f} per cent interval)",
        "percent_interval": "The same in per cent",
    }
    return [Table(table, "The time after the window", headers)]


def _lay_out_elsewhere(part: Any, level: float) -> list[Table]:
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
        percent_interval=lambda r: _percent(r, "effect_percent"),
        p=lambda r: r["p"],
        moved=lambda r: bool(r["moved"]),
    )
    headers = {"what": "Offence and area", "percent_interval": _in_percent(level), "p": "p"}
    headers |= {"moved": "Clearly moved?"}
    return [Table(shown, "Other places and offences in the same window", headers)]


def _lay_out_displacement(part: Any, level: float) -> list[Table]:
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
        percent_interval=lambda r: _percent(r, "difference_percent"),
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


def _lay_out_controls(part: Any, level: float) -> list[Table]:
    """What each control weighs, what it did itself, and the result without it."""
    table = _pick(
        part.summary(),
        control=lambda r: f"{capitalise(r['control'])}, for {r['offence']}",
        weight_share=lambda r: r["weight"],
        own_observed=lambda r: r["own_observed"],
        own_expected=lambda r: r["own_expected"],
        own_interval=lambda r: _percent(r, "own_percent"),
        without_interval=lambda r: _percent(r, "without_percent"),
    )
    headers = {
        "weight_share": "Weight",
        "own_observed": "Counted of the control itself",
        "own_expected": "Expected of it",
        "own_interval": _in_percent(level),
        "without_interval": "The campaign's result without this control, per cent",
    }
    return [Table(table, "Controls", headers)]


def _lay_out_harm(part: Harm, level: float) -> list[Table]:
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


def _lay_out_dose(part: Any, level: float) -> list[Table]:
    """What was done beside what was counted, by area and by period."""
    headers = {
        "dose_range": "For 100 offences expected",
        "percent_interval": _in_percent(level),
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
            percent_interval=lambda r: _percent(r, "percent"),
        )
        caption = f"Activity beside what was counted, by {name}"
        tables.append(Table(shown, caption, {"where": capitalise(name), **headers}))
    return tables


def _lay_out_darkness(part: Any, level: float) -> list[Table]:
    """What goes with darkness and with the change of the clocks."""
    shown = _pick(
        part.summary(),
        what=lambda r: capitalise(r["text"]),
        percent_interval=lambda r: _percent(r, "estimate_percent"),
    )
    headers = {"what": "What goes with it", "percent_interval": _in_percent(level)}
    return [Table(shown, "Darkness and the change of the clocks", headers)]


def _name_by(name: str) -> Callable[[Any], str]:
    """What names a row of a dose table."""
    return lambda row: spell(str(row[name]))


_CHAPTERS: Sequence[tuple[str, str, str, Callable[[Any, float], Iterable[Table]]]] = (
    (
        "areas",
        "Areas taken together",
        "Single areas hold few offences and much luck. Pooled, each is drawn towards what all "
        "have in common, the more so the less it tells by itself.",
        _lay_out_areas,
    ),
    (
        "runs",
        "Other runs of the campaign",
        "What a usual run of the campaign changes, and whether this one differs from it, are two "
        "questions.",
        _lay_out_runs,
    ),
    (
        "aftermath",
        "The time after",
        "A fall that is made up for afterwards was put off, and one that lasts says more than one "
        "that does not.",
        _lay_out_after,
    ),
    (
        "elsewhere",
        "Other places and offences",
        "Where the campaign was not, and for what it did not target, nothing should have moved.",
        _lay_out_elsewhere,
    ),
    (
        "displacement",
        "Displacement and diffusion",
        "Offences may move to neighbouring areas or to other kinds, and so may a fall.",
        _lay_out_displacement,
    ),
    (
        "controls",
        "Controls",
        "What the campaign did not touch can tell what would have happened, as far as it moved "
        "like the target before and was not touched after all.",
        _lay_out_controls,
    ),
    (
        "harm",
        "Costs and harm",
        "What the difference comes to at unit costs and weights of others. It is worth as much as "
        "the difference is certain.",
        _lay_out_harm,
    ),
    (
        "dose",
        "Dose",
        "How much was done, where and when, beside what was counted. Activity is not effect.",
        _lay_out_dose,
    ),
    (
        "darkness",
        "Darkness and the clocks",
        "Autumn brings dark evenings. How much of its rise goes with them says what would have "
        "come without anybody doing anything.",
        _lay_out_darkness,
    ),
)
