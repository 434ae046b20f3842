"""Files on their way in have names of their own, and bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.data.arrivals import Arrival, name_arrivals
from forecast.errors import DataError


def test_one_file_or_several_get_their_own_names() -> None:
    assert [one.name for one in name_arrivals("x/a.csv")] == ["a.csv"]
    given = [Path("x/a.csv"), Arrival("y/7f3.part", name="b.csv"), Arrival(name="c", sha256="0")]
    assert [one.name for one in name_arrivals(given)] == ["a.csv", "b.csv", "c"]


def test_names_that_repeat_or_climb_are_refused_together() -> None:
    files = ["x/a.csv", "y/A.csv", Arrival("z", name="../b.csv"), Arrival("z", name="c:d")]
    words = r"(?s)names that differ: A.csv, a.csv repeat.*plain name: found '../b.csv', 'c:d'"
    with pytest.raises(DataError, match=words):
        name_arrivals(files)


def test_no_file_and_no_bytes_are_refused() -> None:
    with pytest.raises(DataError, match="must have at least one file: found none"):
        name_arrivals([])
    with pytest.raises(DataError, match="or the SHA-256 of bytes that are kept: c.csv has neither"):
        name_arrivals(Arrival(name="c.csv"))
