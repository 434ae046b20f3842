"""The sum of what was counted and quarantined is what was read, or there is no tally."""

from __future__ import annotations

import pytest

from forecast.data.tallies import Tally
from forecast.errors import DataError


def test_a_tally_says_its_sum_in_one_line() -> None:
    tally = Tally(1200, 1190, 10, (("duplicate", 7), ("no date", 3)), duplicates=7, left_out=40)
    expected = "1,200 read = 1,190 counted + 10 quarantined (duplicate 7, no date 3)"
    assert tally.sentence() == f"{expected}; 40 of the counted not asked for"
    assert tally.share == pytest.approx(10 / 1200)
    assert tally.to_dict()["reasons"] == {"duplicate": 7, "no date": 3}


@pytest.mark.parametrize(
    ("read", "counted", "quarantined", "reasons"),
    [(10, 8, 1, (("no date", 1),)), (10, 8, 2, (("no date", 1),)), (10, 10, 0, (("no date", 1),))],
)
def test_a_tally_that_does_not_add_up_is_refused(
    read: int, counted: int, quarantined: int, reasons: tuple[tuple[str, int], ...]
) -> None:
    with pytest.raises(DataError, match="Tally must add up"):
        Tally(read, counted, quarantined, reasons)


def test_nothing_read_has_no_share() -> None:
    assert Tally(0, 0).share == 0.0
