"""Plain values: what JSON cannot hold, and what readers of a file would take for something else."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.impact.plain import DIGITS, clean, pair, records


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
        (-np.inf, None),
        (np.float64(3.0), 3),
        (np.int64(7), 7),
        (-0.0, 0),
        (0.1 + 0.2, 0.3),
        (2 / 3, 0.666667),
        (1e-9, 0),  # six digits after the point
        (123456.7890123, 123456.789012),
        (2**53, 9007199254740992),
        ("robbery", "robbery"),
        ("", ""),
        (True, True),
        (False, False),
    ],
)
def test_values_are_plain(value: Any, plain: Any) -> None:
    found = clean(value)
    assert found == plain
    assert json.dumps(found, allow_nan=False) == json.dumps(plain)


@pytest.mark.parametrize("value", [np.True_, np.False_])
def test_truth_of_numpy_stays_a_truth(value: Any) -> None:
    """A column of truths gives numpy's own, which must not become 1 and 0."""
    assert clean(value) is bool(value)


@pytest.mark.parametrize("value", [pd.NA, pd.NaT])
def test_missing_of_pandas_is_none(value: Any) -> None:
    assert clean(value) is None


def test_text_of_pandas_stays_text() -> None:
    frame = pd.DataFrame({"area": ["Town"], "note": [""]})
    assert records(frame) == [{"area": "Town", "note": ""}]


def test_interval_is_there_in_full_or_not_at_all() -> None:
    assert pair((-1.0, 2.25)) == [-1, 2.25]
    for bounds in ((np.nan, 1.0), (1.0, np.nan), (-np.inf, 1.0), (np.nan, np.nan)):
        assert pair(bounds) is None
    assert pair([0.0, 0.0]) == [0, 0]  # zero is a bound


def test_rows_have_their_bounds_as_one_interval() -> None:
    frame = pd.DataFrame(
        {
            "offence": ["robbery", "theft"],
            "effect": [-5.0, np.nan],
            "effect_lower": [-10.0, np.nan],
            "effect_upper": [0.5, np.nan],
            "clear": [True, False],
            "lower": [1.0, 2.0],  # no bound of anything that was named
        }
    )
    before = frame.copy()
    rows = records(frame, "effect")
    assert rows == [
        {"offence": "robbery", "effect": -5, "clear": True, "lower": 1,
         "effect_interval": [-10, 0.5]},
        {"offence": "theft", "effect": None, "clear": False, "lower": 2,
         "effect_interval": None},
    ]  # fmt: skip
    assert [type(row["clear"]) for row in rows] == [bool, bool]
    json.dumps(rows, allow_nan=False)
    pd.testing.assert_frame_equal(frame, before)
    assert records(frame.iloc[:0], "effect") == []
    assert DIGITS == 6
