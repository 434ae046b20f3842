"""The controls that a campaign names, and which of them cannot serve."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import CampaignError
from forecast.impact.campaign import Campaign
from forecast.impact.untouched import find_controls
from forecast.simulation import simulate

OTHERS = ["North", "South", "East"]


def make_campaign(**given: Any) -> Campaign:
    settings: dict[str, Any] = {
        "name": "Night patrols",
        "start": "2024-11-01",
        "end": "2024-12-31",
        "offences": ["robbery"],
        "areas": ["Target"],
        "comparison": {"areas": OTHERS},
    }
    return Campaign(**(settings | given))


def steady_counts() -> Panel:
    """Four areas with ten years of months."""
    series = pd.DataFrame({"area": ["Target", *OTHERS], "offence": "robbery"})
    periods = pd.period_range("2015-01", periods=120, freq="M")
    return Panel(np.full((4, 120), 300.0), series, periods)


def two_offences() -> Panel:
    """Robbery and burglary in four areas."""
    parts = [
        simulate(areas=4, years=8, offence=offence, seed=seed).to_frame()
        for seed, offence in enumerate(["robbery", "burglary", "theft"])
    ]
    return Panel.from_frame(pd.concat(parts, ignore_index=True))


def test_areas_are_controls_of_every_offence() -> None:
    campaign = make_campaign(
        areas=["Area 01"], comparison={"areas": ["Area 02", "Area 04"]}, start="2022-10-01",
        end="2022-11-30",
    )  # fmt: skip
    controls = find_controls(campaign, two_offences())
    assert repr(controls) == "Controls(areas Area 02, Area 04)"
    for offence in ("robbery", "burglary"):
        assert [controls.names[row] for row in controls.rows(offence)] == ["Area 02", "Area 04"]
        assert set(controls.panel.series.loc[controls.rows(offence), "offence"]) == {offence}


def test_an_offence_is_never_its_own_control() -> None:
    campaign = make_campaign(
        areas=["Area 01", "Area 02"], comparison={"offences": ["burglary", "theft"]},
        start="2022-10-01", end="2022-11-30",
    )  # fmt: skip
    counts = two_offences()
    controls = find_controls(campaign, counts)
    assert [controls.names[row] for row in controls.rows("robbery")] == ["burglary", "theft"]
    assert [controls.names[row] for row in controls.rows("burglary")] == ["theft"]
    # sums over the campaign's own areas
    own = counts.select(area=["Area 01", "Area 02"], offence="burglary").values.sum(axis=0)
    assert controls.panel.values[0].tolist() == own.tolist()
    assert repr(controls.without("theft")) == "Controls(offences burglary)"
    # without theft, burglary has no control: as a placebo offence it is left out
    judged = controls.without("theft").choose_offences(counts, [])
    assert judged.offences == ["robbery", "theft"]


def test_neighbours_of_the_campaign_are_no_controls() -> None:
    counts = steady_counts()
    one = find_controls(make_campaign(adjacent={"Target": ["North"]}), counts)
    two = find_controls(make_campaign(adjacent={"East": ["Target", "South"], "Target": []}), counts)
    assert (one.neighbours, one.names) == (("North",), ("South", "East"))
    assert (two.neighbours, two.names) == (("East",), ("North", "South"))
    # South is next to East alone, which had no campaign: it stays
    none = find_controls(make_campaign(adjacent={"East": ["South"], "Target": []}), counts)
    assert (none.neighbours, none.names) == ((), tuple(OTHERS))


def test_controls_all_of_which_are_neighbours_are_refused_by_name() -> None:
    near = make_campaign(adjacent={"Target": OTHERS})
    words = (
        r"^Campaign 'Night patrols' must name a control that does not lie next to its areas: "
        r"North, South, East all do \(`adjacent`\), and offences may have moved there\. Name areas "
        r"further away under `comparison`, or use counterfactual='before'\.$"
    )
    with pytest.raises(CampaignError, match=words):
        find_controls(near, steady_counts())


def test_offences_serve_where_all_areas_are_neighbours() -> None:
    campaign = make_campaign(
        areas=["Area 01"], comparison={"areas": ["Area 02"], "offences": ["theft"]},
        adjacent={"Area 01": ["Area 02"]}, start="2022-10-01", end="2022-11-30",
    )  # fmt: skip
    controls = find_controls(campaign, two_offences())
    assert (controls.names, controls.neighbours) == (("theft",), ("Area 02",))


def test_no_controls_named_is_refused() -> None:
    with pytest.raises(CampaignError, match=r"must name controls .* names none\. Give areas or"):
        find_controls(make_campaign(comparison={}), steady_counts())


def test_comparison_areas_without_own_areas_are_refused() -> None:
    campaign = make_campaign(areas=None)
    with pytest.raises(CampaignError, match=r"every area had it, North, South, East too\. List"):
        find_controls(campaign, steady_counts())


def test_a_control_that_is_also_treated_is_refused() -> None:
    with pytest.raises(CampaignError, match=r"must not name what it targeted .* North"):
        make_campaign(areas=["Target", "North"])


def test_an_area_that_is_not_in_the_data_is_refused() -> None:
    campaign = make_campaign(comparison={"areas": ["Nowhere"]})
    with pytest.raises(CampaignError, match="must hold the area 'Nowhere'"):
        find_controls(campaign, steady_counts())


def test_controls_that_lack_counts_are_named_together() -> None:
    panel = steady_counts()
    values = panel.values.copy()
    values[1, -1] = np.nan  # North lacks December 2024
    values[2, :100] = np.nan  # South begins in May 2023: 18 months before November 2024
    values[3, :119] = np.nan  # East begins after the window does
    with pytest.raises(
        CampaignError,
        match=r"North \(robbery\) lacks counts of the window \(2024-12\), "
        r"South \(robbery\) has 18 months before the window, "
        r"East \(robbery\) lacks counts of the window \(2024-11\)\. Load the missing months",
    ):
        find_controls(make_campaign(), replace(panel, values=values))


def test_a_control_without_the_offence_or_without_events_is_named() -> None:
    counts = two_offences()
    keep = ~((counts.series["area"] == "Area 02") & (counts.series["offence"] == "robbery"))
    values = np.where((counts.series["area"] == "Area 03").to_numpy()[:, None], 0, counts.values)
    part = replace(counts, values=values[keep.to_numpy()], series=counts.series[keep])
    campaign = make_campaign(
        areas=["Area 01"], comparison={"areas": ["Area 02", "Area 03"]}, start="2022-10-01",
        end="2022-11-30",
    )  # fmt: skip
    with pytest.raises(
        CampaignError,
        match=r"Area 02 has no robbery, Area 03 \(robbery\) has no events at all",
    ):
        find_controls(campaign, part)
