"""A record that cannot be read is set aside alone; those after it are read."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from forecast.data import staging
from forecast.data.staging import BYTES, FIELDS, LENGTH, QUOTES, Malformed, read_records, stage


def records(text: str, width: int = 3) -> list[tuple[int, list[str]] | Malformed]:
    """All records of a text."""
    return list(read_records(io.StringIO(text, newline=""), width))


def kinds(text: str, width: int = 3) -> list[tuple[int, str]]:
    """Line of each record, and "good" or why it cannot be read."""
    return [
        (r.line, r.reason) if isinstance(r, Malformed) else (r[0], "good")
        for r in records(text, width)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b,c\nd,e,f\n", [(1, "good"), (2, "good")]),
        ("a,b,c\r\n\r\n  \r\nd,e,f", [(1, "good"), (4, "good")]),
        ('"a\nb",b,c\nd,e,f\n', [(1, "good"), (3, "good")]),
        ("a,b\na,b,c,d\na,b,c,,\n", [(1, FIELDS), (2, FIELDS), (3, "good")]),
        ('a,"b,c\nd,e,f\ng,h,i\n', [(1, QUOTES), (2, "good"), (3, "good")]),
        ('a,"b"x,c\nd,e,f\n', [(1, QUOTES), (2, "good")]),
        # Two stray marks close each other, and would swallow the good line between them.
        ('a,"b,c\nd,e,f\ng,h"\n', [(1, QUOTES), (2, "good"), (3, FIELDS)]),
        # A record of two lines that is too long is one record.
        ('a,"b\nc",d,e\nf,g,h\n', [(1, FIELDS), (3, "good")]),
        ("", []),
    ],
)
def test_records_and_their_lines(text: str, expected: list[tuple[int, str]]) -> None:
    assert kinds(text) == expected


def test_bytes_that_are_no_text_are_set_aside(tmp_path: Path) -> None:
    path, target = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_bytes(b"a,b\ncaf\xc3\xa9,1\ncaf\xe9,2\nx,3\n")
    bad = stage(path, target, width=2, keep=[1], header_line=1)
    assert list(bad) == [Malformed(3, BYTES, "")]
    with target.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["line", "1"], ["2", "1"], ["4", "3"]]


def test_a_line_without_end_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "LONGEST_LINE", 50)
    found = kinds(f"a,b,c\n{'x' * 500}\nd,e,f\n")
    assert found == [(1, "good"), (2, LENGTH), (3, "good")]


def test_cells_are_written_again_as_they_were(tmp_path: Path) -> None:
    path, target = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_text('a;b;c\n"x;y";"say ""no""";"two\nlines"\n', "utf-8")
    assert stage(path, target, width=3, keep=[2, 0, 1], header_line=1, delimiter=";").reasons == {}
    with target.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[1] == ["2", "two\nlines", "x;y", 'say "no"']
