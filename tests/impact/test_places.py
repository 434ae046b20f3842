"""Which areas took part, which are next door, which can be controls: named by hand."""

from __future__ import annotations

from typing import Any

import pytest

from forecast.data.panel import Panel
from forecast.errors import CampaignError
from forecast.impact.campaign import Campaign
from forecast.impact.places import find_places
from forecast.simulation import simulate

COUNTS = simulate(areas=5, years=5)


def plan(**given: Any) -> Campaign:
    facts: dict[str, Any] = {"name": "Patrols", "start": "2019-10-01", "end": "2019-11-30"}
    return Campaign(**(facts | {"offences": ["robbery"]} | given))


def test_neighbours_may_be_named_from_either_side() -> None:
    adjacent = {"Area 01": ["Area 02"], "Area 04": ["Area 01", "Area 03"]}
    places = find_places(plan(areas=["Area 01"], adjacent=adjacent), COUNTS)
    assert places.neighbours == ("Area 02", "Area 04")
    assert places.controls == ("Area 03", "Area 05")
    assert places.reasons == ()


def test_controls_are_those_named_without_neighbours() -> None:
    campaign = plan(
        areas=["Area 01"],
        adjacent={"Area 01": ["Area 02"]},
        comparison={"areas": ["Area 02", "Area 05"]},
    )
    places = find_places(campaign, COUNTS)
    assert places.controls == ("Area 05",)
    assert "so no control here: Area 02." in places.notes[0]


def test_all_areas_treated_is_not_measurable(london: Panel) -> None:
    for areas in (None, COUNTS.areas):
        places = find_places(plan(areas=areas), COUNTS)
        assert places.reasons == ("Displacement is not measurable because all areas took part.",)
    # what London could not allocate is no area
    assert find_places(plan(), london).reasons[0].endswith("because all areas took part.")
    some = [a for a in london.areas if a not in ("Not allocated", "West Area")]
    assert find_places(plan(areas=some), london).controls == ("West Area",)


def test_each_lack_has_its_reason() -> None:
    places = find_places(plan(areas=["Area 01"]), COUNTS)
    assert "does not say which areas are neighbours" in places.reasons[0]
    assert places.controls == ("Area 02", "Area 03", "Area 04", "Area 05")
    both = plan(areas=["Area 01", "Area 02"], adjacent={"Area 01": ["Area 02"]})
    assert find_places(both, COUNTS).reasons[0].endswith("every neighbour took part too.")
    ring = plan(areas=["Area 01"], adjacent={"Area 01": COUNTS.areas[1:]})
    assert "no area is left as a control" in find_places(ring, COUNTS).reasons[0]


def test_neighbours_that_are_not_counted_are_named() -> None:
    campaign = plan(areas=["Area 01"], adjacent={"Area 01": ["Atlantis"], "Ys": ["Area 02"]})
    with pytest.raises(CampaignError, match=r"only areas that are counted: found 'Ys', 'Atlantis'"):
        find_places(campaign, COUNTS)


def test_areas_without_neighbours_are_named_with_what_to_do() -> None:
    campaign = plan(areas=["Area 01", "Area 03", "Area 04"], adjacent={"Area 01": ["Area 02"]})
    with pytest.raises(CampaignError, match=r"found none for Area 03, Area 04. Add their neighb"):
        find_places(campaign, COUNTS)
    # said to have none, or named by a neighbour
    adjacent = {"Area 01": ["Area 02"], "Area 03": [], "Area 05": ["Area 04"]}
    alone = plan(areas=["Area 01", "Area 03", "Area 04"], adjacent=adjacent)
    assert find_places(alone, COUNTS).neighbours == ("Area 02", "Area 05")


def test_all_problems_are_told_together() -> None:
    campaign = plan(areas=["Area 01", "Area 03"], adjacent={"Area 01": ["Atlantis"]})
    with pytest.raises(CampaignError, match=r"(?s)Atlantis.*found none for Area 03"):
        find_places(campaign, COUNTS)
