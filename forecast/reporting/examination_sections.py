"""The sections of the report on what stands beside the verdict: a section for each part examined.

Each is what the part says, then its tables. A long table can be opened; it is not in the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import pandas as pd

from forecast.impact.evaluation import Evaluation
from forecast.impact.examination import Examination
from forecast.reporting.examination_tables import (
    lay_out_after,
    lay_out_areas,
    lay_out_controls,
    lay_out_darkness,
    lay_out_displacement,
    lay_out_dose,
    lay_out_elsewhere,
    lay_out_harm,
    lay_out_runs,
    name_percent,
    spell,
    write_percent,
)
from forecast.reporting.formatting import (
    capitalise,
)
from forecast.reporting.sections import Table

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
            "percent_interval": write_percent(row, "effect_percent"),
            "p": row["p"],
        }
        for offence in result.campaign.offences
        for row in result.examination.ways.to_dict("records")
        if row["offence"] == offence
    ]
    headers = {"way": "What tells the expected count", "percent_interval": name_percent(result)}
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
            "percent_interval": write_percent(row, "effect_percent"),
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
        "percent_interval": f"The verdict's own way, {name_percent(result, short=True)}",
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


_CHAPTERS: Sequence[tuple[str, str, str, Callable[[Any, float], Iterable[Table]]]] = (
    (
        "areas",
        "Areas taken together",
        "Single areas hold few offences and much luck. Pooled, each is drawn towards what all "
        "have in common, the more so the less it tells by itself.",
        lay_out_areas,
    ),
    (
        "runs",
        "Other runs of the campaign",
        "What a usual run of the campaign changes, and whether this one differs from it, are two "
        "questions.",
        lay_out_runs,
    ),
    (
        "aftermath",
        "The time after",
        "A fall that is made up for afterwards was put off, and one that lasts says more than one "
        "that does not.",
        lay_out_after,
    ),
    (
        "elsewhere",
        "Other places and offences",
        "Where the campaign was not, and for what it did not target, nothing should have moved.",
        lay_out_elsewhere,
    ),
    (
        "displacement",
        "Displacement and diffusion",
        "Offences may move to neighbouring areas or to other kinds, and so may a fall.",
        lay_out_displacement,
    ),
    (
        "controls",
        "Controls",
        "What the campaign did not touch can tell what would have happened, as far as it moved "
        "like the target before and was not touched after all.",
        lay_out_controls,
    ),
    (
        "harm",
        "Costs and harm",
        "What the difference comes to at unit costs and weights of others. It is worth as much as "
        "the difference is certain.",
        lay_out_harm,
    ),
    (
        "dose",
        "Dose",
        "How much was done, where and when, beside what was counted. Activity is not effect.",
        lay_out_dose,
    ),
    (
        "darkness",
        "Darkness and the clocks",
        "Autumn brings dark evenings. How much of its rise goes with them says what would have "
        "come without anybody doing anything.",
        lay_out_darkness,
    ),
)
