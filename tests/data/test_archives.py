"""Packed files: what comes out, what is refused, and the limits on both."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zipfile

import pytest

from forecast.data.archives import IN_MEMORY, ON_DISK, Limits, list_tables, refuse_bomb, unpack
from forecast.errors import DataError

TABLE = b"area,count\nCamden,3\n"
MIB = 1 << 20


def pack(members: dict[str, bytes], **info: int) -> bytes:
    """A zip archive of some members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            one = zipfile.ZipInfo(name)
            one.compress_type = zipfile.ZIP_DEFLATED
            for attribute, value in info.items():
                setattr(one, attribute, value)
            archive.writestr(one, data)
    return packed.getvalue()


def read(data: bytes, name: str = "a.zip", **asked: object) -> tuple[bytes, str]:
    with unpack(io.BytesIO(data), name, **asked) as (stream, inner):  # type: ignore[arg-type]
        return stream.read(), inner


def test_what_is_packed_comes_out() -> None:
    assert read(TABLE, "a.csv") == (TABLE, "a.csv")
    assert read(gzip.compress(TABLE), "a.csv.gz") == (TABLE, "a.csv.gz")
    assert read(pack({"inner/a.csv": TABLE})) == (TABLE, "a.zip > inner/a.csv")


def test_pieces_of_any_size_come_out_whole() -> None:
    long = bytes(range(1, 251)) * 20_000  # 5 MB, which reads in several pieces
    for data in (gzip.compress(long), pack({"a.csv": long})):
        with unpack(io.BytesIO(data), "a.zip") as (stream, _):
            pieces = [stream.read(3), stream.read(1), stream.read(2 * MIB + 5), stream.read()]
        assert [len(piece) for piece in pieces[:3]] == [3, 1, 2 * MIB + 5]
        assert b"".join(pieces) == long


def test_what_is_no_table_in_an_archive_is_left_alone() -> None:
    data = pack({"readme.md": b"words", "__MACOSX/._a.csv": b"x", "in/.hidden.csv": b"x"})
    with pytest.raises(DataError, match=r"must hold a table \(.csv.*\): it holds 'readme.md', "):
        read(data)
    with pytest.raises(DataError, match=r"it holds nothing\. Download it again\."):
        read(pack({}))
    data = pack({"readme.md": b"words", "__MACOSX/._a.csv": b"x", "A.CSV": TABLE, "in/": b""})
    assert read(data) == (TABLE, "a.zip > A.CSV")
    assert read(data, member="readme.md")[0] == b"words"
    assert list_tables(io.BytesIO(data), "a.zip") == ["A.CSV"]


def test_several_tables_must_be_told_apart() -> None:
    data = pack({"old.csv": b"1", "new.csv": b"2"})
    with pytest.raises(
        DataError, match="a.zip must hold one table: it holds 'old.csv', 'new.csv'. Name one with "
    ):
        read(data)
    assert read(data, member="new.csv")[0] == b"2"
    with pytest.raises(DataError, match="the member 'b.csv': it holds 'old.csv', 'new.csv'. Name"):
        read(data, member="b.csv")
    with pytest.raises(DataError, match="member must name a file inside a zip.*a.csv is none"):
        read(TABLE, "a.csv", member="b.csv")


@pytest.mark.parametrize(
    "name",
    ["../a.csv", "in/../../a.csv", "/etc/a.csv", "C:/a.csv", "c:a.csv", "..\\a.csv", "\\\\host\\a"],
)
def test_paths_that_climb_out_are_refused(name: str) -> None:
    data = pack({"good.csv": TABLE, name: TABLE})
    for member in (None, "good.csv"):
        with pytest.raises(
            DataError, match="a.zip must have names that stay inside it: found '.*Do not trust"
        ):
            read(data, member=member)


