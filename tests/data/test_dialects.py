"""Encodings and delimiters: told from the bytes, noted when guessed, refused when unclear."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from forecast.data.csvtables import read_table
from forecast.data.dialects import DELIMITERS, find_delimiter, find_dialect, find_encoding
from forecast.data.headers import fold_header
from forecast.errors import DataError

TEXT = "area;count\nBrønshøj – £;3\n"
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32")


def encoding_of(data: bytes) -> str:
    return find_encoding(io.BytesIO(data), "a.csv").codec


@pytest.mark.parametrize(
    ("codec", "mark", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8-sig"),
        ("utf-16-le", b"\xff\xfe", "utf-16"),
        ("utf-16-be", b"\xfe\xff", "utf-16"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-32-le", b"\xff\xfe\0\0", "utf-32"),
        ("utf-32-be", b"\0\0\xfe\xff", "utf-32"),
        ("cp1252", b"", "cp1252"),
    ],
)
def test_encodings(codec: str, mark: bytes, found: str) -> None:
    data = mark + TEXT.encode(codec)
    assert encoding_of(data) == found
    table = read_table(data, "a.csv")
    assert (table.headers, table.rows) == (("area", "count"), [["Brønshøj – £", "3"]])
    assert bool(table.notes) == (codec == "cp1252")


def test_windows_1252_is_noted_with_its_first_byte() -> None:
    notes = read_table("area,count\nBrent,1\nCafé,2\n".encode("cp1252"), "a.csv").notes
    assert notes == (
        "a.csv: not UTF-8 (byte 0xe9 in line 3), so read as Windows-1252; look at names with "
        "accents or signs",
    )


@pytest.mark.parametrize("size", [1 << 16, 1 << 20, 3 << 20])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_what_comes_late_in_a_file_still_counts(size: int, off: int) -> None:
    # The first character beyond ASCII lies around the end of what is read at once.
    before = b"area,count\n" + b"Camden,3\n" * (size // 9 + 1)
    before = before[: size + off - 1] + b"\n"
    assert encoding_of(before + "é,1\n".encode()) == "utf-8"
    assert encoding_of(before + b"\xe9,1\n") == "cp1252"
    with pytest.raises(DataError, match=rf"one encoding: .*line {before.count(10) + 2:,} is not"):
        encoding_of(before + "é,1\n".encode() + b"\xe9,1\n")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"area,count\nCaf\xc3\xa9,1\nCaf\xe9,2\n", "text before it is UTF-8, but byte 0xe9 in l"),
        (
            b"area\nCaf\xe9\nCaf\xc3\xa9\n",
            r"some of it is Windows-1252, but line 3 is UTF-8 \('é'\)",
        ),
        (b"\xef\xbb\xbfarea\nCaf\xe9\n", "the mark of UTF-8, but byte 0xe9 in line 2 is not"),
        (b"area\nCaf\x81\n", "UTF-16 or Windows-1252: byte 0x81 in line 2 is in none of them"),
        (b"area,count\n\x00\x01\x02\x03", "a text file: it holds binary data"),
        ("area\nCamden".encode("utf-16")[:-1], "whole text file in UTF-16, as it begins"),
        ("area,count\n".encode("utf-16-le") + b"Camden,3\n" * 3, "UTF-16, as it begins|binary"),
    ],
)
def test_files_in_two_encodings_or_none_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(DataError, match=f"a.csv must be .*{said}"):
        read_table(data, "a.csv")


@pytest.mark.parametrize("mark", DELIMITERS)
def test_delimiters(mark: str) -> None:
    sample = f"area{mark}count\nCamden{mark}3\n"
    assert find_delimiter(sample, is_whole=True) == mark


@pytest.mark.parametrize(
    ("sample", "mark"),
    [
        ("area\nCamden\n", ","),
        ("", ","),
        # Decimal commas in every row do not beat the semicolons that the headers have too.
        ("x;y\n51,5;0,1\n51,6;0,2\n", ";"),
        ('area,count\n"a;b;c",1\n"d;e;f",2\n', ","),
        ("area,text\nA,x;y\nB,z;w\n", ","),
        ('"a,b";"c,d"\n"e,f";"g,h"\n', ";"),  # within quotes a comma splits nothing
        ('area,note\nA,"runs\non, and on"\nB,x\n', ","),
        ("Title; and, more\n\narea|count\nA|1\nB|2\n", "|"),
        ('area,count\n"Camden,3\n', ","),  # a broken quote is refused later, with its line
    ],
)
def test_the_right_delimiter_splits_all_rows(sample: str, mark: str) -> None:
    assert find_delimiter(sample, is_whole=True) == mark


def test_a_sample_may_end_anywhere() -> None:
    whole = 'area;note\nA;"x,\ny"\nB;"z,\nw"\n'
    for end in range(len("area;note\nA"), len(whole)):
        assert find_delimiter(whole[:end], is_whole=False) == ";"


def test_two_delimiters_that_split_alike_are_refused() -> None:
    with pytest.raises(
        DataError, match="a.csv must have one kind of delimiter: commas and semicolons split its r"
    ):
        find_delimiter("a,b;c\nd,e;f\n", is_whole=True, name="a.csv")


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_files_that_were_glued_together_lose_the_marks_between(codec: str) -> None:
    parts = ["area,count\nCamden,1\n", "area,count\nBrent,2\n", "Camden,3\n"]
    table = read_table(b"".join(part.encode(codec) for part in parts), "a.csv")
    assert table.rows == [["Camden", "1"], ["Brent", "2"], ["Camden", "3"]]
    assert table.notes == ("a.csv: the headers repeat in line 3, left out",)


def test_the_end_of_a_file_as_dos_writes_it_is_no_row() -> None:
    assert read_table(b"area,count\r\nCamden,1\r\n\x1a", "a.csv").rows == [["Camden", "1"]]


def test_finding_goes_back_to_the_beginning() -> None:
    stream = io.BytesIO(b"a;b\nc;d\n")
    assert find_dialect(stream, "a.csv").delimiter == ";"
    assert stream.read(3) == b"a;b"


# What no reader could tell: NUL is no text, a lone surrogate has no bytes, a carriage return alone
# ends a line, and a byte-order mark or DOS's end of a file mean nothing.
_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\ufeff\x1a")
_CELLS = st.text(_CHARACTERS, max_size=6)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Headers that differ, and rows that hold anything and are no headers again."""
    width = draw(st.integers(2, 5))
    headers = draw(
        st.lists(
            st.text(st.characters(categories=["L"]), min_size=2, max_size=6),
            min_size=width,
            max_size=width,
            unique_by=fold_header,
        )
    )
    rows = draw(
        st.lists(
            st.lists(_CELLS, min_size=width, max_size=width).filter(lambda r: "".join(r).strip()),
            min_size=1,
            max_size=8,
        )
    )
    folded = sorted(map(fold_header, headers))
    assume(all(fold_header(header) for header in headers))
    assume(all(sorted(map(fold_header, row)) != folded for row in rows))
    return [headers, *rows]


