"""The three ways to say what was to be expected, and which of them are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import CampaignError
from forecast.impact.aftermath import Aftermath
from forecast.impact.around import AroundModel
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check
from forecast.impact.controls import ControlledCounts
from forecast.impact.counterfactuals import (
    COUNTERFACTUALS,
    check_after,
    check_change_after,
    choose_model,
    choose_windows,
    count_after,
)
from forecast.impact.effect import CANNOT_TELL
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.impact.planning import plan
from forecast.models.dynamic import DynamicCounts
from forecast.models.naive import SeasonalNaive
from forecast.reporting.wording import plain_box
from forecast.seasonality.disruptions import Disruption
from forecast.simulation import simulate

FACTS: dict[str, Any] = {
    "name": "Patrols",
    "start": "2021-10-01",
    "end": "2021-10-31",
    "offences": ["robbery"],
    "areas": ["Area 01", "Area 02"],
    "comparison": {"areas": ["Area 03", "Area 04"]},
}


def make_campaign(**given: Any) -> Campaign:
    return Campaign(**(FACTS | given))


@pytest.fixture(scope="module")
def counts() -> Panel:
    """Eight years of four areas, 2015 to 2022."""
    return simulate(areas=4, years=8)


def blank(panel: Panel, area: str, first: str, last: str) -> Panel:
    """The panel with one area's counts missing from one period to another."""
    values = panel.values.copy()
    rows = (panel.series["area"] == area).to_numpy()
    values[np.ix_(rows, (panel.periods >= first) & (panel.periods <= last))] = np.nan
    return replace(panel, values=values)


def test_each_way_has_its_model(counts: Panel) -> None:
    campaign, own = make_campaign(), counts.select(area=["Area 01", "Area 02"])
    found = {way: choose_model(campaign, counts, own, [], None, way) for way in COUNTERFACTUALS}
    assert found["before"] == DynamicCounts()
    assert isinstance(found["around"], AroundModel)
    assert isinstance(found["controls"], ControlledCounts)
    assert found["controls"].controls.names == ("Area 03", "Area 04")
    # around: the window itself is hidden from what comes later, and nothing else is
    gone = np.isnan(found["around"].later.values).all(axis=0)
    assert [str(p) for p in own.periods[gone]] == ["2021-10"]
    own_model = SeasonalNaive()
    assert choose_model(campaign, counts, own, [], own_model, "before") is own_model
    around = choose_model(campaign, counts, own, [], own_model, "around")
    assert isinstance(around, AroundModel)
    assert around.base is own_model


def test_windows_of_controls_are_those_in_which_they_count(counts: Panel) -> None:
    campaign, own = make_campaign(), counts.select(area=["Area 01", "Area 02"])
    short = blank(counts, "Area 03", "2015-01", "2017-10")
    every = choose_windows(campaign, own, [], DynamicCounts())[1]
    model = choose_model(campaign, short, own, [], None, "controls")
    pooled, windows = choose_windows(campaign, own, [], model)
    assert pooled.offences == ["robbery"]
    # counted from 2017-11, two years before a window gives 2019-11 as the first
    assert {w.name for w in windows} == {w.name for w in every if w.name >= "2019-11"}


@pytest.mark.parametrize("found", ["after", "Before", ""])
def test_unknown_way_is_refused(counts: Panel, found: str) -> None:
    words = (
        rf"^Argument counterfactual must be 'before', 'around' or 'controls': found '{found}'\. "
        r"Use 'before' for forecasts from before the window\.$"
    )
    with pytest.raises(CampaignError, match=words):
        evaluate(make_campaign(), counts, counterfactual=found)


@pytest.mark.parametrize("way", ["around", "controls"])
def test_stored_forecast_goes_with_before_alone(counts: Panel, way: str) -> None:
    own = counts.select(area=["Area 01", "Area 02"])
    stored = SeasonalNaive().fit(own.before("2021-10")).forecast(1, draws=200)
    words = (
        rf"^Stored forecast must be used with counterfactual='before': found '{way}'\. It was made "
        r"before the campaign; leave one of the two out\.$"
    )
    with pytest.raises(CampaignError, match=words):
        evaluate(make_campaign(), counts, model=stored, counterfactual=way)


