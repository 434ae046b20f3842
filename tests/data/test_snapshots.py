"""The store keeps everything, says where it came from, and finds what was known on a day."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.data.arrivals import Arrival
from forecast.data.records import Kept
from forecast.data.snapshots import Store, default_folder
from forecast.errors import DataError


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def three(store: Store, tmp_path: Path) -> Store:
    """Three vintages of London, the last known by its month alone, and one of another place."""
    for day, text in (("2019-01-05", "one"), ("2021-10-05", "two"), ("2023-08", "three")):
        store.keep(write(tmp_path, f"{day}.csv", text), dataset="london", retrieved=day)
    store.keep(write(tmp_path, "leeds.csv", "leeds"), dataset="leeds", retrieved="2020-01-01")
    return store


# --- keeping --------------------------------------------------------------------------------


def test_a_record_says_where_files_came_from_and_when(store: Store, tmp_path: Path) -> None:
    files = [
        Arrival(
            write(tmp_path, "7f3.part", "historical"), name="Historical.csv", etag='"x1"',
            address="https://reader:pass@example.org/h.csv?year=2020&token=s3cret",
            last_modified="Tue, 05 Oct 2021 09:00:00 GMT",
        ),
        write(tmp_path, "Recent.csv", "recent"),
    ]  # fmt: skip
    entry = store.keep(
        files, dataset="london", source="The publisher", retrieved="2021-10-05T09:30:00Z",
        licence="OGL", first="2010-04", last="2021-09", tally={"series": 3},
    )  # fmt: skip
    assert store.entries() == [entry]
    assert entry.files == (
        Kept("Historical.csv", sha("historical"), 10,
             "https://example.org/h.csv?year=2020&token=hidden", '"x1"',
             "Tue, 05 Oct 2021 09:00:00 GMT"),
        Kept("Recent.csv", sha("recent"), 6),
    )  # fmt: skip
    assert (entry.name, entry.source, entry.licence) == (
        "london@2021-10-05",
        "The publisher",
        "OGL",
    )
    assert (entry.first, entry.last, entry.tally) == ("2010-04", "2021-09", {"series": 3})
    assert entry.retrieved == "2021-10-05T09:30:00.000000Z"
    assert entry.seen_before is None


def test_no_credential_reaches_the_disk(store: Store, tmp_path: Path) -> None:
    address = "https://reader:w0rd@example.org/a.csv?sig=s3cret&api_key=s3cret#w0rd"
    source = "database postgresql://reader:w0rd@host/crime"
    path = write(tmp_path, "a.csv", "a")
    store.keep(Arrival(path, address=address), dataset="mine", source=source)
    for file in store.folder.rglob("*.json"):
        text = file.read_text("utf-8")
        assert "example.org/a.csv" in text
        assert "w0rd" not in text
        assert "s3cret" not in text


def test_nothing_is_overwritten_and_the_same_bytes_are_kept_once(
    three: Store, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in three.folder.rglob("*") if path.is_file()}
    first = three.find("london@2021-10-15")
    again = three.keep(
        write(tmp_path, "renamed.csv", "two"), dataset="london", retrieved="2021-10-06"
    )
    after = {path: path.read_bytes() for path in three.folder.rglob("*") if path.is_file()}
    new = set(after) - set(before)
    assert {path: after[path] for path in before} == before
    assert len(new) == 1  # one record
    assert again.seen_before == first.id
    assert json.loads(new.pop().read_bytes())["seen_before"] == first.id
    assert three.find("london", as_of="2021-10-05") == first
    assert three.find("london", as_of="2021-10-06") == again


def test_the_same_file_in_another_dataset_was_not_seen_before(three: Store, tmp_path: Path) -> None:
    entry = three.keep(write(tmp_path, "x.csv", "leeds"), dataset="york")
    assert entry.seen_before is None


def test_bytes_that_did_not_change_are_kept_without_a_download(
    store: Store, tmp_path: Path
) -> None:
    address = "https://example.org/historical.csv"
    store.keep(
        [Arrival(write(tmp_path, "historical.csv", "old"), address=address, etag='"1"'),
         write(tmp_path, "recent.csv", "new")],
        dataset="london", retrieved="2021-10-05",
    )  # fmt: skip
    seen = store.seen(address)
    assert seen is not None
    assert (seen.etag, seen.sha256) == ('"1"', sha("old"))
    assert store.seen("https://example.org/other.csv") is None
    entry = store.keep(
        [Arrival(name=seen.name, sha256=seen.sha256, address=address, etag=seen.etag),
         write(tmp_path, "recent.csv", "newer")],
        dataset="london", retrieved="2021-11-05",
    )  # fmt: skip
    out = tmp_path / "out"
    out.mkdir()
    taken = {path.name: path.read_text("utf-8") for path in store.take(entry, out)}
    assert taken == {"historical.csv": "old", "recent.csv": "newer"}
    with pytest.raises(DataError, match="x.csv must be in the store already.*000000000000 is miss"):
        store.keep(Arrival(name="x.csv", sha256="0" * 64), dataset="london")


def test_a_name_that_is_no_dataset_is_refused_before_anything_is_written(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="Name of a dataset must be small letters.*'../London'"):
        store.keep(write(tmp_path, "a.csv", "a"), dataset="../London")
    assert not store.folder.exists()


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 28)), min_size=1, max_size=8))
def test_whatever_is_kept_can_be_had_again(kept: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        store = Store(folder / "store")
        for text, day in kept:
            path = write(folder, "figures.csv", text)
            store.keep(path, dataset="mine", retrieved=f"2021-01-{day:02}")
        for day in range(1, 29):
            known = [text for text, when in sorted(kept, key=lambda one: one[1]) if when <= day]
            if known:  # sorted is stable: of one day, what was kept last
                found = store.find("mine", as_of=f"2021-01-{day:02}")
                assert found.sha256 == sha(known[-1])
        found = store.verify()
        assert found.is_whole
        assert (found.snapshots, found.objects) == (len(kept), len({text for text, _ in kept}))


# --- finding --------------------------------------------------------------------------------


def test_a_day_finds_the_newest_snapshot_that_was_known(three: Store) -> None:
    days = {"2019-01-05": "one", "2021-10-04": "one", "2021-10-05": "two", "2023-08-30": "two"}
    for day, text in days.items():
        assert three.find("london", as_of=day).sha256 == sha(text)
        assert three.find(f"london@{day}").sha256 == sha(text)
    # known by its month alone, so only from the last day of it
    assert three.find("london", as_of="2023-08-31").sha256 == sha("three")
    assert three.find("london").sha256 == sha("three")


def test_nothing_that_old_says_which_days_there_are(three: Store) -> None:
    words = (
        "must hold 'london' as it was known on 2019-01-04: it holds only later snapshots, of "
        r"2019-01-05, 2021-10-05, 2023-08 \(known by month, so from 2023-08-31\). Add an older "
        "one, if you have its files: forecast data add FILE --as london --retrieved 2019-01-04"
    )
    with pytest.raises(DataError, match=words):
        three.find("london", as_of="2019-01-04")


def test_unknown_names_get_the_nearest_or_the_command(three: Store, store: Store) -> None:
    with pytest.raises(DataError, match="holds 'leeds', 'london'. Did you mean 'london'"):
        three.find("Londn")
    with pytest.raises(DataError, match="data add FILE --as police --retrieved YYYY-MM-DD"):
        three.find("police")
    with pytest.raises(DataError, match="holds nothing. Add it"):
        Store(store.folder / "no").find("london")
    with pytest.raises(DataError, match="as it may hold a password") as caught:
        three.find("me:secret@host")
    assert "secret" not in str(caught.value)


def test_a_day_that_is_none_is_refused(three: Store) -> None:
    with pytest.raises(DataError, match="Argument as_of must be a day written YYYY-MM-DD.*'2021-1"):
        three.find("london", as_of="2021-10")


def test_a_hash_finds_its_snapshot_while_it_is_long_enough(three: Store) -> None:
    two = three.find("london", as_of="2021-10-15")
    assert three.find(sha("two")[:6]) == two
    assert three.find(two.id) == two
    with pytest.raises(DataError, match="a dataset or a hash '00000000': it does not"):
        three.find("00000000")


def test_a_hash_of_two_snapshots_is_refused(store: Store, tmp_path: Path) -> None:
    texts: dict[str, str] = {}  # the first two texts whose hashes begin alike
    for number in range(10_000):
        text = str(number)
        if sha(text)[:4] in texts:
            break
        texts[sha(text)[:4]] = text
    for name, one in (("a.csv", text), ("b.csv", texts[sha(text)[:4]])):
        store.keep(write(tmp_path, name, one), dataset="mine", retrieved="2021-01-01")
    with pytest.raises(DataError, match=f"{sha(text)[:4]!r} begins .*Write more of its digits"):
        store.find(sha(text)[:4])
    assert store.find(sha(text)[:12]).files[0].name == "a.csv"


# --- taking ---------------------------------------------------------------------------------


def test_a_damaged_file_is_never_handed_out_and_can_be_put_back(
    three: Store, tmp_path: Path
) -> None:
    entry = three.find("london@2021-10-15")
    place = three.objects.path(sha("two"))
    place.chmod(0o644)
    place.write_text("tw0", "utf-8")
    out = tmp_path / "out"
    out.mkdir()
    words = (
        f"2021-10-05.csv of london@2021-10-05 must be as it was kept: objects/{sha('two')[:2]}/.*"
        "is damaged: its SHA-256 is another. Run forecast data add FILE --as london --retrieved "
        "2021-10-05: the same file takes its place"
    )
    with pytest.raises(DataError, match=words):
        three.take(entry, out)
    assert list(out.iterdir()) == []
    place.unlink()
    with pytest.raises(DataError, match="in the store is missing"):
        three.take(entry, out)
    three.keep(write(tmp_path, "again.csv", "two"), dataset="london", retrieved="2021-10-05")
    assert [path.read_text("utf-8") for path in three.take(entry, out)] == ["two"]


def test_the_address_of_a_damaged_file_is_told(store: Store, tmp_path: Path) -> None:
    arrival = Arrival(write(tmp_path, "a.csv", "a"), address="https://example.org/a.csv")
    entry = store.keep(arrival, dataset="mine", retrieved="2021-10-05")
    store.objects.path(sha("a")).unlink()
    words = r"is missing. Download it from https://example.org/a.csv and run forecast data add FILE"
    with pytest.raises(DataError, match=words):
        store.take(entry, tmp_path)


def test_files_that_are_there_are_not_written_over(three: Store, tmp_path: Path) -> None:
    entry = three.find("london@2021-10-15")
    out = tmp_path / "out"
    with pytest.raises(DataError, match="'2021-10-05.csv' must be writable: No such file"):
        three.take(entry, out)
    out.mkdir()
    write(out, "2021-10-05.csv", "mine")
    with pytest.raises(DataError, match="must be writable: File exists. Choose a folder"):
        three.take(entry, out)
    assert (out / "2021-10-05.csv").read_text("utf-8") == "mine"


def test_a_damaged_record_stops_reading_and_not_keeping(three: Store, tmp_path: Path) -> None:
    record = next(three.folder.glob("records/london/*.json"))
    record.chmod(0o644)
    record.write_bytes(record.read_bytes().replace(b'"london"', b'"londra"'))
    words = f"must have records as they were written: records/london/{record.name} cannot be read"
    with pytest.raises(DataError, match=words):
        three.find("london")
    three.keep(write(tmp_path, "b.csv", "four"), dataset="london", retrieved="2024-01-01")
    assert len(three.entries("leeds")) == 1
    record.unlink()
    assert three.find("london").sha256 == sha("four")


def test_a_store_that_cannot_be_read_is_not_an_empty_one(
    three: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(DataError, match="must be a folder that can be read: Permission denied"):
        three.find("london")


# --- where ----------------------------------------------------------------------------------


def test_the_folder_follows_the_variable_and_the_rules_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FORECAST_STORE", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    own = "violence-forecast"
    monkeypatch.setattr(sys, "platform", "linux")
    assert default_folder() == tmp_path / ".local" / "share" / own
    monkeypatch.setenv("XDG_DATA_HOME", os.fspath(tmp_path / "data"))
    assert default_folder() == tmp_path / "data" / own
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_folder() == tmp_path / "Library" / "Application Support" / own
    monkeypatch.setattr(sys, "platform", "win32")
    assert default_folder() == tmp_path / "AppData" / "Local" / own
    monkeypatch.setenv("LOCALAPPDATA", os.fspath(tmp_path / "Local"))
    assert default_folder() == tmp_path / "Local" / own
    monkeypatch.setenv("FORECAST_STORE", os.fspath(tmp_path / "mine"))
    assert default_folder() == Store().folder == tmp_path / "mine"


def test_a_store_says_how_much_it_keeps(three: Store, tmp_path: Path) -> None:
    assert repr(three) == "Store(4 snapshots of 2 datasets)"
    assert repr(Store(tmp_path / "no")) == "Store(0 snapshots of 0 datasets)"
    assert not (tmp_path / "no").exists()
