"""Publishers' layouts: told apart by headers, counted up to the offences that ship."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.errors import DataError

LAYOUT_C = "MajorText,MinorText,BoroughName,202001,202002,202004\n"
ROBBERY = "ROBBERY,ROBBERY OF PERSONAL PROPERTY"
INJURY = "VIOLENCE AGAINST THE PERSON,VIOLENCE WITH INJURY"


def write(folder: Path, name: str, *lines: str, header: str = LAYOUT_C) -> Path:
    path = folder / name
    path.write_text(header + "".join(f"{line}\n" for line in lines))
    return path


def counts_of(panel: Panel, area: str, offence: str) -> list[float]:
    return [float(v) for v in panel.values[panel.series_index(area, offence)]]


def test_a_published_file_by_hand(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "recent.csv",
        f"{ROBBERY},Camden,3,4,5",
        "ROBBERY,ROBBERY OF BUSINESS PROPERTY,Camden,1,0,2",
        f"{ROBBERY},Unknown,1,1,1",
        f"{INJURY},Camden,7,8,9",
        "VIOLENCE AGAINST THE PERSON,HOMICIDE,Camden,0,1,0",
        "VIOLENCE AGAINST THE PERSON,VIOLENCE WITHOUT INJURY,Camden,10,20,30",
        "FRAUD AND FORGERY,FRAUD AND FORGERY,Camden,2,0,3",
        "CYBER CRIME,HACKING,Camden,6,0,0",
    )
    panel = load(path)
    nan = np.nan  # 2020-03 has no column: it is missing, not zero
    np.testing.assert_array_equal(counts_of(panel, "Camden", "robbery"), [4, 4, nan, 7])
    np.testing.assert_array_equal(counts_of(panel, "Unknown", "robbery"), [1, 1, nan, 1])
    np.testing.assert_array_equal(
        counts_of(panel, "Camden", "other violence against the person"), [10, 21, nan, 30]
    )
    # A file lists only what was counted: no row is zero.
    np.testing.assert_array_equal(
        counts_of(panel, "Unknown", "violence with injury"), [0, 0, nan, 0]
    )
    assert "fraud and forgery" not in panel.offences
    assert panel.notes == (
        "Left out, as none of the eleven offences: 5 recorded offences (fraud and forgery 5). "
        "Load with detail='minor' to see them.",
        "Categories without a mapping to the eleven offences keep their own names: cyber crime 6.",
    )
    assert panel.series["group"].unique().tolist() == ["Central North", "Not allocated"]
    snapshot = panel.snapshot
    assert snapshot.retrieved == "vintage 2020-05"
    assert snapshot.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "London Datastore" in snapshot.source
    assert "recent.csv" in snapshot.source
    assert str(tmp_path) not in snapshot.source
    assert "Open Government Licence v3.0" in str(snapshot.licence)


def test_minor_detail_is_the_publishers_own(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", f"{ROBBERY},Camden,3,4,5", "NFIB FRAUD,NFIB,Camden,1,1,1")
    panel = load(path, detail="minor")
    assert panel.offences == ["robbery: robbery of personal property", "nfib fraud: nfib"]
    assert panel.notes == ()


@pytest.mark.parametrize(
    "header",
    [
        "MajorText,MinorText,LookUp_BoroughName",
        "majortext,MINORTEXT,lookup boroughname",
        "Borough Name,Major_Text,Minor Text",
    ],
)
def test_headers_are_known_in_any_case_and_order(tmp_path: Path, header: str) -> None:
    place = header.replace(" ", "").replace("_", "").casefold().split(",")
    cells = ["Camden" if "borough" in h else "ROBBERY" for h in place]
    path = write(tmp_path, "a.csv", f"{','.join(cells)},3", header=f"{header},2020-01\n")
    assert counts_of(load(path), "Camden", "robbery") == [3]


def test_old_violence_is_never_violence_with_injury(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "old.csv",
        "Camden,Violence Against the Person,Assault with Injury,5",
        "Camden,Violence Against the Person,Harassment,6",
        "Camden,Theft and Handling,Theft From Shops,7",
        "Camden,Theft and Handling,Theft From M/V,8",
        "Camden,Theft and Handling,Handling Stolen Goods,9",
        header="Borough,Major Category,Minor Category,201801\n",
    )
    panel = load(path)
    assert panel.offences == ["violence (old classes)", "theft", "vehicle offences"]
    assert panel.values.ravel().tolist() == [11, 7, 8]
    assert any("do not compare it with violence" in note for note in panel.notes)
    assert any("handling stolen goods 9" in note for note in panel.notes)


def test_an_empty_cell_is_missing_and_so_is_its_sum(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", f"{ROBBERY},Camden,,4,5", "ROBBERY,BUSINESS,Camden,1,2,3")
    np.testing.assert_array_equal(
        counts_of(load(path), "Camden", "robbery"), [np.nan, 6, np.nan, 8]
    )


VINTAGES = [
    ("vintage_2019-01/MPS_Borough_Level_Crime_Historic.csv", "v2019-01_hist", False),
    (
        "vintage_2019-01/MPS Borough Level Crime (most recent 24 months).csv",
        "v2019-01_recent",
        True,
    ),
    (
        "vintage_2020-06/MPS Borough Level Crime (most recent 24 months).csv",
        "v2020-06_recent",
        True,
    ),
    ("vintage_2021-10/BoroughLevelCrime.csv", "v2021-10_hist", True),
    ("vintage_2023-08/MPS Borough Level Crime (Historical).csv", "v2023-08_hist", False),
    (
        "vintage_2023-08/MPS Borough Level Crime (most recent 24 months).csv",
        "v2023-08_recent",
        True,
    ),
    ("vintage_2024-11/MPS Borough Level Crime (Historical).csv", "v2024-11_hist", False),
    (
        "vintage_2024-11/MPS Borough Level Crime (most recent 24 months).csv",
        "v2024-11_recent",
        True,
    ),
]


@pytest.mark.parametrize(("file", "vintage", "dated"), VINTAGES)
def test_every_vintage_adds_up_to_the_published_totals(
    shared: Path, file: str, vintage: str, dated: bool
) -> None:
    folder = shared / "data" / "mps_borough"
    totals = pd.read_csv(folder / "tidy" / "london_totals_by_vintage.csv")
    published = totals[totals["vintage"] == vintage].set_index(["major", "month"])["count"]
    panel = load(folder / "raw" / file).total()
    months = [str(p) for p in panel.periods]
    for major, offences in {
        "ROBBERY": ["robbery"],
        "VIOLENCE AGAINST THE PERSON": [o for o in panel.offences if "violence" in o],
    }.items():
        ours = panel.select(offence=offences).values.sum(axis=0)
        np.testing.assert_array_equal(ours, published[major].loc[months])
        assert len(published[major]) == len(months)
    # The vintage is the month after the last one held, which a historical file does not tell.
    told = f"vintage {vintage[1:8]}" if dated else None
    assert panel.snapshot.retrieved == told
    expected = 8 if "2019-01" in vintage else 11
    assert len(panel.offences) == expected


def test_the_folder_of_2024_is_the_shipped_panel(shared: Path, london: Panel) -> None:
    start = time.process_time()
    panel = load(shared / "data" / "mps_borough" / "raw" / "vintage_2024-11")
    assert time.process_time() - start < 2
    assert set(panel.offences) == set(london.offences)
    assert len(panel.areas) == 34
    by_unit = panel.to_frame().groupby(["offence", "group", "period"])["count"].sum()
    shipped = london.to_frame().set_index(["offence", "area", "period"])["count"]
    assert len(by_unit) == len(shipped)
    np.testing.assert_array_equal(by_unit.loc[shipped.index], shipped)
    # Fraud 71,359, miscellaneous 152,252, NFIB 17: 223,628 in all.
    assert any("223,628 recorded offences" in note for note in panel.notes)


@pytest.mark.parametrize(
    ("vintage", "tidy"),
    [
        ("vintage_2024-11", "mps_borough_monthly_2010-04_2024-10.csv.gz"),
        ("vintage_2019-01", "mps_borough_monthly_oldclass_2008-01_2018-12.csv.gz"),
    ],
)
def test_boroughs_agree_with_the_tidy_file(shared: Path, vintage: str, tidy: str) -> None:
    folder = shared / "data" / "mps_borough"
    theirs = pd.read_csv(folder / "tidy" / tidy)
    theirs["offence"] = (theirs["major"] + ": " + theirs["minor"]).str.lower()
    theirs["month"] = pd.PeriodIndex(theirs["month"], freq="M")
    published = theirs.set_index(["borough", "offence", "month"])["count"]
    ours = load(folder / "raw" / vintage, detail="minor").to_frame()
    counted = ours.set_index(["area", "offence", "period"])["count"]
    np.testing.assert_array_equal(counted.loc[published.index], published)
    # What the tidy file does not list is zero, or missing where the category did not exist.
    assert counted.sum() == published.sum()


def test_airports_are_zero_before_they_had_rows(shared: Path) -> None:
    panel = load(shared / "data" / "mps_borough" / "raw" / "vintage_2019-01")
    assert any(
        "no row for the area London Heathrow and London City Airports: counted as zero" in note
        for note in panel.notes
    )
    assert not np.isnan(panel.total().values).any()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([f"{ROBBERY},Camden,3,x,5"], "numbers: 'x' in line 2, column 202002"),
        ([f"{ROBBERY},Camden,3,4,-5"], "not be negative: '-5' in line 2, column 202004"),
        ([f"{ROBBERY},Camden,3.5,4,5"], "be whole: '3.5' in line 2, column 202001"),
        ([f"{ROBBERY},Camden,3,4"], "must have 6 values in every row.*: line 2 has 5"),
        (
            [f"{ROBBERY},Camden,3,4,5", "Robbery,Robbery of  personal property,CAMDEN,3,4,5"],
            "one row per borough and category: 1 row repeats .*in lines 2 and 3",
        ),
        ([f"{ROBBERY},,3,4,5"], "fill the column 'BoroughName' in every row: .*empty in line 2"),
        ([], "has only its line of headers"),
        (["NFIB FRAUD,NFIB,Camden,1,1,1"], "at least one of the eleven offences: found only nfib"),
    ],
)
def test_published_files_must_be_sound(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        load(write(tmp_path, "a.csv", *lines))
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("hue,shape,202001", "found the headers 'hue', 'shape' and columns of periods"),
        (
            "city,crime,total",
            "found the headers 'city', 'crime', 'total' and no column of a period",
        ),
        ("MajorText,BoroughName,202001", "Nearest is C, without 'MinorText'"),
        ("MajorText,MinorText,BoroughName,Total,202001", "Nearest is C, with 'Total' as well"),
        ("a,b,c", r"Known layouts are tidy \(area, offence, period, count\); wide .*; C \(Borough"),
        ("area,offence,count", "the columns area, offence, period, count: period not found"),
        ("area,offence,period,count,rate", "and perhaps group: rate found as well"),
        ("offence,area,201813", "dates or months: found '201813'"),
        ("offence,area,2018-01,201801", "one column a period: 201801 repeat"),
    ],
)
def test_unknown_layouts_are_refused(tmp_path: Path, header: str, said: str) -> None:
    width = header.count(",") + 1
    path = write(tmp_path, "a.csv", ",".join(["1"] * width), header=f"{header}\n")
    with pytest.raises(DataError, match=f"a.csv.*{said}"):
        load(path)


def test_a_count_beside_other_counts_is_not_taken_for_all_of_it(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "2020-01,5,2,3", header="month,total,robbery,theft\n")
    said = "'total' stands beside 'robbery', 'theft'. Say which is meant with columns={'count': 't"
    with pytest.raises(DataError, match=said):
        load(path)
    assert load(path, columns={"count": "total"}).values.tolist() == [[5]]
    both = load(path, columns={"count": ["robbery", "theft"]})
    assert both.offences == ["robbery", "theft"]
    assert both.values.ravel().tolist() == [2, 3]


def test_a_list_of_incidents_is_sent_to_its_reader(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "2020-01-03,Leeds,robbery", header="date,city,crime_type\n")
    with pytest.raises(DataError, match="found 'date', 'crime_type' and none .*forecast.count"):
        load(path)
    from forecast import count  # the call that the message names exists

    assert callable(count)


@pytest.mark.parametrize("extra", ["Total", "Count", "hour", "Measure", "Area Type"])
def test_a_column_that_no_one_reads_stops_a_published_file(tmp_path: Path, extra: str) -> None:
    header = f"MajorText,MinorText,BoroughName,{extra},202001\n"
    path = write(tmp_path, "a.csv", f"{ROBBERY},Camden,1,3", header=header)
    with pytest.raises(DataError, match=f"Nearest is C, with '{extra}' as well"):
        load(path)


def test_wards_are_known_by_their_boroughs(tmp_path: Path) -> None:
    lines = [f"{ROBBERY},Abbey,Merton,1", f"{ROBBERY},Abbey,Camden,2", f"{INJURY},Hale,Camden,4"]
    lines += [f"{INJURY},Abbey,Camden,5"]
    path = write(tmp_path, "a.csv", *lines, header="Haupt,Unter,Quartier,Bezirk,202001\n")
    panel = load(path)
    assert panel.areas == ["Abbey, Merton", "Abbey, Camden", "Hale, Camden"]
    assert counts_of(panel, "Abbey, Camden", "robbery") == [2]
    assert panel.total(by="group").areas == ["Merton", "Camden"]


def test_small_areas_of_another_census_are_known(tmp_path: Path) -> None:
    header = "LSOA Code 2021,LSOA Name 2021,Major Category,Minor Category,202401\n"
    path = write(tmp_path, "a.csv", f"E01000001,Camden 028B,{ROBBERY},3", header=header)
    panel = load(path)
    assert panel.series.loc[0].tolist() == ["E01000001", "robbery", "Camden"]
