"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.data.writing import replacing
from forecast.errors import DataError


def test_what_was_written_takes_the_place(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", "utf-8")
    with replacing(target) as half:
        half.write_text("new", "utf-8")
        assert target.read_text("utf-8") == "old"
    assert target.read_text("utf-8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", "utf-8")

    def fail() -> None:
        with replacing(target) as half:
            half.write_text("new", "utf-8")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail()
    assert target.read_text("utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    words = r"File 'a.txt' must be writable: No such file.*Make its folder, or choose another"
    with pytest.raises(DataError, match=words), replacing(tmp_path / "no" / "a.txt") as half:
        half.write_text("new", "utf-8")
