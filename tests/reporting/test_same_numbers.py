"""One report, one set of numbers: JSON, page, workbook, sentences and figures hold the same.

The truth is the counts themselves and arithmetic on them; what each format shows is read back from
it, by other programs where there are any, and compared to as many digits as it shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from python_calamine import CalamineWorkbook

from forecast.data.sources import Snapshot
from forecast.impact.campaign import Campaign
from forecast.impact.disclosing import protect
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.reporting.composing import compose
from forecast.reporting.documents import Document
from forecast.reporting.figures import Plot
from forecast.reporting.pages import draw_figures
from forecast.reporting.rendering import render_page
from forecast.reporting.workbook import write_workbook
from forecast.simulation import simulate

TOTALS = "Totals over the whole periods that the campaign touches"
HIDDEN = "c"

Row = dict[str, Any]


class _Tables(HTMLParser):
    """Every table of a page: its caption and the texts of its rows, the heading first."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, list[list[str]]]] = []
        self._into: str | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.found.append(("", []))
        elif tag == "tr":
            self.found[-1][1].append([])
        elif tag in ("th", "td"):
            self.found[-1][1][-1].append("")
        self._into = tag if tag in ("th", "td", "caption") else self._into

    def handle_endtag(self, tag: str) -> None:
        self._into = None if tag == self._into else self._into

    def handle_data(self, data: str) -> None:
        if self._into == "caption":
            caption, rows = self.found[-1]
            self.found[-1] = (caption + data, rows)
        elif self._into:
            self.found[-1][1][-1][-1] += data


@dataclass(frozen=True)
class Made:
    """A report in each of its forms, read back."""

    result: Evaluation
    told: Row
    document: Document
    figures: dict[str, Plot]
    tables: list[tuple[str, list[list[str]]]]
    sheets: dict[str, list[Row]]

    def rows_of(self, caption: str) -> Iterator[list[str]]:
        """The rows of all tables of a caption, without their headings."""
        for name, rows in self.tables:
            if name == caption:
                yield from rows[1:]

    def sheet(self, name: str) -> list[Row]:
        """The rows of a sheet whose number is not known."""
        return next(rows for key, rows in self.sheets.items() if key.split(" ", 1)[-1] == name)

    def row(self, offence: str, area: str) -> Row:
        """What the JSON tells of one series."""
        return next(r for r in self.told["results"] if (r["offence"], r["area"]) == (offence, area))


def make(result: Evaluation) -> Made:
    """Write a report and read every form of it back."""
    figures = draw_figures(result)
    document = compose(result, figures, command="a command")
    page = render_page(document, lambda picture: figures[picture.name].svg())
    book = CalamineWorkbook.from_filelike(BytesIO(write_workbook(document)))
    sheets = {}
    for name in book.sheet_names[3:]:  # cover, contents and notes come first
        header, *rows = book.get_sheet_by_name(name).to_python()[2:]
        sheets[name] = [dict(zip(header, row, strict=True)) for row in rows]
    told = json.loads(json.dumps(document.evaluation, allow_nan=False))
    return Made(result, told, document, figures, _Tables(page).found, sheets)


def planned(**facts: Any) -> Campaign:
    """A campaign in the last October and November, where simulated effects are planted."""
    usual: dict[str, Any] = {"name": "Night patrols", "offences": ["robbery"]}
    usual |= {"start": "2022-10-01", "end": "2022-11-30"}
    return Campaign(**{**usual, **facts})


def draw_at_random(seed: int) -> Evaluation:
    """An evaluation whose size, effect, level and areas follow from a seed alone."""
    rng = np.random.default_rng(seed)
    areas, offences = int(rng.integers(2, 6)), int(rng.integers(1, 3))
    counts = simulate(
        areas=areas,
        offences=offences,
        years=8,
        mean=float(rng.choice([60, 700, 40_000])),
        effect=float(rng.uniform(-0.6, 0.6)),
        seed=seed,
    )
    facts: dict[str, Any] = {"offences": counts.offences, "start": f"2022-10-{1 + seed:02}"}
    facts["areas"] = list(counts.areas[: int(rng.integers(2, areas + 1))])
    level = float(rng.choice([0.5, 0.8, 0.95]))
    return evaluate(planned(**facts), counts, draws=200, level=level, seed=seed)


def hide_small() -> Evaluation:
    """Ten wards of a file of one's own, with small counts hidden."""
    counts = simulate(areas=10, years=8, mean=60, overdispersion=1, seed=5)
    wards = replace(counts, snapshot=Snapshot("wards.csv"))
    return protect(evaluate(planned(end="2022-10-31"), wards, draws=200), "on")


