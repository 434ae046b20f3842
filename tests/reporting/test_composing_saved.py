"""A report from the saved result alone: the same numbers and verdict as the whole one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from forecast.errors import ForecastError
from forecast.impact.disclosing import protect
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.reporting.composing import compose
from forecast.reporting.composing_saved import compose_saved
from forecast.reporting.documents import Document, Grid
from forecast.simulation import simulate
from tests.reporting.conftest import patrols


def find_table(document: Document, caption: str) -> Grid:
    """The table of a caption, wherever it stands."""
    blocks = [block for section in document.sections() for block in section.blocks]
    return next(b for b in blocks if isinstance(b, Grid) and b.caption == caption)


def test_totals_and_verdict_are_those_of_the_whole_report(verdicts: dict[str, Evaluation]) -> None:
    caption = "Totals over the whole periods that the campaign touches"
    for verdict, result in verdicts.items():
        whole, saved = compose(result, {}), compose_saved(result.to_dict())
        assert saved.verdict == verdict
        assert saved.box.endswith(f"Verdict: {verdict}.")
        ours, theirs = find_table(saved, caption), find_table(whole, caption)
        assert ours.headers == theirs.headers
        # The whole one says "all areas" in words of its own; all else is the same to the letter.
        assert [row[1:] for row in ours.rows] == [row[1:] for row in theirs.rows]


def test_a_claim_is_told_step_by_step_as_in_the_whole_report(hostile: Evaluation) -> None:
    whole, saved = compose(hostile, {}), compose_saved(hostile.to_dict())
    ours, theirs = (find_table(d, "The claim, step by step") for d in (saved, whole))
    assert [row[:5] for row in ours.rows] == [row[:5] for row in theirs.rows]
    assert "patrols caused a fall of 30 per cent" in " ".join(saved.texts())


def test_every_check_stands_in_it(fewer: Evaluation) -> None:
    told = fewer.to_dict()
    rows = find_table(compose_saved(told), "Checks").rows
    assert [row[1] for row in rows] == [check["status"] for check in told["checks"]]
    assert {row[2] for row in rows} == {"yes", "no"}


def test_hidden_counts_stay_hidden() -> None:
    counts = simulate(areas=10, years=8, mean=60, overdispersion=1, seed=5)
    told = protect(evaluate(patrols(end="2022-10-31"), counts, draws=100), "on").to_dict()
    hidden = [row for row in told["results"] if row.get("suppressed")]
    assert hidden
    rows = find_table(compose_saved(told), "Areas over the same periods").rows
    marked = [row for row in rows if row[1] == "c"]
    assert len(marked) == len(hidden)
    assert all(row[3] == row[4] == row[5] == "c" for row in marked)


def test_a_broken_result_says_what_is_wrong(fewer: Evaluation) -> None:
    told: dict[str, Any] = json.loads(json.dumps(fewer.to_dict()))
    with pytest.raises(ForecastError, match="must be of schema forecast.evaluation/1: found 'x'"):
        compose_saved(told | {"schema": "x"})
    with pytest.raises(ForecastError, match="must be of schema .*: found None"):
        compose_saved([told])  # type: ignore[arg-type]
    for broken, why in (
        ({"results": []}, "IndexError"),
        ({"results": [{"area": "x"}]}, "KeyError"),
        ({"checks": 3}, "TypeError"),
        ({"campaign": {"name": 3}}, "KeyError"),
        ({"data": None}, "AttributeError"),
    ):
        with pytest.raises(ForecastError, match=f"must be whole: reading it gave {why}"):
            compose_saved(told | broken)


def test_areas_have_a_table_of_their_own(fewer: Evaluation) -> None:
    """Only the totals of all areas stand in the first table."""
    told = fewer.to_dict()
    assert len(find_table(compose_saved(told), "Areas over the same periods").rows) == 2
    one = told | {"results": told["results"][:1]}
    assert "There is one area, and it is the total." in " ".join(compose_saved(one).texts())
