"""Workbooks: sheets, dates in both systems, and what is no workbook."""

from __future__ import annotations

import base64
import datetime as dt
import io
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.data.archives import Limits
from forecast.data.workbooks import is_workbook, read_sheet, refuse_markup
from forecast.errors import DataError

Make = Callable[..., bytes]
HEAD = ["area", "offence", "period", "count"]
DAY = dt.date(2020, 10, 19)
ROW = ["Camden", "robbery", DAY, 3]

# Written by xlwt: the headers, 19 October 2020 with 3, 26 October 2020 with 1234, on sheet Data.
OLD_WORKBOOK = """
c-rk)O=uHA6#izjX?{r4Bu#}@D4}50+KYJc(yspn!BV{_BIu^sLTTNUB_8U<YRyFu1W$^WLN8vbz4(I)dh;Mu^dJaAsz*<PL
Jw`$H*a?}u@xH7Ld$&1ym|9x-ZyV|es*@>E~G0n^Bs%$1N{i0>c-GiV-u8OK_LaIcU`Fld6bf?u&EG>(m*za@vQkxM2?{x??
q^MsJ|i!e5P~`6BsPoR&E1vh+{B?jG>RDz&)}g(auq2SPrvnW%+<xK4*D=EjL;AQQL|*iv?q_XTLv-&uCp-mxSbf%swC4vKM
W5EobqSTf%D_#zAM)9N%OWoq7VZpaC7QY|AmnE6CEw&f<rg1HK1K_+?JnH`Xpd_N97z<S+IpT2|R_YdSCm_X4koG7?DZvPQ=
dvt%yQY>)bDn9QbQnKT88BO{hQY>{!oaz=}VFfE+oCA&n1!{)_;Wm6lcn9p0zWL$3Wydk9OHiTwgC<&4U3QFo}UM?x>Zu$PV
cPH{g#(B0(aRA<{VuuVCF0M)sa!zth2wuQI4}0ukd5u}Ov);inOLLj>?x8kcIX2C0u5)cS^|O!h-q=~A?;^eY_2iSz@)u(_>
2m{%m$P#pj2U#%tE)i%@|s4k=oNSGNIW%yT=?6{CzkE2wwS1v@?&@X_hAcG5N9>b(kscQBYu@M|5<sZ5S2ncmso>KFqiJP7t
BQih8Gl@Af62DdC8b$F3F;;!J^f%Xmu<av)o{o<E@gVU(4W;bfJy&H{wuGP*6}%P*70Vf)IQ}^^WE8z!>(A{1N}Z&I+Zf`c1
NBaSBDcO7xw16gK4!CL5YR+YlB3msqDy@V`*vH1+Oa40(=Ytl{}fA2g!&e%9@n`gcpH(f+HA#QC55{|RO;+rj
"""


def rows_of(data: bytes, sheet: str | None = None) -> list[tuple[int, list[str]]]:
    return list(read_sheet(io.BytesIO(data), "a.xlsx", sheet=sheet).rows)


@pytest.mark.parametrize("epoch", [1900, 1904])
def test_cells_come_as_what_they_are(make_workbook: Make, epoch: int) -> None:
    rows = [["Title"], [], HEAD, ROW, ["Brent", "robbery", 44123, 2.0], ["x", None, True, 0.125]]
    data = make_workbook({"Data": rows}, epoch=epoch)
    found = read_sheet(io.BytesIO(data), "a.xlsx")
    assert (found.name, found.epoch) == ("a.xlsx > Data", epoch)
    assert list(found.rows) == [
        (1, ["Title", "", "", ""]),
        (3, HEAD),
        (4, ["Camden", "robbery", "2020-10-19", "3"]),
        (5, ["Brent", "robbery", "44123", "2"]),
        (6, ["x", "", "true", "0.1250"]),
    ]


def test_old_workbooks_are_read() -> None:
    data = zlib.decompress(base64.b85decode(OLD_WORKBOOK.replace("\n", "")))
    assert is_workbook(io.BytesIO(data))
    assert rows_of(data) == [
        (1, HEAD),
        (2, ["Camden", "robbery", "2020-10-19", "3"]),
        (3, ["Camden", "robbery", "2020-10-26", "1234"]),
    ]


