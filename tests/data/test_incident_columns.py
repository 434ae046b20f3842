"""Columns are found as the mapping names them, then by their usual headers, never by chance."""

from __future__ import annotations

import pytest

from forecast.data.incident_columns import choose_date, find_columns
from forecast.data.mapping import Mapping
from forecast.errors import DataError


def named(**columns: str) -> Mapping:
    """A mapping of some columns."""
    return Mapping.build({"columns": columns})


def test_usual_headers_are_found_whatever_their_case() -> None:
    headers = ["Crime Number", "COMMITTED_FROM", "Committed To", "Offence Code", "Borough"]
    assert find_columns(Mapping(), headers, "a.csv") == {
        "from": "COMMITTED_FROM",
        "to": "Committed To",
        "offence": "Offence Code",
        "area": "Borough",
    }


def test_one_date_that_is_named_keeps_others_from_being_guessed() -> None:
    headers = ["Recorded", "Date", "Area"]
    assert find_columns(named(recorded="recorded"), headers, "a.csv") == {
        "recorded": "Recorded",
        "area": "Area",
    }


def test_incident_numbers_are_used_only_when_they_are_named() -> None:
    headers = ["incident", "date"]
    assert "incident" not in find_columns(Mapping(), headers, "a.csv")
    assert find_columns(named(incident="incident"), headers, "a.csv")["incident"] == "incident"


def test_an_area_spares_coordinates_and_boundaries_spare_the_area() -> None:
    headers = ["date", "ward", "easting", "northing"]
    assert "easting" not in find_columns(Mapping(), headers, "a.csv")
    mapping = Mapping.build({"boundaries": {"file": "a.geojson"}})
    assert set(find_columns(mapping, headers, "a.csv")) == {"date", "easting", "northing"}


def test_columns_that_are_not_there_are_named_together() -> None:
    with pytest.raises(DataError, match=r"a\.csv must have the column 'Dat' \(date") as caught:
        find_columns(named(date="Dat", offence="Kind"), ["Date", "Area"], "a.csv")
    assert "Did you mean 'Date'?" in str(caught.value)
    assert "'Kind' (offence in the mapping): it does not. It has Date, Area." in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "advice"),
    [
        (["2024-05-01", "robbery", "Camden"], "values of a row: write a line of headers above"),
        (["Crimes in May", "", ""], "'', ''. Merged cells leave headers empty: delete the lines"),
        (["offence", "area"], "Name it in the mapping, under .columns., as date, from, to or rec"),
    ],
)
def test_without_a_column_of_dates_it_is_said_what_may_be_wrong(
    headers: list[str], advice: str
) -> None:
    with pytest.raises(DataError, match=rf"a\.csv must have a column of dates: found .*{advice}"):
        find_columns(Mapping(), headers, "a.csv")


def test_the_only_date_counts_and_one_of_several_is_chosen() -> None:
    assert choose_date(Mapping(), {"recorded": "r"}, None) == "recorded"
    both = {"from": "f", "to": "t"}
    assert choose_date(Mapping(), both, "middle") == "middle"
    said = Mapping.build({"dates": {"use": "to"}})
    assert choose_date(said, both, None) == "to"
    assert choose_date(said, both, "from") == "from"
    with pytest.raises(DataError, match=r"'from' or 'to' or 'middle': found 'recorded'"):
        choose_date(Mapping(), both, "recorded")
