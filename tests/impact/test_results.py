"""The machine-readable result: exactly the keys of the schema, and nothing that is not JSON."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.breaks import Break
from forecast.data.lag import Completeness
from forecast.data.panel import Panel
from forecast.data.tallies import Tally
from forecast.impact.campaign import Campaign
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.impact.placebo import describe_placebo
from forecast.impact.plain import clean, pair
from forecast.models.naive import SeasonalNaive
from forecast.simulation import simulate

# DESIGN: the schema forecast.evaluation/1; "sentence" and "..._reason" are additions to it
TOP = (
    "schema campaign measure results year_on_year headline checks outputs disruptions data "
    "provenance"
)
RESULT = (
    "offence area periods exposure counterfactual model observed expected expected_interval effect "
    "effect_interval effect_percent effect_percent_interval effect_in_window_percent "
    "effect_in_window_percent_interval effect_in_window_reason cumulative level probability_fewer "
    "p placebo smallest_detectable_percent verdict reason"
)
YEARS = "offence area period against before after change_percent change_percent_interval"
STEP = "label observed reference change_percent change_percent_interval"


@pytest.fixture(scope="module")
def described(autumn_nights: Evaluation) -> dict[str, Any]:
    return autumn_nights.to_dict()


def keys(text: str) -> set[str]:
    return set(text.split())


def test_keys_are_those_of_the_schema(described: dict[str, Any]) -> None:
    assert set(described) == keys(TOP) | keys("design registration runs_left_out disclosure")
    assert described["schema"] == "forecast.evaluation/1"
    assert set(described["campaign"]) == keys("name start end")
    for row in described["results"]:
        assert set(row) == keys(RESULT)
        assert set(row["placebo"]) == keys("windows held rank")
        assert [set(c) for c in row["cumulative"]] == [keys("period effect interval")] * 2
    assert all(set(row) == keys(YEARS) for row in described["year_on_year"])
    (headline,) = described["headline"]
    assert set(headline) == keys("claim reproduced steps sentence")
    assert all(set(step) == keys(STEP) for step in headline["steps"])
    assert all(set(c) == keys("name status blocking text") for c in described["checks"])
    assert all(set(o) == keys("kind count") for o in described["outputs"])
    assert all(set(d) == keys("name start end days_in_window") for d in described["disruptions"])
    assert set(described["data"]) == keys(
        "source retrieved sha256 licence measure synthetic breaks"
    )
    assert set(described["provenance"]) == keys("version command seed draws seconds")


def test_values_of_the_worked_case(described: dict[str, Any], autumn_nights: Evaluation) -> None:
    main = described["results"][0]
    assert (main["offence"], main["area"], main["verdict"]) == ("robbery", "London", "cannot tell")
    assert main["periods"] == ["2020-10", "2020-11"]
    assert main["exposure"] == pytest.approx([13 / 31, 8 / 30], abs=1e-6)
    assert (main["observed"], main["counterfactual"], main["level"]) == (4816, "before", 0.95)
    assert main["effect"] == pytest.approx(4816 - main["expected"], abs=1e-5)
    assert main["effect_percent"] == pytest.approx(100 * main["effect"] / main["expected"])
    lower, upper = main["expected_interval"]
    assert main["effect_interval"] == [4816 - upper, 4816 - lower]
    last = main["cumulative"][-1]
    assert (last["period"], last["interval"]) == ("2020-11", main["effect_interval"])
    assert last["effect"] == pytest.approx(main["effect"])
    # fifteen windows, see the test of placebo windows; no rank can be below 1 / 16
    assert main["placebo"]["windows"] == 15
    assert main["placebo"]["rank"] >= round(1 / 16, 6)
    assert described["campaign"] == {
        "name": "Autumn Nights 2020",
        "start": "2020-10-19",
        "end": "2020-11-08",
    }
    assert described["outputs"][1] == {"kind": "arrests", "count": 1200}
    days = {d["name"]: d["days_in_window"] for d in described["disruptions"]}
    assert (days["second national lockdown"], days["first national lockdown"]) == (4, 0)
    assert described["provenance"]["draws"] == 1000
    assert described["data"]["retrieved"] == "2024-11"
    assert len(described["data"]["sha256"]) == 64


def test_result_is_strict_json_and_reads_back(described: dict[str, Any]) -> None:
    text = json.dumps(described, allow_nan=False)
    assert json.loads(text) == described
    # undefined is null: the announced figure has no counts and no interval
    said = described["headline"][0]["steps"][0]
    assert (said["observed"], said["change_percent_interval"]) == (None, None)
    assert said["change_percent"] == -27


def test_table_text_and_json_agree(described: dict[str, Any], autumn_nights: Evaluation) -> None:
    table = autumn_nights.effect.summary()
    for row, (_, seen) in zip(described["results"], table.iterrows(), strict=True):
        assert (row["offence"], row["area"], row["verdict"]) == tuple(
            seen[["offence", "area", "verdict"]]
        )
        assert row["effect_percent"] == pytest.approx(seen["effect_percent"], abs=1e-5)
        assert row["effect_percent_interval"] == pytest.approx(
            [seen["effect_percent_lower"], seen["effect_percent_upper"]], abs=1e-5
        )


def test_command_is_passed_on(autumn_nights: Evaluation) -> None:
    told: Any = autumn_nights.to_dict(command="forecast evaluate autumn-nights-2020 london")
    assert told["provenance"]["command"] == "forecast evaluate autumn-nights-2020 london"
    own: Any = autumn_nights.to_dict()
    assert own["provenance"]["command"] == "evaluate(Autumn Nights 2020), robbery first"


def test_numbers_are_cleaned() -> None:
    assert [clean(x) for x in (None, "a", True, 3.0, 1 / 3, math.nan, math.inf)] == [
        None,
        "a",
        True,
        3,
        0.333333,
        None,
        None,
    ]
    assert isinstance(clean(np.float64(3.0)), int)
    assert pair((1.0, 2.5)) == [1, 2.5]
    assert pair((1.0, math.nan)) is None


def quick(panel: Panel, **given: Any) -> Evaluation:
    settings: dict[str, Any] = {
        "name": "A",
        "start": "2019-10-01",
        "end": "2019-10-31",
        "offences": "robbery",
    }
    return evaluate(Campaign(**(settings | given)), panel, draws=200)


def test_too_few_windows_are_not_said_to_have_held() -> None:
    # five years: windows of spring and autumn 2018 only, and October 2019 is the campaign
    result = quick(simulate(areas=1, years=5))
    main: Any = result.to_dict()["results"]
    assert main[0]["placebo"]["windows"] == 2
    assert main[0]["placebo"]["held"] is None
    assert main[0]["smallest_detectable_percent"] is None


def test_rank_counts_windows_at_least_as_far(autumn_nights: Evaluation) -> None:
    part = autumn_nights.main
    rows = autumn_nights.placebo.totals
    rows = rows[rows["offence"] == "robbery"]
    own = abs(math.log(part.observed / part.expected))
    further = int((rows["error"].abs() >= own).sum())
    found = describe_placebo(part, autumn_nights.placebo)
    assert found["rank"] == pytest.approx((1 + further) / (15 + 1), abs=1e-6)
    assert found["held"] == int(rows["held"].sum())
    # an effect beyond all windows has the smallest rank there is
    extreme = replace(part, observed=1.0)
    assert describe_placebo(extreme, autumn_nights.placebo)["rank"] == pytest.approx(
        1 / (15 + 1), abs=1e-6
    )


@pytest.mark.parametrize(
    ("freq", "first", "number"), [("W-SUN", "2019-10-07", 2), ("D", "2019-10-07", 14)]
)
def test_weeks_and_days_are_written_by_their_first_day(freq: str, first: str, number: int) -> None:
    result = quick(
        simulate(areas=1, years=6, freq=freq), start="2019-10-07", end="2019-10-20"
    ).to_dict()
    rows: Any = result["results"]
    assert rows[0]["periods"][0] == first
    assert len(rows[0]["periods"]) == number
    assert json.dumps(result, allow_nan=False)


def test_area_that_was_always_zero_is_still_json() -> None:
    panel = simulate(areas=3, years=6)
    values = panel.values.copy()
    values[2] = 0
    result = quick(replace(panel, values=values)).to_dict()
    rows: Any = result["results"]
    assert rows[3]["observed"] == 0
    assert rows[3]["verdict"] == "no clear difference"
    assert "not even a fall to zero could have been seen" in rows[3]["reason"]
    assert json.dumps(result, allow_nan=False)


def test_a_fall_that_the_window_could_not_hold_is_null_with_its_reason() -> None:
    # a fall of three fifths in two months, of which the campaign had four days
    counts = simulate(areas=1, years=8, effect=-0.6)
    campaign = Campaign(name="A", start="2022-10-30", end="2022-11-02", offences=["robbery"])
    (row,) = evaluate(campaign, counts, draws=200).to_dict()["results"]  # type: ignore[misc]
    assert row["effect_percent"] == pytest.approx(-60, abs=5)
    assert row["effect_in_window_percent"] is None
    assert row["effect_in_window_percent_interval"] is None
    assert row["effect_in_window_reason"].startswith("The fall is larger than what the campaign's")


def test_how_rows_were_counted_and_how_late_they_are_stand_with_the_data() -> None:
    counts = simulate(areas=1, years=6)
    table = pd.DataFrame({"offence": "robbery", "lag": [0, 1], "share": [0.9, 1.0]})
    table = table.assign(lower=[0.85, 1.0], upper=[0.95, 1.0], cells=12)
    lag = Completeness(table, "M", counts.periods[-1] + 1)
    step = Break("robbery", pd.Period("2017-04", "M"), "Knives counted apart.", "a test")
    later = Break("theft", pd.Period("2017-04", "M"), "Another offence.", "a test")
    tally = Tally(100, 98, 2, (("no date", 2),))
    told = replace(counts, tally=tally, breaks=(step, later)).with_lag(lag, correct="thin")
    start = str(counts.periods[-2].start_time.date())
    campaign = Campaign(
        name="A", start=start, end=str(counts.periods[-1].end_time.date()), offences=["robbery"]
    )
    data: Any = evaluate(campaign, told, model=SeasonalNaive(), draws=100).to_dict()["data"]
    assert data["tally"]["read"] == data["tally"]["counted"] + data["tally"]["quarantined"] == 100
    assert data["lag"]["correct"] == "thin"
    assert data["lag"]["lags"][0]["share"] == 0.9
    # a break of an offence that the panel does not hold is none of its own
    assert [(b["offence"], b["period"]) for b in data["breaks"]] == [("robbery", "2017-04")]
    assert json.loads(json.dumps(data, allow_nan=False)) == data
