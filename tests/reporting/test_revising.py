"""The history of a report: a line a change, none for the same again, none lost in silence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from forecast.data.sources import Snapshot
from forecast.impact.evaluation import Evaluation
from forecast.reporting.composing import compose
from forecast.reporting.folders import write_document
from forecast.reporting.revising import (
    CAPTION,
    UNREADABLE,
    Revision,
    add_revision,
    describe_revision,
    read_revisions,
    show_revisions,
)

FIRST = Revision("2024-11", "0.1.0", "draft", "cannot tell", "Robbery, London: 2 counted", "ab12")

TOLD = {
    "results": [
        {"offence": "robbery", "area": "London", "observed": 4816, "expected": 5719.4,
         "verdict": "cannot tell"},
        {"offence": "burglary", "area": "London", "observed": 1, "expected": 1, "verdict": "no"},
    ],
    "data": {"retrieved": "2024-11", "sha256": "ab12"},
    "provenance": {"version": "0.2.0"},
}  # fmt: skip


def test_a_line_tells_the_main_figure_and_where_it_came_from() -> None:
    assert describe_revision(TOLD, "final") == Revision(
        taken="2024-11",
        version="0.2.0",
        status="final",
        verdict="cannot tell",
        figure="Robbery, London: 4,816 counted, 5,719 expected",
        sha256="ab12",
    )


def test_what_is_not_known_says_so() -> None:
    bare = {
        **TOLD,
        "data": {"retrieved": None, "sha256": None},
        "results": [{**TOLD["results"][0], "observed": None, "expected": None}],  # type: ignore[index,dict-item]
    }
    found = describe_revision(bare, "draft")
    assert (found.taken, found.sha256) == ("not known", "not known")
    assert found.figure == "Robbery, London: not known counted, not known expected"


@pytest.mark.parametrize("changed", Revision._fields)
def test_any_change_adds_a_line_and_the_same_again_does_not(changed: str) -> None:
    history = add_revision((), FIRST)
    assert history == (FIRST,)
    assert add_revision(history, FIRST) == history
    new = FIRST._replace(**{changed: "another"})
    assert add_revision(history, new) == (FIRST, new)
    # back to what it was: that is a change too
    assert add_revision((FIRST, new), FIRST) == (FIRST, new, FIRST)


def test_where_there_is_no_report_there_is_no_history(tmp_path: Path) -> None:
    assert read_revisions(tmp_path) == ()
    assert read_revisions(tmp_path / "not there") == ()


def test_the_history_comes_back_from_the_saved_report(fewer: Evaluation, tmp_path: Path) -> None:
    document = compose(fewer, {}, earlier=(FIRST,))
    write_document(document, tmp_path / "report.json")
    found = read_revisions(tmp_path)
    assert found[0] == FIRST
    assert len(found) == 2
    assert found[1] == describe_revision(document.evaluation, "draft")
    again = compose(fewer, {}, earlier=found)
    assert read_rows(again) == found


def read_rows(document: object) -> tuple[Revision, ...]:
    """The history as a document shows it to machines."""
    (sheet,) = [sheet for sheet in document.sheets if sheet.caption == CAPTION]  # type: ignore[attr-defined]
    return tuple(Revision(*row) for row in sheet.values)


def test_newer_figures_add_a_line_to_a_report(fewer: Evaluation) -> None:
    counts = [
        replace(fewer.counts, snapshot=Snapshot("own.csv", retrieved=day, sha256=day * 2))
        for day in ("2022-12-05", "2023-02-01")
    ]
    first = compose(replace(fewer, counts=counts[0]), {})
    second = compose(replace(fewer, counts=counts[1]), {}, earlier=read_rows(first))
    third = compose(
        replace(fewer, counts=counts[1]), {}, earlier=read_rows(second), status="provisional"
    )
    history = read_rows(third)
    assert [line.taken for line in history] == ["2022-12-05", "2023-02-01", "2023-02-01"]
    assert [line.status for line in history] == ["draft", "draft", "provisional"]
    shown = next(section for section in third.evidence if section.key == "revisions")
    assert shown.blocks[1].values == tuple(tuple(line) for line in history)  # type: ignore[union-attr]
    assert len(read_rows(first)) == 1


def test_a_report_from_before_there_were_histories_gives_one_line(tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").write_text(json.dumps(TOLD), "utf-8")
    assert read_revisions(tmp_path) == (describe_revision(TOLD, "not known"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"sheets": []}',
        '{"sheets": 3}',
        '{"sheets": [{"caption": "Revisions"}]}',
        '{"sheets": [{"caption": "Revisions", "values": [["2024-11"]]}]}',
        '{"sheets": [{"caption": "Revisions", "values": null}]}',
    ],
)
def test_a_broken_report_is_told_of_and_stops_nothing(
    fewer: Evaluation, tmp_path: Path, text: str
) -> None:
    (tmp_path / "report.json").write_text(text, "utf-8")
    assert read_revisions(tmp_path) == (UNREADABLE,)
    assert UNREADABLE.figure == "an earlier report that cannot be read"
    assert set(UNREADABLE) - {UNREADABLE.figure} == {"not known"}
    history = read_rows(compose(fewer, {}, earlier=read_revisions(tmp_path)))
    assert history[0] == UNREADABLE
    assert len(history) == 2


@pytest.mark.parametrize("text", ["{", "{}", '{"results": [], "data": {}}'])
def test_a_broken_result_is_told_of_too(tmp_path: Path, text: str) -> None:
    (tmp_path / "evaluation.json").write_text(text, "utf-8")
    assert read_revisions(tmp_path) == (UNREADABLE,)


def test_bytes_that_are_no_text_are_told_of_too(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_bytes(b"\xff\xfe\x00")
    assert read_revisions(tmp_path) == (UNREADABLE,)


def test_the_history_is_shown_from_the_oldest_on() -> None:
    later = FIRST._replace(taken="2024-12", status="final")
    grid = show_revisions((FIRST, later), caption="Revisions of this report")
    assert grid.caption == "Revisions of this report"
    assert grid.columns == Revision._fields
    assert grid.headers == (
        "Figures taken", "Package", "State", "Verdict", "Main figure", "Figures (SHA-256)",
    )  # fmt: skip
    assert grid.values == (tuple(FIRST), tuple(later))
