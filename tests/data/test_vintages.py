"""What was known at a date, and never what was revised afterwards."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.data.snapshots import Store
from forecast.data.vintages import cut_running, read_vintage
from forecast.errors import DataError

DAYS = {
    "2019-01": "2019-01-10",
    "2020-06": "2020-06-05",
    "2021-10": "2021-10-05",
    "2023-08": "2023-08-07",
    "2024-11": "2024-11-05",
}
"""A day for each stored vintage, of which only the month is known."""


@pytest.fixture(scope="module")
def vintages(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store of the five stored vintages of London."""
    store = Store(tmp_path_factory.mktemp("vintages") / "store")
    raw = shared / "data" / "mps_borough" / "raw"
    for vintage, day in DAYS.items():
        files = sorted((raw / f"vintage_{vintage}").iterdir())
        store.keep(files, dataset="london", source="The publisher", retrieved=day)
    return store


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A store of two vintages of a small table of one's own; the second revises January."""
    folder = tmp_path / "store"
    for day, counts in (("2020-03-15", (5, 7, 3)), ("2020-05-02", (6, 7, 9))):
        path = tmp_path / "figures.csv"
        rows = "".join(f"Leeds,calls,2020-0{m},{c}\n" for m, c in enumerate(counts, 1))
        path.write_text("area,offence,period,count\n" + rows, "utf-8")
        Store(folder).keep(path, dataset="leeds", retrieved=day)
    return folder


# --- London ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "vintage", "last"),
    [
        ("2020-06-05", "2020-06", "2020-05"),
        ("2021-10-04", "2020-06", "2020-05"),
        ("2021-10-15", "2021-10", "2021-09"),
        (dt.date(2023, 8, 31), "2023-08", "2023-07"),
    ],
)
def test_london_as_it_was_known(
    vintages: Store, shared: Path, as_of: str, vintage: str, last: str
) -> None:
    found = load("london", as_of=as_of, store=vintages.folder)
    assert str(found.periods[-1]) == last
    table = pd.read_csv(shared / "data/mps_borough/tidy/london_totals_by_vintage.csv")
    known = table[table["vintage"].str.startswith(f"v{vintage}_") & (table["major"] == "ROBBERY")]
    robbery = found.select(offence="robbery").total()
    assert [str(month) for month in robbery.periods] == sorted(known["month"])
    np.testing.assert_array_equal(robbery.values[0], known.sort_values("month")["count"])
    assert found.notes[0] == f"As known on {as_of}: london@{DAYS[vintage]}."
    assert found.snapshot.retrieved == DAYS[vintage]
    assert found.snapshot.source == "The publisher"
    assert str(found.snapshot.licence).endswith("Open Government Licence v3.0")


def test_the_vintage_that_ships_is_the_same_to_the_unit(vintages: Store, london: Panel) -> None:
    found = load("london", as_of="2024-11-07", store=vintages.folder)
    assert set(found.areas) == set(london.areas)
    keys = ["area", "offence", "period"]
    both = london.to_frame().merge(found.to_frame(), on=keys, how="outer", suffixes=("", "_kept"))
    assert len(both) == london.values.size
    assert (both["count"] == both["count_kept"]).all()


def test_the_hash_is_that_of_the_files(vintages: Store, shared: Path) -> None:
    folder = shared / "data" / "mps_borough" / "raw" / "vintage_2023-08"
    hashes = [hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())]
    found = load("london", as_of="2023-09-01", store=vintages.folder)
    assert found.snapshot.sha256 == hashlib.sha256("".join(hashes).encode()).hexdigest()
    assert found.snapshot.sha256 == load(folder).snapshot.sha256


def test_the_publishers_own_offences_as_of_a_day(vintages: Store) -> None:
    found = load("london", as_of="2020-06-30", store=vintages.folder, detail="minor")
    assert any(offence.startswith("robbery: ") for offence in found.offences)


