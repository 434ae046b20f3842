"""Power over lengths and places: the real estimator, once for all lengths, and never optimistic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import DataError
from forecast.impact.campaign import Campaign
from forecast.impact.detecting import judge_power
from forecast.impact.placebo import run_placebos
from forecast.impact.power import Power, measure_power
from forecast.models.base import FittedModel, Model
from forecast.models.dynamic import DynamicCounts
from forecast.simulation import simulate

Steady = Callable[[float], Model]


def make_campaign(**given: Any) -> Campaign:
    settings: dict[str, Any] = {
        "name": "A", "start": "2024-10-07", "end": "2024-10-27", "offences": ["robbery"],
    }  # fmt: skip
    return Campaign(**(settings | given))


@pytest.fixture(scope="module")
def weekly() -> Panel:
    panel = simulate(areas=3, years=8, freq="W-SUN", start="2017-01").before("2024-10-07")
    return replace(panel, series=panel.series.assign(group=["north", "north", "south"]))


@pytest.fixture(scope="module")
def power(weekly: Panel, steady: Steady) -> Power:
    return measure_power(
        make_campaign(), weekly, [], model=steady(0.1), draws=200,
        areas={"two": ["Area 01", "Area 02"]},
    )  # fmt: skip


def test_every_length_and_place_has_a_row(power: Power) -> None:
    table = power.summary()
    kinds = table.groupby("kind", sort=False)["area"].unique().apply(list).to_dict()
    assert kinds == {
        "all areas": ["all areas"],
        "set": ["two"],
        "group": ["north", "south"],
        "area": ["Area 01", "Area 02", "Area 03"],
    }
    assert table["weeks"].unique().tolist() == list(range(1, 9))
    assert table.loc[table["declared"], "weeks"].unique().tolist() == [3]
    assert (table["periods"] == table["weeks"]).all()


def test_an_area_is_harder_than_all_and_a_group_lies_between(power: Power) -> None:
    falls = [power.of("robbery", a).fall for a in (None, "north", "Area 01")]
    assert falls[0] < falls[2]
    # two of three areas, the same as the set of two
    assert power.of("robbery", "two").fall == pytest.approx(falls[1], rel=0.5)


def test_a_set_is_a_campaign_in_these_areas_alone(
    power: Power, weekly: Panel, steady: Steady
) -> None:
    # the real estimator on the two areas, run by itself
    pair = weekly.select(area=["Area 01", "Area 02"])
    alone = make_campaign(areas=["Area 01", "Area 02"])
    placebo = run_placebos(steady(0.1), pair, alone, [], level=0.95, draws=200, seed=0)
    by_itself = judge_power(placebo, alone, pair)[0]
    # draws of three weeks cut from eight are others than draws of three, of the same forecast
    assert power.of("robbery", "two").fall == pytest.approx(by_itself.fall, rel=0.1)


def test_planted_nothing_is_seen_at_the_stated_rate_at_most_and_size_is_not_ignored() -> None:
    # power must not be high whatever the effect (pitfall of other tools): twelve panels
    at_zero, at_forty = [], []
    for seed in range(4):
        panel = simulate(areas=1, years=12, start="2013-01", seed=seed)
        found = measure_power(
            make_campaign(start="2025-02-01", end="2025-02-28"), panel, [],
            model=DynamicCounts(), weeks=(), draws=200,
        )  # fmt: skip
        curve = found.curve().set_index(["change", "size_percent"])["found"]
        at_zero.append(curve["fall", 0.0])
        at_forty.append(curve["fall", 40.0])
    assert np.mean(at_zero) < 0.1
    assert np.mean(at_forty) > 0.95


def test_months_that_are_touched_alike_are_the_same_but_for_the_days(steady: Steady) -> None:
    panel = simulate(areas=1, years=10)
    plan = make_campaign(start="2025-01-20", end="2025-02-09")
    table = measure_power(plan, panel, [], model=steady(0.1), draws=200).summary()
    table = table.set_index("weeks")
    # 20 January and one week: 7 of 31 days; three weeks: 12 and 9 of 59
    assert table.loc[1, "exposure_percent"] == pytest.approx(100 * 7 / 31)
    assert table.loc[3, "exposure_percent"] == pytest.approx(100 * 21 / 59)
    falls = table["smallest_fall_percent"]
    assert falls[2] == falls[3] == falls[5]
    assert falls[1] != falls[2]
    inside = table["smallest_fall_in_days_percent"]
    assert inside[3] == pytest.approx(falls[3] * 59 / 21)


def test_expected_counts_come_from_the_forecast_ahead(weekly: Panel, steady: Steady) -> None:
    fitted = steady(0.1).fit(weekly.select(offence="robbery"))
    ahead = fitted.forecast(8, draws=400)
    found = measure_power(
        make_campaign(), weekly, [], model=steady(0.1), draws=200, weeks=(1,), ahead=ahead,
        areas={"two": ["Area 01", "Area 02"]},
    )  # fmt: skip
    one, three = found.of("robbery", weeks=1), found.of("robbery")
    assert three.expected == pytest.approx(ahead.draws[:, :, :3].sum(axis=(1, 2)).mean())
    assert one.expected == pytest.approx(ahead.draws[:, :, 0].sum(axis=1).mean())
    both = ahead.draws[:, :2, :3].sum(axis=(1, 2)).mean()
    assert found.of("robbery", "two").expected == pytest.approx(both)
    assert found.of("robbery", "north").expected == pytest.approx(both)
    assert three.fall_count == pytest.approx(three.fall / 100 * three.expected)


def test_windows_that_begin_alike_are_learnt_once(weekly: Panel, steady: Steady) -> None:
    calls = []

    class Counting(type(steady(0.1))):  # type: ignore[misc]
        def fit(self, panel: Panel) -> FittedModel:
            calls.append(panel.periods[-1])
            return super().fit(panel)  # type: ignore[no-any-return]

    plain = weekly.select(area="Area 01")
    measure_power(make_campaign(), plain, [], model=Counting(0.1), draws=200, weeks=(1, 2, 3))
    assert calls
    assert len(calls) == len(set(calls))


def test_too_short_a_history_is_said_and_not_guessed(steady: Steady) -> None:
    panel = simulate(areas=1, years=4, start="2021-01")
    found = measure_power(
        make_campaign(start="2025-01-01", end="2025-01-31"), panel, [], model=steady(0.1),
        draws=200, weeks=(),
    )  # fmt: skip
    row = found.of("robbery")
    assert np.isnan(row.fall)
    assert "load earlier periods" in found.sentences()[0]
    assert found.curve().empty
    assert found.to_dict()[0]["smallest_fall_percent"] is None


def test_what_was_not_looked_at_is_refused(power: Power) -> None:
    with pytest.raises(DataError, match="'robbery' in 'Nowhere'"):
        power.of("robbery", "Nowhere")
    with pytest.raises(DataError, match="9 weeks, was not"):
        power.of("robbery", weeks=9)


def test_plain_values_have_no_nan(power: Power) -> None:
    rows = power.to_dict()
    assert rows[0]["curve"][0]["size_percent"] == 0  # type: ignore[index]
    assert not any(v != v for row in rows for v in row.values())
    curve = power.curve()
    assert list(curve.columns[:4]) == ["offence", "area", "weeks", "change"]
    assert isinstance(power.summary(), pd.DataFrame)
    assert power.sentences()[0].startswith("For robbery in all areas a fall of")
