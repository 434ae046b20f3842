"""What the bytes of a file tell of its records is right, or the file is not trusted."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from forecast.data import scanning
from forecast.data.scanning import scan


@pytest.mark.parametrize("chunk", [1, 2, 3, 1 << 20])
@pytest.mark.parametrize(
    ("data", "lines", "quotes", "odd"),
    [
        (b"a,b\n1,2\n3,4\n", 3, False, False),
        (b"a,b\n1,2\n3,4", 3, False, False),
        (b"a,b\r\n1,2\r\n3,4", 3, False, False),
        (b"a,b\r1,2\r3,4\r", 3, False, False),
        (b"a,b\r\n1,2\n", 2, False, True),
        (b"a,b\n1,2\r3\n", 2, False, True),
        (b'a,b\n"1",2\n', 2, True, False),
        (b'a,b\n1, "2"\n', 2, True, True),
        (b'a,b\n"1" ,2\n', 2, True, True),
        (b"a,b\n1,\x00\n", 2, False, True),
    ],
)
def test_lines_are_counted_and_doubtful_files_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    chunk: int,
    data: bytes,
    lines: int,
    quotes: bool,
    odd: bool,
) -> None:
    monkeypatch.setattr(scanning, "_CHUNK", chunk)
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    found = scan(path)
    assert (found.quotes, found.odd) == (quotes, odd)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    if not odd:
        assert found.lines == lines
        assert found.is_plain(lines - 1)
        assert found.agrees(lines - 1)
        assert found.agrees(lines - 2) is quotes  # a quoted cell may run over several lines
        assert not found.agrees(lines)
