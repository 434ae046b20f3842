"""Every file that a publisher gave us loads with one call, with its own totals to the unit.

The totals are taken from the raw files by pandas and DuckDB, each file in its own way, without
anything of the package.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.errors import DataError


def by_period(panel: Panel) -> pd.Series:
    """The sum over everything in each period, missing counts left out."""
    return pd.Series(np.nansum(panel.values, axis=0), index=panel.periods)


def agree(panel: Panel, theirs: pd.Series, freq: str) -> None:
    """Sums of every period, by the publisher's own file."""
    expected = theirs.copy()
    expected.index = pd.PeriodIndex(expected.index.astype(str), freq=freq)
    expected = expected.groupby(level=0).sum().sort_index()
    ours = by_period(panel)
    pd.testing.assert_series_equal(
        ours[ours.index.isin(expected.index)], expected, check_names=False, check_dtype=False
    )
    assert ours.sum() == expected.sum()


def wide_sums(frame: pd.DataFrame) -> pd.Series:
    months = [c for c in frame.columns if c.isdigit()]
    sums = frame[months].sum()
    sums.index = [f"{m[:4]}-{m[4:]}" for m in months]
    return sums


WIDE_FILES = [
    "mps_borough/raw/vintage_2019-01/MPS_Borough_Level_Crime_Historic.csv",
    "mps_borough/raw/vintage_2019-01/MPS Borough Level Crime (most recent 24 months).csv",
    "mps_borough/raw/vintage_2020-06/MPS Borough Level Crime (most recent 24 months).csv",
    "mps_borough/raw/vintage_2021-10/BoroughLevelCrime.csv",
    "mps_borough/raw/vintage_2023-08/MPS Borough Level Crime (Historical).csv",
    "mps_borough/raw/vintage_2023-08/MPS Borough Level Crime (most recent 24 months).csv",
    "mps_borough/raw/vintage_2024-11/MPS Borough Level Crime (Historical).csv",
    "mps_borough/raw/vintage_2024-11/MPS Borough Level Crime (most recent 24 months).csv",
    "mps_ward/MPS Ward Level Crime (most recent 24 months) vintage_2022-09.csv.gz",
    "mps_lsoa/MPS_LSOA_Level_Crime_2024-02_2024-10.csv.gz",
]


@pytest.mark.parametrize("file", WIDE_FILES)
def test_files_with_a_column_a_month(shared: Path, file: str) -> None:
    path = shared / "data" / file
    panel = load(path, detail="minor")
    agree(panel, wide_sums(pd.read_csv(path)), "M")
    assert panel.snapshot.licence is not None
    assert "group" in panel.series


LONG_FILES: list[tuple[str, str, str, str]] = [
    ("mps_borough/tidy/mps_borough_monthly_2010-04_2024-10.csv.gz", "month", "count", "M"),
    ("mps_borough/tidy/mps_borough_monthly_oldclass_2008-01_2018-12.csv.gz", "month", "count", "M"),
    ("mps_other/knife_crime_monthly_by_borough_2022-03_2024-10.csv.gz", "month", "count", "M"),
    ("mps_other/london_homicides_daily_by_borough_2006_2011.csv", "date", "count", "D"),
    ("police_uk_street/force_month_crime_type_counts.csv", "month", "count", "M"),
    (
        "police_uk_street/met_burglary_monthly_by_borough_2010-12_2024-10.csv.gz",
        "month",
        "count",
        "M",
    ),
    ("us_daily/five_us_cities_daily_2010_2019.csv.gz", "date", "count", "D"),
    ("us_daily/five_us_cities_stadium_areas_daily_2010_2019.csv.gz", "date", "count", "D"),
    (
        "us_daily/chicago_aggravated_assault_daily_by_district_2010_2019.csv.gz",
        "date",
        "count",
        "D",
    ),
    ("us_daily/toronto_mci_daily_by_premises_2014_2021.csv.gz", "date", "count", "D"),
    ("us_daily/toronto_mci_monthly_by_neighbourhood_2014_2021.csv.gz", "month", "count", "M"),
    ("us_weekly/us_cities_weekly_2016_2020.csv.gz", "week_beginning", "count", "W-SUN"),
    ("us_weekly/ashby_published_forecasts_2020.csv.gz", "week_beginning", "actual_crimes", "W-SUN"),
    ("us_weekly/chicago_weekly_by_type_2001_2026.csv.gz", "week", "count", "W-SUN"),
    ("us_weekly/chicago_weekly_all_crime_by_district_2001_2026.csv.gz", "week", "count", "W-SUN"),
]
HEAVY = "mps_borough_monthly|five_us_cities_stadium|toronto_mci_daily|chicago_aggravated"


