"""Plans: before the campaign and from what was known alone, with every bad question named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import CampaignError, DataError
from forecast.impact.campaign import Campaign
from forecast.impact.planning import Plan, plan
from forecast.impact.registration import list_deviations, load_registration
from forecast.models.base import Model
from forecast.simulation import simulate

Steady = Callable[[float], Model]


def make_campaign(**given: Any) -> Campaign:
    settings: dict[str, Any] = {
        "name": "Night patrols", "start": "2025-02-03", "end": "2025-02-23",
        "offences": ["robbery"], "areas": ["Area 01", "Area 02"],
    }  # fmt: skip
    return Campaign(**(settings | given))


@pytest.fixture(scope="module")
def counts() -> Panel:
    """Months from 2015 to 2024."""
    return simulate(areas=5, years=10, mean=20_000)


@pytest.fixture(scope="module")
def made(counts: Panel, steady: Steady) -> Plan:
    return plan(make_campaign(), counts, model=steady(0.1), draws=400)


def test_a_plan_may_lie_after_the_data(made: Plan) -> None:
    assert made.main.span.declared
    assert 5 < made.main.fall < 40
    # February 2025: 21 of 28 days
    assert made.main.fall_in_days == pytest.approx(made.main.fall * 28 / 21)
    assert str(made.counts.periods[-1]) == "2024-12"
    text = " ".join(made.sentences())
    assert "The counts end 1 month before the campaign" in text


def test_expected_counts_are_those_of_the_model(made: Plan, counts: Panel) -> None:
    # the model expects the mean daily rate of the past, 120 months of two areas, on 28 days
    two = counts.select(area=["Area 01", "Area 02"]).values.sum()
    expected = two / 3653 * 28
    row = made.expected.iloc[0]
    assert row["expected"] == pytest.approx(expected, rel=0.02)
    assert row["expected_lower"] < expected < row["expected_upper"]
    assert made.main.expected == row["expected"]  # one number for one thing


def test_nothing_at_or_after_the_start_is_seen(counts: Panel, steady: Steady) -> None:
    campaign = make_campaign(start="2023-10-02", end="2023-10-22")
    values = counts.values.copy()
    values[:, counts.periods >= pd.Period("2023-10", "M")] = 7.0
    other = replace(counts, values=values)
    one, two = (plan(campaign, c, model=steady(0.1), draws=200).to_dict() for c in (counts, other))
    assert json.dumps(one, allow_nan=False) == json.dumps(two, allow_nan=False)


def test_comparators_and_rating_go_together(made: Plan, counts: Panel, steady: Steady) -> None:
    assert set(made.comparators.suggested) <= {"Area 03", "Area 04", "Area 05"}
    assert made.comparators.acceptable
    assert (made.rating.level, made.rating.could_reach) == (2, 4)
    everywhere = plan(make_campaign(areas=None), counts, model=steady(0.1), draws=200)
    assert (everywhere.rating.level, everywhere.rating.could_reach) == (2, 2)
    assert "leaves no area out" in " ".join(everywhere.sentences())


def test_sets_of_areas_are_looked_at_by_name(counts: Panel, steady: Steady) -> None:
    found = plan(make_campaign(), counts, model=steady(0.1), draws=200, areas={"one": ["Area 02"]})
    assert found.power.of("robbery", "one").expected == pytest.approx(
        found.power.of("robbery", "Area 02").expected, rel=0.02
    )


def test_plain_values_and_words(made: Plan) -> None:
    content = made.to_dict()
    assert content["schema"] == "forecast.plan/1"
    json.dumps(content, allow_nan=False)
    assert made.summary()["weeks"].max() == 8
    text = " ".join(made.sentences())
    for word in ("caused", "led to", "thanks to", "positive effect", "negative effect"):
        assert word not in text
    assert "Night patrols" in repr(made)


def test_the_same_seed_gives_the_same_plan(made: Plan, counts: Panel, steady: Steady) -> None:
    again = plan(make_campaign(), counts, model=steady(0.1), draws=400)
    assert json.dumps(again.to_dict()) == json.dumps(made.to_dict())


def test_a_plan_is_registered_whole(made: Plan, counts: Panel, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    written = made.register(to=file, date="2025-01-20")
    read = load_registration(file)
    assert read == written
    assert read.content["plan"] == json.loads(json.dumps(made.to_dict()))
    later = replace(
        counts,
        values=np.pad(counts.values, ((0, 0), (0, 2)), constant_values=1500.0),
        periods=pd.period_range("2015-01", "2025-02", freq="M"),
    )
    assert list_deviations(read, make_campaign(), later, model=made.model, draws=400) == []
    assert len(list_deviations(read, make_campaign(), later, model=made.model)) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"areas": ["Area 09"]}, r"must hold the area 'Area 09'.*Did you mean"),
        ({"offences": ["robery"]}, r"must hold the offence 'robery'.*Did you mean 'robbery'"),
        ({"start": "2016-06-01", "end": "2016-06-30"}, "at least 24 months before it: it has 17"),
        ({"start": "2014-06-01", "end": "2014-06-30"}, "must lie inside the data"),
        ({"start": "2026-02-02", "end": "2026-02-22"}, "within a year of the data's end"),
        ({"start": "2017-06-01", "end": "2020-06-30"}, "shorter than the history before it: it "
         "touches 37 months, and 29 come before it"),
    ],
)  # fmt: skip
def test_questions_that_cannot_be_asked_are_refused(
    counts: Panel, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(CampaignError, match=words):
        plan(make_campaign(**given), counts)


def test_overlapping_runs_are_refused() -> None:
    with pytest.raises(CampaignError, match="must not list a previous run that overlaps it"):
        make_campaign(previous=[{"start": "2025-02-10", "end": "2025-02-12"}])


def test_short_history_before_a_campaign_ahead_is_not_stretched_by_the_wait() -> None:
    # 20 months of counts and half a year to wait are not 24 months of counts
    panel = simulate(areas=2, years=2, start="2023-01").before("2024-09")
    with pytest.raises(CampaignError, match="Area 01 has 20 of robbery"):
        plan(make_campaign(start="2025-02-01"), panel)


def test_bad_sets_models_and_settings_are_refused(counts: Panel) -> None:
    with pytest.raises(DataError, match=r"Set 'far' of campaign 'Night patrols'.*'Area 03'"):
        plan(make_campaign(), counts, areas={"far": ["Area 03"]})
    with pytest.raises(DataError, match="Set 'empty' must hold areas"):
        plan(make_campaign(), counts, areas={"empty": []})
    with pytest.raises(DataError, match="Models must be models"):
        plan(make_campaign(), counts, model="glm")  # type: ignore[arg-type]
    with pytest.raises(CampaignError, match="Level must lie between 0 and 1"):
        plan(make_campaign(), counts, level=95)
    with pytest.raises(CampaignError, match="Campaign must be a Campaign"):
        plan("night patrols", counts)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="Counts must be a Panel"):
        plan(make_campaign(), "london")  # type: ignore[arg-type]