def test_before_the_first_vintage_nothing_is_given(vintages: Store) -> None:
    words = (
        "'london' must be kept as they were known on 2019-01-09: those that ship were retrieved "
        r"in 2024-11 \(known by month, so from 2024-11-30\), and the store .* holds only later "
        "snapshots, of 2019-01-10, 2020-06-05, 2021-10-05, 2023-08-07, 2024-11-05. Add the files "
        "of that time, if you have them: forecast data add FILE --as london --retrieved 2019-01-09"
    )
    with pytest.raises(DataError, match=words):
        load("london", as_of="2019-01-09", store=vintages.folder)


def test_the_figures_that_ship_have_a_date_as_well(tmp_path: Path, london: Panel) -> None:
    nothing = tmp_path / "nothing"
    with pytest.raises(DataError, match="from 2024-11-30.* holds none of it. Add the files of tha"):
        load("london", as_of="2024-11-29", store=nothing)
    found = load("london", as_of="2024-11-30", store=nothing)
    np.testing.assert_array_equal(found.values, london.values)
    assert found.snapshot == london.snapshot
    assert found.notes == (
        "As known on 2024-11-30: the figures that ship, retrieved 2024-11.", *london.notes
    )  # fmt: skip
    assert not nothing.exists()


def test_the_newer_of_what_ships_and_what_is_kept_is_taken(vintages: Store) -> None:
    older = load("london", as_of="2024-11-29", store=vintages.folder)
    assert older.snapshot.retrieved == "2024-11-05"
    newer = load("london", as_of="2025-06-01", store=vintages.folder)
    assert newer.snapshot.retrieved == "2024-11"


def test_groups_that_are_no_units_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "wards.csv"
    path.write_text(
        "area,group,offence,period,count\nAldgate,Tower Hamlets,robbery,2020-01,5\n"
        "Bow,Tower Hamlets,robbery,2020-01,4\n", "utf-8",
    )  # fmt: skip
    Store(tmp_path / "store").keep(path, dataset="london", retrieved="2020-03-01")
    found = load("london", as_of="2020-03-01", store=tmp_path / "store", freq="M")
    assert found.areas == ["Aldgate", "Bow"]


# --- one's own ------------------------------------------------------------------------------


def test_revisions_are_not_seen_before_their_day(mine: Path) -> None:
    # March was still running on 15 March, so its 3 is no count of March
    assert load("leeds", as_of="2020-05-01", store=mine).values.tolist() == [[5, 7]]
    found = load("leeds", as_of="2020-05-02", store=mine)
    assert found.values.tolist() == [[6, 7, 9]]
    assert found.notes == ("As known on 2020-05-02: leeds@2020-05-02.",)


def test_what_was_cut_is_said(mine: Path) -> None:
    found = load("leeds", as_of="2020-04-30", store=mine)
    assert found.notes == (
        "As known on 2020-04-30: leeds@2020-03-15.",
        "Left out, as not over on 2020-03-15: 2020-03.",
    )


def test_the_newest_without_a_day(mine: Path) -> None:
    found = load("leeds", store=mine, measure="calls")
    assert (found.values.tolist(), found.measure) == ([[6, 7, 9]], "calls")


