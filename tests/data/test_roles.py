"""Which column is what: by header, by level, and as the caller says."""

from __future__ import annotations

import pytest

from forecast.data.roles import Roles, assign_roles
from forecast.errors import DataError


def roles(headers: str, **columns: str | list[str]) -> Roles:
    return assign_roles(headers.split(","), "a.csv", columns)


def test_the_finest_place_is_the_area_and_the_next_its_group() -> None:
    found = roles("borough,count,ward,month,wardcode,category")
    assert (found.areas, found.level, found.group, found.code) == ((2,), "ward", 0, 4)
    assert (found.offences, found.period, found.counts) == ((5,), 3, (1,))
    force = roles("month,force,crime_type,count")
    assert (force.areas, force.level, force.group) == ((1,), "force", None)


def test_small_areas_go_by_their_code() -> None:
    found = roles("lsoa_name,lsoa_code,borough,month,n,category")
    assert (found.areas, found.level, found.group) == ((1,), "LSOA", 2)
    assert found.rest == ()


def test_a_code_alone_is_the_area() -> None:
    assert roles("code,month,offence,n").areas == (0,)


def test_major_and_minor_categories_are_the_offence() -> None:
    found = roles("month,borough,major,minor,count,source")
    assert (found.offences, found.categorised, found.rest) == ((2, 3), True, (5,))
    dashboard = roles("Month_Year,Area name,Crime Type,Crime Subtype,Measure,Count")
    assert (dashboard.offences, dashboard.measure) == ((2, 3), 4)


def test_a_measure_is_the_offence_where_nothing_else_is() -> None:
    assert roles("month,borough,measure,count").offences == (2,)


def test_the_plainest_word_for_a_count_wins() -> None:
    assert roles("month,offences,count").counts == (2,)
    assert roles("month,borough,offences").counts == (2,)


def test_what_the_caller_says_wins() -> None:
    found = roles("city,venue,month,actual,n", area=["city", "venue"], count="N")
    assert (found.areas, found.counts, found.level) == ((0, 1), (4,), "venue")
    assert found.rest == (3,)  # another word for a count, not used


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (
            "area,district,month,count",
            "one column that says the area: 'area', 'district' may all be it. Say which with "
            "columns={'area': '",
        ),
        ("date,month,count", "says the period: 'date', 'month' may all be it"),
        ("month,category,crime_type,n", "says the offence: 'category', 'crime_type' may all"),
        ("month,n,calls", "says the count: 'n', 'calls' may all be it"),
    ],
)
def test_ambiguity_is_refused_with_the_choices(headers: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        roles(headers)


def test_the_caller_settles_ambiguity() -> None:
    found = roles("date,month,district,area,n,calls", period="date", area="area", count="calls")
    assert (found.period, found.areas, found.counts) == (0, (3,), (5,))


def test_the_caller_must_name_what_is_there() -> None:
    said = (
        "(?s)must have the roles area, group, offence, period, count: found 'place'.*"
        "names for 'count': 'numbr' not found. Did you mean 'number'"
    )
    with pytest.raises(DataError, match=said):
        roles("month,number", place="month", count="numbr")
    with pytest.raises(DataError, match="for 'area': 'x' not found. Headers: 'month', 'number'"):
        roles("month,number", area="x")
    with pytest.raises(DataError, match="must name one column for 'period': found 'month', 'day'"):
        roles("month,day,number", period=["month", "day"])
    with pytest.raises(DataError, match="names for 'offence': nothing not found"):
        roles("month,number", offence=[])
