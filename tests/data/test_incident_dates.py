"""Dates are read as their whole column says, and refused when it does not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.data.incidents import count
from forecast.errors import DataError

UNTIL = "2024-12-31"
"""No test depends on today."""


def write(folder: Path, text: str, name: str = "calls.csv") -> Path:
    """A file of incidents."""
    path = folder / name
    path.write_bytes(text.encode())
    return path


BRITISH = "date,offence,area\n03/04/2024 10:00,a,x\n25/04/2024 9:05,a,x\n3/4/2024,a,x\n"


def test_dates_are_read_as_their_column_says(tmp_path: Path) -> None:
    panel = count(write(tmp_path, BRITISH), until=UNTIL)
    assert [str(panel.periods[0]), str(panel.periods[-1])] == ["2024-04-03", "2024-04-25"]
    american = BRITISH.replace("25/04", "04/25").replace("10:00", "10:00 PM")
    panel = count(write(tmp_path, american), until=UNTIL)
    assert [str(panel.periods[0]), str(panel.periods[-1])] == ["2024-03-04", "2024-04-25"]
    named = "date,offence,area\n3-Apr-2024,a,x\n25-Apr-2024 10:00,a,x\n"
    panel = count(write(tmp_path, named), until=UNTIL)
    assert [str(panel.periods[0]), str(panel.periods[-1])] == ["2024-04-03", "2024-04-25"]


def test_dates_that_may_be_british_or_american_are_refused_unless_stated(tmp_path: Path) -> None:
    path = write(tmp_path, "date,offence,area\n03/04/2024,a,x\n05/06/2024,a,x\n")
    with pytest.raises(DataError, match="'03/04/2024'.* may be British or American"):
        count(path, until=UNTIL)
    assert str(count(path, until=UNTIL, day_first=True).periods[0]) == "2024-04-03"
    assert str(count(path, until=UNTIL, day_first=False).periods[0]) == "2024-03-04"
    stated = {"dates": {"format": "%m/%d/%Y"}}
    assert str(count(path, until=UNTIL, mapping=stated).periods[0]) == "2024-03-04"
    both = write(tmp_path, "date,offence,area\n13/04/2024,a,x\n05/26/2024,a,x\n")
    with pytest.raises(DataError, match="British or American throughout"):
        count(both, until=UNTIL)


def test_days_that_excel_counts_are_read_with_a_note(tmp_path: Path) -> None:
    # Day 45413 is 1 May 2024: 45,413 days after 30 December 1899; .75 is six in the evening.
    path = write(tmp_path, "date,offence,area\n45413.75,a,x\n45414,a,x\n")
    panel = count(path, until=UNTIL)
    assert [str(p) for p in panel.periods] == ["2024-05-01", "2024-05-02"]
    assert any("Excel counts from 1900" in note for note in panel.notes)