@settings(max_examples=150, deadline=None)
@given(
    tables(), st.sampled_from(sorted(DELIMITERS)), st.sampled_from(ENCODINGS),
    st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip
def test_any_table_reads_back_the_same(
    cells: list[list[str]], mark: str, codec: str, ending: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=mark, quoting=csv.QUOTE_ALL, lineterminator=ending)
    writer.writerows(cells)
    table = read_table(text.getvalue().encode(codec), "a.csv")
    assert list(table.headers) == [header.strip() for header in cells[0]]
    assert table.rows == cells[1:]
    assert table.delimiter == mark
    assert table.notes == ()


@settings(max_examples=100, deadline=None)
@given(tables(), st.sampled_from(sorted(DELIMITERS)))
def test_tables_without_needless_quotes_read_back_the_same(
    cells: list[list[str]], mark: str
) -> None:
    # Other delimiters in the cells would leave it open which one is meant.
    cells = [["".join(c for c in cell if c not in DELIMITERS) for cell in row] for row in cells]
    assume(all("".join(row).strip() for row in cells))
    folded = sorted(map(fold_header, cells[0]))
    assume(all(sorted(map(fold_header, row)) != folded for row in cells[1:]))
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=mark, lineterminator="\n").writerows(cells)
    table = read_table(text.getvalue().encode(), "a.csv")
    assert table.rows == cells[1:]
    assert table.delimiter == mark
