"""Which panels have their small counts hidden unless somebody says otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from forecast.data.disclosure import Disclosure, choose_disclosure
from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.data.sources import OGL_ATTRIBUTION, Snapshot
from forecast.data.tallies import Tally
from forecast.errors import DataError
from forecast.simulation import simulate


@pytest.fixture(scope="module")
def wards() -> Panel:
    """Counts of small areas from a file that nothing is known of."""
    return replace(simulate(areas=3, years=2), snapshot=Snapshot("wards.csv"))


def test_unknown_figures_by_area_are_hidden(wards: Panel) -> None:
    found = choose_disclosure(wards)
    assert found.applied
    assert "it is not known that they are public at this detail" in found.sentence()


def test_counted_incidents_are_hidden_whatever_their_licence(wards: Panel) -> None:
    counted = replace(
        wards, tally=Tally(1, 1), snapshot=Snapshot("calls.csv", licence=OGL_ATTRIBUTION)
    )
    assert choose_disclosure(counted).applied
    assert "counted from single incidents" in choose_disclosure(counted).sentence()


def test_what_a_publisher_has_made_public_is_shown(wards: Panel) -> None:
    public = replace(wards, snapshot=Snapshot("Ward figures", licence=OGL_ATTRIBUTION))
    assert not choose_disclosure(public).applied
    assert "public at this detail" in choose_disclosure(public).sentence()


def test_boroughs_simulated_figures_and_figures_without_areas_are_shown(
    wards: Panel, london: Panel
) -> None:
    own = replace(london, snapshot=Snapshot("own.csv"), tally=Tally(1, 1))
    assert "boroughs or larger" in choose_disclosure(own).sentence()
    assert "simulated" in choose_disclosure(simulate(areas=3, years=2)).sentence()
    assert "no areas apart" in choose_disclosure(wards.select(area="Area 01")).sentence()


def test_london_s_own_ward_files_are_public(shared: Path) -> None:
    (file,) = (shared / "data" / "mps_ward").glob("MPS Ward Level Crime*.csv.gz")
    wards = load(file)
    assert len(wards.areas) > 500  # London has about 680 wards
    assert not choose_disclosure(wards).applied


def test_what_is_asked_for_wins_and_anything_else_is_refused(wards: Panel, london: Panel) -> None:
    assert choose_disclosure(london, "on").applied
    assert not choose_disclosure(wards, "off").applied
    with pytest.raises(DataError, match="must be 'auto', 'on' or 'off': found 'yes'"):
        choose_disclosure(wards, "yes")


def test_the_sentence_counts_what_is_hidden_and_states_the_limit() -> None:
    text = Disclosure(True, "it was asked for", small=3, beside=2).sentence()
    assert "3 are hidden as small and 2 more" in text
    assert "could be any of at least 6 numbers" in text  # a range of 5 holds six whole numbers
    assert "published elsewhere" in text
    assert Disclosure(True, "it was asked for").sentence().endswith("; there were none.")
