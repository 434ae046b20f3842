"""Tables for machines, from the JSON alone: every value as it stands there."""

from __future__ import annotations

from typing import Any

import pytest

from forecast.impact.evaluation import Evaluation
from forecast.reporting.composing_sheets import compose_sheets, make_sheet
from forecast.reporting.documents import Grid

Row = dict[str, Any]


def make_result(**changes: Any) -> Row:
    """A row of results as the JSON tells it."""
    facts: Row = {
        "offence": "robbery", "area": "Camden", "periods": ["2020-10", "2020-11"],
        "exposure": [0.42, 0.27], "counterfactual": "before", "model": "DynamicCounts",
        "observed": 900, "expected": 1200.5, "expected_interval": [1100, 1320],
        "effect": -300.5, "effect_interval": [-420, -200],
        "cumulative": [
            {"period": "2020-10", "effect": -100, "interval": [-150, -50]},
            {"period": "2020-11", "effect": -300.5, "interval": [-420, -200]},
        ],
        "level": 0.95, "placebo": {"windows": 8, "held": 7, "rank": None},
        "verdict": "fewer than expected", "reason": "It was.",
    }  # fmt: skip
    return {**facts, **changes}


HIDDEN = make_result(
    area="Ward", observed=None, effect=None, effect_interval=None, verdict=None,
    cumulative=[{"period": "2020-10", "effect": None, "interval": None}],
    placebo={"windows": None, "held": None, "rank": None}, suppressed=True,
)  # fmt: skip


def make_evaluation(**changes: Any) -> Row:
    told: Row = {
        "campaign": {"name": "Night patrols", "start": "2020-10-19"},
        "results": [make_result()],
        "year_on_year": [],
        "headline": [],
        "checks": [{"name": "a", "status": "passed", "blocking": True, "text": "Good."}],
        "disruptions": [],
        "outputs": [],
        "data": {"source": "own.csv", "sha256": None, "synthetic": True},
        "provenance": {"version": "0.1.0", "seed": 0},
    }
    return {**told, **changes}


def find(sheets: tuple[Grid, ...], caption: str) -> Grid:
    return next(sheet for sheet in sheets if sheet.caption == caption)


def rows_of(sheet: Grid) -> list[Row]:
    """A sheet as rows by column."""
    return [dict(zip(sheet.columns, values, strict=True)) for values in sheet.values]


def test_an_interval_is_two_columns_where_it_stands() -> None:
    sheet = find(compose_sheets(make_evaluation()), "Results")
    assert sheet.columns == (
        "offence", "area", "periods", "exposure", "counterfactual", "model", "observed",
        "expected", "expected_lower", "expected_upper", "effect", "effect_lower", "effect_upper",
        "level", "placebo_windows", "placebo_held", "placebo_rank", "verdict", "reason",
    )  # fmt: skip
    assert sheet.headers[8:11] == ("Expected lower", "Expected upper", "Effect")
    (row,) = rows_of(sheet)
    assert row == {
        "offence": "robbery", "area": "Camden", "periods": "2020-10, 2020-11",
        "exposure": "0.42, 0.27", "counterfactual": "before", "model": "DynamicCounts",
        "observed": 900, "expected": 1200.5, "expected_lower": 1100, "expected_upper": 1320,
        "effect": -300.5, "effect_lower": -420, "effect_upper": -200, "level": 0.95,
        "placebo_windows": 8, "placebo_held": 7, "placebo_rank": None,
        "verdict": "fewer than expected", "reason": "It was.",
    }  # fmt: skip


def test_what_is_hidden_is_a_c_and_what_is_not_known_is_nothing() -> None:
    sheets = compose_sheets(make_evaluation(results=[make_result(effect=None), HIDDEN]))
    known, hidden = rows_of(find(sheets, "Results"))
    assert known["effect"] is None
    assert known["placebo_rank"] is None
    for name in ("observed", "effect", "effect_lower", "effect_upper", "verdict", "placebo_held"):
        assert hidden[name] == "c", name
    assert (hidden["area"], hidden["expected"], hidden["expected_lower"]) == ("Ward", 1200.5, 1100)
    assert "suppressed" not in hidden
    months = rows_of(find(sheets, "Cumulative"))
    assert [row["effect"] for row in months] == [-100, -300.5, "c"]
    assert months[2] == {
        "offence": "robbery", "area": "Ward", "period": "2020-10",
        "effect": "c", "lower": "c", "upper": "c",
    }  # fmt: skip


def test_names_and_what_was_expected_of_a_hidden_row_are_never_a_c() -> None:
    row = {
        "offence": None, "area": None, "periods": None, "period": None, "against": None,
        "exposure": None, "expected": None, "expected_interval": None, "after": None,
        "suppressed": True,
    }  # fmt: skip
    (found,) = rows_of(make_sheet("One", [row]))
    assert [name for name, value in found.items() if value == "c"] == ["after"]


