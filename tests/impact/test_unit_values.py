"""Prices, weights and deflators against the reference figures, with how well each is known."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import CampaignError
from forecast.impact.unit_values import (
    Kind,
    find_multiplier,
    find_value,
    list_values,
    price_years,
    say_status,
    uprate,
)


@pytest.mark.parametrize(
    ("kind", "file", "column"),
    [
        ("pounds", "unit_costs_home_office_2018.csv", "unit_cost_gbp_2015_16_prices"),
        ("days", "cambridge_chi_selected.csv", "days"),
    ],
)
def test_values_and_statuses_are_those_of_the_reference(
    shared: Path, kind: Kind, file: str, column: str
) -> None:
    reference = pd.read_csv(shared / "data" / "reference" / file)
    ours = list_values(kind)
    assert sorted(ours) == sorted(reference["offence"])
    for row in reference.to_dict("records"):
        value = ours[row["offence"]]
        assert (value.value, value.status) == (row[column], row["status"]), row["offence"]
        assert value.source
        assert value.edition


def test_what_is_not_verified_says_so() -> None:
    for kind in ("pounds", "days"):
        for value in list_values(kind).values():
            said = say_status(value.status)
            verified = value.status.startswith("verified")
            assert said == value.status if verified else "not " in said
            assert "verified" in said
    assert say_status(find_value("robbery", "days").status) == "widely quoted, not verified"


def test_only_offences_that_one_class_covers_have_a_value(london: Panel) -> None:
    priced = {o: find_value(o, "pounds").value for o in london.offences}
    assert {o: v for o, v in priced.items() if v is not None} == {
        "robbery": 11320.0,
        "violence with injury": 14050.0,
    }
    weighed = {o: find_value(o, "days").value for o in london.offences}
    assert {o: v for o, v in weighed.items() if v is not None} == {"robbery": 365.0}
    for offence in london.offences:
        for kind in ("pounds", "days"):
            value = find_value(offence, kind)
            assert (value.value is None) == bool(value.reason)


@pytest.mark.parametrize(
    ("offence", "kind", "reason"),
    [
        ("sexual offences", "pounds", "other sexual offences (6,520 pounds) and rape (39,360"),
        ("theft", "days", "shoplifting (2 days) and theft from person (20 days): thefts of"),
        ("burglary", "days", "mixture of burglary dwelling (20 days) and others: other buildings"),
        ("possession of weapons", "pounds", "possession of weapons: the report has no unit cost"),
        ("public order offences", "days", "the table has no value for them"),
        ("drivers", "pounds", "no Home Office unit cost is known for drivers"),
        ("drivers", "days", "no weight of the index is known for drivers"),
    ],
)
def test_offences_without_a_value_say_why(offence: str, kind: Kind, reason: str) -> None:
    found = find_value(offence, kind)
    assert found.value is None
    assert reason in found.reason


def test_an_offence_named_like_a_class_has_its_value() -> None:
    assert find_value("domestic burglary", "pounds").value == 5930
    assert find_value("shoplifting", "days").value == 2


def test_deflators_by_hand() -> None:
    # 2015/16: 0.75 x 75.1536 + 0.25 x 76.4554 = 75.47905; to 2024: 100 / 75.47905 = 1.324871
    assert uprate(11320, to_year=2024) == pytest.approx(11320 * 100 / 75.47905)
    # 2020 to 2022: 90.5005 / 85.2137 = 1.0620417
    assert uprate(1000, from_year=2020, to_year=2022) == pytest.approx(1062.0417, abs=1e-4)
    assert uprate(5, from_year=2021, to_year=2021) == 5
    assert price_years() == list(range(2010, 2025))


def test_a_year_without_deflator_is_refused() -> None:
    with pytest.raises(CampaignError, match=r"Price year must lie .*: found 2030\. Choose 2010 to"):
        uprate(1, to_year=2030)
    with pytest.raises(CampaignError, match=r"found 1999\."):
        uprate(1, to_year=2020, from_year=1999)


def test_multipliers_are_estimated_over_recorded() -> None:
    # 193,470 estimated over 45,000 recorded
    found = find_multiplier("robbery (individual)")
    assert found is not None
    assert found.value == pytest.approx(4.29933, abs=1e-5)
    assert say_status(found.status) == "recalled, not verified"
    assert find_multiplier("rape") is None
