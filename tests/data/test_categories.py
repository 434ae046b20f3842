"""Publishers' categories and the offences they belong to."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from forecast.data.categories import (
    find_classification,
    find_plain_classification,
    name_offence,
)
from forecast.data.panel import Panel

# How the reference table groups categories, and the offence of ours that each group lies in.
# "other" is none of the eleven. Groups of violence and weapons are offences in new files only.
GROUPS = {
    "burglary": "burglary",
    "damage_arson": "arson and criminal damage",
    "drugs": "drug offences",
    "public_order": "public order offences",
    "robbery_business": "robbery",
    "robbery_personal": "robbery",
    "sexual": "sexual offences",
    "theft_other": "theft",
    "theft_person": "theft",
    "vehicle": "vehicle offences",
    "weapons": "possession of weapons",
    "homicide": "other violence against the person",
    "violence_without_injury": "other violence against the person",
    "violence_with_injury": "violence with injury",
}


def test_mapping_agrees_with_the_reference_table(shared: Path, london: Panel) -> None:
    with (shared / "data" / "reference" / "mps_category_map.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 150
    for row in rows:
        major, minor = row["major"], row["minor"]
        kind = "old" if "vintage 2019-01" in row["classification"] else "new"
        found = name_offence(major, minor, classification=kind)
        if kind == "old" and major == "VIOLENCE AGAINST THE PERSON":
            assert found == "violence (old classes)"
        elif row["suggested_group"] == "other" or minor == "HANDLING STOLEN GOODS":
            # New files count handling among miscellaneous crimes, not among thefts.
            assert found not in london.offences
        elif minor == "M/V INTERFERENCE & TAMPERING":
            # The table puts it among thefts for 2017-2018 and among vehicles before and after.
            assert found == "vehicle offences"
        else:
            assert found == GROUPS[row["suggested_group"]]


@pytest.mark.parametrize("minor", ["Murder", "Assault with Injury", "Violence with Injury"])
def test_old_violence_is_never_violence_with_injury(minor: str) -> None:
    found = name_offence("Violence Against the Person", minor, classification="old")
    assert found == "violence (old classes)"


def test_case_and_spaces_do_not_matter() -> None:
    assert name_offence(" Violence  against the person", "HOMICIDE ", classification="new") == (
        "other violence against the person"
    )


def test_a_renamed_minor_stays_with_a_whole_major() -> None:
    assert name_offence("BURGLARY", "BURGLARY OF A HOUSEBOAT", classification="new") == "burglary"


def test_what_has_no_mapping_keeps_its_name() -> None:
    assert name_offence("CYBER CRIME", "HACKING", classification="new") == "cyber crime"
    assert name_offence("Violence Against the Person", "Stalking", classification="new") == (
        "violence against the person: stalking"
    )


def test_minor_detail_is_the_publishers_own() -> None:
    assert name_offence("Robbery", "Personal Property", classification="old", detail="minor") == (
        "robbery: personal property"
    )


def test_exclusive_categories_tell_the_classification() -> None:
    assert find_classification(["ROBBERY", "DRUGS"]) == "old"
    assert find_classification(["ROBBERY", "DRUG OFFENCES"]) == "new"
    assert find_classification(["ROBBERY", "BURGLARY"]) == ""
    assert find_classification(["HACKING"]) == ""


def test_plain_names_must_all_belong_to_one_classification() -> None:
    assert find_plain_classification(["Robbery", "Vehicle crime"]) == "police.uk"
    assert find_plain_classification(["Robbery", "Vehicle crime", "Arson"]) == ""
    assert find_plain_classification(["Robbery"]) == ""  # in all of them
    assert find_plain_classification(["Bicycle theft", "All other theft offences"]) == "psni"


def test_offences_of_other_publishers_ship_under_the_same_names(london: Panel) -> None:
    for kind in ("police.uk", "psni"):
        assert name_offence("Robbery", "", classification=kind) == "robbery"
    assert name_offence("Vehicle crime", "", classification="police.uk") in london.offences
    # Violence there is another thing than the two offences of London, and never called the same.
    for kind, name in (
        ("police.uk", "Violence and sexual offences"),
        ("psni", "Violence without injury"),
        (
            "psni",
            "Violence with injury (including homicide & death/serious injury by unlawful driving)",
        ),
    ):
        assert name_offence(name, "", classification=kind) not in london.offences


def test_words_that_anybody_uses_are_not_taken_for_a_publishers() -> None:
    assert find_plain_classification(["Robbery", "Theft"]) == ""
    majors = ["Robbery", "Theft", "Burglary", "Drug Offences", "Sexual Offences"]
    assert find_plain_classification(majors) == "new"
    assert find_plain_classification(majors[:4]) == ""