@pytest.mark.parametrize(
    ("file", "period", "count", "freq"),
    [
        pytest.param(*row, marks=pytest.mark.slow)
        if pd.Series(row[0]).str.contains(HEAVY)[0]
        else row
        for row in LONG_FILES
    ],
)
def test_files_with_a_row_a_count(
    shared: Path, file: str, period: str, count: str, freq: str
) -> None:
    path = shared / "data" / file
    raw = pd.read_csv(path)
    panel = load(path, detail="minor")
    assert panel.freq == freq
    agree(panel, raw.groupby(period)[count].sum(), freq)


def test_the_hourly_profile_is_added_up_over_hours_and_weekdays(shared: Path) -> None:
    path = shared / "data/us_daily/chicago_aggravated_assault_hourly_profile_2010_2019.csv.gz"
    raw = pd.read_csv(path)
    panel = load(path)
    month = raw["year"].astype(str) + "-" + raw["month"].astype(str).str.zfill(2)
    agree(panel, raw["count"].groupby(month).sum(), "M")
    assert any("Added up over the columns" in note and "'hour'" in note for note in panel.notes)


@pytest.mark.parametrize(
    "file",
    [
        "mps_borough/tidy/london_monthly_by_major_2010-04_2024-10.csv",
        "mps_borough/tidy/london_monthly_by_major_oldclass_2008-01_2018-12.csv",
        "uk_controls/northern_ireland_psni_monthly.csv",
        "uk_controls/merseyside_monthly_2020-01_2024-10.csv",
        "uk_controls/merseyside_lsoa_monthly_2020-01_2024-10.csv.gz",
    ],
)
def test_files_with_a_column_an_offence(shared: Path, file: str) -> None:
    path = shared / "data" / file
    raw = pd.read_csv(path)
    values = raw.drop(columns=[c for c in ("month", "lsoa11") if c in raw])
    # detail="minor" is the publisher's own, totals and all.
    agree(load(path, detail="minor"), values.sum(axis=1).groupby(raw["month"]).sum(), "M")


def test_totals_beside_their_parts_are_not_counted_twice(shared: Path) -> None:
    folder = shared / "data" / "uk_controls"
    raw = pd.read_csv(folder / "merseyside_monthly_2020-01_2024-10.csv", index_col="month")
    panel = load(folder / "merseyside_monthly_2020-01_2024-10.csv")
    agree(panel, raw.drop(columns="serious_acquisitive_crime").sum(axis=1), "M")
    lsoa = load(folder / "merseyside_lsoa_monthly_2020-01_2024-10.csv.gz")
    assert len(lsoa.areas) == 923
    assert lsoa.values.sum() == panel.values.sum()
    assert any("'sac' (67,318, of 'burglary', 'robbery', 'vehicle_crime')" in n for n in lsoa.notes)
    psni = pd.read_csv(folder / "northern_ireland_psni_monthly.csv", index_col="month")
    ours = load(folder / "northern_ireland_psni_monthly.csv")
    classes = psni.drop(columns=["Total police recorded crime"])
    agree(ours, classes.drop(columns="Miscellaneous crimes against society").sum(axis=1), "M")
    robbery = ours.select(offence="robbery")
    assert robbery.values.sum() == psni["Robbery"].sum()
    assert any("'Total police recorded crime' (620,197" in note for note in ours.notes)


def test_of_several_vintages_the_newest_is_kept(shared: Path) -> None:
    path = shared / "data/mps_borough/tidy/london_totals_by_vintage.csv"
    raw = pd.read_csv(path).sort_values("vintage").drop_duplicates(["major", "month"], keep="last")
    panel = load(path)
    agree(panel, raw.groupby("month")["count"].sum(), "M")
    # 2008-01 is known from the old classes only: from 2010-04 on the figures are of another kind.
    assert [str(b.period) for b in panel.breaks] == ["2010-04", "2022-11"]