def test_controls_go_with_the_engine_alone(counts: Panel) -> None:
    words = (
        r"^Model must be DynamicCounts for counterfactual='controls': found SeasonalNaive\. Leave "
        r"`model` out\.$"
    )
    with pytest.raises(CampaignError, match=words):
        evaluate(make_campaign(), counts, model=SeasonalNaive(), counterfactual="controls")
    fine = evaluate(make_campaign(), counts, model=DynamicCounts(), counterfactual="controls",
                    draws=200)  # fmt: skip
    assert fine.model == "DynamicCounts, synthetic control"


def test_around_needs_counts_after(counts: Panel) -> None:
    words = (
        r"^Campaign 'Patrols' must have counts after it for counterfactual='around': of the 3 "
        r"months after its window none is counted and free of disruption \(the data end with "
        r"2021-10\)\. Load later months, or use counterfactual='before'\.$"
    )
    with pytest.raises(CampaignError, match=words):
        evaluate(make_campaign(), counts.through("2021-10"), counterfactual="around")


def test_loading_more_is_not_advised_where_the_time_after_is_disrupted(counts: Panel) -> None:
    shock = {"name": "flood", "start": "2021-11-01", "end": "2022-01-31"}
    words = r"free of disruption \(the data end with 2022-12\)\. Use counterfactual='before'\.$"
    with pytest.raises(CampaignError, match=words):
        evaluate(make_campaign(disruption=[shock]), counts, counterfactual="around")


@pytest.mark.parametrize(
    ("freq", "days", "used"),
    [
        ("D", 6, 0),  # a week less a day is no week
        ("D", 7, 7),
        ("D", 20, 14),
        ("D", 60, 28),
        ("W-SUN", 7, 0),  # blocks of two weeks
        ("W-SUN", 14, 2),
        ("W-SUN", 63, 8),
    ],
)
def test_only_whole_blocks_after_the_window_count(freq: str, days: int, used: int) -> None:
    """What is said to be used is what moves the forecast: a part of a block does not."""
    panel = simulate(areas=1, years=4, freq=freq)  # to the end of 2018
    end = pd.Timestamp("2018-10-21")  # a Sunday
    through = panel.through(str((end + pd.Timedelta(days=days)).date()))
    campaign = make_campaign(
        start="2018-10-01", end=str(end.date()), areas=["Area 01"], comparison={}
    )
    assert count_after(campaign, through, []) == used
    if used == 0:
        with pytest.raises(CampaignError, match=r"free of disruption in whole blocks of [72] \(th"):
            choose_model(campaign, through, through, [], None, "around")
        return
    model = choose_model(campaign, through, through, [], None, "around")
    window = campaign.periods(freq)
    cut = AroundModel(model.base, through.through(str((window[-1] + used).end_time.date())))  # type: ignore[attr-defined]
    one, two = (m.fit(panel.before(window[0])).paths(window, draws=100) for m in (model, cut))
    assert (one.log_total == two.log_total).all()
    text = check_after(campaign, through, [], "around").text
    assert text.startswith(f"{used} of the {28 if freq == 'D' else 8} ")


def test_hole_after_the_window_takes_its_block_out() -> None:
    panel = simulate(areas=2, years=4, freq="D")
    campaign = make_campaign(start="2018-10-01", end="2018-10-21")
    # the second week after: one area lacks one day; the fourth: one day is disrupted
    holed = blank(panel, "Area 02", "2018-10-30", "2018-10-30")
    day = pd.Timestamp("2018-11-15").date()
    shock = Disruption("flood", day, day, "campaign file", 4, "")
    assert count_after(campaign, holed, [shock]) == 14


def test_controls_must_be_named(counts: Panel) -> None:
    words = (
        r"^Campaign 'Patrols' must name controls for counterfactual='controls': it names none\. "
        r"Give areas or offences under `comparison`, or use counterfactual='before'\.$"
    )
    with pytest.raises(CampaignError, match=words):
        evaluate(make_campaign(comparison={}), counts, counterfactual="controls")


