"""Files of one's own are read before they are kept, and their date must be able to be right."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from forecast.data.ingesting import add_files
from forecast.data.reading import load
from forecast.data.snapshots import Store
from forecast.errors import DataError

HEADER = "area,offence,period,count\n"


def write(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), "utf-8")
    return path


def test_the_record_says_what_was_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "Leeds,calls,2020-01,5", "Leeds,calls,2020-03,7")
    entry, panel = add_files(
        [path], dataset="leeds", read=load, retrieved="2020-04-02", store=tmp_path / "store"
    )
    assert (entry.first, entry.last, entry.source) == ("2020-01", "2020-03", "a.csv")
    assert entry.tally == {"series": 1, "periods": 3, "total": 12, "missing": 1}
    assert panel is not None
    assert panel.snapshot.sha256 == entry.sha256
    assert Store(tmp_path / "store").find("leeds") == entry


def test_a_publishers_folder_is_one_vintage(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "mps_borough" / "raw" / "vintage_2023-08"
    entry, panel = add_files(
        [folder], dataset="london", read=load, retrieved="2023-08-07", store=tmp_path / "store"
    )
    assert [one.name for one in entry.files] == sorted(p.name for p in folder.iterdir())
    assert (entry.first, entry.last) == ("2010-04", "2023-07")
    assert entry.source.startswith("Metropolitan Police Service, MPS Recorded Crime")
    assert str(entry.licence).endswith("Open Government Licence v3.0")
    assert panel is not None
    assert entry.sha256 == panel.snapshot.sha256 == load(folder).snapshot.sha256


def test_an_old_file_must_say_its_day(tmp_path: Path) -> None:
    path = write(tmp_path, "old.csv", "Leeds,calls,2021-08,5", "Leeds,calls,2021-09,7")
    words = (
        "old.csv must come with the day on which it was retrieved: it ends in 2021-09, so it looks "
        "like the vintage of 2021-10 and not of today. Say --retrieved 2021-10-05 .* --retrieved "
        "2021-10 if you know the month alone, or --retrieved today"
    )
    with pytest.raises(DataError, match=words):
        add_files([path], dataset="leeds", read=load, store=tmp_path / "store")
    assert not (tmp_path / "store").exists()
    entry, _ = add_files(
        [path], dataset="leeds", read=load, retrieved="today", store=tmp_path / "store"
    )
    assert entry.retrieved == str(dt.datetime.now(dt.UTC).date())


def test_a_file_of_these_months_is_dated_now(tmp_path: Path) -> None:
    last_month = dt.datetime.now(dt.UTC).date().replace(day=1) - dt.timedelta(days=1)
    path = write(tmp_path, "new.csv", "Leeds,calls,2021-09,7", f"Leeds,calls,{last_month:%Y-%m},1")
    entry, _ = add_files([path], dataset="leeds", read=load, store=tmp_path / "store")
    assert entry.day == dt.datetime.now(dt.UTC).date()
    assert entry.retrieved.endswith("Z")


def test_a_day_before_everything_it_holds_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "Leeds,calls,2021-08,5", "Leeds,calls,2021-09,7")
    with pytest.raises(DataError, match="a.csv must hold a period that was over .* 2021-08-31"):
        add_files(
            [path], dataset="leeds", read=load, retrieved="2021-08-31", store=tmp_path / "store"
        )


def test_what_cannot_be_read_is_kept_only_when_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("no,figures\n1,2\n", "utf-8")
    with pytest.raises(DataError, match="notes.csv"):
        add_files([path], dataset="notes", read=load, retrieved="today", store=tmp_path / "store")
    assert not (tmp_path / "store").exists()
    entry, panel = add_files([path], dataset="notes", read=None, store=tmp_path / "store")
    assert (panel, entry.first, entry.tally) == (None, None, {})


def test_folders_leave_out_hidden_files_and_notes_and_missing_files_are_named(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("b.csv", "a.csv", ".hidden.csv", "README.md"):
        write(folder, name, "Leeds,calls,2021-08,5")
    entry, _ = add_files([folder], dataset="x", read=None, store=tmp_path / "store")
    assert [one.name for one in entry.files] == ["a.csv", "b.csv"]
    with pytest.raises(DataError, match="(?s)none at 'no.csv'. Check the path.*none at 'nor.csv'"):
        add_files(["no.csv", "nor.csv"], dataset="x", read=None, store=tmp_path / "store")
    with pytest.raises(DataError, match="none at '...' .not repeated, as it may hold a password"):
        add_files(["me:secret@host"], dataset="x", read=None, store=tmp_path / "store")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match=r"File must be there: 'pipe\.csv' is a pipe or a device"):
        add_files([tmp_path / "pipe.csv"], dataset="x", read=None, store=tmp_path / "store")
