"""Files with a column a period: borough, ward, LSOA, and headers that nobody has seen before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.breaks import LONDON_BREAKS, find_crossed
from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.data.wide_layouts import name_by_file
from forecast.errors import DataError


def write(folder: Path, header: str, *lines: str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


def cells(panel: Panel) -> dict[tuple[str, str], list[float]]:
    keys = zip(panel.series["area"], panel.series["offence"], strict=True)
    return dict(zip(keys, panel.values.tolist(), strict=True))


# --- recognised by their shape --------------------------------------------------------------

ROWS = (
    "ROBBERY,ROBBERY OF PERSONAL PROPERTY,Camden,3,4",
    "ROBBERY,ROBBERY OF BUSINESS PROPERTY,Camden,1,0",
    "THEFT,BICYCLE THEFT,Brent,5,6",
    "THEFT,SHOPLIFTING,Unknown,7,8",
)


@pytest.mark.parametrize(
    "header",
    [
        "MajorText,MinorText,BoroughName,202001,202002",
        "Offence Group,Offence Subgroup,Borough,202001,202002",
        "Crime Type,Crime Subtype,Area name,202001,202002",
        "Haupt,Unter,Bezirk,202001,202002",  # nothing but the contents tells
        "Family,MinorText,Patch,202001,202002",
    ],
)
def test_headers_not_seen_before_are_known_by_their_contents(tmp_path: Path, header: str) -> None:
    panel = load(write(tmp_path, header, *ROWS))
    assert cells(panel) == {
        ("Camden", "robbery"): [4, 4],
        ("Brent", "robbery"): [0, 0],
        ("Unknown", "robbery"): [0, 0],
        ("Camden", "theft"): [0, 0],
        ("Brent", "theft"): [5, 6],
        ("Unknown", "theft"): [7, 8],
    }
    assert "London Datastore" in panel.snapshot.source
    assert panel.series["group"].unique().tolist() == [
        "Central North",
        "North West",
        "Not allocated",
    ]


def test_columns_may_come_in_any_order_with_a_code_and_a_third_category(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "Ort,Kennung,Fein,Unter,Haupt,202001",
        "Camden,E09000007,Knife,ROBBERY OF PERSONAL PROPERTY,ROBBERY,3",
        "Camden,E09000007,No knife,ROBBERY OF PERSONAL PROPERTY,ROBBERY,4",
        "Camden,E09000007,Shop,SHOPLIFTING,THEFT,5",
        "Brent,E09000005,Shop,SHOPLIFTING,THEFT,6",
    )
    panel = load(path)
    assert cells(panel)["Camden", "robbery"] == [7]  # finer categories are added up
    assert cells(panel)["Brent", "theft"] == [6]


def test_the_old_classification_is_known_under_new_headers(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "Group,Subgroup,Place,201801",
        "Violence Against the Person,Harassment,Camden,5",
        "Theft and Handling,Theft From Shops,Camden,7",
        "Theft and Handling,Theft From Shops,Brent,1",
    )
    assert load(path).offences == ["violence (old classes)", "theft"]


def test_columns_settle_what_contents_do_not_tell(tmp_path: Path) -> None:
    path = write(tmp_path, "hue,shape,202001", "red,round,3", "blue,round,4")
    with pytest.raises(DataError, match="say which is which with columns={'area': ..., 'offence'"):
        load(path)
    panel = load(path, columns={"area": "hue", "offence": "Shape"})
    assert cells(panel) == {("red", "round"): [3], ("blue", "round"): [4]}
    both = load(path, columns={"area": "shape", "offence": ["hue", "shape"]})
    assert both.offences == ["red: round", "blue: round"]


def test_a_wide_file_of_one_area_or_one_offence(tmp_path: Path) -> None:
    path = write(tmp_path, "offence,2020-01", "robbery,3")
    panel = load(path)
    assert cells(panel) == {("all areas", "robbery"): [3]}
    assert panel.notes == ("a.csv has no column of areas: counted as one area, 'all areas'.",)
    path = write(tmp_path, "city,2020-01", "Leeds,3", name="knife_crime_by_city.csv")
    assert cells(load(path)) == {("Leeds", "knife crime"): [3]}


def test_categories_of_an_unknown_publisher_keep_their_names(tmp_path: Path) -> None:
    path = write(tmp_path, "Major,Minor,City,202001", "Fire,Arson,Leeds,3", "Fire,Other,Leeds,4")
    panel = load(path)
    assert panel.offences == ["Fire: Arson", "Fire: Other"]
    assert panel.snapshot.licence is None


def test_rows_that_an_unused_column_may_tell_apart_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "city,crime,sex,202001", "Leeds,x,f,3", "Leeds,x,m,4")
    with pytest.raises(DataError, match="with 'sex' as well|found the headers .*'sex'"):
        load(path)
    with pytest.raises(DataError, match="not used may tell them apart: 'sex'.*columns={'offence'"):
        load(path, columns={"area": "city", "offence": "crime"})
    panel = load(path, columns={"offence": ["crime", "sex"]})
    assert panel.offences == ["x: f", "x: m"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("met_burglary_monthly_by_borough_2010-12_2024-10.csv.gz", "met burglary"),
        ("chicago_weekly_all_crime_by_district_2001_2026.csv.gz", "chicago all crime"),
        ("archive.zip > 2020_01.csv", "archive.zip >"),
        ("2020-01.csv", "all offences"),
    ],
)
def test_a_file_names_its_offence(name: str, said: str) -> None:
    assert name_by_file(name) == said


# --- the publisher's files ------------------------------------------------------------------


@pytest.mark.slow
def test_boroughs_are_the_sum_of_their_wards(shared: Path) -> None:
    folder = shared / "data"
    wards = load(folder / "mps_ward/recorded-crime-ward-historical_2010-04_2024-02_wide.parquet")
    file = "mps_borough/raw/vintage_2024-11/MPS Borough Level Crime (Historical).csv"
    boroughs = load(folder / file)
    assert len(wards.areas) == 680  # 679 codes, Heathrow Villages under two names of a borough
    of = wards.select(offence="robbery").total(by="group").to_frame()
    summed = of.set_index(["area", "period"])["count"]
    robbery = boroughs.select(offence="robbery").to_frame().set_index(["area", "period"])["count"]
    shared_rows = robbery.index.intersection(summed.index)
    gap = (robbery.loc[shared_rows] - summed.loc[shared_rows]).abs()
    assert len(gap) == 32 * 151
    assert (gap == 0).mean() > 0.99
    assert gap.max() <= 3
    # What has no area is kept: the boroughs alone fall short of London, year by year.
    years = robbery.index.get_level_values("period").year
    unknown = (
        robbery[robbery.index.get_level_values("area") == "Unknown"]
        .groupby(years[robbery.index.get_level_values("area") == "Unknown"])
        .sum()
    )
    short = unknown / robbery.groupby(years).sum()
    assert 0.015 < short.min() < 0.016
    assert 0.045 < short.max() < 0.0461
    # Stalking and harassment belong to violence without injury, deaths by driving to that with.
    for offence in ("violence with injury", "other violence against the person"):
        mine = wards.select(offence=offence).total(by="group").to_frame()
        ours = mine.set_index(["area", "period"])["count"].loc[shared_rows]
        theirs = boroughs.select(offence=offence).to_frame().set_index(["area", "period"])["count"]
        apart = (theirs.loc[shared_rows] - ours).abs()
        assert (apart == 0).mean() > 0.89
        assert apart.max() <= 6


def test_ward_names_that_repeat_are_told_apart_by_their_borough(shared: Path) -> None:
    file = "mps_ward/MPS Ward Level Crime (most recent 24 months) vintage_2022-09.csv.gz"
    path = shared / "data" / file
    raw = pd.read_csv(path)
    panel = load(path)
    assert len(panel.areas) == raw["WardCode"].nunique() == 632
    assert {"Abbey, Barking and Dagenham", "Abbey, Merton"} <= set(panel.areas)
    robbery = raw[raw["MajorText"] == "Robbery"].groupby("WardCode")["202010"].sum()
    code = (
        raw.set_index("WardCode")["WardName"]
        + ", "
        + raw.set_index("WardCode")["LookUp_BoroughName"]
    )
    names = code[~code.index.duplicated()]
    one = panel.select(offence="robbery")
    ours = dict(zip(one.series["area"], one.values[:, one.periods.get_loc("2020-10")], strict=True))
    assert {names[c]: float(n) for c, n in robbery.items()} == {
        names[c]: ours[names[c]] for c in robbery.index
    }


def test_wards_of_other_boundaries_do_not_join(shared: Path, tmp_path: Path) -> None:
    header = "MajorText,MinorText,WardName,WardCode,LookUp_BoroughName,{}"
    rows = [f"ROBBERY,PERSONAL,{{}} {i},E0500000{i},Camden,1" for i in range(5)]
    write(tmp_path, header.format("202001"), *(r.format("Old") for r in rows), name="a.csv")
    write(tmp_path, header.format("202002"), *(r.format("New") for r in rows), name="b.csv")
    with pytest.raises(DataError, match="same ward boundaries: 5 areas are in a.csv only .Old 0"):
        load(tmp_path)
    write(tmp_path, header.format("202002"), *(r.format("Old") for r in rows), name="b.csv")
    assert load(tmp_path).values.sum() == 10


def test_small_areas_go_by_code_and_borough(shared: Path) -> None:
    path = shared / "data" / "mps_lsoa" / "MPS_LSOA_Level_Crime_2024-02_2024-10.csv.gz"
    raw = pd.read_csv(path)
    panel = load(path)
    assert panel.areas == raw["lsoa_code"].drop_duplicates().tolist()
    group = panel.series.drop_duplicates("area").set_index("area")["group"]
    theirs = raw.drop_duplicates("lsoa_code").set_index("lsoa_code")["borough"]
    pd.testing.assert_series_equal(group, theirs, check_names=False, check_dtype=False)
    assert panel.breaks == LONDON_BREAKS
    assert len(find_crossed(panel)) == 1
    assert not np.isnan(panel.values).any()