@pytest.mark.slow
def test_the_parquet_of_wards_loads_in_seconds(shared: Path) -> None:
    path = shared / "data/mps_ward/recorded-crime-ward-historical_2010-04_2024-02_wide.parquet"
    raw = duckdb.read_parquet(str(path)).df()
    panel = load(path, detail="minor")
    agree(panel, wide_sums(raw), "M")
    assert panel.periods[0] == pd.Period("2010-04", "M")


STREET = "police_uk_street/raw"


@pytest.mark.parametrize(
    "file",
    [
        "2018-07-west-yorkshire-street.csv.gz",
        "2019-10-merseyside-street.csv.gz",
        "2019-10-metropolitan-street_BURGLARY-ONLY.csv.gz",
        "2020-10-metropolitan-street_BURGLARY-ONLY.csv.gz",
        *(f"2020-{month:02d}-city-of-london-street.csv" for month in range(1, 13)),
    ],
)
def test_street_files_count_their_rows(shared: Path, file: str) -> None:
    path = shared / "data" / STREET / file
    raw = pd.read_csv(path)
    panel = load(path, detail="minor")
    agree(panel, raw.groupby("Month").size(), "M")
    types = panel.to_frame().groupby("offence")["count"].sum()
    theirs = raw["Crime type"].str.lower().value_counts()
    assert types[types > 0].to_dict() == theirs.to_dict()


REFUSED: list[tuple[str, str]] = [
    ("mps_other/vawg_recording_lag_2014-01_2024-10.csv", "Read it with forecast.data.delays.read_"),
    (
        "known_answers/uk_seatbelts_1969_1984.csv",
        "'PetrolPrice' .'0.102971811805368' in line 2.*"
        "columns={'count': .'DriversKilled', 'drivers', 'front'.}",
    ),
    ("known_answers/castle_doctrine_states_2000_2010.csv", "no column of a period"),
    ("covariates/weather_london_daily_2008_2020.csv.gz", "'tmax_c' .*are covariates"),
    (
        "covariates/bank_holidays_england_2008_2027.csv",
        "'name' ..New Year's Day. in line 2. is not",
    ),
    ("covariates/sun_london_2008_2026.csv.gz", "'sunrise_local' .*are covariates"),
    ("covariates/borough_population.csv", "must have a known layout.*no column of a period"),
    ("covariates/oxcgrt_stringency_gbr_2020-01-01_2021-02-26.csv", "'5.56' in line 21"),
    (
        "covariates/google_mobility_london_boroughs_2020-02-15_2021-01-17.csv.gz",
        "'retail_and_recreation' .'-5.0' in line 2",
    ),
    ("reference/asb_and_call_facts.csv", "must have a known layout"),
    ("reference/unit_costs_home_office_2018.csv", "must have a known layout"),
    ("reference/campaigns_autumn_nights.csv", "must have a known layout"),
]