def test_open_documents_are_read() -> None:
    cells = "".join(
        f'<table:table-cell office:value-type="{kind}" office:{kind}-value="{value}" '
        f'office:value="{value}"><text:p>{value}</text:p></table:table-cell>'
        for kind, value in (("string", "Camden"), ("date", "2020-10-19"), ("float", "3"))
    )
    names = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"'
        for short in ("office", "table", "text")
    )
    content = (
        f"<office:document-content {names}><office:body><office:spreadsheet>"
        f'<table:table table:name="Data"><table:table-row>{cells}</table:table-row></table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    assert is_workbook(packed)
    assert rows_of(packed.getvalue()) == [(1, ["Camden", "2020-10-19", "3"])]


def test_the_only_sheet_that_holds_anything_is_taken(make_workbook: Make) -> None:
    sheets = {"Empty": [], "Data": [HEAD], "Old": [ROW]}
    assert rows_of(make_workbook(sheets, hidden=["Old"])) == [(1, HEAD)]
    several = make_workbook(sheets)
    with pytest.raises(
        DataError, match="one sheet with figures: it has 'Data', 'Old'. Name one with sheet="
    ):
        rows_of(several)
    assert rows_of(several, "Data") == [(1, HEAD)]
    with pytest.raises(DataError, match="have the sheet 'data': it has 'Empty', 'Data', 'Old'"):
        rows_of(several, "data")
    with pytest.raises(DataError, match=r"its visible sheets are empty \(hidden: 'Old'\)"):
        rows_of(make_workbook({"Empty": [], "Old": [ROW]}, hidden=["Old"]))


def test_a_workbook_that_is_a_bomb_is_refused(make_workbook: Make) -> None:
    data = make_workbook({"Data": [HEAD]}, extra=3 << 20)
    with pytest.raises(DataError, match="a.xlsx must unpack to no more than 2 MiB: .*zip bomb"):
        read_sheet(io.BytesIO(data), "a.xlsx", limits=Limits(size=2 << 20))


def test_what_is_no_whole_workbook_is_refused(make_workbook: Make) -> None:
    old = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1000)
    with pytest.raises(DataError, match="a.xlsx must be a whole workbook: it cannot be read"):
        rows_of(old)
    protected = old + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(DataError, match="must open without a password: it is protected"):
        rows_of(protected)
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook")
    with pytest.raises(DataError, match="a.xlsx must be a whole workbook"):
        rows_of(broken.getvalue())


def move_last_cell(data: bytes, place: str) -> bytes:
    """A workbook whose last cell, D2, stands somewhere else."""
    moved = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(moved, "w") as new:
        for part in old.namelist():
            text = old.read(part).replace(b'r="D2"', f'r="{place}"'.encode())
            new.writestr(part, text)
    return moved.getvalue()


def test_a_cell_at_the_far_corner_ends_nothing_but_its_reader(make_workbook: Make) -> None:
    data = make_workbook({"Data": [HEAD, ROW]})
    assert rows_of(move_last_cell(data, "F9"))[-1] == (9, ["", "", "", "", "", "3"])
    # Room for all cells up to this one would take some 700 GB.
    with pytest.raises(DataError, match="took too much memory.*without empty cells far from its"):
        rows_of(move_last_cell(data, "XFD1048576"))


def test_a_damaged_workbook_ends_nothing_but_its_reader() -> None:
    whole = zlib.decompress(base64.b85decode(OLD_WORKBOOK.replace("\n", "")))
    with pytest.raises(DataError, match="a.xlsx must be a whole workbook: it cannot be read"):
        rows_of(whole[:4500])  # here the library panics


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.dates(dt.date(1904, 1, 2), dt.date(2100, 1, 1)), min_size=1, max_size=30),
    st.sampled_from([1900, 1904]),
)
def test_any_day_is_read_the_same_in_both_systems(
    make_workbook: Make, days: list[dt.date], epoch: int
) -> None:
    data = make_workbook({"Data": [[day, str(day)] for day in days]}, epoch=epoch)
    assert [row for _, row in rows_of(data)] == [[str(day), str(day)] for day in days]


def test_workbooks_are_known_by_their_bytes(make_workbook: Make) -> None:
    stream = io.BytesIO(make_workbook({"Data": [HEAD]}))
    assert is_workbook(stream)
    assert stream.tell() == 0
    for other in (b"", b"area,count\n", b"PK\x03\x04", b"PAR1"):
        assert not is_workbook(io.BytesIO(other))


@pytest.mark.parametrize("head", [b"<html>", b"\n <!DOCTYPE html", b'\xef\xbb\xbf<?xml version="1'])
def test_web_pages_under_a_workbooks_name_are_refused(head: bytes) -> None:
    with pytest.raises(DataError, match="a.xls must be a workbook: it is a web page under a work"):
        refuse_markup(head, "a.xls")
    with pytest.raises(
        DataError, match=r"a\.csv must be a table: it is a web page or other markup"
    ):
        refuse_markup(head, "a.csv")
    refuse_markup(b"area,count", "a.xls")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b'{"rows": []}', "JSON"),
        (b'\xef\xbb\xbf [\n {"a": 1}]', "JSON"),
        (b"%PDF-1.7", "a PDF docu"),
    ],
)
def test_what_holds_no_rows_is_refused_by_its_first_bytes(head: bytes, kind: str) -> None:
    with pytest.raises(DataError, match=rf"a\.csv must be a table: it is {kind}.*as CSV in UTF-8"):
        refuse_markup(head, "a.csv")


@pytest.mark.parametrize("head", [b"[area],{count}", b'"area","count"', b"{x},y", b"% of all,n"])
def test_odd_headers_are_no_reason_to_refuse(head: bytes) -> None:
    refuse_markup(head, "a.csv")
