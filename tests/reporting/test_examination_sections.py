"""What stands beside the verdict, as the report shows it: sentences, tables, and no cause."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forecast.impact.checklist import make_checklist
from forecast.impact.evaluation import Evaluation
from forecast.reporting.examination_sections import (
    LONG,
    Section,
    list_sections,
    list_way_notes,
    show_examined_checks,
    show_specifications,
    show_ways,
)
from forecast.reporting.examination_tables import spell
from forecast.reporting.formatting import write_count
from forecast.reporting.wording import lint, quotations

TITLES = [
    "Areas taken together",
    "Other runs of the campaign",
    "The time after",
    "Other places and offences",
    "Displacement and diffusion",
    "Controls",
    "Costs and harm",
    "Dose",
    "Darkness and the clocks",
]


def find(result: Evaluation, title: str) -> Section:
    return next(s for s in list_sections(result) if s.title == title)


def all_sentences(result: Evaluation) -> list[str]:
    """Everything that is said of an evaluation in sentences, before it stands on a page."""
    assert result.examination is not None
    said = [*result.rating.sentences(), *result.registration.sentences()]
    said += [check.text for check in (*result.checks, *result.examination.checks())]
    said += [text for part in result.examination.parts().values() for text in part.sentences()]
    said += [*result.headline.sentences(), *result.examination.missing.values()]
    said += [str(note) for note in result.examination.ways["note"]]
    said += [text for section in list_sections(result) for text in (section.lead, *section.said)]
    return said + [row.text for row in make_checklist(result).rows]


def test_every_part_has_a_section_in_order(sides: Evaluation) -> None:
    found = list_sections(sides)
    assert [section.title for section in found] == TITLES
    assert all(section.said and section.lead for section in found)
    assert len({section.id for section in found}) == len(TITLES)
    assert all(find(sides, title).tables for title in TITLES if title != "The time after")


def test_nothing_examined_gives_no_section(fewer: Evaluation) -> None:
    assert list_sections(replace(fewer)) == []
    assert show_ways(replace(fewer)) is None
    assert show_examined_checks(replace(fewer)) is None
    assert show_specifications(replace(fewer)) is None
    assert list_way_notes(replace(fewer)) == []


def test_a_part_that_could_not_be_made_says_why(sides: Evaluation) -> None:
    bare = replace(sides)
    assert sides.examination is not None
    missing = {"dose": "no activity log was given in 2022-10."}
    object.__setattr__(bare, "examination", replace(sides.examination, dose=None, missing=missing))
    assert find(bare, "Dose").said == ("No activity log was given in October 2022.",)
    assert find(bare, "Dose").tables == ()


def test_long_tables_are_folded_and_empty_ones_left_out(sides: Evaluation) -> None:
    for section in list_sections(sides):
        assert all(0 < len(table.frame) <= LONG for table in section.shown)
        assert all(len(table.frame) > LONG for table in section.folded)
    table = find(sides, "Areas taken together").tables[0]
    long = table._replace(frame=table.frame.loc[[0] * (LONG + 1)])
    empty = table._replace(frame=table.frame.iloc[:0])
    section = Section("a", "b", "c", ("d",), (table, long, empty))
    assert section.shown == (table,)
    assert section.folded == (long,)


def test_the_ways_are_those_of_the_examination(sides: Evaluation) -> None:
    table = show_ways(sides)
    assert table is not None
    assert sides.examination is not None
    assert len(table.frame) == len(sides.examination.ways) == 3
    own = table.frame[table.frame["way"] == "its past alone (the verdict's own)"].iloc[0]
    assert own["observed"] == sides.main.observed
    assert own["expected"] == pytest.approx(sides.main.expected)
    notes = [note for note in sides.examination.ways["note"] if note]
    assert len(list_way_notes(sides)) == len(set(notes))


def test_worth_is_the_difference_times_the_price(sides: Evaluation) -> None:
    table = find(sides, "Costs and harm").tables[0].frame
    row = table[table["what"] == "Robbery: recorded offences, £ million"].iloc[0]
    price = float(row["each_range"].removeprefix("£").replace(",", ""))
    # the price is shown rounded to a pound: far less than the digit of the amount
    millions = abs(price * sides.main.effect / 1e6)
    assert row["value_interval"].startswith(f"\N{MINUS SIGN}{write_count(millions, digits=1)} (")
    harm = table[table["what"] == "Robbery: Cambridge Crime Harm Index, days"].iloc[0]
    days = abs(365 * sides.main.effect)  # robbery counts 365 days in the index
    assert harm["each_range"] == "365 days"
    assert harm["value_interval"].startswith(f"\N{MINUS SIGN}{days:,.0f} (")


def test_the_dose_table_adds_up_to_the_log(sides: Evaluation) -> None:
    areas, periods = find(sides, "Dose").tables
    # 400 + 300 hours in Area 01 and 100 + 50 in Area 02; 500 in October and 350 in November
    single = areas.frame[areas.frame["where"].str.startswith("Area")]
    assert single["amount"].tolist() == [700, 150, 0]  # Area 06 had none
    assert periods.frame["amount"].tolist() == [500, 350]
    assert periods.frame["where"].tolist() == ["October 2022", "November 2022"]


def test_the_checklist_of_what_was_examined_tells_its_parts(sides: Evaluation) -> None:
    found = make_checklist(sides)
    assert "By darkness: " in found.of("moderators and harm").text
    assert "patrol hours: 850 logged" in found.of("activity and dose").text  # 700 + 150 + 0
    assert "Places were chosen so: by recent counts." in found.of("regression to the mean").text
    assert "had they followed the controls" in found.of("displacement and diffusion").text
    assert "result.examine()" not in " ".join(row.text for row in found.rows)


def test_sentences_are_written_for_the_page() -> None:
    assert spell("add `cost`: -£3, -4 in 2020-10") == "Add cost: −£3, −4 in October 2020"  # noqa: RUF001


def test_no_part_says_what_made_counts_change(sides: Evaluation) -> None:
    for text in all_sentences(sides):
        lint(text, quoted=quotations(sides.campaign))


@pytest.mark.slow
def test_no_part_of_a_campaign_that_ships_says_what_made_counts_change(
    shipped: list[Evaluation],
) -> None:
    for result in shipped:
        assert len(list_sections(result)) == len(TITLES)
        for text in all_sentences(result):
            lint(text, quoted=quotations(result.campaign))