def test_the_default_store_is_used(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECAST_STORE", os.fspath(mine))
    assert load("leeds", as_of="2021-01-01").values.tolist() == [[6, 7, 9]]
    with pytest.raises(DataError, match="holds 'leeds'. Did you mean 'leeds'"):
        load("leads", as_of="2021-01-01")


def test_paths_have_no_day(mine: Path, tmp_path: Path) -> None:
    words = "must be a dataset that the store keeps: found the file 'figures.csv', of which no date"
    with pytest.raises(DataError, match=words):
        load(tmp_path / "figures.csv", as_of="2021-01-01", store=mine)
    with pytest.raises(DataError, match="found an address, of which no date") as refused:
        load("postgresql://reader:w0rd@host/crime", as_of="2021-01-01", store=mine)
    assert "w0rd" not in str(refused.value)
    with pytest.raises(DataError, match="must be one dataset that the store keeps: found a list"):
        load(["leeds", "london"], as_of="2021-01-01", store=mine)


@pytest.mark.parametrize("day", ["2021-10", "15/10/2021", ""])
def test_a_day_is_a_day(mine: Path, day: str) -> None:
    with pytest.raises(DataError, match="Argument as_of must be a day written YYYY-MM-DD"):
        load("leeds", as_of=day, store=mine)
    with pytest.raises(DataError, match="Argument as_of must be a day written YYYY-MM-DD"):
        load("london", as_of=day, store=mine)


def test_a_damaged_file_is_never_loaded(mine: Path) -> None:
    entry = Store(mine).find("leeds")
    place = Store(mine).objects.path(entry.files[0].sha256)
    place.chmod(0o644)
    place.write_bytes(place.read_bytes().replace(b",9", b",8"))
    words = (
        "figures.csv of leeds@2020-05-02 must be as it was kept: objects/.* is damaged.*data add"
    )
    with pytest.raises(DataError, match=words):
        load("leeds", store=mine)
    assert load("leeds", as_of="2020-04-01", store=mine).values.tolist() == [[5, 7]]


# --- what was over --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("freq", "first", "retrieved", "last"),
    [
        ("M", "2020-01", "2020-03-31", "2020-02"),  # its last day is still running
        ("M", "2020-01", "2020-04-01", "2020-03"),
        ("M", "2020-01", "2020-04", "2020-03"),  # known by month: only what ended before it
        ("M", "2020-01", "2020-04-01T00:00:01.000000Z", "2020-03"),
        ("D", "2020-03-01", "2020-03-20", "2020-03-19"),
        ("W-SUN", "2020-03-02", "2020-03-22", "2020-03-09/2020-03-15"),  # a Sunday
        ("W-SUN", "2020-03-02", "2020-03-23", "2020-03-16/2020-03-22"),
    ],
)
def test_periods_that_were_not_over_are_cut(
    freq: str, first: str, retrieved: str, last: str
) -> None:
    periods = pd.period_range(first, periods=40, freq=freq)
    tidy = pd.DataFrame({"area": "A", "offence": "x", "period": periods, "count": 1})
    assert str(cut_running(Panel.from_frame(tidy), retrieved).periods[-1]) == last


def test_a_panel_of_which_nothing_was_over_is_refused() -> None:
    tidy = pd.DataFrame({"area": "A", "offence": "x", "period": ["2020-03", "2020-04"], "count": 1})
    words = "a@b must hold a period that was over when it was retrieved, 2020-03-31: it holds 2020-"
    with pytest.raises(DataError, match=words):
        cut_running(Panel.from_frame(tidy), "2020-03-31", subject="a@b")


# --- vintages by name -----------------------------------------------------------------------


def test_vintages_by_path_name_day_and_hash(vintages: Store, shared: Path) -> None:
    folder = shared / "data" / "mps_borough" / "raw" / "vintage_2021-10"
    by_path = read_vintage(str(folder), read=load)
    hash_of_file = vintages.find("london@2021-10-15").files[0].sha256
    for name in ("london@2021-10-15", hash_of_file[:8]):
        found = read_vintage(name, store=vintages.folder, read=load)
        np.testing.assert_array_equal(found.values, by_path.values)
        assert found.areas == by_path.areas  # boroughs, as the file has them
    newest = read_vintage("london", store=vintages.folder, read=load)
    assert str(newest.periods[-1]) == "2024-10"


def test_the_figures_that_ship_are_a_vintage_too(tmp_path: Path, london: Panel) -> None:
    for name in ("london", "london@2024-12-01"):
        found = read_vintage(name, store=tmp_path / "no", read=load)
        assert found.snapshot == london.snapshot
    with pytest.raises(DataError, match="on 2020-01-01: those that ship were retrieved in 2024-11"):
        read_vintage("london@2020-01-01", store=tmp_path / "no", read=load)
    with pytest.raises(DataError, match="Day after @ must be a day written YYYY-MM-DD"):
        read_vintage("london@autumn", store=tmp_path / "no", read=load)