def test_links_are_refused() -> None:
    data = pack({"a.csv": b"/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16)
    with pytest.raises(DataError, match="must hold plain files, no links: found 'a.csv'"):
        read(data)


def test_encrypted_members_are_refused() -> None:
    data = bytearray(pack({"a.csv": TABLE}))
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flags, local and central
        place = data.index(magic) + at
        struct.pack_into("<H", data, place, struct.unpack_from("<H", data, place)[0] | 1)
    with pytest.raises(DataError, match="must not be encrypted: 'a.csv' asks for a password"):
        read(bytes(data))


@pytest.mark.parametrize(
    "inner", [gzip.compress(TABLE), pack({"b.csv": TABLE})], ids=["gzip", "zip"]
)
def test_archives_in_archives_are_refused(inner: bytes) -> None:
    for outer in (gzip.compress(inner), pack({"a.csv": inner})):
        with pytest.raises(DataError, match="must hold a table: it holds another packed file"):
            read(outer, "a.zip")


def test_broken_archives_are_refused() -> None:
    whole = pack({"a.csv": TABLE * 1000})
    with pytest.raises(DataError, match="a.zip must be a whole zip archive: .*Download it again"):
        read(whole[:-30])
    damaged = bytearray(whole)
    damaged[60] ^= 0xFF
    with pytest.raises(DataError, match="must be a whole zip archive"):
        read(bytes(damaged))
    with pytest.raises(DataError, match="a.csv.gz must be a whole gzip file"):
        read(gzip.compress(TABLE * 1000)[:-20], "a.csv.gz")
    with pytest.raises(DataError, match="a.csv.gz must be a whole gzip file"):
        read(TABLE, "a.csv.gz")


def test_an_archive_that_points_before_its_beginning_is_refused() -> None:
    data = bytearray(pack({"a.csv": TABLE}))
    place = data.index(b"PK\x05\x06") + 16  # where the directory begins, so that all is early
    struct.pack_into("<I", data, place, struct.unpack_from("<I", data, place)[0] + 400)
    with pytest.raises(DataError, match="a.zip.* must be a whole zip archive"):
        read(bytes(data))


def test_an_unusual_method_of_packing_is_refused() -> None:
    data = bytearray(pack({"a.csv": TABLE}))
    for magic, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        struct.pack_into("<H", data, data.index(magic) + at, 9)  # 9 is Deflate64
    with pytest.raises(DataError, match="must be packed by a usual method: Python cannot unpack"):
        read(bytes(data))


def test_the_limits_are_what_is_stated() -> None:
    assert (IN_MEMORY.size, IN_MEMORY.ratio, IN_MEMORY.members) == (1024 * MIB, 200, 10_000)
    assert (ON_DISK.size, ON_DISK.ratio) == (64 * 1024 * MIB, 200)


def bomb(kind: str, size: int) -> bytes:
    """Zeros, which pack about a thousandfold."""
    return gzip.compress(bytes(size)) if kind == "gzip" else pack({"a.csv": bytes(size)})


@pytest.mark.parametrize("kind", ["gzip", "zip"])
def test_a_bomb_stops_at_the_ratio(kind: str) -> None:
    # 33 MiB of zeros pack to some 33 kB: 200 times that is far less, but 32 MiB are free.
    with pytest.raises(DataError, match="no more than 200 times its packed size: .*zip bomb"):
        read(bomb(kind, 33 * MIB))
    assert len(read(bomb(kind, 32 * MIB))[0]) == 32 * MIB


@pytest.mark.parametrize("kind", ["gzip", "zip"])
def test_a_bomb_stops_at_the_size(kind: str) -> None:
    limits = Limits(size=2 * MIB)
    with pytest.raises(DataError, match="must unpack to no more than 2 MiB: it is larger"):
        read(bomb(kind, 2 * MIB + 1), limits=limits)
    assert len(read(bomb(kind, 2 * MIB), limits=limits)[0]) == 2 * MIB


def test_no_more_is_read_of_a_bomb_than_the_limit() -> None:
    given: list[int] = []

    def read_on() -> None:
        limits = Limits(size=3 * MIB)
        with unpack(io.BytesIO(bomb("zip", 16 * MIB)), "a.zip", limits=limits) as (stream, _):
            while piece := stream.read(MIB):
                given.append(len(piece))

    with pytest.raises(DataError, match="no more than 3 MiB"):
        read_on()
    assert sum(given) == 3 * MIB


def test_a_size_that_an_archive_claims_is_not_believed() -> None:
    data = bytearray(bomb("zip", 4 * MIB))
    for magic, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(magic) + at, 10)
    # zipfile itself stops at ten bytes and finds the checksum wrong; more never comes out.
    with pytest.raises(DataError, match="must be a whole zip archive"):
        read(bytes(data), limits=Limits(size=MIB))


def test_too_many_members_are_refused() -> None:
    data = pack({f"{i}.csv": b"" for i in range(12)})
    with pytest.raises(DataError, match="must list at most 10 files: it lists 12. Pack fewer"):
        read(data, limits=Limits(size=MIB, members=10))


def test_all_of_a_workbook_is_unpacked_to_nowhere() -> None:
    members = {f"{i}.xml": bytes(MIB) for i in range(3)}
    refuse_bomb(io.BytesIO(pack(members)), "a.xlsx", limits=Limits(size=3 * MIB))
    with pytest.raises(DataError, match="a.xlsx must unpack to no more than 2 MiB"):
        refuse_bomb(io.BytesIO(pack(members)), "a.xlsx", limits=Limits(size=2 * MIB))
    with pytest.raises(DataError, match="a.xlsx must be a whole zip archive"):
        refuse_bomb(io.BytesIO(pack(members)[:-30]), "a.xlsx")