@pytest.mark.parametrize(("file", "said"), REFUSED)
def test_what_is_no_count_of_offences_is_refused_with_what_to_do(
    shared: Path, file: str, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        load(shared / "data" / file)


def test_columns_that_are_counts_can_be_chosen(shared: Path) -> None:
    path = shared / "data/known_answers/uk_seatbelts_1969_1984.csv"
    panel = load(path, columns={"count": ["drivers", "front", "rear"]}, measure="casualties")
    raw = pd.read_csv(path)
    assert panel.offences == ["drivers", "front", "rear"]
    np.testing.assert_array_equal(panel.values, raw[["drivers", "front", "rear"]].to_numpy().T)
    assert any(
        "'DriversKilled', 'kms', 'PetrolPrice', 'VanKilled', 'law'" in n for n in panel.notes
    )


def test_parquet_without_tidy_columns_is_read_by_shape(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    duckdb.sql(
        "SELECT 'Camden' borough, 'x' category, DATE '2020-10-19' \"week beginning\", 3 n "
        "UNION ALL SELECT 'Camden', 'x', DATE '2020-10-26', NULL"
    ).write_parquet(str(path))
    panel = load(path)
    assert panel.freq == "W-SUN"
    np.testing.assert_array_equal(panel.values, [[3, np.nan]])
    assert panel.series["group"].tolist() == ["Central North"]


def test_a_table_of_ones_own_renames_offences(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("major,minor,classification,offence\nAssault,,,violence\nFight,*,,violence\n")
    tidy = tmp_path / "tidy.csv"
    tidy.write_text(
        "area,offence,period,count\nA,assault,2020-01,1\nA,FIGHT,2020-01,2\nA,x,2020-01,4\n"
    )
    panel = load(tidy, categories=own)
    assert dict(zip(panel.offences, panel.values[:, 0].tolist(), strict=True)) == {
        "violence": 3,
        "x": 4,
    }
    published = tmp_path / "mps.csv"
    published.write_text(
        "MajorText,MinorText,BoroughName,202001\nROBBERY,PERSONAL,Camden,3\nTHEFT,CYCLE,Camden,4\n"
    )
    own.write_text("major,minor,offence\ntheft,cycle,cycles\nrobbery,,\n")
    panel = load(published, categories=own)
    assert panel.offences == ["cycles"]
    assert any("robbery 3" in note for note in panel.notes)


def test_tables_of_ones_own_must_be_sound(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    with pytest.raises(DataError, match="categories must be a CSV file: found no file 'own.csv'"):
        load("london", categories=own)
    own.write_text("category,offence\nx,y\n")
    with pytest.raises(
        DataError, match="the columns major and offence.*found 'category', 'offence'"
    ):
        load("london", categories=own)
    own.write_text("classification,major,offence\nnow,,y\n")
    with pytest.raises(
        DataError, match="(?s)'now' in line 2.*major category in every line.*line 2"
    ):
        load("london", categories=own)


def test_gzip_and_notes_of_the_table_come_through(tmp_path: Path) -> None:
    path = tmp_path / "month_robbery_2020.csv.gz"
    path.write_bytes(gzip.compress(b"month,borough,count\n2020-01,Camden,3\n2020-02,Camden,4\n"))
    panel = load(path)
    assert panel.offences == ["month robbery"]
    assert panel.values.tolist() == [[3, 4]]


DASHBOARD = (
    "Month_Year,Area Type,Borough_SNT,Area name,Area code,Crime Type,Crime Subtype,Measure,"
    "Financial Year,FY_FYIndex,Count,Refresh Date\n"
)


def dashboard(folder: Path, *rows: tuple[str | int, ...]) -> Path:
    """A file with the headers of the monthly crime dashboard."""
    path = folder / "MonthlyCrimeDashboard.csv"
    lines = [
        f"{month},{kind},{borough},{area},E09000001,{major},{minor},{measure},fy21-22,1,{n},x\n"
        for month, kind, borough, area, major, minor, measure, n in rows
    ]
    path.write_text(DASHBOARD + "".join(lines))
    return path


def test_the_monthly_dashboard_loads_offences_by_borough(tmp_path: Path) -> None:
    robbery = ("ROBBERY", "ROBBERY OF PERSONAL PROPERTY", "Offences")
    injury = ("VIOLENCE AGAINST THE PERSON", "VIOLENCE WITH INJURY", "Offences")
    path = dashboard(
        tmp_path,
        ("01/04/2021", "Borough", "Camden", "Camden", *robbery, 5),
        ("01/04/2021", "Borough", "Camden", "Camden", *injury, 7),
        ("01/05/2021", "Borough", "Camden", "Camden", *robbery, 6),
        ("01/05/2021", "Borough", "Brent", "Brent", *injury, 2),
        ("01/05/2021", "Borough", "Camden", "Camden", *robbery[:2], "Positive Outcomes", 1),
        ("01/05/2021", "SNT", "Camden", "Kings Cross", *robbery, 4),
    )
    panel = load(path)
    assert [str(p) for p in panel.periods] == ["2021-04", "2021-05"]
    keys = zip(panel.series["area"], panel.series["offence"], strict=True)
    at = dict(zip(keys, panel.values.tolist(), strict=True))
    # Nothing counted is zero where the offence was counted anywhere that month.
    assert at == {
        ("Camden", "robbery"): [5, 6],
        ("Camden", "violence with injury"): [7, 0],
        ("Brent", "robbery"): [0, 0],
        ("Brent", "violence with injury"): [0, 2],
    }
    assert dict(zip(panel.series["area"], panel.series["group"], strict=True)) == {
        "Camden": "Central North",
        "Brent": "North West",
    }
    assert panel.snapshot.licence is not None
    assert any(
        "measure 'Offences' are counted: Positive Outcomes is left out" in n for n in panel.notes
    )
    assert any("kind of area 'Borough' are counted: SNT is left out" in n for n in panel.notes)
