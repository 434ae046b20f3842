"""What is asked of an evaluation: the areas that are taken, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from forecast.data.panel import Panel
from forecast.errors import CampaignError, DataError
from forecast.impact.asking import take_panel
from forecast.impact.campaign import Campaign
from forecast.simulation import simulate

SETTINGS: dict[str, Any] = {"level": 0.95, "draws": 1000, "seed": 0}


@pytest.fixture(scope="module")
def panel() -> Panel:
    return simulate(areas=3, years=8)


def make_campaign(**given: Any) -> Campaign:
    facts = {"name": "Quiet", "start": "2022-10-01", "end": "2022-11-30", "offences": ["robbery"]}
    return Campaign(**(facts | given))


def test_only_the_campaign_s_areas_are_taken(panel: Panel) -> None:
    assert take_panel(make_campaign(), panel, **SETTINGS) is panel
    some = make_campaign(areas=[panel.areas[2], panel.areas[0]])
    assert take_panel(some, panel, **SETTINGS).areas == [panel.areas[0], panel.areas[2]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"level": 1.0}, "Level must lie between 0 and 1: found 1.0"),
        ({"draws": 99}, "Draws must number at least 100 for level 0.95: found 99"),
        # one draw in each tail of 0.05 per cent: 2 / 0.001 less one
        ({"level": 0.999}, r"at least 1,999 for level 0.999: found 1,000. Pass draws=1999"),
        ({"seed": -1}, "Seed must be 0 or more: found -1"),
    ],
)
def test_settings_without_sense_are_refused(
    panel: Panel, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(CampaignError, match=message):
        take_panel(make_campaign(), panel, **(SETTINGS | given))


def test_names_are_neither_campaigns_nor_counts(panel: Panel) -> None:
    wrong: Any = "autumn-nights-2020"
    with pytest.raises(CampaignError, match=r"found 'autumn-nights-2020'\. Use Campaign\.load"):
        take_panel(wrong, panel, **SETTINGS)
    with pytest.raises(DataError, match=r"must be a Panel: found 'autumn-nights-2020'\. Use load"):
        take_panel(make_campaign(), wrong, **SETTINGS)
    table: Any = panel.series
    with pytest.raises(CampaignError, match=r"must be a Campaign: found DataFrame\. Use"):
        take_panel(table, panel, **SETTINGS)
    with pytest.raises(DataError, match=r"must be a Panel: found DataFrame\. Use"):
        take_panel(make_campaign(), table, **SETTINGS)


def test_a_window_with_a_missing_count_is_refused_only_in_areas_that_are_asked_for(
    panel: Panel,
) -> None:
    values = panel.values.copy()
    values[1, panel.periods.get_loc("2022-11")] = np.nan
    holed = replace(panel, values=values)
    with pytest.raises(CampaignError, match=rf"it lacks {panel.areas[1]} robbery 2022-11\. Load"):
        take_panel(make_campaign(), holed, **SETTINGS)
    assert take_panel(make_campaign(areas=panel.areas[:1]), holed, **SETTINGS).areas
