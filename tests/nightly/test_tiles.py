"""What a borough's tile says: above, as expected, or that its count is not shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.nightly.alerts import SINGLE_KINDS
from forecast.nightly.contents import Fan, Line
from forecast.nightly.pages import describe_tile

LAST = pd.Period("2024-10", "M")


def line(offence: str, *, count: float = 5.0, hidden: bool = False, above: bool = False) -> Line:
    """A series of one borough whose last count is known, hidden or missing."""
    periods = pd.period_range("2024-11", periods=1, freq="M")
    history = pd.Series([np.nan if hidden else count], index=pd.PeriodIndex([LAST]))
    return Line(
        "Camden", offence, "calls", "M", False, Fan(periods, np.ones((23, 1))), None, history,
        kinds=(SINGLE_KINDS[0],) if above else (),
        hidden=frozenset([LAST] if hidden else []),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "kind", "words"),
    [
        ([line("robbery"), line("theft")], "usual", "as expected"),
        ([line("robbery", hidden=True)], "unknown", "count not shown"),
        (
            [line("robbery", hidden=True), line("theft"), line("arson", hidden=True)],
            "usual",
            "as expected; count not shown: robbery, arson",
        ),
        ([line("robbery", count=np.nan)], "unknown", "no counts yet"),
        ([], "unknown", "no counts yet"),
        (
            [line("robbery", above=True), line("theft", hidden=True)],
            "above",
            "above expected: robbery",
        ),
    ],
)
def test_a_hidden_count_is_never_called_as_expected(
    lines: list[Line], kind: str, words: str
) -> None:
    assert describe_tile(lines) == (kind, words)