def test_a_control_that_is_treated_too_is_refused(counts: Panel) -> None:
    words = (
        r"Campaign 'Patrols' must not name what it targeted as comparison: Area 02 is in both\. "
        r"Remove it from `comparison`\."
    )
    with pytest.raises(CampaignError, match=words):
        make_campaign(comparison={"areas": ["Area 02", "Area 03"]})
    # without `areas` every area had the campaign, the controls too
    words = (
        r"^Campaign 'Patrols' must list its own areas when it names comparison areas: without "
        r"`areas` every area had it, Area 03, Area 04 too\. List the areas that had the campaign"
    )
    with pytest.raises(CampaignError, match=words):
        evaluate(make_campaign(areas=None), counts, counterfactual="controls")


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        ("2015-01", "2021-11", r"lacks counts of the window \(2021-10\)"),  # starts after it
        ("2021-10", "2021-10", r"lacks counts of the window \(2021-10\)"),
        # counted from November 2019: 23 months
        ("2015-01", "2019-10", r"has 23 months before the window"),
        ("2015-01", "2022-12", r"has no events at all"),
    ],
)
def test_a_control_without_the_counts_it_needs_is_refused(
    counts: Panel, first: str, last: str, found: str
) -> None:
    words = (
        r"^Controls of campaign 'Patrols' must have counts in the window and 24 months before it: "
        rf"Area 04 \(robbery\) {found}\. Load the missing months, or leave the control out of "
        r"`comparison`\.$"
    )
    with pytest.raises(CampaignError, match=words):
        evaluate(make_campaign(), blank(counts, "Area 04", first, last), counterfactual="controls")


def test_an_unknown_control_is_refused(counts: Panel) -> None:
    with pytest.raises(CampaignError, match=r"area 'Area 5': it does not\. Did you mean 'Area 0"):
        evaluate(make_campaign(comparison={"areas": ["Area 5"]}), counts, counterfactual="controls")


def test_what_serves_as_control_is_no_check_of_the_result(counts: Panel) -> None:
    theft = simulate(areas=4, years=8, seed=1, offence="theft")
    both = replace(
        counts,
        values=np.concatenate([counts.values, theft.values]),
        series=pd.concat([counts.series, theft.series]),
    )
    campaign = make_campaign(comparison={"offences": ["theft"]})
    for way in ("before", "controls"):
        result = evaluate(campaign, both, counterfactual=way, draws=200)
        (check,) = [c for c in result.checks if c.name == "offences not targeted"]
        assert bool(result.untargeted) == (way == "before")
        assert (check.status == "not possible") == (way == "controls")
    assert check.text == "What was not targeted is the control here, and so no check of the result."


def test_areas_that_share_nothing_are_no_comparable_ones() -> None:
    # areas' noise is independent: weights fitted to it find a correlation that is clearly above
    # zero, and still far from alike
    panel = simulate(areas=13, years=9, noise_sd=0.0, seed=4)
    names = panel.areas
    campaign = Campaign(
        name="A", start="2022-10-01", end="2022-11-30", offences=["robbery"], areas=names[:3],
        comparison={"areas": names[3:]},
    )  # fmt: skip
    found = evaluate(campaign, panel, counterfactual="controls", draws=200)
    assert found.rating.level == 2
    assert not found.rating.allows_cause


def shift(panel: Panel, first: str, last: str, factor: float, offence: str = "robbery") -> Panel:
    """The panel with the counts of an offence multiplied from one period to another."""
    values = panel.values.copy()
    rows = (panel.series["offence"] == offence).to_numpy()
    values[np.ix_(rows, (panel.periods >= first) & (panel.periods <= last))] *= factor
    return replace(panel, values=np.round(values))


def look_after_it(result: Evaluation) -> list[Check]:
    return [check for check in result.checks if check.name.startswith("change after the window")]


@pytest.mark.parametrize(("factor", "words"), [(1.4, "exaggerates a fall"), (0.6, "hides a part")])
def test_a_clear_change_after_the_window_bars_the_answer_around_it(
    counts: Panel, factor: float, words: str
) -> None:
    campaign, moved = make_campaign(comparison={}), shift(counts, "2021-11", "2021-12", factor)
    result = evaluate(campaign, moved, counterfactual="around", draws=400)
    (check,) = look_after_it(result)
    assert (check.status, check.blocks) == ("failed", True)
    assert words in check.text
    # the figures are those of the month after, or of the three that are used, as counted
    own, periods = moved.select(area=["Area 01", "Area 02"]).values.sum(axis=0), moved.periods
    one, three = own[periods == "2021-11"].sum(), own[(periods > "2021-10") & (periods < "2022-02")]
    said = (f"(2021-11), {one:,.0f}", f"(2021-11 to 2022-01), {three.sum():,.0f}")
    assert any(f"{text} of robbery were counted where" in check.text for text in said)
    assert check.text.endswith("Use counterfactual='before'.")
    # a month after a month, and the three that are used: two looks share the 5 per cent
    assert " at 97.5 per cent)." in check.text
    assert result.verdict == CANNOT_TELL
    assert check.text in result.reason
    assert "Counts just after it were unusual too" in plain_box(result)
    # what it advises can be done, and looks at nothing after the window
    before = evaluate(campaign, moved, counterfactual="before", draws=400)
    assert before.verdict != CANNOT_TELL
    assert look_after_it(before) == []