_CASES: dict[str, Callable[[], Evaluation] | str] = {
    "fewer": "fewer",
    "more": "more",
    "unclear": "unclear",
    "blocked": "blocked",
    "one area, a short past": "lonely",
    "weeks": "weekly",
    "London": "autumn_nights",
    "hidden": hide_small,
    **{f"seed {seed}": partial(draw_at_random, seed) for seed in range(1, 7)},
}


@pytest.fixture(scope="module", params=_CASES)
def made(request: pytest.FixtureRequest) -> Made:
    """A report of each verdict, of real figures, and of evaluations drawn at random."""
    case = _CASES[request.param]
    return make(request.getfixturevalue(case) if isinstance(case, str) else case())


def read(text: str) -> list[float]:
    """All numbers of a text, their signs with them."""
    plain = text.replace("\N{MINUS SIGN}", "-").replace(",", "")
    return [float(number) for number in re.findall(r"(?<![\w.])[+-]?\d+(?:\.\d+)?", plain)]


def agree(text: str, values: list[float | None], *, digits: int = 0) -> None:
    """See that a text shows these numbers and no others, to so many digits."""
    known = [value for value in values if value is not None]
    shown = read(text)
    assert len(shown) == len(known), (text, values)
    assert shown == pytest.approx(known, abs=0.5 * 10**-digits + 1e-5, rel=0), (text, values)


def pair(row: Row, name: str) -> list[float | None]:
    """A value and its interval; those of an undefined one are left out."""
    return [row[name], *(row[f"{name}_interval"] or (None, None))]


def agree_cells(cells: dict[str, str], row: Row) -> None:
    """See that cells of a table on the page show what the JSON tells of a series."""
    hidden = bool(row.get("suppressed"))
    digits = {"observed": 0, "expected": 0, "effect": 0, "effect_percent": 1}
    for name, text in cells.items():
        if hidden and name != "expected":
            assert text == HIDDEN
        elif name == "verdict":
            assert text == row["verdict"]
        else:
            values = [row[name]] if name == "observed" else pair(row, name)
            agree(text, values, digits=digits[name])
            assert "none" not in text
    assert cells


def test_the_json_holds_the_counts_and_arithmetic_on_them(made: Made) -> None:
    panel, campaign = made.result.counts, made.result.campaign
    window = panel.periods.isin(made.result.main.periods)
    for part, row in zip(made.result.effect.parts, made.told["results"], strict=True):
        if row.get("suppressed"):
            continue
        areas = list(campaign.areas or panel.areas) if part.is_total else [part.area]
        seen = panel.select(area=areas, offence=part.offence).values[:, window].sum()
        expected, (low, high) = row["expected"], row["expected_interval"]
        assert row["observed"] == seen
        assert row["effect"] == pytest.approx(seen - expected, abs=1e-4)
        assert row["effect_interval"] == pytest.approx([seen - high, seen - low], abs=1e-4)
        percents = [100 * (seen / x - 1) for x in (expected, high, low)]
        assert pair(row, "effect_percent") == pytest.approx(percents, abs=1e-3)


def test_the_tables_of_totals_show_what_the_json_tells(made: Made) -> None:
    totals = [part for part in made.result.effect.parts if part.is_total]
    rows = list(made.rows_of(TOTALS))
    assert len(rows) == 2 * len(totals)  # in the summary, and again in the evidence
    names = ("observed", "expected", "effect", "effect_percent", "verdict")
    for (head, *cells), part in zip(rows, totals * 2, strict=True):
        assert head == f"{part.offence}, {part.place}"
        cells_by_name = dict(zip(names, cells, strict=True))
        agree_cells(cells_by_name, made.row(part.offence, part.area))


def test_the_tables_of_areas_show_what_the_json_tells(made: Made) -> None:
    names = ("observed", "expected", "effect_percent", "verdict")
    for offence in made.result.campaign.offences:
        parts = [p for p in made.result.effect.parts if p.offence == offence and not p.is_total]
        caption = f"{offence[:1].upper()}{offence[1:]}: observed and expected by area"
        rows = {head: cells for head, *cells in made.rows_of(caption)}
        assert set(rows) == {part.area for part in parts}
        for area, cells in rows.items():
            agree_cells(dict(zip(names, cells, strict=True)), made.row(offence, area))


def test_the_workbook_holds_the_values_of_the_json(made: Made) -> None:
    sheet = made.sheet("Results")
    assert len(sheet) == len(made.told["results"])
    numbers = ("observed", "expected", "effect", "effect_percent", "level", "p")
    for cells, row in zip(sheet, made.told["results"], strict=True):
        assert (cells["Offence"], cells["Area"]) == (row["offence"], row["area"])
        for name in numbers:
            header = f"{name[:1].upper()}{name[1:]}".replace("_", " ")
            agree_cell(cells[header], row[name], row)
            if f"{name}_interval" in row:
                low, high = row[f"{name}_interval"] or (None, None)
                agree_cell(cells[f"{header} lower"], low, row)
                agree_cell(cells[f"{header} upper"], high, row)
        agree_cell(cells["Verdict"], row["verdict"], row)


