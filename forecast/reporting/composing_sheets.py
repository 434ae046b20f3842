"""The tables of a result for machines: raw values, one sheet a table, from `evaluation.json` alone.

What stands in a sheet is what stands in the JSON, an interval as two columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forecast.data.disclosure import HIDDEN
from forecast.reporting.documents import Cell, Grid, make_cell
from forecast.reporting.formatting import capitalise

Row = Mapping[str, Any]

_SUPPRESSED = "suppressed"
_NAMES = ("offence", "area", "periods", "period", "against", "exposure", "expected")


def compose_sheets(evaluation: Row) -> tuple[Grid, ...]:
    """Return the tables of a machine-readable result, those without a row left out.

    Parameters
    ----------
    evaluation : mapping
        The object of `evaluation.json`.

    Returns
    -------
    tuple of Grid
        The caption names the sheet; columns are the names of the JSON, `x_interval` becoming
        `x_lower` and `x_upper`. Undefined cells are None, hidden ones "c".
    """
    results = evaluation["results"]
    examined = evaluation.get("examination", {})
    tables: list[tuple[str, Iterable[Row]]] = [
        ("Results", [_drop(row, "cumulative") for row in results]),
        ("Cumulative", _spread(results, "cumulative", "offence", "area")),
        ("Change on the year", evaluation["year_on_year"]),
        ("Claims", _spread(evaluation["headline"], "steps", "claim", "reproduced")),
        ("Specifications", evaluation.get("specifications", {}).get("specifications", ())),
        ("Other models", evaluation.get("sensitivity", ())),
        ("Counterfactuals", examined.get("counterfactuals", ())),
        ("Areas pooled", examined.get("areas", {}).get("rows", ())),
        ("Checks", evaluation["checks"]),
        ("Checklist", evaluation.get("checklist", ())),
        ("Disruptions", evaluation["disruptions"]),
        ("Activity", evaluation["outputs"]),
        ("Data", _pairs(evaluation["data"])),
        ("Provenance", _pairs(evaluation["campaign"], evaluation["provenance"])),
    ]
    return tuple(make_sheet(name, list(rows)) for name, rows in tables if rows)


def make_sheet(caption: str, rows: Sequence[Row]) -> Grid:
    """Return rows of plain values as a table with raw cells.

    Examples
    --------
    >>> sheet = make_sheet("One", [{"area": "A", "effect_interval": [-2, 1.5]}])
    >>> sheet.columns, sheet.values
    (('area', 'effect_lower', 'effect_upper'), (('A', -2, 1.5),))
    """
    flat = [_flatten(row) for row in rows]
    columns = tuple(dict.fromkeys(name for row in flat for name in row if name != _SUPPRESSED))
    values = tuple(tuple(_read(row, name) for name in columns) for row in flat)
    return Grid(
        caption=caption,
        columns=columns,
        headers=tuple(capitalise(name.replace("_", " ")) for name in columns),
        numeric=tuple(_is_number([row[at] for row in values]) for at in range(len(columns))),
        rows=tuple(tuple(_write(cell) for cell in row) for row in values),
        values=values,
    )


def _drop(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


def _spread(rows: Iterable[Row], name: str, *kept: str) -> list[Row]:
    """The inner rows of each row, with what names the outer one and whether it is hidden."""
    return [
        {k: row[k] for k in kept} | dict(inner) | {_SUPPRESSED: row.get(_SUPPRESSED)}
        for row in rows
        for inner in row[name]
    ]


def _pairs(*parts: Row) -> list[Row]:
    """Names and values, one a row."""
    return [{"name": name, "value": value} for part in parts for name, value in part.items()]


def _flatten(row: Row) -> dict[str, Any]:
    """A row without inner values: intervals as two, lists as text, inner objects by name."""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if name == "interval" or name.endswith("_interval"):
            stem = name.removesuffix("interval")
            out[f"{stem}lower"], out[f"{stem}upper"] = value or (None, None)
        elif isinstance(value, Mapping):
            out |= {f"{name}_{inner}": cell for inner, cell in value.items()}
        elif isinstance(value, list | tuple):
            out[name] = ", ".join(str(part) for part in value)
        else:
            out[name] = value
    return out


def _read(row: Row, name: str) -> Cell:
    """A cell of a row; what is hidden is marked."""
    value = make_cell(row.get(name))
    if value is None and row.get(_SUPPRESSED) and not name.startswith(_NAMES):
        return HIDDEN
    return value


def _is_number(column: Sequence[Cell]) -> bool:
    """Whether a column holds numbers, and nothing else that is defined."""
    known = [cell for cell in column if cell is not None and cell != HIDDEN]
    return bool(known) and all(
        isinstance(cell, int | float) and not isinstance(cell, bool) for cell in known
    )


def _write(cell: Cell) -> str:
    """A raw value as text, empty when undefined."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:.10g}" if isinstance(cell, float) else str(cell)
