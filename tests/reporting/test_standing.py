"""Draft, provisional or final: a program signs for nothing, and young figures are never final."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forecast.data.sources import Snapshot
from forecast.errors import ForecastError
from forecast.impact.data_checks import check_maturity
from forecast.impact.evaluation import Evaluation
from forecast.reporting.composing import compose
from forecast.reporting.standing import STATUSES, decide_status, describe_status, sign_off

RULE = (
    "A report is a draft until somebody has checked it. It is provisional when it was checked, "
    "but late records may still change it. It is final when it was checked and the figures were "
    "taken at least 42 days after the campaign ended."
)


def taken(result: Evaluation, retrieved: str | None) -> Evaluation:
    """The same result on figures that are not simulated, taken when it is said."""
    panel = replace(result.counts, snapshot=Snapshot("own.csv", retrieved=retrieved))
    others = [check for check in result.checks if check.name != "maturity of the figures"]
    return replace(result, counts=panel, checks=(*others, check_maturity(panel, result.campaign)))


def test_there_are_three() -> None:
    assert STATUSES == ("draft", "provisional", "final")


@pytest.mark.parametrize("retrieved", [None, "2022-11-01", "2024-06-01"])
def test_a_report_is_a_draft_unless_somebody_says_more(
    fewer: Evaluation, retrieved: str | None
) -> None:
    assert decide_status(taken(fewer, retrieved)) == "draft"
    assert decide_status(taken(fewer, retrieved), "draft") == "draft"
    assert decide_status(taken(fewer, retrieved), "provisional") == "provisional"


# The campaign ends on 30 November 2022: 31 days of December and 11 of January are 42.
@pytest.mark.parametrize("retrieved", ["2023-01-11", "2023-02", "vintage 2023-01-11"])
def test_mature_figures_can_be_final(fewer: Evaluation, retrieved: str) -> None:
    assert decide_status(taken(fewer, retrieved), "final") == "final"


@pytest.mark.parametrize(
    ("retrieved", "why"),
    [
        ("2023-01-10", "The figures were taken 41 days after the campaign ended."),
        ("2022-12", "The figures were taken 1 day after the campaign ended."),
        ("2022-11-15", "The figures were taken before the campaign ended."),
        (None, "When the figures were taken is not known"),
    ],
)
def test_young_figures_are_never_final(fewer: Evaluation, retrieved: str | None, why: str) -> None:
    with pytest.raises(
        ForecastError,
        match="Status of the report on 'Night patrols' must be draft or provisional while counts "
        f"may still grow: found 'final'. {why}.* Use provisional, or evaluate newer figures.",
    ):
        decide_status(taken(fewer, retrieved), "final")


def test_figures_of_which_maturity_was_not_looked_at_are_never_final(fewer: Evaluation) -> None:
    bare = replace(taken(fewer, "2024-06-01"), checks=())
    with pytest.raises(
        ForecastError, match="found 'final'. When the figures were taken was not looked at. Use"
    ):
        decide_status(bare, "final")
    assert describe_status(bare, "draft") == ["Draft: nobody has signed for this report.", RULE]


@pytest.mark.parametrize("asked", ["provisional", "final"])
def test_simulated_figures_are_always_a_draft(fewer: Evaluation, asked: str) -> None:
    assert decide_status(fewer, "draft") == "draft"
    with pytest.raises(
        ForecastError,
        match="Status of the report on 'Night patrols' must be draft: its figures are simulated, "
        f"and '{asked}' was asked for. Leave the status out.",
    ):
        decide_status(fewer, asked)


@pytest.mark.parametrize("asked", ["", "Final", "signed"])
def test_another_word_is_refused(fewer: Evaluation, asked: str) -> None:
    with pytest.raises(
        ForecastError,
        match="'Night patrols' must be draft, provisional or final: "
        f"found '{asked}'. Use draft when nobody has checked it.",
    ):
        decide_status(fewer, asked)


@pytest.mark.parametrize(
    ("status", "first"),
    [
        ("draft", "Draft: nobody has signed for this report."),
        ("provisional", "Provisional: it was checked, and later figures may change it."),
        ("final", "Final: it was checked, and the figures are mature."),
    ],
)
def test_the_report_says_where_it_stands_and_by_what_rule(
    fewer: Evaluation, status: str, first: str
) -> None:
    said = describe_status(taken(fewer, "2023-02-01"), status)  # type: ignore[arg-type]
    # 31 days of December, 31 of January and 1 of February
    assert said == [first, "The figures were taken 63 days after the campaign ended.", RULE]


def test_no_names_are_made_up_for_the_sign_off(fewer: Evaluation) -> None:
    mature = taken(fewer, "2023-02-01")
    assert sign_off(mature, "draft") == (
        "not possible, because nobody has signed: draft. Author, independent checker and date are "
        "to be added."
    )
    early = taken(fewer, "2022-12-05")
    assert "nobody has signed: draft, on provisional figures" in sign_off(early, "draft")
    assert sign_off(early, "provisional") == (
        "not possible, because no names are recorded: provisional, as whoever made the report "
        "said. Author, independent checker and date are to be added."
    )
    assert "no names are recorded: final, as whoever" in sign_off(mature, "final")


def test_the_status_stands_wherever_a_report_tells_of_it(fewer: Evaluation) -> None:
    document = compose(taken(fewer, "2023-02-01"), {}, status="final")
    assert document.status == "final"
    found = {section.key: section for section in document.sections()}
    (told,) = found["status"].blocks
    assert told.text.startswith("Final: it was checked")  # type: ignore[union-attr]
    sheets = {sheet.caption: sheet for sheet in document.sheets}
    (row,) = [row for row in sheets["Checklist"].values if "checking and sign-off" in row]
    assert any("final, as whoever made the report said" in str(cell) for cell in row)
    (revision,) = sheets["Revisions"].values
    assert revision[2] == "final"
    with pytest.raises(ForecastError, match="must be draft or provisional while counts may still"):
        compose(taken(fewer, None), {}, status="final")