def test_sums_by_period_name_their_series() -> None:
    sheet = find(compose_sheets(make_evaluation()), "Cumulative")
    assert sheet.columns == ("offence", "area", "period", "effect", "lower", "upper")
    assert sheet.values == (
        ("robbery", "Camden", "2020-10", -100, -150, -50),
        ("robbery", "Camden", "2020-11", -300.5, -420, -200),
    )
    assert sheet.numeric == (False, False, False, True, True, True)


def test_steps_of_claims_name_their_claim() -> None:
    step = {"label": "as announced", "observed": None, "change_percent": -27,
            "change_percent_interval": None}  # fmt: skip
    claim = {"claim": "down 27", "reproduced": None, "sentence": "No.", "steps": [step, step]}
    sheet = find(compose_sheets(make_evaluation(headline=[claim])), "Claims")
    assert sheet.columns == (
        "claim", "reproduced", "label", "observed", "change_percent", "change_percent_lower",
        "change_percent_upper",
    )  # fmt: skip
    assert sheet.values == (("down 27", None, "as announced", None, -27, None, None),) * 2


def test_sheets_stand_in_their_order_and_those_without_a_row_are_left_out() -> None:
    assert [sheet.caption for sheet in compose_sheets(make_evaluation())] == [
        "Results", "Cumulative", "Checks", "Data", "Provenance",
    ]  # fmt: skip
    row = {"name": "a"}
    whole = make_evaluation(
        year_on_year=[row],
        headline=[{"claim": "a", "reproduced": True, "steps": [row]}],
        specifications={"specifications": [row], "summary": {}},
        sensitivity=[row],
        examination={"counterfactuals": [row], "areas": {"rows": [row]}, "harm": {}},
        checklist=[row],
        disruptions=[row],
        outputs=[row],
    )
    assert [sheet.caption for sheet in compose_sheets(whole)] == [
        "Results", "Cumulative", "Change on the year", "Claims", "Specifications", "Other models",
        "Counterfactuals", "Areas pooled", "Checks", "Checklist", "Disruptions", "Activity",
        "Data", "Provenance",
    ]  # fmt: skip


def test_facts_are_a_row_each() -> None:
    sheets = compose_sheets(make_evaluation())
    assert find(sheets, "Data").values == (
        ("source", "own.csv"),
        ("sha256", None),
        ("synthetic", True),
    )
    assert find(sheets, "Provenance").values == (
        ("name", "Night patrols"),
        ("start", "2020-10-19"),
        ("version", "0.1.0"),
        ("seed", 0),
    )


def test_values_are_written_as_they_are() -> None:
    rows = [
        {"name": "=A1", "share": 1 / 3, "count": 12345678901, "good": True, "none": None},
        {"name": "b", "share": 2.0, "count": 1, "good": False, "more": [1, "x"]},
    ]
    sheet = make_sheet("One", rows)
    assert sheet.columns == ("name", "share", "count", "good", "none", "more")
    assert sheet.headers == ("Name", "Share", "Count", "Good", "None", "More")
    assert sheet.values == (
        ("=A1", 1 / 3, 12345678901, True, None, None),
        ("b", 2.0, 1, False, None, "1, x"),
    )
    assert sheet.rows == (
        ("=A1", "0.3333333333", "12345678901", "yes", "", ""),
        ("b", "2", "1", "no", "", "1, x"),
    )
    # truth values and columns without a value are no numbers
    assert sheet.numeric == (False, True, True, False, False, False)


def test_a_column_of_numbers_stays_one_where_some_are_hidden() -> None:
    rows = [{"a": 1, "b": "x"}, {"a": None, "b": None, "suppressed": True}, {"a": None, "b": 2}]
    sheet = make_sheet("One", rows)
    assert sheet.values == ((1, "x"), ("c", "c"), (None, 2))
    assert sheet.numeric == (True, False)


@pytest.mark.parametrize("bounds", [None, [1, 2.5]])
def test_an_interval_of_nothing_else_has_plain_names(bounds: list[float] | None) -> None:
    sheet = make_sheet("One", [{"interval": bounds, "intervals": 3}])
    assert sheet.columns == ("lower", "upper", "intervals")
    assert sheet.values == ((*(bounds or (None, None)), 3),)


def test_the_sheets_of_an_evaluation_hold_its_json(fewer: Evaluation) -> None:
    told: Any = fewer.to_dict(command="a command")
    sheets = compose_sheets(told)
    for cells, row in zip(rows_of(find(sheets, "Results")), told["results"], strict=True):
        for name in ("observed", "expected", "effect", "effect_percent", "p", "verdict"):
            assert cells[name] == row[name]
        low, high = row["effect_percent_interval"]
        assert (cells["effect_percent_lower"], cells["effect_percent_upper"]) == (low, high)
    assert len(find(sheets, "Checks").rows) == len(told["checks"])
    provenance = dict(find(sheets, "Provenance").values)
    assert provenance["command"] == "a command"
