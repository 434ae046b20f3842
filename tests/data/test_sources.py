"""What is known of London's areas, and the line that says where figures came from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from forecast.data.sources import (
    AIRPORTS,
    LONDON_UNITS,
    Snapshot,
    is_london,
    is_whole_london,
    unit_of,
)


def test_units_agree_with_the_published_table(shared: Path) -> None:
    table = pd.read_csv(shared / "figures" / "borough_to_bcu.csv")
    ours = {borough: unit for unit, boroughs in LONDON_UNITS.items() for borough in boroughs}
    assert ours == dict(zip(table["borough"], table["bcu"], strict=True))


def test_twelve_units_hold_thirty_two_boroughs_once() -> None:
    boroughs = [borough for unit in LONDON_UNITS.values() for borough in unit]
    assert len(LONDON_UNITS) == 12
    assert len(boroughs) == len(set(boroughs)) == 32


def test_what_has_no_borough_has_no_unit() -> None:
    assert unit_of("Westminster") == "Central West"
    assert unit_of("Unknown") == unit_of(AIRPORTS) == unit_of("Leeds") == "Not allocated"


def test_london_is_known_by_its_areas() -> None:
    assert is_london(["London"])
    assert is_london(["Central West", "Not allocated"])
    assert is_london(["Camden", "Unknown", AIRPORTS])
    assert not is_london(["Camden", "Leeds"])
    assert not is_london(["Unknown"])
    assert not is_london([])


def test_source_line_says_what_is_known() -> None:
    assert Snapshot().sentence() == "a table in memory"
    full = Snapshot("a.csv", "2024-11-05", "0123456789abcdef", "OGL v3")
    assert full.sentence() == "a.csv; retrieved 2024-11-05; SHA-256 0123456789ab; OGL v3"
    assert Snapshot("a.csv", "vintage 2024-11").sentence() == "a.csv; vintage 2024-11"


def test_simulated_figures_say_so_first() -> None:
    assert Snapshot("seed 1", synthetic=True).sentence() == ("SIMULATED FIGURES, not real: seed 1")


def test_only_all_units_or_all_boroughs_make_up_london() -> None:
    boroughs = [borough for unit in LONDON_UNITS.values() for borough in unit]
    assert is_whole_london([*LONDON_UNITS, "Not allocated"])
    assert is_whole_london([*boroughs, "Unknown", AIRPORTS])
    assert is_whole_london(["London"])
    assert not is_whole_london(boroughs[1:])
    assert not is_whole_london([*LONDON_UNITS, "Hackney"])
    assert not is_whole_london(["Not allocated"])
