"""Shelves: what is kept is what the record says, or it does not count."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from forecast.data.downloads import Fetched
from forecast.data.shelves import Shelf
from forecast.data.snapshots import Store
from forecast.errors import DataError

ADDRESS = "https://example.org/a.csv"
THEN, LATER = "2024-11-05T06:30:00.000000Z", "2024-12-05T06:30:00.000000Z"


def put(shelf: Shelf, body: bytes = b"area", name: str = "a.csv", checked: str = THEN) -> Fetched:
    """A file as fetching leaves it, and its record."""
    shelf.place(name).write_bytes(body)
    fetched = Fetched(
        address=ADDRESS,
        status="fetched",
        path=shelf.place(name),
        sha256=hashlib.sha256(body).hexdigest(),
        bytes=len(body),
        retrieved=THEN,
        checked=checked,
        etag='"v1"',
    )
    shelf.note(fetched, name, source="a publisher", licence="a licence")
    return fetched


def test_a_file_is_known_by_name_and_address(tmp_path: Path) -> None:
    shelf = Shelf("mine", folder=tmp_path)
    put(shelf)
    known = shelf.known("a.csv", ADDRESS)
    assert known is not None
    assert (known.etag, known.bytes, known.path) == ('"v1"', 4, tmp_path / "a.csv")
    assert shelf.known("a.csv", "https://example.org/other.csv") is None
    assert shelf.known("b.csv", ADDRESS) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "a.csv").write_bytes(b"arena"),
        lambda folder: (folder / "a.csv").unlink(),
        lambda folder: (folder / "a.csv.json").write_text("{", "utf-8"),
        lambda folder: (folder / "a.csv.json").write_text("[]", "utf-8"),
        lambda folder: (folder / "a.csv.json").write_text('{"schema": "other"}', "utf-8"),
        lambda folder: (folder / "a.csv.json").unlink(),
        lambda folder: (folder / "a.csv.json").rename(folder / "b.csv.json"),
    ],
)
def test_what_is_not_as_the_record_says_is_not_known(tmp_path: Path, damage: object) -> None:
    shelf = Shelf("mine", folder=tmp_path)
    put(shelf)
    damage(tmp_path)  # type: ignore[operator]
    assert shelf.known("a.csv", ADDRESS) is None
    assert shelf.records() == []


def test_records_are_those_of_the_dataset(tmp_path: Path) -> None:
    put(Shelf("mine", folder=tmp_path))
    put(Shelf("other", folder=tmp_path), name="b.csv")
    put(Shelf("mine", folder=tmp_path), name=".c.zip")
    (tmp_path / "notes.json").write_text("{}", "utf-8")
    assert [record.name for record in Shelf("mine", folder=tmp_path).records()] == ["a.csv"]
    assert Shelf("mine", folder=tmp_path / "none").records() == []


def test_a_store_gets_what_stands_on_the_bench_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    shelf = Shelf("mine", store=store)
    put(shelf)
    first = shelf.finish(shelf.records())
    assert first is not None
    assert (first.source, first.licence, first.retrieved) == ("a publisher", "a licence", THEN)
    assert not (tmp_path / "fetching").exists()
    shelf = Shelf("mine", store=store)
    known = shelf.known("a.csv", ADDRESS)
    assert known is not None
    assert (known.path, known.sha256) == (None, hashlib.sha256(b"area").hexdigest())
    put(shelf, checked=LATER)
    assert shelf.finish(shelf.records()) == first  # nothing new, so no new snapshot
    shelf = Shelf("mine", store=store)
    put(shelf, b"arena", checked=LATER)
    second = shelf.finish(shelf.records())
    assert second is not None
    assert [entry.id for entry in store.entries("mine")] == [first.id, second.id]


def test_a_folder_has_no_snapshots_and_a_shelf_needs_a_place(tmp_path: Path) -> None:
    shelf = Shelf("mine", folder=tmp_path)
    put(shelf)
    assert shelf.finish(shelf.records()) is None
    assert (
        json.loads((tmp_path / "a.csv.json").read_text("utf-8"))["schema"] == "forecast.fetched/1"
    )
    with pytest.raises(TypeError, match="needs a folder or a store"):
        Shelf("mine")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(DataError, match=r"File 'a\.csv' must be writable"):
        Shelf("mine", folder=tmp_path / "file").place("a.csv")