def agree_cell(found: Any, value: float | str | None, row: Row) -> None:
    """See that a cell of the workbook holds a value, to the last digit."""
    if value is not None:
        assert found == value
    else:
        assert found == ("[c]" if row.get("suppressed") else "[x]")


def test_the_workbook_holds_the_changes_and_sums_of_the_json(made: Made) -> None:
    years = made.told["year_on_year"]
    for cells, row in zip(made.sheet("Change on the year"), years, strict=True):
        assert (cells["Period"], cells["Against"]) == (row["period"], row["against"])
        for header, value in (
            ("Before", row["before"]),
            ("After", row["after"]),
            ("Change percent", row["change_percent"]),
            ("Change percent lower", (row["change_percent_interval"] or [None])[0]),
            ("Change percent upper", (row["change_percent_interval"] or [None])[-1]),
        ):
            agree_cell(cells[header], value, row)
    steps = [(row, step) for row in made.told["results"] for step in row["cumulative"]]
    for cells, (row, step) in zip(made.sheet("Cumulative"), steps, strict=True):
        assert (cells["Area"], cells["Period"]) == (row["area"], step["period"])
        values = (step["effect"], *(step["interval"] or (None, None)))
        for header, value in zip(("Effect", "Lower", "Upper"), values, strict=True):
            agree_cell(cells[header], value, row)


def test_the_words_hold_the_numbers_of_the_json(made: Made) -> None:
    main, document = made.told["results"][0], made.document
    counted = (main["observed"], main["expected"])
    box = re.search(r"had ([\d,]+).*?; about ([\d,]+) were expected", document.box)
    assert box is not None
    agree(" ".join(box.groups()), list(counted))
    gap = re.search(r"between ([\d,]+) and ([\d,]+)\.", document.box)
    assert (gap is not None) == main["verdict"].endswith(" than expected")
    if gap is not None:  # the sizes of both ends, the smaller first
        agree(" ".join(gap.groups()), sorted(abs(x) for x in main["effect_interval"]))
    assert document.verdict == main["verdict"]
    assert document.verdict_line.endswith(f": {main['verdict']}")
    found = {section.key: section for section in document.summary}
    said = " ".join(text for block in found["say"].blocks for text in _texts(block))
    usual = re.search(r"had ([\d,]+).*About ([\d,]+) .*expected.* ([\d,]+) to ([\d,]+) would", said)
    assert usual is not None
    agree(" ".join(usual.groups()), [*counted, *main["expected_interval"]])
    percent = re.search(r"([\d,]+) (?:fewer|more) than the ([\d,]+) expected .*? \((.*?)\)", said)
    assert (percent is not None) == main["verdict"].endswith(" than expected")
    if percent is not None:
        agree(" ".join(percent.groups()[:2]), [abs(main["effect"]), main["expected"]])
        agree(percent[3], pair(main, "effect_percent"))


def _texts(block: Any) -> list[str]:
    """The sentences of a paragraph or a list."""
    return list(getattr(block, "items", ())) or [block.text]


def test_the_figure_of_the_window_draws_the_numbers_of_the_json(made: Made) -> None:
    main, plot = made.told["results"][0], made.figures["window"]
    inside = plot.table.iloc[-len(main["periods"]) :]
    assert inside["observed"].sum() == main["observed"]
    assert inside["expected"].sum() == pytest.approx(main["expected"], abs=1e-3)
    last = inside.iloc[-1][["cumulative_gap", "cumulative_gap_lower", "cumulative_gap_upper"]]
    assert last.tolist() == pytest.approx(pair(main, "effect"), abs=1e-3)
    for row, step in zip(inside.to_dict("records"), main["cumulative"], strict=True):
        assert row["cumulative_gap"] == pytest.approx(step["effect"], abs=1e-3)
        seen = row["observed"]
        gaps = [seen - row[x] for x in ("expected", "expected_upper", "expected_lower")]
        assert [row["gap"], row["gap_lower"], row["gap_upper"]] == pytest.approx(gaps)
    top, left, right = plot.axes
    lines = {str(line.get_label()): np.asarray(line.get_ydata()) for line in top.lines}
    np.testing.assert_allclose(lines["observed"], plot.table["observed"])
    np.testing.assert_allclose(lines["expected"], np.repeat(inside["expected"], 2))
    (band,) = [c for c in top.collections if c.get_alpha() == 0.25]
    heights = band.get_paths()[0].vertices[:, 1]
    ends = inside[["expected_lower", "expected_upper"]].to_numpy()
    assert (heights.min(), heights.max()) == (ends.min(), ends.max())
    for axes, name in ((left, "gap"), (right, "cumulative_gap")):
        np.testing.assert_allclose(np.asarray(axes.lines[0].get_ydata()), inside[name])
        bars: Any = axes.collections[0]
        drawn = [(segment[0][1], segment[-1][1]) for segment in bars.get_segments()]
        np.testing.assert_allclose(drawn, inside[[f"{name}_lower", f"{name}_upper"]])
    agree(re.sub(r".* the gap is (\S+), \d+ per cent interval (.*)\.", r"\1 \2", plot.alt),
          pair(main, "effect"))  # fmt: skip


