"""The list of quarantined rows is whole, harmless in a spreadsheet, and holds nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.data.quarantining import check_listed, refuse_too_many, write_quarantine
from forecast.data.tallies import Tally
from forecast.errors import DataError, NotReadyError


def test_rows_are_listed_with_source_line_reason_and_value(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    faults = [(7, "unknown offence", ' "99", A '), (9, "no date", "")]
    assert write_quarantine(path, "calls.csv", faults) == 2
    assert path.read_text("utf-8").splitlines() == [
        "source,line,reason,value",
        'calls.csv,7,unknown offence,"""99"", A"',
        "calls.csv,9,no date,",
    ]


@pytest.mark.parametrize("value", ["=1+1", "+44", "-1", "@SUM(A1)"])
def test_a_value_is_never_a_formula(tmp_path: Path, value: str) -> None:
    path = tmp_path / "bad.csv"
    write_quarantine(path, "calls.csv", [(2, "unknown area", value)])
    assert path.read_text("utf-8").splitlines()[1] == f"calls.csv,2,unknown area,'{value}"


def test_a_list_that_fails_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("before", "utf-8")

    def faults():  # type: ignore[no-untyped-def]
        yield 2, "no date", ""
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="disk is gone"):
        write_quarantine(path, "calls.csv", faults())
    assert path.read_text("utf-8") == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["bad.csv"]


def test_the_limit_is_a_share_that_may_be_reached_and_not_passed() -> None:
    tally = Tally(100, 98, 2, (("no date", 2),))
    refuse_too_many(tally, 0.02, source="calls.csv", listed=None)
    with pytest.raises(NotReadyError, match=r"2 of 100 are, 2 per cent \(no date 2\)") as caught:
        refuse_too_many(tally, 0.019, source="calls.csv", listed=None)
    assert "quarantine='rows.csv'" in str(caught.value)
    assert "at most 1.9 per cent of its rows quarantined" in str(caught.value)
    refuse_too_many(Tally(0, 0), 0, source="calls.csv", listed=None)


def test_a_list_replaces_an_older_list_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    check_listed(path)
    write_quarantine(path, "calls.csv", [(2, "no date", "")])
    check_listed(path)
    path.write_text("date,offence\n", "utf-8")
    with pytest.raises(DataError, match=r"'bad.csv' must not exist, or be an older list") as caught:
        check_listed(path)
    assert "Choose another name for the quarantined rows" in str(caught.value)
    with pytest.raises(DataError, match=f"'{tmp_path.name}' must not exist, or be an older list"):
        check_listed(tmp_path)


def test_a_list_is_not_written_over_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    write_quarantine(path, "calls.csv", [(2, "no date", "")])
    (tmp_path / "other.csv").symlink_to(path)
    with pytest.raises(DataError, match=r"another than those that are read: found 'other.csv'"):
        check_listed(tmp_path / "other.csv", tmp_path / "map.toml", path)


def test_a_list_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Folder of 'bad.csv' must exist: it does not"):
        check_listed(tmp_path / "none" / "bad.csv")
