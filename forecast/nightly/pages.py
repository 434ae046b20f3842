"""The pages of a night: the overview, one an area and one an offence."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from forecast.data.disclosure import HIDDEN
from forecast.nightly.alerts import NEWS
from forecast.nightly.contents import (
    AS_EXPECTED,
    ENDED,
    OURS,
    Contents,
    Line,
    summarise_standing,
)
from forecast.nightly.downloads import Download
from forecast.nightly.fans import (
    MIDDLE,
    describe_bands,
    describe_numbers,
    draw_fan,
    find_last,
    tabulate_fan,
    write_range_of,
)
from forecast.nightly.naming import name_files
from forecast.periods import UNIT_NAMES, as_date, label
from forecast.reporting.formatting import (
    capitalise,
    name_days,
    plural,
    spell_periods,
    write_count,
)
from forecast.reporting.tables import render_table
from forecast.reporting.tiles import lay_tiles

MOST_CHARTS = 40
"""Charts of one page; the series beyond are in its table, with links to where theirs are."""

_HEADERS = {
    "likely_range": "80 per cent interval",
    "wide_range": "95 per cent interval",
}


@dataclass(frozen=True, eq=False)
class Site:
    """The pages that a night has, and what their files are called.

    Attributes
    ----------
    contents : Contents
    title : str
    areas, offences : dict
        Name of the file without its end, by name.
    by_area, by_offence : dict
        Series by name.
    """

    contents: Contents
    title: str
    areas: Mapping[str, str]
    offences: Mapping[str, str]
    by_area: Mapping[str, Sequence[Line]]
    by_offence: Mapping[str, Sequence[Line]]


def plan_site(contents: Contents, title: str) -> Site:
    """Return which pages a night has; totals come first, what is above expected before the rest."""
    order = sorted(
        contents.lines, key=lambda line: (not line.is_total, not line.is_new, not line.is_above)
    )
    by_area: dict[str, list[Line]] = {}
    by_offence: dict[str, list[Line]] = {}
    for line in order:
        by_area.setdefault(line.area, []).append(line)
        by_offence.setdefault(line.offence, []).append(line)
    areas = dict.fromkeys([line.area for line in contents.lines])
    offences = dict.fromkeys([line.offence for line in contents.lines])
    return Site(contents, title, name_files(areas), name_files(offences), by_area, by_offence)


@lru_cache(maxsize=1)
def make_environment() -> Environment:
    """Return the environment of the templates: text is escaped, a missing value is an error."""
    environment = Environment(
        loader=PackageLoader("forecast.nightly", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["capital"] = capitalise
    environment.filters["spell"] = spell_periods
    home = files("forecast.nightly") / "templates"
    script = (home / "site.js").read_text("utf-8")
    digest = hashlib.sha256(script.encode()).digest()
    environment.globals["hidden"] = HIDDEN
    environment.globals["script"] = Markup(script)  # noqa: S704
    environment.globals["style"] = Markup((home / "site.css").read_text("utf-8"))  # noqa: S704
    # a policy that lets this script run and nothing else, on a file share too
    environment.globals["script_hash"] = base64.b64encode(digest).decode()
    return environment


def render_overview(site: Site, downloads: Sequence[Download]) -> str:
    """Return the overview as HTML."""
    contents = site.contents
    return _render(
        site,
        "overview.html.j2",
        root="",
        heading=site.title,
        downloads=downloads,
        facts=list_head(site),
        groups=_group_alerts(site),
        warnings=[str(t) for t in contents.alerts.loc[~contents.alerts["kind"].isin(OURS), "text"]],
        failures=[
            (spell_periods(str(row.as_of)), str(row.reason or "no reason is known"))
            for row in contents.failures.itertuples()
        ],
        tiles=_show_tiles(site, site.by_area),
        area_rows=[_sum_up(site, name, site.by_area[name], "areas") for name in site.areas],
        offence_rows=[
            _sum_up(site, name, site.by_offence[name], "offences") for name in site.offences
        ],
        models=_show_scores(summarise_standing(contents.standing)),
        steps=_show_scores(
            [row for row in summarise_standing(contents.steps, ("step",))
             if row["model"] == _main_model(contents)]
        ),
        sources=_list_sources(contents),
    )  # fmt: skip


def render_area(site: Site, area: str, downloads: Sequence[Download]) -> str:
    """Return the page of an area as HTML."""
    return _render_place(site, area, "area", site.by_area[area], downloads)


def render_offence(site: Site, offence: str, downloads: Sequence[Download]) -> str:
    """Return the page of an offence as HTML: the total over areas first, where there is one."""
    return _render_place(site, offence, "offence", site.by_offence[offence], downloads)


def _render_place(
    site: Site, name: str, what: str, lines: Sequence[Line], downloads: Sequence[Download]
) -> str:
    """The page of an area or an offence."""
    other = site.offences if what == "area" else site.areas
    named = [(line.offence if what == "area" else line.area) for line in lines]
    stems = [_anchor(line, other[text], lines) for line, text in zip(lines, named, strict=True)]
    drawn = list(zip(lines, named, stems, strict=True))
    if what == "offence":  # the charts of areas are on their own pages
        totals = [each for each in drawn if each[0].is_total]
        drawn = totals or drawn[:1]
    several = len({line.measure for line in lines}) > 1
    standing = site.contents.standing
    mine = standing[standing[what] == name] if len(standing) else standing
    return _render(
        site,
        "place.html.j2",
        root="../",
        heading=capitalise(name),
        what=what,
        downloads=downloads,
        said=describe_place(what, lines),
        charts=[_show_chart(line, text, stem, several) for line, text, stem in drawn[:MOST_CHARTS]],
        beyond=max(len(drawn) - MOST_CHARTS, 0),
        rows=[_show_row(site, line, what, stem) for line, stem in zip(lines, stems, strict=True)],
        tiles=_show_tiles(site, {line.area: [line] for line in lines}) if what == "offence" else [],
        models=_show_scores(summarise_standing(mine)),
    )


def _anchor(line: Line, stem: str, lines: Sequence[Line]) -> str:
    """Where the chart of a series is on its page."""
    same = [x for x in lines if (x.area, x.offence) == (line.area, line.offence)]
    return stem if len(same) == 1 else f"{stem}-{same.index(line) + 1}"


def describe_place(what: str, lines: Sequence[Line]) -> str:
    """Say how many series of a page are above expected.

    Examples
    --------
    >>> describe_place("offence", [])
    'Nothing is above expected.'
    """
    above = [line for line in lines if line.is_above]
    if not above:
        return "Nothing is above expected."
    named = [
        "the total" if line.is_total and what == "offence"
        else line.area if what == "offence" else line.offence
        for line in above
    ]  # fmt: skip
    more = f" and {len(named) - 5} more" if len(named) > 5 else ""
    return f"Above expected: {', '.join(named[:5])}{more}."


def _render(site: Site, template: str, **more: Any) -> str:
    """A page of one template."""
    contents = site.contents
    return make_environment().get_template(template).render(
        site_title=site.title,
        night=spell_periods(contents.night.as_of),
        as_of=contents.night.as_of,
        synthetic=contents.is_synthetic,
        version=contents.night.version,
        source_line="; ".join(text for _, text in _list_sources(contents)),
        **more,
    )  # fmt: skip


def list_head(site: Site) -> list[tuple[str, str]]:
    """Return what the overview says first: name and text."""
    contents = site.contents
    night = as_date(contents.night.as_of)
    facts = [("Last good run", f"night of {spell_periods(contents.night.as_of)}, "
                               f"ended {_write_time(contents.night.ended)}")]  # fmt: skip
    for (measure, freq), day in contents.newest.items():
        old = (night - day).days - 1  # a night sees what ended the day before
        word = "up to date" if old <= 0 else f"{plural(old, 'day')} old"
        facts.append(
            (f"Newest {measure}", f"{UNIT_NAMES[freq]} to {name_days(day, day)}, {word} that night")
        )
    for model in dict.fromkeys(block.model for block in contents.blocks):
        facts.append(("Forecast by", model))
    lines = [line for line in contents.lines if not line.is_total]
    above = sum(line.is_above for line in contents.lines)
    facts.append(("Series", f"{len(lines):,} of {plural(len({x.area for x in lines}), 'area')} and "
                            f"{plural(len(site.offences), 'offence')}"))  # fmt: skip
    facts.append(("Above expected", f"{above:,} ({_count_news(contents):,} new this night)"))
    if contents.small_counts:
        facts.append(("Small counts", contents.small_counts))
    return facts


def _count_news(contents: Contents) -> int:
    """How many alerts began this night."""
    return int(contents.alerts["kind"].isin(NEWS).sum())


def _write_time(text: str) -> str:
    """A time of the store as it is read."""
    return f"{spell_periods(text[:10])} at {text[11:16]} UTC"


def _group_alerts(site: Site) -> list[dict[str, Any]]:
    """What is above expected: new, going on, over."""
    told = site.contents.alerts
    groups = []
    for title, kinds in (
        ("New this night", set(NEWS)),
        ("Still above expected", OURS - set(NEWS) - ENDED),
        ("Over", ENDED),
    ):
        rows = [
            {"text": row.text, "kind": row.kind, "link": _link(site, row.area, row.offence)}
            for row in told[told["kind"].isin(kinds)].itertuples()
        ]
        if rows:
            groups.append({"title": title, "rows": rows[:200], "beyond": max(len(rows) - 200, 0)})
    return groups


def _link(site: Site, area: Any, offence: Any) -> str | None:
    """The page of a series, where it has one."""
    if area not in site.areas or offence not in site.offences:
        return None
    return f"areas/{site.areas[area]}.html#{site.offences[offence]}"


def _show_tiles(site: Site, lines: Mapping[str, Sequence[Line]]) -> list[dict[str, Any]]:
    """The tiles of London's boroughs, none elsewhere."""
    shown = []
    for tile in lay_tiles(lines):
        mine = lines.get(tile.area, [])
        kind, words = describe_tile(mine) if tile.is_there else ("absent", "no figures")
        shown.append(
            {
                "area": tile.area, "letters": tile.letters, "row": tile.row,
                "column": tile.column, "words": words,
                "kind": kind,
                "stem": site.areas.get(tile.area),
            }
        )  # fmt: skip
    return shown


