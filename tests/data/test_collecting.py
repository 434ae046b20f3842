"""Collecting from publishers that a server on the loopback address plays."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from forecast.data.collecting import (
    Collected,
    archives_of_police,
    collect_kept,
    collect_london,
    collect_police,
    offers_of_london,
)
from forecast.data.downloads import Patience
from forecast.data.shelves import Shelf
from forecast.data.snapshots import Store
from forecast.errors import DataError, NotReadyError
from tests import loopback
from tests.loopback import Loopback, file, status

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

OLD = b"MajorText,MinorText,BoroughName,201004\nROBBERY,Personal Property,Camden,97\n"
NEW = OLD.replace(b"201004", b"202410")
HASTY = Patience(tries=2, read=2.0, sleep=lambda _: None)
FORCE = "metropolitan"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with loopback.running() as found:
        yield found


@pytest.fixture(params=["folder", "store"])
def shelf_of(request: pytest.FixtureRequest, tmp_path: Path) -> type[Shelf]:
    """A new shelf of a dataset in the same place, as the next run would have it."""

    def make(dataset: str) -> Shelf:
        if request.param == "folder":
            return Shelf(dataset, folder=tmp_path / "kept")
        return Shelf(dataset, store=Store(tmp_path / "store"))

    return make  # type: ignore[return-value]


def london(server: Loopback, **sizes: int) -> str:
    """Play the dataset with two files by borough, and return its address."""
    server.plays("/d/old.csv", file(OLD, etag='"o1"'))
    server.plays("/d/new.csv", file(NEW, etag='"n1"'))
    files = [
        {"title": "MPS Borough Level Crime (Historical)", "url": "/d/old.csv"},
        {"title": "MPS Borough Level Crime (most recent 24 months)", "url": "/d/new.csv"} | sizes,
        {"title": "MPS Ward Level Crime (Historical)", "url": "/d/ward.csv"},
    ]
    listing = json.dumps({"resources": dict(enumerate(files))}).encode()
    return server.plays("/api/dataset/exy3m", file(listing, kind="application/json"))


def run_london(server: Loopback, shelf: Shelf) -> Collected:
    offers = offers_of_london(address=server.base + "/api/dataset/exy3m", patience=HASTY)
    return collect_london(shelf, offers, patience=HASTY)


def bytes_of(collected: Collected, shelf: Shelf) -> dict[str, bytes]:
    """The files, wherever they are kept."""
    found = {}
    for record in collected.records:
        path = shelf.folder / record.name
        if shelf.store is not None:
            assert not path.exists()
            path = shelf.store.objects.path(record.sha256)
        found[record.name] = path.read_bytes()
    return found


def test_london_is_fetched_once_and_then_only_asked_about(
    server: Loopback, shelf_of: type[Shelf]
) -> None:
    london(server)
    first = run_london(server, shelf_of("london"))
    assert first.statuses == ("fetched", "fetched")
    assert bytes_of(first, shelf_of("london")) == {"old.csv": OLD, "new.csv": NEW}
    again = run_london(server, shelf_of("london"))
    assert again.statuses == ("unchanged", "unchanged")
    assert server.headers("/d/old.csv")[1]["If-None-Match"] == '"o1"'
    assert again.snapshot == first.snapshot
    changed = NEW.replace(b"97", b"98")
    server.plays("/d/new.csv", file(changed, etag='"n2"'))
    third = run_london(server, shelf_of("london"))
    assert third.statuses == ("unchanged", "fetched")
    assert bytes_of(third, shelf_of("london")) == {"old.csv": OLD, "new.csv": changed}
    assert "/d/ward.csv" not in [path for path, _ in server.seen]
    assert third.records[0].retrieved == first.records[0].retrieved or third.snapshot


def test_every_file_is_recorded_beside_it(server: Loopback, tmp_path: Path) -> None:
    london(server)
    address = server.base.replace("//", "//reader:s3cret@") + "/api/dataset/exy3m"
    shelf = Shelf("london", folder=tmp_path)
    collect_london(shelf, offers_of_london(address=address), patience=HASTY)
    written = (tmp_path / "new.csv.json").read_text("utf-8")
    record = json.loads(written)
    assert "s3cret" not in written
    assert record["address"] == server.base + "/d/new.csv"
    assert (record["etag"], record["bytes"]) == ('"n1"', len(NEW))
    assert record["source"].startswith("Metropolitan Police Service")
    assert record["licence"] == "Open Government Licence v3.0"
    assert record["retrieved"].endswith("Z")
    assert server.headers("/d/new.csv")[0]["Authorization"].startswith("Basic ")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["new.csv", "new.csv.json", "old.csv", "old.csv.json"]


def test_a_store_keeps_what_was_known_before(server: Loopback, tmp_path: Path) -> None:
    london(server)
    store = Store(tmp_path / "store")
    run_london(server, Shelf("london", store=store))
    server.plays("/d/new.csv", file(OLD, etag='"n2"'))
    run_london(server, Shelf("london", store=store))
    entries = store.entries("london")
    assert [len(entry.files) for entry in entries] == [2, 2]
    assert store.verify().is_whole
    assert entries[0].files[1].address == server.base + "/d/new.csv"
    assert not (store.folder / "fetching").exists()
    assert entries[1].licence == "Open Government Licence v3.0"


def test_a_file_that_somebody_changed_is_fetched_again(server: Loopback, tmp_path: Path) -> None:
    london(server)
    run_london(server, Shelf("london", folder=tmp_path))
    (tmp_path / "old.csv").write_bytes(b"spoiled")
    again = run_london(server, Shelf("london", folder=tmp_path))
    assert again.statuses == ("fetched", "unchanged")
    assert (tmp_path / "old.csv").read_bytes() == OLD


def test_damage_in_the_store_is_fetched_again(server: Loopback, tmp_path: Path) -> None:
    london(server)
    store = Store(tmp_path)
    first = run_london(server, Shelf("london", store=store))
    damaged = store.objects.path(first.records[0].sha256)
    damaged.chmod(0o644)
    damaged.write_bytes(b"spoiled")
    server.plays("/d/new.csv", file(OLD + b"\n", etag='"n2"'))
    again = run_london(server, Shelf("london", store=store))
    assert again.statuses == ("fetched", "fetched")
    assert store.verify().is_whole


def test_all_files_that_fail_are_said_together_and_the_good_ones_kept(
    server: Loopback, shelf_of: type[Shelf]
) -> None:
    london(server)
    server.plays("/d/old.csv", status(404))
    server.plays("/d/ward.csv", status(404))
    with pytest.raises(DataError, match=r"old\.csv must hold a file: .* 404") as caught:
        run_london(server, shelf_of("london"))
    assert not isinstance(caught.value, NotReadyError)
    server.plays("/d/old.csv", status(500))
    with pytest.raises(NotReadyError, match="answered 500"):
        run_london(server, shelf_of("london"))
    assert len(server.headers("/d/new.csv")) == 2
    server.plays("/d/old.csv", file(OLD, etag='"o1"'))
    assert run_london(server, shelf_of("london")).statuses == ("fetched", "unchanged")
    server.plays("/d/old.csv", status(404))
    server.plays("/d/new.csv", file(b"<html></html>"))
    with pytest.raises(DataError, match=r"(?s)- .*404.*\n- .*web page"):
        run_london(server, shelf_of("london"))


def test_a_size_that_the_list_does_not_confirm_is_noted(server: Loopback, tmp_path: Path) -> None:
    london(server, check_size=len(NEW) + 1)
    found = run_london(server, Shelf("london", folder=tmp_path))
    assert len(found.notes) == 1
    assert (
        f"'new.csv' has {len(NEW)} bytes, and the publisher's list says {len(NEW) + 1}"
        in (found.notes[0])
    )


def test_a_body_without_an_end_is_noted(server: Loopback, tmp_path: Path) -> None:
    london(server)
    server.plays("/d/new.csv", loopback.endless(NEW))
    found = run_london(server, Shelf("london", folder=tmp_path))
    assert "'new.csv' may be cut short" in found.notes[0]


@pytest.mark.disable_socket
def test_offline_uses_what_is_kept_and_asks_nobody(shelf_of: type[Shelf]) -> None:
    with pytest.raises(NotReadyError, match="Files of 'london' must have been kept"):
        collect_kept(shelf_of("london"))


def test_offline_gives_the_same_files(server: Loopback, shelf_of: type[Shelf]) -> None:
    london(server)
    run_london(server, shelf_of("london"))
    asked = len(server.seen)
    found = collect_kept(shelf_of("london"))
    assert found.statuses == ("kept", "kept")
    assert bytes_of(found, shelf_of("london")) == {"old.csv": OLD, "new.csv": NEW}
    assert len(server.seen) == asked


def month_of(month: str, note: str = "") -> bytes:
    """A month of street-level crime, small."""
    return f"Crime ID,Month,Crime type\nab,{month},Robbery{note}\n".encode()


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return packed.getvalue()


def archive_of(months: list[str], note: str = "", forces: tuple[str, ...] = (FORCE,)) -> bytes:
    """An archive as data.police.uk packs it, with what is not wanted too."""
    members = {}
    for month in months:
        for force in (*forces, "kent"):
            members[f"{month}/{month}-{force}-street.csv"] = month_of(month, note)
            members[f"{month}/{month}-{force}-outcomes.csv"] = b"not wanted\n"
    return zipped(members)


def police(server: Loopback, newest: str = "2024-10") -> None:
    """Play the list of months."""
    listing = json.dumps([{"date": newest, "stop-and-search": []}, {"date": "2024-08"}]).encode()
    server.plays("/api/crimes-street-dates", file(listing, kind="application/json"))


def run_police(
    server: Loopback, shelf: Shelf, first: str, last: str | None = None, force: str = FORCE
) -> Collected:
    archives = archives_of_police(force, first, last, address=server.base, patience=HASTY)
    return collect_police(shelf, force, archives, patience=HASTY)


def test_one_force_is_taken_out_of_the_fewest_archives(
    server: Loopback, shelf_of: type[Shelf]
) -> None:
    police(server)
    server.plays(
        "/data/archive/2024-10.zip",
        status(302, Location="/s3/2024-10.zip"),  # as the real site sends one on
    )
    real = archive_of(["2024-09", "2024-10"])
    server.plays("/s3/2024-10.zip", file(real, etag='"a1"', kind="application/zip"))
    dataset = f"police-uk-{FORCE}"
    found = run_police(server, shelf_of(dataset), "2024-09")
    assert found.statuses == ("fetched", "fetched")
    assert bytes_of(found, shelf_of(dataset)) == {
        "2024-09-metropolitan-street.csv": month_of("2024-09"),
        "2024-10-metropolitan-street.csv": month_of("2024-10"),
    }
    assert found.records[0].member == "2024-09/2024-09-metropolitan-street.csv"
    assert found.records[0].address == server.base + "/data/archive/2024-10.zip"
    shelf = shelf_of(dataset)
    left = sorted(path.name for path in shelf.folder.glob("*")) if shelf.folder.exists() else []
    assert [name for name in left if ".zip" in name] == []
    again = run_police(server, shelf_of(dataset), "2024-09")
    assert again.statuses == ("unchanged", "unchanged")
    assert server.headers("/s3/2024-10.zip")[1]["If-None-Match"] == '"a1"'
    assert again.snapshot == found.snapshot


def test_an_archive_that_changed_brings_only_the_months_that_did(
    server: Loopback, shelf_of: type[Shelf]
) -> None:
    police(server)
    dataset = f"police-uk-{FORCE}"
    server.plays("/data/archive/2024-10.zip", file(archive_of(["2024-09", "2024-10"]), etag='"1"'))
    first = run_police(server, shelf_of(dataset), "2024-09")
    name = "2024-10/2024-10-metropolitan-street.csv"
    revised = {
        "2024-09/2024-09-metropolitan-street.csv": month_of("2024-09"),
        name: month_of("2024-10", ", revised"),
    }
    server.plays("/data/archive/2024-10.zip", file(zipped(revised), etag='"2"'))
    again = run_police(server, shelf_of(dataset), "2024-09")
    assert again.statuses == ("unchanged", "fetched")
    assert again.records[0].retrieved == first.records[0].retrieved or again.snapshot
    assert {record.etag for record in again.records} == {'"2"'}
    assert run_police(server, shelf_of(dataset), "2024-09").statuses == ("unchanged", "unchanged")


def test_more_months_of_an_archive_are_fetched_though_it_did_not_change(
    server: Loopback, shelf_of: type[Shelf]
) -> None:
    police(server)
    dataset = f"police-uk-{FORCE}"
    server.plays("/data/archive/2024-10.zip", file(archive_of(["2024-09", "2024-10"]), etag='"1"'))
    run_police(server, shelf_of(dataset), "2024-10")
    found = run_police(server, shelf_of(dataset), "2024-09")
    assert "If-None-Match" not in server.headers("/data/archive/2024-10.zip")[1]
    assert found.statuses == ("fetched", "unchanged")


def test_a_month_that_the_force_did_not_send_is_missing_and_said(
    server: Loopback, shelf_of: type[Shelf]
) -> None:
    police(server)
    dataset = f"police-uk-{FORCE}"
    server.plays("/data/archive/2024-10.zip", file(archive_of(["2024-10"]), etag='"1"'))
    found = run_police(server, shelf_of(dataset), "2024-09")
    assert [record.name[:7] for record in found.records] == ["2024-10"]
    assert (
        "has no file of metropolitan for 2024-09: these months are missing, not zero"
        in (found.notes[0])
    )
    again = run_police(server, shelf_of(dataset), "2024-09")  # asked about, not fetched again
    assert again.statuses == ("unchanged",)
    assert server.headers("/data/archive/2024-10.zip")[1]["If-None-Match"] == '"1"'
    assert [r.name[:7] for r in collect_kept(shelf_of(dataset), first="2024-09").records] == [
        "2024-10"
    ]


def test_a_force_without_any_file_is_refused(server: Loopback, shelf_of: type[Shelf]) -> None:
    police(server)
    server.plays("/data/archive/2024-10.zip", file(archive_of(["2024-10"]), etag='"1"'))
    with pytest.raises(DataError, match="must hold files of 'greater-manchester'"):
        run_police(server, shelf_of("police-uk-x"), "2024-10", force="greater-manchester")


@pytest.mark.parametrize(
    "packed",
    [archive_of(["2024-10"])[:-30], zipped({"../2024-10-metropolitan-street.csv": b"x"})],
    ids=["cut", "climbs"],
)
def test_an_archive_that_is_not_as_it_should_be_is_refused_and_not_kept(
    server: Loopback, shelf_of: type[Shelf], packed: bytes
) -> None:
    police(server)
    server.plays("/data/archive/2024-10.zip", file(packed, etag='"1"'))
    shelf = shelf_of("police-uk-metropolitan")
    with pytest.raises(DataError, match=r"2024-10\.zip must"):
        run_police(server, shelf, "2024-10")
    assert list(shelf.folder.glob("*.zip*")) == []
    server.plays("/data/archive/2024-10.zip", file(archive_of(["2024-10"]), etag='"1"'))
    assert run_police(server, shelf, "2024-10").statuses == ("fetched",)


def test_offline_names_the_months_that_were_not_kept(
    server: Loopback, shelf_of: type[Shelf]
) -> None:
    police(server)
    server.plays("/data/archive/2024-10.zip", file(archive_of(["2024-09", "2024-10"])))
    dataset = f"police-uk-{FORCE}"
    run_police(server, shelf_of(dataset), "2024-09")
    assert len(collect_kept(shelf_of(dataset), first="2024-09").records) == 2
    assert len(collect_kept(shelf_of(dataset), first="2024-10").records) == 1
    with pytest.raises(NotReadyError, match="2024-07, 2024-08 were not"):
        collect_kept(shelf_of(dataset), first="2024-07", last="2024-09")


def test_an_archive_that_came_whole_before_a_kill_is_not_fetched_again(
    server: Loopback, shelf_of: type[Shelf]
) -> None:
    """As if the process had been killed between fetching the archive and taking months out."""
    from forecast.data.fetching import fetch

    police(server)
    address = server.plays("/data/archive/2024-10.zip", file(archive_of(["2024-10"]), etag='"1"'))
    shelf = shelf_of("police-uk-metropolitan")
    fetched = fetch(address, shelf.place(".2024-10.zip"))
    shelf.note(fetched, ".2024-10.zip", source="s", licence="l")
    found = run_police(server, shelf, "2024-10")
    assert found.statuses == ("fetched",)
    assert server.headers("/data/archive/2024-10.zip")[1]["If-None-Match"] == '"1"'
    assert bytes_of(found, shelf) == {"2024-10-metropolitan-street.csv": month_of("2024-10")}


@pytest.mark.parametrize("pieces", [0, 4])
def test_a_run_that_is_killed_is_completed_by_the_next(
    server: Loopback, shelf_of: type[Shelf], pieces: int
) -> None:
    london(server)
    body = OLD * 2000
    slow = file(body, etag='"o1"', pause=0.03, piece=len(body) // 8)
    server.plays("/d/old.csv", slow, file(body, etag='"o1"'))
    shelf = shelf_of("london")
    how = "store=Store(sys.argv[2])" if shelf.store else "folder=Path(sys.argv[2])"
    code = (
        "import sys; from pathlib import Path; from forecast.data.collecting import *;"
        "from forecast.data.shelves import Shelf; from forecast.data.snapshots import Store;"
        f"collect_london(Shelf('london', {how}), offers_of_london(address=sys.argv[1]))"
    )
    place = shelf.store.folder if shelf.store else shelf.folder
    address = server.base + "/api/dataset/exy3m"
    process = subprocess.Popen([sys.executable, "-c", code, address, str(place)])
    for _ in range(500):
        if server.headers("/d/old.csv"):
            break
        time.sleep(0.02)
    time.sleep(0.03 * pieces)
    process.send_signal(signal.SIGKILL)
    process.wait()
    found = run_london(server, shelf_of("london"))
    assert bytes_of(found, shelf_of("london")) == {"old.csv": body, "new.csv": NEW}
    if shelf.store is not None:
        assert shelf.store.verify().is_whole
        assert not (shelf.store.folder / "fetching").exists()
    else:
        assert len(list(shelf.folder.iterdir())) == 4


def test_what_a_killed_run_left_of_notes_and_records_is_taken_away(
    server: Loopback, shelf_of: type[Shelf]
) -> None:
    """Killed between the first byte of a small file and its place."""
    london(server)
    server.plays("/d/old.csv", file(OLD, etag='"o1"'))
    shelf = shelf_of("london")
    shelf.folder.mkdir(parents=True, exist_ok=True)
    for name in ("..old.csv.partial.json.4711.part", ".old.csv.json.4711.part"):
        (shelf.folder / name).write_text("{", "utf-8")
    found = run_london(server, shelf)
    assert bytes_of(found, shelf_of("london")) == {"old.csv": OLD, "new.csv": NEW}
    if shelf.store is not None:
        assert not (shelf.store.folder / "fetching").exists()
    else:
        assert len(list(shelf.folder.iterdir())) == 4


@pytest.mark.parametrize("writes", [1, 2, 4, 5, 7])
def test_a_run_that_ends_at_any_write_is_completed_by_the_next(
    server: Loopback, shelf_of: type[Shelf], writes: int
) -> None:
    """Whenever a file would take its place, the process is gone before that, or right after."""
    police(server)
    server.plays("/data/archive/2024-10.zip", file(archive_of(["2024-09", "2024-10"]), etag='"1"'))
    shelf = shelf_of("police-uk-metropolitan")
    how = "store=Store(sys.argv[2])" if shelf.store else "folder=Path(sys.argv[2])"
    code = f"""
import os, sys
from pathlib import Path
from forecast.data.collecting import *
from forecast.data.shelves import Shelf
from forecast.data.snapshots import Store
left, replace = {writes}, os.replace
def gone(*words):
    global left
    left -= 1
    if left == 0:
        if {writes} % 2:
            replace(*words)
        os._exit(9)
    replace(*words)
os.replace = gone
archives = archives_of_police("metropolitan", "2024-09", address=sys.argv[1])
collect_police(Shelf("police-uk-metropolitan", {how}), "metropolitan", archives)
"""
    place = shelf.store.folder if shelf.store else shelf.folder
    done = subprocess.run([sys.executable, "-c", code, server.base, str(place)], check=False)
    assert done.returncode == 9
    if shelf.store is not None:
        assert shelf.store.verify().is_whole
    found = run_police(server, shelf, "2024-09")
    assert bytes_of(found, shelf) == {
        "2024-09-metropolitan-street.csv": month_of("2024-09"),
        "2024-10-metropolitan-street.csv": month_of("2024-10"),
    }
    again = run_police(server, shelf_of("police-uk-metropolitan"), "2024-09")
    assert again.statuses == ("unchanged", "unchanged")