def test_the_figure_of_areas_draws_the_numbers_of_the_json(made: Made) -> None:
    if "areas" not in made.figures:
        assert sum(not part.is_total for part in made.result.effect.parts) == 0
        return
    plot, offence = made.figures["areas"], made.result.campaign.offences[0]
    table = plot.table.to_dict("records")
    marked = [line for line in plot.axes[0].lines if line.get_marker() in ("o", "D")]
    points = sorted(marked, key=lambda line: float(line.get_ydata()[0]))
    spans = [line for line in plot.axes[0].lines if line.get_linewidth() == 2.2]
    spans.sort(key=lambda line: float(line.get_ydata()[0]))
    shown = [made.row(offence, str(r["area"])) for r in table]
    for cells, row in zip(table, shown, strict=True):
        names = ("observed", "expected", "effect_percent", "verdict")
        if row.get("suppressed"):
            assert [cells[name] for name in names if name != "expected"] == [HIDDEN] * 3
            continue
        bounds = row["effect_percent_interval"]
        assert cells["observed"] == row["observed"]
        assert cells["expected"] == pytest.approx(row["expected"], abs=1e-3)
        assert cells["effect_percent"] == pytest.approx(row["effect_percent"], abs=1e-3)
        assert [cells["effect_percent_lower"], cells["effect_percent_upper"]] == pytest.approx(
            bounds, abs=1e-3
        )
        assert cells["verdict"] == row["verdict"]
    seen = [row for row in shown if not row.get("suppressed")]
    known = [float(line.get_xdata()[0]) for line in points]
    known = [x for x in known if not np.isnan(x)]
    assert known == pytest.approx([row["effect_percent"] for row in seen], abs=1e-3)
    ends = [tuple(map(float, line.get_xdata())) for line in spans]
    ends = [x for x in ends if not np.isnan(x[0])]
    told = [tuple(row["effect_percent_interval"]) for row in seen]
    np.testing.assert_allclose(ends, np.clip(told, -104, 150), atol=1e-3)  # an arrow goes on


def test_the_numbers_under_a_figure_are_those_it_draws(made: Made) -> None:
    for name in ("window", "areas", "years"):
        if name not in made.figures:
            continue
        plot = made.figures[name]
        rows = list(made.rows_of(f"Numbers of the figure: {plot.title}"))
        assert len(rows) == len(plot.table)
        columns = list(plot.table.columns)
        for shown, values in zip(rows, plot.table.itertuples(index=False), strict=True):
            for column, text, value in zip(columns, shown, values, strict=True):
                if isinstance(value, float) and np.isnan(value):
                    assert text == "none"
                elif not isinstance(value, str):
                    agree(text, [float(value)], digits=1 if "percent" in column else 0)
                elif column not in ("period", "against"):
                    assert text == value


def test_changes_on_the_year_are_the_same_on_the_page_and_in_the_json(made: Made) -> None:
    for offence in made.result.campaign.offences:
        area = next(p.area for p in made.result.effect.parts if p.offence == offence)
        own = [r for r in made.told["year_on_year"] if (r["offence"], r["area"]) == (offence, area)]
        caption = f"{offence[:1].upper()}{offence[1:]}: change on the year, which is not an effect"
        for cells, row in zip(made.rows_of(caption), own, strict=True):
            agree(cells[2], [row["before"]])
            agree(cells[3], [row["after"]])
            agree(cells[4], [row["change_percent"]], digits=1)
            bounds = row["change_percent_interval"]
            agree(cells[5], bounds or [], digits=1)


def test_the_checklist_states_the_numbers_of_the_json(made: Made) -> None:
    main = made.told["results"][0]
    fields = {cells["Field"]: cells["Text"] for cells in made.sheet("Checklist")}
    plain = re.search(r"had ([\d,]+) .*?about ([\d,]+) were expected, or anything from (.*?)\. V",
                      fields["plain statement"])  # fmt: skip
    assert plain is not None
    agree(" ".join(plain.groups()), [main["observed"], *pair(main, "expected")])
    found = re.search(r"difference ([+-][\d,]+), ratio ([\d.]+) ", fields["headline estimate"])
    assert found is not None
    agree(found[1], [main["effect"]])
    agree(found[2], [1 + main["effect_percent"] / 100], digits=2)