def describe_tile(lines: Sequence[Line]) -> tuple[str, str]:
    """Return how a borough's tile looks, and what is said of it.

    A count that is not shown is neither as expected nor above: whatever it is, it must not be
    told from the map.
    """
    above = [line.offence for line in lines if line.is_above]
    if above:
        return "above", f"above expected: {', '.join(above)}"
    rest: dict[str, list[str]] = {}
    for line in lines:
        if line.status != AS_EXPECTED:
            rest.setdefault(line.status, []).append(line.offence)
    if sum(map(len, rest.values())) == len(lines):
        return "unknown", "; ".join(rest) or "no counts yet"
    named = [f"{status}: {', '.join(offences)}" for status, offences in rest.items()]
    return "usual", "; ".join([AS_EXPECTED, *named])


def _sum_up(site: Site, name: str, lines: Sequence[Line], folder: str) -> dict[str, Any]:
    """A row of the overview."""
    stems = site.areas if folder == "areas" else site.offences
    above = [line for line in lines if line.is_above]
    return {
        "name": name,
        "link": f"{folder}/{stems[name]}.html",
        "above": len(above),
        "new": sum(line.is_new for line in lines),
        "series": len(lines),
    }


def _show_row(site: Site, line: Line, what: str, stem: str) -> dict[str, Any]:
    """A row of the table of a page."""
    last = find_last(line)
    quantiles = None if last is None else last[2]
    page = site.areas[line.area]
    return {
        "name": line.offence if what == "area" else line.area,
        "link": f"#{stem}" if what == "area"
        else f"../areas/{page}.html#{site.offences[line.offence]}",
        "status": line.status,
        "is_above": line.is_above,
        "period": "" if last is None else spell_periods(label(last[0])),
        "period_key": "" if last is None else label(last[0]),
        "observed": None if last is None or math.isnan(last[1]) else last[1],
        "is_hidden": last is not None and math.isnan(last[1]),
        "expected": None if quantiles is None else float(quantiles[MIDDLE]),
        "interval": None if quantiles is None else write_range_of(quantiles),
        "next": float(line.ahead.values[MIDDLE, 0]),
        "next_interval": write_range_of(line.ahead.values[:, 0]),
    }  # fmt: skip


