"""Campaign files: what ships, what is refused and how it is said, and the days inside periods."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from forecast.data.panel import Panel
from forecast.errors import CampaignError
from forecast.impact.campaign import Campaign, shipped_campaigns
from forecast.impact.campaign_parts import Claim
from forecast.simulation import simulate

GOOD: dict[str, Any] = {
    "name": "Night patrols",
    "start": "2020-10-19",
    "end": "2020-11-08",
    "offences": ["robbery"],
}


def make_panel(start: str, months: int) -> Panel:
    """Two areas and two offences, each count 10."""
    periods = pd.period_range(start, periods=months, freq="M")
    names = [("Camden", "robbery"), ("Brent", "robbery"), ("Camden", "burglary")]
    series = pd.DataFrame(names, columns=["area", "offence"])
    return Panel(np.full((3, months), 10.0), series, periods)


def test_three_campaigns_ship_and_load() -> None:
    names = shipped_campaigns()
    assert names == ["autumn-nights-2020", "autumn-nights-2021", "autumn-nights-2023"]
    loaded = [Campaign.load(name) for name in names]
    assert [c.name for c in loaded] == [
        "Autumn Nights 2020",
        "Autumn Nights 2021",
        "Autumn Nights 2023",
    ]
    # reference/campaigns_autumn_nights.csv: 4 October to 14 November 2021 is six weeks
    assert [c.days for c in loaded] == [21, 42, 18]
    assert all(c.offences == ("robbery", "violence with injury") for c in loaded)


def test_autumn_nights_2020_holds_what_was_announced() -> None:
    # the release of 10 November 2020
    campaign = Campaign.load("autumn-nights-2020")
    assert {o.kind: o.count for o in campaign.output} == {
        "DIVERT referrals": 17,
        "arrests": 1200,
        "weapon sweeps": 1384,
        "weapons seized": 258,
        "other illegal items seized": 591,
    }
    (claim,) = campaign.claim
    assert (claim.measure, claim.offence, claim.change) == ("calls", "robbery", -27.0)
    assert (claim.period, claim.against) == ("2020-10", "2019-10")
    assert (campaign.start, campaign.end) == (dt.date(2020, 10, 19), dt.date(2020, 11, 8))
    assert campaign.areas is None
    assert [(s.start, s.end) for s in campaign.disruption] == [
        (dt.date(2020, 10, 17), dt.date(2020, 11, 4)),
        (dt.date(2020, 11, 5), dt.date(2020, 12, 1)),
    ]
    assert [run.when for run in campaign.previous] == [2016, 2017, 2018, 2021, 2023]


def test_the_folder_of_a_report_does_not_hide_the_campaign_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "autumn-nights-2020").mkdir()
    assert Campaign.load("autumn-nights-2020").days == 21
    (tmp_path / "mine").mkdir()
    with pytest.raises(CampaignError, match="Campaign file 'mine' must be a TOML text"):
        Campaign.load("mine")


def test_shipped_campaigns_fit_the_shipped_panel(london: Panel) -> None:
    for name in shipped_campaigns():
        Campaign.load(name).check(london)


@pytest.mark.parametrize(
    ("freq", "expected"),
    [
        # 19 to 31 October are 13 days of 31, 1 to 8 November 8 of 30
        ("M", [13 / 31, 8 / 30]),
        # 19 October 2020 was a Monday, 8 November a Sunday
        ("W-SUN", [1.0, 1.0, 1.0]),
        ("D", [1.0] * 21),
    ],
)
def test_exposure_is_the_share_of_days_inside(freq: str, expected: list[float]) -> None:
    assert Campaign(**GOOD).exposure(freq) == pytest.approx(expected)


def test_campaign_of_one_day_over_new_year() -> None:
    one = Campaign(name="A", start="2019-12-31", end="2019-12-31", offences="robbery")
    assert one.days == 1
    assert one.exposure("M") == pytest.approx([1 / 31])
    assert one.offences == ("robbery",)
    across = Campaign(name="A", start="2019-12-20", end="2020-01-05", offences=["robbery"])
    assert [str(p) for p in across.periods("M")] == ["2019-12", "2020-01"]


def test_repr_counts_the_areas() -> None:
    assert repr(Campaign(**GOOD)) == (
        "Campaign('Night patrols', 2020-10-19 to 2020-11-08, robbery, all areas)"
    )
    assert repr(Campaign(**GOOD, areas=["Camden"])).endswith("robbery, 1 area)")
    assert repr(Campaign(**GOOD, areas=["Camden", "Brent"])).endswith("robbery, 2 areas)")


def test_campaign_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Campaign(**GOOD).name = "another"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"end": "2020-10-18"},
            r"^Campaign 'Night patrols' must not end before it starts: found 2020-10-19 to "
            r"2020-10-18\. Give the last day as `end`\.$",
        ),
        (
            {"offence": "robbery"},
            r"^Campaign 'Night patrols' must have only known keys: found 'offence'\. "
            r"Did you mean 'offences'\?$",
        ),
        ({"xyz": 1}, r"found 'xyz'\. Known keys: name, start, end, offences, areas, aim"),
        ({"comparison": {"area": ["Brent"]}}, r"'comparison\.area'\. Did you mean 'areas'\?"),
        (
            {"start": "19/10/2020"},
            r"^Campaign 'Night patrols', start: Date must be a day written YYYY-MM-DD: found "
            r"'19/10/2020'\. Write it like 2020-10-19\.$",
        ),
        ({"start": 20201019}, r"start: Date must be a day written YYYY-MM-DD: found 20201019"),
        ({"offences": []}, r"'offences' must be valid: found \[\]"),
        ({"areas": []}, r"'areas' must be valid: found \[\]"),
        (
            {"areas": ["Camden", "Brent", "Camden"]},
            r"must name each offence and area once: Camden stands there again\. Remove the copy",
        ),
        (
            {"areas": ["Camden"], "comparison": {"areas": ["Camden"]}},
            r"must not name what it targeted as comparison: Camden is in both\. Remove it from",
        ),
        ({"comparison": {"offences": ["robbery"]}}, r"comparison: robbery is in both"),
        ({"previous": [{"dates": "stated"}]}, r"previous\.0: must have a start or a year"),
        (
            {"disruption": [{"name": "x", "start": "2020-10-20", "end": "2020-10-19"}]},
            r"disruption\.0: must not end before it starts: found 2020-10-20 to 2020-10-19",
        ),
        ({"output": [{"kind": "arrests", "count": -1}]}, r"'output\.0\.count' must be valid"),
        (
            {
                "claim": [
                    {
                        "text": "x",
                        "measure": "calls",
                        "offence": "robbery",
                        "period": "autumn 2020",
                        "against": "2019-10",
                        "change": -27,
                    }
                ]
            },
            r"claim\.0\.period: Periods must be dates or months: found 'autumn 2020'",
        ),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any], words: str) -> None:
    with pytest.raises(CampaignError, match=words):
        Campaign(**{**GOOD, **change})


def test_all_problems_are_said_together() -> None:
    with pytest.raises(CampaignError, match="'start': it is missing") as caught:
        Campaign(name="A", offences=["robbery"], offence="x")
    assert str(caught.value).splitlines() == [
        "- Campaign 'A' must have 'start': it is missing. Add it.",
        "- Campaign 'A' must have 'end': it is missing. Add it.",
        "- Campaign 'A' must have only known keys: found 'offence'. Did you mean 'offences'?",
    ]


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(CampaignError, match=r"'autumn-night-2020' is neither\. Did you mean 'aut"):
        Campaign.load("autumn-night-2020")
    with pytest.raises(CampaignError, match=r"'xyz' is neither\. Choose from autumn-nights-2020, "):
        Campaign.load("xyz")


def test_file_is_loaded_and_its_faults_name_it(tmp_path: Path) -> None:
    path = tmp_path / "patrols.toml"
    path.write_text(
        'name = "Patrols"\nstart = 2022-10-03\nend = 2022-10-30\noffences = ["robbery"]\n'
        "[[previous]]\nyear = 2021\n",
        encoding="utf-8",
    )
    campaign = Campaign.load(path)
    assert (campaign.days, campaign.previous[0].when) == (28, 2021)
    path.write_text(path.read_text("utf-8") + '[claims]\ntext = "x"\n', encoding="utf-8")
    words = (
        r"^Campaign file 'patrols\.toml': Campaign 'Patrols' must have only known keys: found "
        r"'claims'\. Did you mean 'claim'\?$"
    )
    with pytest.raises(CampaignError, match=words):
        Campaign.load(path)
    path.write_text("name = \n", encoding="utf-8")
    with pytest.raises(CampaignError, match=r"^Campaign file 'patrols\.toml' must be a TOML text"):
        Campaign.load(path)
    with pytest.raises(CampaignError, match=r"^Campaign file must exist: 'none\.toml' was not fou"):
        Campaign.load(tmp_path / "none.toml")


def test_too_little_history_is_refused_in_plain_words() -> None:
    # November and December 2022, twelve months of 2023 and five of 2024: 19
    panel = make_panel("2022-11", 26)
    campaign = Campaign(
        name="Night patrols", start="2024-06-01", end="2024-06-30", offences="robbery"
    )
    words = (
        r"^Campaign 'Night patrols' must have at least 24 months before it: it has 19 \(from "
        r"2022-11\)\. Load earlier months, or choose a later start\.$"
    )
    with pytest.raises(CampaignError, match=words):
        campaign.check(panel)
    Campaign(name="A", start="2024-11-01", end="2024-11-30", offences="robbery").check(panel)


def test_window_outside_the_data_is_refused() -> None:
    words = (
        r"^Campaign 'Night patrols' must lie inside the data: it touches 2020-10 to 2020-11, the "
        r"data hold 2015-01 to 2020-10\. Load the missing months, or choose another window\.$"
    )
    with pytest.raises(CampaignError, match=words):
        Campaign(**GOOD).check(make_panel("2015-01", 70))


def test_unknown_names_are_refused_together_with_suggestions() -> None:
    campaign = Campaign(
        name="A",
        start="2020-10-19",
        end="2020-11-08",
        offences=["robery"],
        areas=["Camdem"],
        comparison={"offences": ["burglery"], "areas": ["Brend"]},
    )
    with pytest.raises(CampaignError, match="the offence 'robery'") as caught:
        campaign.check(make_panel("2015-01", 80))
    assert str(caught.value).splitlines() == [
        "- Panel must hold the offence 'robery': it does not. Did you mean 'robbery'?",
        "- Panel must hold the area 'Camdem': it does not. Did you mean 'Camden'?",
        "- Panel must hold the offence 'burglery': it does not. Did you mean 'burglary' or "
        "'robbery'?",
        "- Panel must hold the area 'Brend': it does not. Did you mean 'Brent'?",
    ]


def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes('name = "Night"\naim = "café"\n'.encode("latin-1"))
    with pytest.raises(CampaignError, match=r"'latin.toml' must be a text in UTF-8: line 2 is not"):
        Campaign.load(path)


def test_a_claim_without_words_is_said_from_its_parts() -> None:
    parts = {"measure": "calls", "offence": "robbery", "period": "2020-10", "against": "2019-10"}
    claim = Claim(**parts, change=-27.0)
    assert claim.text == "robbery (calls) -27.0 per cent in 2020-10 against 2019-10"
    assert Claim(**parts, change=-27.0, text="down").text == "down"


def test_an_area_that_was_counted_late_is_named() -> None:
    panel = simulate(areas=3, years=5)
    values = panel.values.copy()
    values[2, :40] = np.nan  # 16 of the 56 months before September 2019 are left
    campaign = Campaign(name="A", start="2019-09-01", end="2019-09-30", offences=["robbery"])
    message = r"in every area: Area 03 has 16 of robbery \(from 2018-05\)\. Load the missing months"
    with pytest.raises(CampaignError, match=message):
        campaign.check(replace(panel, values=values))
    some = campaign.model_copy(update={"areas": ("Area 01", "Area 02")})
    some.check(replace(panel, values=values))


def test_a_previous_run_that_overlaps_is_refused() -> None:
    # the run of 5 to 20 November 2020 shares 5 to 8 November with the campaign
    run = {"start": "2020-11-05", "end": "2020-11-20"}
    with pytest.raises(CampaignError, match="must not list a previous run that overlaps it: found "
                       "2020-11-05 to 2020-11-20. Correct its days"):  # fmt: skip
        Campaign(**GOOD, previous=[run])
    Campaign(**GOOD, previous=[{"start": "2020-11-09", "end": "2020-11-20"}])  # the day after


def test_a_previous_run_must_be_in_order() -> None:
    run = {"start": "2019-11-05", "end": "2019-10-20"}
    with pytest.raises(CampaignError, match="must not end before it starts: found 2019-11-05"):
        Campaign(**GOOD, previous=[run])


def test_a_cost_needs_the_year_of_its_prices() -> None:
    with pytest.raises(CampaignError, match="must have both `cost` and `cost_year`, or neither"):
        Campaign(**GOOD, cost=250_000)
    assert Campaign(**GOOD, cost=250_000, cost_year=2020).cost == 250_000


def test_adjacent_areas_are_read_by_area() -> None:
    campaign = Campaign(**GOOD, adjacent={"Camden": ["Brent", "Barnet"], "Brent": "Barnet"})
    assert campaign.adjacent == {"Camden": ("Brent", "Barnet"), "Brent": ("Barnet",)}
