"""The clock of London by SQL is that of the time zone database."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from forecast.data.incident_sql import ISO_FORMATS, SERIAL, csv_relation, local_time, moment


def test_london_time_agrees_with_the_time_zone_database() -> None:
    import duckdb

    random = np.random.default_rng(1)
    span = [int(pd.Timestamp(day).timestamp()) for day in ("1996-01-01", "2037-12-31")]
    moments = pd.to_datetime(random.integers(*span, 20_000), unit="s")
    # The half hours around every change of the clock, too.
    changes = [
        day + pd.Timedelta(minutes=m)
        for year in range(1996, 2037)
        for month in (3, 10)
        for day in [pd.date_range(f"{year}-{month}-25", f"{year}-{month}-31", freq="W-SUN")[0]]
        for m in (0, 30, 59, 60, 61, 90)
    ]
    utc = pd.DatetimeIndex([*moments, *changes])
    frame = pd.DataFrame({"utc": utc.to_numpy()})
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        found = connection.table("frame").project(f"{local_time('utc')} AS t").df()["t"]
    expected = utc.tz_localize("UTC").tz_convert("Europe/London").tz_localize(None)
    assert (found.to_numpy() == expected.to_numpy()).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-10-19", "2020-10-19 00:00"),
        (" 2020-10-19 05:00 ", "2020-10-19 05:00"),
        ("2020-10-19T05:00:01.1234567", "2020-10-19 05:00:01.123456"),
        ("2020-07-01T23:30:00Z", "2020-07-02 00:30"),
        ("2020-07-01 23:30 +0000", "2020-07-02 00:30"),
        ("2020-12-01T12:00:00-05", "2020-12-01 17:00"),
        ("2020-10-19-05", None),
        ("2020-10-19 24:00", None),
        ("2020-02-30", None),
        ("2020-10", None),
        ("19/10/2020", None),
        ("", None),
    ],
)
def test_a_text_is_read_as_a_moment_in_london_or_not_at_all(
    text: str, expected: str | None
) -> None:
    import duckdb

    given = duckdb.sql("SELECT $a AS a", params={"a": text})
    ((found,),) = given.project(moment("a", "VARCHAR", ISO_FORMATS)).fetchall()
    assert found == (dt.datetime.fromisoformat(expected) if expected else None)


def test_serial_days_are_excels() -> None:
    import duckdb

    # 44123 is 19 October 2020 in Excel; a quarter of a day is six hours.
    given = duckdb.sql("SELECT '44123.25' AS a")
    found = given.project(moment("a", "VARCHAR", (SERIAL,))).fetchall()
    assert found == [(dt.datetime(2020, 10, 19, 6),)]


def test_names_of_files_are_no_patterns() -> None:
    assert "'it''s [*].csv'" in csv_relation("it's *.csv", 1)
