"""Groups become counts where they belong, and what an analyst should know is said."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.data.incident_panels import make_panel, make_tally
from forecast.data.incident_sql import FUTURE, LEFT_OUT
from forecast.data.mapping import Mapping
from forecast.data.sources import Snapshot
from forecast.data.tallying import Groups
from forecast.errors import DataError


def groups(*rows: tuple[str, int, int, int, int], copies: int = 0) -> Groups:
    """Groups of day, offence, area, reason and number."""
    day, offence, area, reason, n = zip(*rows, strict=True)
    return Groups(
        np.array(day, dtype="datetime64[D]"),
        np.array(offence),
        np.array(area),
        np.array(reason),
        np.array(n),
        ["robbery", "burglary", "arson"],
        ["x", "y"],
        copies=copies,
        differing=copies,
    )


FOUND = groups(
    ("2024-05-01", 0, 0, 0, 3),
    ("2024-05-01", 0, 1, 0, 4),
    ("2024-05-04", 2, 0, 0, 5),
    ("2024-05-04", LEFT_OUT, 0, 0, 6),
    ("2099-01-01", 0, 0, FUTURE, 7),
    copies=2,
)


def test_the_tally_is_the_sum_of_the_groups_and_of_what_could_not_be_read() -> None:
    tally = make_tally(FOUND, {"wrong number of fields": 1})
    # 3 + 4 + 5 + 6 counted; 7 in the future, 2 copies and 1 malformed
    assert (tally.read, tally.counted, tally.quarantined) == (28, 18, 10)
    assert tally.reasons == (
        ("date in the future", 7),
        ("duplicate", 2),
        ("wrong number of fields", 1),
    )


def test_counts_stand_where_they_belong_and_the_rest_is_zero() -> None:
    panel = make_panel(FOUND, make_tally(FOUND, {}), Mapping(), "D", Snapshot("a.csv"))
    assert panel.series.values.tolist() == [
        ["x", "robbery"],
        ["x", "arson"],
        ["y", "robbery"],
        ["y", "arson"],
    ]
    assert panel.values.tolist() == [[3, 0, 0, 0], [0, 0, 0, 5], [4, 0, 0, 0], [0, 0, 0, 0]]
    assert panel.notes == (
        "Incidents from 2024-05-01 to 2024-05-04: the first and the last day may be partial, as "
        "an export cuts them.",
        "Days without any incident: 2 (2024-05-02, 2024-05-03). They are read as zero; a gap in "
        "the export looks the same.",
        "Duplicates of an incident: 2, the first record of each counts; 2 differ from it in day, "
        "offence or area.",
    )


def test_weeks_run_from_monday_to_sunday() -> None:
    some = groups(("2024-05-05", 0, 0, 0, 1), ("2024-05-06", 0, 0, 0, 2))  # a Sunday, a Monday
    panel = make_panel(some, make_tally(some, {}), Mapping(), "W-SUN", Snapshot("a.csv"))
    assert panel.values.tolist() == [[1, 2]]
    assert "cover in part only: 2024-04-29, 2024-05-06" in panel.notes[1]


def test_nothing_that_counts_is_refused() -> None:
    none = groups(("2099-01-01", 0, 0, FUTURE, 7))
    with pytest.raises(DataError, match=r"a\.csv must hold at least one incident .*future 7"):
        make_panel(none, make_tally(none, {}), Mapping(), "D", Snapshot("a.csv"))
