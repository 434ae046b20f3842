"""Errors: one tree, and messages that name a few and count the rest."""

from __future__ import annotations

import pytest

from forecast.errors import (
    CampaignError,
    DataError,
    FitError,
    ForecastError,
    NotReadyError,
    join_problems,
    name_offenders,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [(ForecastError, 2), (DataError, 2), (CampaignError, 2), (FitError, 1), (NotReadyError, 3)],
)
def test_errors_are_value_errors_with_an_exit_code(kind: type[ForecastError], code: int) -> None:
    assert issubclass(kind, ValueError)
    assert issubclass(kind, ForecastError)
    assert kind("words").exit_code == code


def test_data_that_are_not_ready_are_an_error_of_data() -> None:
    assert issubclass(NotReadyError, DataError)


def test_one_problem_stands_alone_and_several_get_a_line_each() -> None:
    assert join_problems(["a"]) == "a"
    assert join_problems(["a", "b"]) == "- a\n- b"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], ""),
        (["a", "b", "c"], "a, b, c"),
        (["a", "b", "c", "d"], "a, b, c, 1 more"),
        ([str(i) for i in range(1503)], "0, 1, 2, 1,500 more"),
    ],
)
def test_three_offenders_are_named_and_the_rest_counted(names: list[str], said: str) -> None:
    assert name_offenders(names) == said


def test_more_offenders_are_named_on_request() -> None:
    assert name_offenders(list("abcde"), 4) == "a, b, c, d, 1 more"
