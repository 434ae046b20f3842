"""`forecast fetch`: what it says, what it keeps, and the code it ends with."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from forecast.commands.fetching import fetch
from forecast.data.snapshots import Store
from forecast.errors import DataError, NotReadyError
from tests import loopback
from tests.loopback import Loopback, file, status

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

TABLE = b"MajorText,MinorText,BoroughName,202410\nROBBERY,Personal Property,Camden,97\n"
STREET = b"Crime ID,Month,Crime type\nab,2024-10,Robbery\n"


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("FORECAST_STORE", str(tmp_path / "store"))


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A server with both publishers' files."""
    with loopback.running() as found:
        title = "MPS Borough Level Crime (most recent 24 months)"
        listing = {"resources": {"a": {"title": title, "url": "/d/new.csv", "check_size": 77}}}
        found.plays("/list", file(json.dumps(listing).encode(), kind="application/json"))
        found.plays("/d/new.csv", file(TABLE, etag='"v1"'))
        months = json.dumps([{"date": "2024-10"}]).encode()
        found.plays("/api/crimes-street-dates", file(months, kind="application/json"))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("2024-10/2024-10-metropolitan-street.csv", STREET)
        found.plays("/data/archive/2024-10.zip", file(packed.getvalue(), etag='"z1"'))
        yield found


def call(*words: str) -> None:
    """Run the command in this process; errors come out as they are."""
    app = typer.Typer()
    app.add_typer(fetch, name="fetch")
    app(["fetch", *words], standalone_mode=False)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_london_goes_to_a_folder(
    server: Loopback, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("london", "--address", server.base + "/list", "--to-folder", str(tmp_path / "kept"))
    call(*words)
    first = said(capsys)
    assert f"new.csv: new, {len(TABLE)} bytes, retrieved 20" in first
    assert "Source: Metropolitan Police Service" in first
    assert "Open Government Licence v3.0" in first
    assert (tmp_path / "kept" / "new.csv").read_bytes() == TABLE
    assert (tmp_path / "kept" / "new.csv.json").is_file()
    call(*words)
    assert "new.csv: unchanged at the publisher" in said(capsys)
    assert not (tmp_path / "store").exists()


def test_london_goes_to_the_store_without_a_word(
    server: Loopback, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("london", "--address", server.base + "/list")
    entries = Store(tmp_path / "store").entries("london")
    assert f"Snapshot: {entries[0].name}" in said(capsys)
    assert [one.name for one in entries[0].files] == ["new.csv"]
    call("london", "--address", server.base + "/list", "--store", str(tmp_path / "other"))
    assert len(Store(tmp_path / "other").entries("london")) == 1


def test_json_is_one_object(server: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    call("london", "--address", server.base + "/list", "--json")
    found = json.loads(said(capsys))
    assert found["schema"] == "forecast.collected/1"
    assert found["dataset"] == "london"
    assert found["snapshot"].startswith("london@20")
    only = found["files"][0]
    assert (only["name"], only["status"], only["bytes"]) == ("new.csv", "fetched", len(TABLE))
    assert only["address"] == server.base + "/d/new.csv"
    assert len(found["notes"]) == 1  # the list says 77 bytes


def test_a_dry_run_fetches_and_writes_nothing(
    server: Loopback, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("london", "--address", server.base + "/list")
    call(*words, "--dry-run")
    plan = said(capsys)
    assert "Would ask for 1 file:\n  new.csv: 77 bytes, not kept yet" in plan
    assert server.base + "/d/new.csv" in plan
    assert "Nothing was fetched or written." in plan
    assert [path for path, _ in server.seen] == ["/list"]
    assert list(tmp_path.iterdir()) == []
    call(*words)
    call(*words, "--dry-run")
    assert "fetched if it changed" in said(capsys)
    call(*words, "--dry-run", "--json")
    planned = json.loads(said(capsys))
    assert planned["would_fetch"][0]["bytes"] == 77
    assert planned["would_fetch"][0]["kept"].startswith("20")


def test_offline_is_exit_code_3_until_something_is_kept(
    server: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotReadyError, match="'london' must have been kept") as caught:
        call("london", "--offline")
    assert caught.value.exit_code == 3
    call("london", "--address", server.base + "/list")
    asked = len(server.seen)
    call("london", "--offline")
    assert "new.csv: kept, not asked" in said(capsys)
    assert len(server.seen) == asked


@pytest.mark.disable_socket
def test_offline_opens_no_socket(socket_disabled: None) -> None:
    for words in (("london",), ("police-uk", "--force", "metropolitan", "--from", "2024-10")):
        with pytest.raises(NotReadyError, match="must have been kept"):
            call(*words, "--offline")


def test_a_level_that_is_not_there_is_refused_before_asking(server: Loopback) -> None:
    with pytest.raises(DataError, match="--level must be one of borough, ward, lsoa: found 'x'"):
        call("london", "--level", "x", "--address", server.base + "/list")
    with pytest.raises(DataError, match="must offer CSV files by ward"):
        call("london", "--level", "ward", "--address", server.base + "/list")
    assert len(server.seen) == 1


def test_two_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found --to-folder and --store. Give one"):
        call("london", "--to-folder", str(tmp_path), "--store", str(tmp_path))


def test_police_uk_takes_one_force(
    server: Loopback, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("police-uk", "--force", "metropolitan", "--from", "2024-10")
    words += ("--address", server.base)
    call(*words, "--dry-run")
    assert "2024-10.zip: 2024-10\n" in said(capsys)
    assert [path for path, _ in server.seen] == ["/api/crimes-street-dates"]
    call(*words, "--to-folder", str(tmp_path / "kept"))
    assert "2024-10-metropolitan-street.csv: new" in said(capsys)
    names = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert names == [
        "2024-10-metropolitan-street.csv",
        "2024-10-metropolitan-street.csv.json",
    ]
    call(*words)
    assert "Snapshot: police-uk-metropolitan@20" in said(capsys)
    call(*words, "--offline", "--json")
    assert json.loads(said(capsys))["files"][0]["status"] == "kept"


def test_wrong_months_and_forces_are_refused_before_asking(server: Loopback) -> None:
    base = ("police-uk", "--address", server.base)
    with pytest.raises(DataError, match="found 'Met'. Choose one of metropolitan"):
        call(*base, "--force", "Met", "--from", "2024-10")
    with pytest.raises(DataError, match="must be 2010-12 or later: found 2009-01"):
        call(*base, "--force", "metropolitan", "--from", "2009-01")
    assert server.seen == []
    with pytest.raises(NotReadyError, match="Month 2024-11 must be published"):
        call(*base, "--force", "metropolitan", "--from", "2024-10", "--to", "2024-11")


def test_a_password_in_the_address_is_not_shown(
    server: Loopback, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = server.base.replace("//", "//reader:s3cret@") + "/list"
    for more in (["--dry-run"], ["--json"], [], ["--to-folder", str(tmp_path / "kept")]):
        call("london", "--address", address, *more)
    kept = [path.read_text("utf-8") for path in tmp_path.rglob("*.json")]
    assert len(kept) >= 2
    assert "s3cret" not in said(capsys) + "".join(kept)
    server.plays("/list", status(403))
    with pytest.raises(DataError, match="must be open to you") as caught:
        call("london", "--address", address)
    assert "s3cret" not in str(caught.value)
