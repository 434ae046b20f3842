"""A source is looked at before it is read, and refused when it changes meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.data.incoming import open_text
from forecast.errors import DataError


def look(folder: Path, data: bytes) -> tuple[tuple[str, ...], int, str, bool]:
    """Headers, their line, the delimiter, and whether DuckDB may read the file as it is."""
    path = folder / "calls.csv"
    path.write_bytes(data)
    text = open_text(path, path.name)
    return text.headers, text.header_line, text.dialect.delimiter, text.is_plain


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1,2\n", (("a", "b"), 1, ",", True)),
        (b"\xef\xbb\xbfa;b\n1;2\n", (("a", "b"), 1, ";", True)),
        (b"Title,,\na,b,c\n1,2,3\n", (("a", "b", "c"), 2, ",", False)),
        (b'a,b\n1,"2\n3,4\n', (("a", "b"), 1, ",", True)),
        ("a,b\n1,é\n".encode("cp1252"), (("a", "b"), 1, ",", False)),
        ("a,b\n1,2\n".encode("utf-16"), (("a", "b"), 1, ",", False)),
    ],
)
def test_the_beginning_tells_headers_and_dialect(
    tmp_path: Path, data: bytes, expected: tuple[tuple[str, ...], int, str, bool]
) -> None:
    assert look(tmp_path, data) == expected


def test_headers_that_repeat_and_empty_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="headers that differ: 'a'"):
        look(tmp_path, b"a,b,a\n1,2,3\n")
    with pytest.raises(DataError, match="must hold a table: it is empty"):
        look(tmp_path, b"")