def test_a_late_change_after_a_short_window_bars_the_answer_too(counts: Panel) -> None:
    """The month after the window is as usual, and the two after that, used as well, are not."""
    moved = shift(counts, "2021-12", "2022-01", 1.4)
    result = evaluate(make_campaign(comparison={}), moved, counterfactual="around", draws=400)
    (check,) = look_after_it(result)
    assert check.text.startswith("In the time after the window (2021-11 to 2022-01), ")
    assert (check.status, result.verdict) == ("failed", CANNOT_TELL)


def test_no_change_after_the_window_bars_nothing(counts: Panel) -> None:
    result = evaluate(make_campaign(comparison={}), counts, counterfactual="around", draws=400)
    (check,) = look_after_it(result)
    assert (check.status, check.blocks) == ("passed", False)
    assert check.text.endswith("no clear change.")
    assert result.verdict != CANNOT_TELL


def test_a_change_after_the_window_bars_its_own_offence_alone(counts: Panel) -> None:
    theft = simulate(areas=4, years=8, seed=1, offence="theft")
    both = replace(
        counts,
        values=np.concatenate([counts.values, theft.values]),
        series=pd.concat([counts.series, theft.series]),
    )
    campaign = make_campaign(offences=["theft", "robbery"], comparison={})
    moved = shift(both, "2021-11", "2021-12", 1.4)
    result = evaluate(campaign, moved, counterfactual="around", draws=400)
    status = {check.name: check.status for check in look_after_it(result)}
    assert status == {
        "change after the window, theft": "passed",
        "change after the window, robbery": "failed",
    }
    assert result.effect.of("robbery").verdict == CANNOT_TELL
    assert result.effect.of("theft").verdict != CANNOT_TELL


def test_a_time_after_that_cannot_be_judged_bars_nothing() -> None:
    empty = Aftermath((), pd.period_range("2021-11", periods=1, freq="M"), "", None, "Why.", 0.95)
    (check,) = check_change_after([empty, empty])
    assert (check.status, check.blocks, check.text) == ("not possible", False, "Why.")


@pytest.mark.slow
def test_around_gives_an_answer_when_nothing_happens_after() -> None:
    """At most one verdict in ten may be "cannot tell": here of 60 panels with nothing planted."""
    campaign = Campaign(name="T", start="2022-10-01", end="2022-11-30", offences=["robbery"])
    barred = [
        evaluate(
            campaign, simulate(areas=1, years=9, seed=seed), counterfactual="around", draws=200
        ).verdict
        == CANNOT_TELL
        for seed in range(60)
    ]
    print(f"around, nothing after: {sum(barred)} of {len(barred)} cannot tell")
    # more than 10 of 60 would have a chance of 3 per cent were the rate one in ten
    assert sum(barred) <= 10


def test_what_spilled_over_to_a_neighbour_is_not_taken_for_usual(counts: Panel) -> None:
    """A campaign that lowers robbery by 30 per cent, and by as much next door, which is named."""
    moved = counts
    for area in ("Area 01", "Area 02", "Area 03"):
        values = moved.values.copy()
        rows = (moved.series["area"] == area).to_numpy()
        values[np.ix_(rows, moved.periods == "2021-10")] *= 0.7
        moved = replace(moved, values=np.round(values))
    campaign = make_campaign(adjacent={"Area 01": ["Area 03"], "Area 02": []})
    result = evaluate(campaign, moved, counterfactual="controls", draws=200)
    assert result.main.percent == pytest.approx(-30, abs=6)
    (check,) = [c for c in result.checks if c.name == "neighbours named for comparison"]
    assert (check.status, check.blocks) == ("failed", False)
    assert check.text.startswith("The campaign file names Area 03 for comparison and as next to")
    (used,) = [c for c in result.checks if c.name == "untreated areas"]
    assert used.text == "Area 04 did not take part and is the control here."
    # the file is warned about whichever way is asked, and planned with the same words
    before = evaluate(campaign, moved, draws=200)
    assert check.text in [c.text for c in before.checks]
    assert check.text in plan(campaign, counts, draws=200).sentences()
    fine = evaluate(make_campaign(), counts, draws=200)
    assert "neighbours named for comparison" not in [c.name for c in fine.checks]
