"""From one table to the panel of one file, whatever its layout."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypedDict

import numpy as np
import pandas as pd

from forecast.data.categories import OwnLines
from forecast.data.cleaning import REQUIRED
from forecast.data.csvtables import TextTable, fold_header
from forecast.data.layouts import TIDY, Layout, Recognised, recognise_layout
from forecast.data.long_layouts import by_offence_panel, long_panel, name_months, tidy_panel
from forecast.data.opening import Choice
from forecast.data.overlapping import leave_out_totals
from forecast.data.panel import Panel
from forecast.data.roles import Columns
from forecast.data.settling import Said, settle_cells, settle_headers
from forecast.data.spelling import spell_alike
from forecast.data.street import StreetCounts, count_street, street_panel
from forecast.data.wide_layouts import published_panel, rename_offences, wide_panel
from forecast.errors import DataError


@dataclass(frozen=True)
class Asked:
    """What the caller of `forecast.load` asked for.

    Attributes
    ----------
    freq, absent, detail : str
    columns : mapping or None
    own : dict
        What `read_categories` read.
    said : Said
        How dates and numbers are written.
    choice : Choice
        Which table of a source is meant.
    """

    freq: str | None = None
    absent: str = "missing"
    detail: str = "shipped"
    columns: Columns | None = None
    own: OwnLines = field(default_factory=dict)
    said: Said = field(default_factory=Said)
    choice: Choice = field(default_factory=Choice)


@dataclass(frozen=True)
class Loaded:
    """One file, read.

    Attributes
    ----------
    name : str
    layout : Layout
    panel : Panel
    sha256 : str
    level : str
        Of its areas: "borough", "ward", ...; empty when nobody knows.
    street : StreetCounts or None
    """

    name: str
    layout: Layout
    panel: Panel
    sha256: str = ""
    level: str = ""
    street: StreetCounts | None = None

    @property
    def kind(self) -> str:
        """Layout in words; files of one kind belong together."""
        kind = f"layout {self.layout.name}" if self.layout.is_published else self.layout.name
        if self.layout.is_published:
            return kind
        kind += f" with the crime types of {self.layout.classification}" * bool(
            self.layout.classification
        )
        return f"{kind} with groups" if "group" in self.panel.series else kind


def interpret_table(table: TextTable, asked: Asked, sha256: str = "") -> Loaded:
    """Return the panel of a table of text, by its headers and its shape.

    Raises
    ------
    DataError
        If no layout fits, or what it holds cannot be used.
    """
    table = settle_headers(table, asked.said)
    found = recognise_layout(table, asked.columns)
    layout, roles = found.layout, found.roles
    # Before dates are settled: the first of every month would be refused as American or British.
    table = _settle(name_months(table, roles), found, asked.said)
    table = spell_alike(table, _name_columns(table, found))
    street = None
    if layout.shape == "street":
        street = count_street(table)
        panel = street_panel([street], detail=asked.detail, own=asked.own)
    elif layout.shape == "tidy":
        panel = tidy_panel(table, freq=asked.freq, absent=asked.absent)
        panel = _rename(panel, asked.own)
    elif layout.shape == "by offence":
        panel, kind = by_offence_panel(table, found, **_said(asked))
        layout = replace(layout, classification=kind)
    elif layout.shape == "long":
        panel = long_panel(table, found, **_said(asked))
    elif layout.is_published:
        panel = published_panel(table, found, detail=asked.detail, own=asked.own)
    else:
        panel = wide_panel(table, found, freq=asked.freq, own=asked.own)
    if layout.shape != "street" and asked.detail == "shipped":
        panel = leave_out_totals(panel)
    panel = replace(panel, notes=(*table.notes, *panel.notes))
    return Loaded(table.name, layout, panel, sha256, roles.level, street)


def _settle(table: TextTable, found: Recognised, said: Said) -> TextTable:
    """The table with plain dates and counts, where its layout has them."""
    period, counts = found.roles.period, found.periods or found.roles.counts or found.roles.rest
    if found.layout.shape == "tidy":
        place = {fold_header(header): i for i, header in enumerate(table.headers)}
        period, counts = place.get("period"), tuple(place[h] for h in ("count",) if h in place)
    if found.layout.shape == "street":
        return table
    return settle_cells(table, said, period=period, counts=counts)


def _name_columns(table: TextTable, found: Recognised) -> list[int]:
    """Positions of the columns that name areas, groups and offences."""
    if found.layout.shape == "tidy":
        names = ("area", "offence", "group")
        return [i for i, header in enumerate(table.headers) if fold_header(header) in names]
    if found.layout.shape == "street":
        return []
    roles = found.roles
    group = () if roles.group is None else (roles.group,)
    return [*roles.areas, *group, *roles.offences]


def interpret_frame(frame: pd.DataFrame, name: str, asked: Asked, sha256: str = "") -> Loaded:
    """Return the panel of a table that has types, such as a Parquet file.

    Raises
    ------
    DataError
        As `interpret_table`.
    """
    if set(REQUIRED) <= set(frame.columns) and asked.columns is None:
        panel = Panel.from_frame(frame, asked.freq, absent=asked.absent, subject=name)
        return Loaded(name, TIDY, _rename(panel, asked.own), sha256)
    if frame.empty:
        raise DataError(f"{name} must hold at least one count: it has no rows. Load a full one.")
    return interpret_table(_as_text(frame, name), asked, sha256)


class _Said(TypedDict):
    """What readers of long tables take."""

    freq: str | None
    absent: str
    detail: str
    own: OwnLines


def _said(asked: Asked) -> _Said:
    """What the caller asked for, as arguments."""
    return _Said(freq=asked.freq, absent=asked.absent, detail=asked.detail, own=asked.own)


def _as_text(frame: pd.DataFrame, name: str) -> TextTable:
    """The table as text, an empty cell for what is missing, rows numbered from 1."""
    columns = []
    for header in frame.columns:
        column = frame[header]
        texts = list(map(str, column.tolist()))
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            texts = [text[:10] for text in texts]
        if column.hasnans:
            texts = ["" if na else t for t, na in zip(texts, column.isna(), strict=True)]
        columns.append(texts)
    rows = [list(row) for row in zip(*columns, strict=True)]
    headers = tuple(str(header) for header in frame.columns)
    return TextTable(name, headers, rows, list(range(1, len(rows) + 1)), "")


def _rename(panel: Panel, own: OwnLines) -> Panel:
    """A panel with offences as one's own table of categories names them, alike ones added up."""
    if not own:
        return panel
    names = rename_offences(panel.series["offence"].tolist(), own)
    series = panel.series.assign(offence=names)
    keys = ["area", "offence"]
    kept = series.drop_duplicates(keys, ignore_index=True)
    row = pd.MultiIndex.from_frame(kept[keys]).get_indexer(pd.MultiIndex.from_frame(series[keys]))
    values = np.zeros((len(kept), len(panel.periods)))  # (series, period)
    np.add.at(values, row, panel.values)
    return replace(panel, values=values, series=kept)
