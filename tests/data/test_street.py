"""Street-level files: every row counted, nothing zero that is not known to be."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.breaks import find_crossed
from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.errors import DataError

HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context\n"
)
WHOLE = ("Anti-social behaviour", "Bicycle theft", "Burglary", "Drugs", "Other crime", "Robbery")
WHOLE += ("Shoplifting",)
"""Seven of the fourteen types since 2013: a file with them is whole."""


def row(kind: str, month: str = "2020-01", force: str = "Kent", code: str = "E01000001") -> str:
    name = {"E01000001": "Ashford 001A", "": ""}.get(code, "Dover 002B")
    return f",{month},{force},{force},,,x,{code},{name},{kind},,\n"


def write(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    path.write_text(HEADER + "".join(rows))
    return path


def counts_of(panel: Panel, area: str, offence: str) -> list[float]:
    return [float(v) for v in panel.values[panel.series_index(area, offence)]]


def test_a_street_file_by_hand(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "2020-01-kent-street.csv",
        *map(row, WHOLE),
        row("Robbery"),
        row("Robbery", code="E01000002"),
        row("Robbery", code=""),
    )
    panel = load(path)
    assert counts_of(panel, "E01000001", "robbery") == [2]
    assert counts_of(panel, "E01000001", "theft") == [2]  # bicycle theft and shoplifting
    assert counts_of(panel, "E01000002", "robbery") == [1]
    assert counts_of(panel, "E01000002", "burglary") == [0]  # the file is whole: none was recorded
    assert counts_of(panel, "Not allocated", "robbery") == [1]
    assert panel.series.drop_duplicates("area")["group"].tolist() == [
        "Ashford",
        "Dover",
        "Not allocated",
    ]
    assert panel.values.sum() == 10
    assert "data.police.uk" in panel.snapshot.source
    own = load(path, detail="minor")
    assert counts_of(own, "E01000001", "bicycle theft") == [1]


def test_a_month_without_a_file_is_missing(tmp_path: Path) -> None:
    write(tmp_path, "2020-01-kent-street.csv", *map(row, WHOLE))
    march = [row(kind, "2020-03", code="E01000002") for kind in WHOLE]
    write(tmp_path, "2020-03-kent-street.csv", *march)
    write(tmp_path, "2020-03-kent-outcomes.csv", "not a street file\n")
    panel = load(tmp_path)
    nan = np.nan
    np.testing.assert_array_equal(counts_of(panel, "E01000001", "robbery"), [1, nan, 0])
    np.testing.assert_array_equal(counts_of(panel, "E01000002", "robbery"), [0, nan, 1])


def test_a_file_cut_to_one_type_says_nothing_of_the_others(tmp_path: Path) -> None:
    write(tmp_path, "2020-01-kent-street.csv", *map(row, WHOLE))
    cut = [row("Burglary", "2020-02", code="E01000002")]
    write(tmp_path, "2020-02-kent-street_cut.csv", *cut)
    panel = load(tmp_path)
    np.testing.assert_array_equal(counts_of(panel, "E01000001", "robbery"), [1, np.nan])
    np.testing.assert_array_equal(counts_of(panel, "E01000001", "burglary"), [1, 0])
    assert (
        "Cut to some crime types, the others are missing: Kent 2020-02 (burglary)." in panel.notes
    )


def test_forces_of_other_months_keep_their_own_series_where_they_meet(tmp_path: Path) -> None:
    for month in ("2020-01", "2020-02"):
        rows = [row(kind, month) for kind in WHOLE]
        write(tmp_path, f"{month}-kent-street.csv", *rows)
    sussex = [row(kind, "2020-01", "Sussex") for kind in WHOLE]
    sussex += [row("Robbery", "2020-01", "Sussex", "E01000003")]
    write(tmp_path, "2020-01-sussex-street.csv", *sussex)
    panel = load(tmp_path)
    np.testing.assert_array_equal(counts_of(panel, "E01000001, Kent", "robbery"), [1, 1])
    np.testing.assert_array_equal(counts_of(panel, "E01000001, Sussex", "robbery"), [1, np.nan])
    np.testing.assert_array_equal(counts_of(panel, "E01000003", "robbery"), [1, np.nan])
    # With the same months they are one area.
    write(tmp_path, "2020-02-sussex-street.csv", *(row(k, "2020-02", "Sussex") for k in WHOLE))
    np.testing.assert_array_equal(counts_of(load(tmp_path), "E01000001", "robbery"), [2, 2])


def test_a_month_twice_is_refused(tmp_path: Path) -> None:
    for name in ("2020-01-kent-street.csv", "2020-01-kent-street (1).csv"):
        write(tmp_path, name, *map(row, WHOLE))
    with pytest.raises(DataError, match="each month of a force once: Kent 2020-01 in .*Move one"):
        load(tmp_path)


def test_classes_that_did_not_exist_are_missing_and_the_change_is_a_break(tmp_path: Path) -> None:
    first = ("Anti-social behaviour", "Burglary", "Other crime", "Robbery", "Violent crime")
    write(tmp_path, "2011-08-kent-street.csv", *(row(kind, "2011-08") for kind in first))
    then = (*first, "Drugs", "Other theft", "Shoplifting")
    write(tmp_path, "2011-09-kent-street.csv", *(row(kind, "2011-09") for kind in then))
    panel = load(tmp_path)
    np.testing.assert_array_equal(counts_of(panel, "E01000001", "drug offences"), [np.nan, 1])
    np.testing.assert_array_equal(counts_of(panel, "E01000001", "theft"), [np.nan, 2])
    assert [(b.offence, str(b.period)) for b in find_crossed(panel)] == [("other crime", "2011-09")]
    assert any("Counting of other crime changed by 2011-09" in note for note in panel.notes)


def test_repeated_crime_numbers_are_counted_and_noted(tmp_path: Path) -> None:
    rows = [f"abc{row(kind)}" for kind in (*WHOLE, "Robbery")]
    panel = load(write(tmp_path, "2020-01-kent-street.csv", *rows))
    assert panel.values.sum() == 8
    assert "7 rows have the crime number of another row: counted, as published." in panel.notes


def test_rows_must_say_what_and_when(tmp_path: Path) -> None:
    path = write(tmp_path, "2020-01-kent-street.csv", row(""), row("Robbery", ""))
    with pytest.raises(DataError, match="(?s)'Month' in every row.*line 3.*'Crime type'.*line 2"):
        load(path)


def test_an_archive_is_read_as_its_street_files(shared: Path, tmp_path: Path) -> None:
    raw = shared / "data" / "police_uk_street" / "raw"
    files = sorted(raw.glob("2020-*-city-of-london-street.csv"))
    assert len(files) == 12
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in files:
            packed.write(path, f"{path.name[:7]}/{path.name}")
        packed.writestr("2020-01/2020-01-city-of-london-outcomes.csv", "Crime ID,Month\na,b\n")
    for path in files:
        (tmp_path / "unpacked" / path.name[:7]).mkdir(parents=True)
        (tmp_path / "unpacked" / path.name[:7] / path.name).write_bytes(path.read_bytes())
    panel = load(archive, detail="minor")
    folder = load(tmp_path / "unpacked", detail="minor")
    rows = pd.concat([pd.read_csv(path) for path in files])
    by_month = rows.groupby("Month").size()
    assert panel.values.sum(axis=0).tolist() == by_month.tolist()
    np.testing.assert_array_equal(panel.values, folder.values)
    theirs = rows["Crime type"].str.lower().value_counts()
    ours = panel.to_frame().groupby("offence")["count"].sum()
    assert ours[theirs.index].tolist() == theirs.tolist()


def test_a_folder_of_several_forces_loses_nothing(shared: Path) -> None:
    raw = shared / "data" / "police_uk_street" / "raw"
    panel = load(raw)
    # By the counts made of the complete files, and the rows of the two cut ones.
    counts = pd.read_csv(raw.parent / "force_month_crime_type_counts.csv")
    cut = sum(len(pd.read_csv(path)) for path in raw.glob("*BURGLARY-ONLY*"))
    assert np.nansum(panel.values) == counts["count"].sum() + cut
    monthly = pd.Series(np.nansum(panel.values, axis=0), index=panel.periods.astype(str))
    assert monthly["2020-04"] == counts.loc[counts["month"] == "2020-04", "count"].sum()
    assert monthly["2019-11"] == counts.loc[counts["month"] == "2019-11", "count"].sum()
