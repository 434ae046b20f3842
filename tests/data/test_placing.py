"""Areas: one name, one place."""

from __future__ import annotations

import pytest

from forecast.data.csvtables import read_table
from forecast.data.placing import Places, place_rows
from forecast.data.roles import assign_roles
from forecast.errors import DataError


def places(text: str, *, units: bool = False) -> Places:
    table = read_table(text.encode(), "counts_london.csv" if "month" in text else "a.csv")
    return place_rows(table, assign_roles(table.headers, "a.csv"), units=units)


def test_names_that_repeat_carry_their_group_and_all_of_them_do() -> None:
    found = places("ward,borough\nAbbey,Merton\nAbbey,Barking and Dagenham\nHale,Barnet\n")
    assert found.areas == ["Abbey, Merton", "Abbey, Barking and Dagenham", "Hale, Barnet"]
    assert found.groups == dict(
        zip(found.areas, ["Merton", "Barking and Dagenham", "Barnet"], strict=True)
    )


def test_names_that_do_not_repeat_stay_plain() -> None:
    found = places("ward,borough\nAbbey,Merton\nHale,Barnet\n")
    assert found.areas == ["Abbey", "Hale"]
    assert found.groups == {"Abbey": "Merton", "Hale": "Barnet"}


def test_londons_boroughs_get_their_unit() -> None:
    assert places("borough\nCamden\nBrent\n").groups == {
        "Camden": "Central North",
        "Brent": "North West",
    }
    assert places("borough\nCamden\nLeeds\n").groups is None
    assert places("borough\nCamden\nLeeds\n", units=True).groups == {
        "Camden": "Central North",
        "Leeds": "Not allocated",
    }


def test_small_areas_get_the_borough_of_their_name() -> None:
    found = places("lsoa_code,lsoa_name\nE01000001,Camden 028B\nE01000002,City of London 001A\n")
    assert found.areas == ["E01000001", "E01000002"]
    assert found.groups == {"E01000001": "Camden", "E01000002": "City of London"}


def test_no_column_of_areas_is_one_area() -> None:
    assert places("n\n1\n2\n").areas == ["all areas", "all areas"]
    found = places("month\n2020-01\n")
    assert found.areas == ["London"]  # the file's name says so
    assert found.notes == (
        "counts_london.csv has no column of areas: counted as one area, 'London'.",
    )


def test_rows_must_have_an_area_and_a_group() -> None:
    with pytest.raises(
        DataError, match="fill the column 'ward' in every row: it is empty in line 3"
    ):
        places("ward,borough\nAbbey,Merton\n,Merton\n")
    with pytest.raises(DataError, match="fill the column 'borough' in every row.*line 2"):
        places("ward,borough\nAbbey,\nHale,Barnet\n")
