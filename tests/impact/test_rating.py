"""The Maryland scale: each level by its own words, and never more than the design earns."""

from __future__ import annotations

from typing import Any

import pytest

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.impact.rating import LEVELS, find_untreated, list_neighbours, rate_design
from forecast.simulation import simulate


@pytest.fixture(scope="module")
def panel() -> Panel:
    return simulate(areas=5, years=8)


def make_campaign(**given: Any) -> Campaign:
    settings: dict[str, Any] = {
        "name": "A", "start": "2022-10-01", "end": "2022-10-31", "offences": ["robbery"],
    }  # fmt: skip
    return Campaign(**(settings | given))


def test_how_places_were_chosen_is_part_of_the_rating(panel: Panel) -> None:
    some = {"areas": ["Area 01", "Area 02"]}
    stated = rate_design(make_campaign(**some, selection="the two worst of last summer."), panel)
    assert stated.sentences()[1] == (
        "How its places were chosen, as stated: the two worst of last summer. Where that is by "
        "recent counts, places chosen for a recent high tend to fall back without any campaign."
    )
    assert stated.to_dict()["chosen"] == stated.chosen
    # it says how far a comparison may mislead, and is no level of its own
    assert stated.level == rate_design(make_campaign(**some), panel).level
    unsaid = rate_design(make_campaign(**some), panel).sentences()[1]
    assert unsaid.startswith("How its places were chosen is not stated (`selection` in the camp")
    # where all took part none was picked
    for whole in ({}, {"areas": panel.areas}):
        rating = rate_design(make_campaign(**whole), panel)
        assert len(rating.sentences()) == 2
        assert rating.to_dict()["chosen"] is None


# Farrington et al. (2002): 2 = before and after, no comparable control condition; 3 = before and
# after in experimental and comparable control conditions; 4 = in multiple experimental and control
# units, controlling for other variables; 5 = random assignment.
@pytest.mark.parametrize(
    ("areas", "counterfactual", "controls_ok", "level", "could"),
    [
        (None, "before", None, 2, 2),
        (None, "around", None, 2, 2),
        (None, "controls", True, 2, 2),  # other offences, say: no area was left out
        (["Area 01"], "before", None, 2, 3),
        (["Area 01"], "controls", None, 2, 3),
        (["Area 01"], "controls", False, 2, 2),
        (["Area 01"], "controls", True, 3, 3),
        (["Area 01", "Area 02"], "before", True, 2, 4),
        (["Area 01", "Area 02"], "controls", True, 4, 4),
        (["Area 01", "Area 02", "Area 03", "Area 04"], "controls", True, 3, 3),
    ],
)
def test_levels(
    panel: Panel,
    areas: list[str] | None,
    counterfactual: str,
    controls_ok: bool | None,
    level: int,
    could: int,
) -> None:
    rest = [a for a in panel.areas if a not in (areas or panel.areas)]
    comparison = {"areas": rest} if counterfactual == "controls" else {}
    campaign = make_campaign(areas=areas, comparison=comparison)
    rating = rate_design(campaign, panel, counterfactual=counterfactual, controls_ok=controls_ok)
    assert (rating.level, rating.could_reach) == (level, could)
    assert rating.allows_cause == (level >= 3)
    assert "Level 5 would need areas drawn by lot" in rating.how


def test_autumn_nights_2020_is_a_comparison_of_before_and_after(london: Panel) -> None:
    # every unit took part; "Not allocated" is no place, so it is no area left out
    rating = rate_design(Campaign.load("autumn-nights-2020"), london, controls_ok=True)
    assert (rating.level, rating.could_reach) == (2, 2)
    units = [a for a in london.areas if a != "Not allocated"]
    assert find_untreated(make_campaign(areas=units), london) == []


def test_neighbours_of_the_campaign_are_no_comparison(panel: Panel) -> None:
    # either side of the pair may be the one that lists the other
    adjacent = {"Area 01": ["Area 02"], "Area 03": ["Area 01", "Area 04"]}
    campaign = make_campaign(areas=["Area 01"], adjacent=adjacent)
    assert list_neighbours(campaign, panel) == {"Area 02": "Area 01", "Area 03": "Area 01"}
    assert find_untreated(campaign, panel) == ["Area 04", "Area 05"]


def test_areas_named_for_comparison_are_the_only_ones(panel: Panel) -> None:
    campaign = make_campaign(areas=["Area 01"], comparison={"areas": ["Area 04"]})
    assert find_untreated(campaign, panel) == ["Area 04"]


def test_offences_as_controls_are_no_areas_left_out(panel: Panel) -> None:
    campaign = make_campaign(areas=["Area 01"], comparison={"offences": ["burglary"]})
    rating = rate_design(campaign, panel, counterfactual="controls", controls_ok=True)
    assert rating.level == 2
    assert rating.reason.endswith("The 4 areas left out are not used.")


def test_nothing_counted_before_is_level_one(panel: Panel) -> None:
    campaign = make_campaign(start="2015-01-01", end="2015-01-31")
    assert rate_design(campaign, panel).level == 1


def test_reasons_say_what_was_missing(panel: Panel) -> None:
    rest = ["Area 02", "Area 03", "Area 04", "Area 05"]
    one = make_campaign(areas=["Area 01"], comparison={"areas": rest})
    reasons = [
        rate_design(one, panel, counterfactual=c, controls_ok=ok).reason
        for c, ok in (("before", None), ("controls", None), ("controls", False), ("controls", True))
    ]
    assert reasons[0].endswith("The 4 areas left out are not used.")
    assert reasons[1].endswith("was not looked at.")
    assert "did not move like" in reasons[2]
    assert "Area 02, Area 03, Area 04, 1 more" in reasons[3]


def test_words_for_people_and_machines(panel: Panel) -> None:
    rating = rate_design(make_campaign(), panel)
    assert rating.sentences()[0].startswith("The design is at level 2 of 5 on the Maryland scale")
    table = rating.summary()
    assert table["level"].tolist() == list(LEVELS)
    assert table.loc[table["here"], "level"].tolist() == [2]
    assert rating.to_dict()["meaning"] == LEVELS[2]