def _show_chart(line: Line, name: str, stem: str, several: bool) -> dict[str, Any]:
    """A chart with its words and its table."""
    title = capitalise(name) + (f" ({line.measure})" if several else "")
    caption = f"Numbers of {line.offence}, {line.area}" + (f", {line.measure}" if several else "")
    table = render_table(tabulate_fan(line), caption=caption, headers=_HEADERS)
    return {
        "stem": stem,
        "title": title,
        "status": line.status,
        "is_above": line.is_above,
        "said": describe_numbers(line),
        "figure": Markup(draw_fan(line, f"fan-{stem}")),  # noqa: S704
        "table": Markup(table),  # noqa: S704
        "bands": describe_bands(line),
    }


def _show_scores(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Scores as they are written."""

    def percent(value: float | None) -> str:
        return "not known" if value is None or pd.isna(value) else f"{100 * value:.0f}"

    return [
        {
            **{name: row[name] for name in ("model", "step") if name in row},
            "cells": row["cells"],
            "wis": write_count(row["wis"], digits=2),
            "skill": percent(row["skill"]).replace("-", "\N{MINUS SIGN}"),
            "in_80": percent(row["in_80"]),
            "in_95": percent(row["in_95"]),
        }
        for row in rows
    ]


def _main_model(contents: Contents) -> str | None:
    """Whose forecasts are shown first."""
    return contents.blocks[0].model if contents.blocks else None


def _list_sources(contents: Contents) -> list[tuple[str, str]]:
    """Where figures came from: name and sentence."""
    out = []
    for row in contents.snapshots.itertuples():
        parts = [str(row.source)]
        parts += [f"retrieved {row.retrieved}"] if isinstance(row.retrieved, str) else []
        parts += [f"SHA-256 {row.sha256[:12]}"] if isinstance(row.sha256, str) else []
        parts += [str(row.licence)] if isinstance(row.licence, str) else []
        text = "; ".join(parts)
        out.append(
            (str(row.name), f"SIMULATED FIGURES, not real: {text}" if row.synthetic else text)
        )
    return out
