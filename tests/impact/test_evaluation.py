"""The evaluation as a whole: known answers, what it never sees, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import CampaignError
from forecast.impact.campaign import Campaign
from forecast.impact.effect import CANNOT_TELL, FEWER, NO_DIFFERENCE
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.models.naive import SeasonalNaive
from forecast.models.structural import StructuralTrend
from forecast.simulation import simulate

QUIET = {"name": "Quiet", "start": "2022-10-01", "end": "2022-11-30", "offences": ["robbery"]}


def make_campaign(**given: Any) -> Campaign:
    return Campaign(**(QUIET | given))


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Nine simulated years of two offences in three areas."""
    robbery = simulate(areas=3, years=9)
    theft = simulate(areas=3, years=9, seed=1, offence="theft")
    return replace(
        robbery,
        values=np.concatenate([robbery.values, theft.values]),
        series=pd.concat([robbery.series, theft.series]),
    )


@pytest.fixture(scope="module")
def quiet(panel: Panel) -> Evaluation:
    return evaluate(make_campaign(), panel, draws=200)


def check_named(result: Evaluation, name: str) -> Any:
    (found,) = [c for c in result.checks if c.name == name]
    return found


def with_planted(panel: Panel, first: str, last: str, value: float) -> Panel:
    """The panel with one value in all series from one period to another."""
    values = panel.values.copy()
    span = pd.period_range(first, last, freq="M")
    values[:, panel.periods.get_indexer(span)] = value
    return replace(panel, values=values)


def test_autumn_nights_2020_cannot_be_told(autumn_nights: Evaluation) -> None:
    main = autumn_nights.main
    assert (main.offence, main.area) == ("robbery", "London")
    # recorded robberies: 2,484 in October and 2,332 in November
    assert main.observed == 4816
    assert autumn_nights.verdict == CANNOT_TELL
    assert autumn_nights.reason == (
        "The campaign did not run alone: London in Tier 2 (High) (begun 2 days before it) covers "
        "17 of its 21 days and second national lockdown (from 5 November) covers 4 of its 21 days. "
        "What the campaign changed cannot be told from what these changed."
    )
    assert main.exposure == pytest.approx((13 / 31, 8 / 30))
    assert set(autumn_nights.effect.summary()["verdict"]) == {CANNOT_TELL}
    # two offences, each in London and in thirteen areas
    assert len(autumn_nights.effect.parts) == 28


def test_autumn_nights_2020_claim_is_not_reproduced(autumn_nights: Evaluation) -> None:
    (ladder,) = autumn_nights.headline.ladders
    assert ladder.reproduced is None
    assert ladder.sentence.startswith(
        "Not reproduced: call-outs are not in these data, which count recorded offences. "
        "Only 13 of the 31 days of 2020-10 are campaign days."
    )
    # October, August and September of 2020 against 2019
    assert [round(ladder.steps[k].change_percent, 1) for k in (1, 3, 4)] == [-33.7, -17.5, -21.7]
    names = [s.label for s in ladder.steps if s.kind == "model"]
    assert names[:2] == [
        "model, learnt from all months before: 2020-10",
        "model, disrupted months left out: 2020-10",
    ]
    last = ladder.steps[-1]
    assert last.change_percent == pytest.approx(autumn_nights.main.percent)
    assert (last.change_percent_lower, last.change_percent_upper) == pytest.approx(
        autumn_nights.main.percent_interval
    )


def test_autumn_nights_2020_was_trained_without_the_first_lockdown(
    autumn_nights: Evaluation,
) -> None:
    # April 2010 to September 2020 are 126 months; March to June 2020 are left out
    assert autumn_nights.baseline.trained == (
        "2010-04 to 2020-09, monthly, 122 of 126 used; 4 disrupted left out"
    )
    assert str(autumn_nights.baseline.forecast.cutoff) == "2020-10"
    assert autumn_nights.counterfactual == "before"
    assert repr(autumn_nights).startswith(
        "Evaluation('Autumn Nights 2020', robbery in London: cannot tell; 2010-04 to 2024-10"
    )


def test_areas_add_up_to_the_total_in_every_draw(autumn_nights: Evaluation) -> None:
    for forecast in (autumn_nights.baseline.forecast, autumn_nights.baseline.raw):
        for row, offence in enumerate(autumn_nights.campaign.offences):
            members = (forecast.series["offence"] == offence).to_numpy()
            total = forecast.total().draws[:, row]
            assert np.array_equal(total, forecast.draws[:, members].sum(axis=1))
    table = autumn_nights.effect.summary()
    for _, part in table.groupby("offence", sort=False):
        for column in ("observed", "expected", "effect"):
            assert part[column].iloc[0] == pytest.approx(part[column].iloc[1:].sum())


def test_an_autumn_with_nothing_in_the_way_gets_an_answer(london: Panel) -> None:
    campaign = Campaign(
        name="Autumn 2019",
        start="2019-10-01",
        end="2019-11-30",
        offences=["robbery"],
        comparison={"offences": ["burglary"]},
    )
    result = evaluate(campaign, london.select(offence=["robbery", "burglary"]), draws=200)
    assert result.verdict != CANNOT_TELL
    assert result.main.observed == 3748 + 3839
    assert [p.offence for p in result.untargeted] == ["burglary"]
    assert check_named(result, "offences not targeted").status != "not possible"


@pytest.mark.parametrize("month", ["2023-03", "2023-10"])
def test_month_without_areas_bars_units_but_not_london(london: Panel, month: str) -> None:
    campaign = make_campaign(start=f"{month}-01", end=f"{month}-28")
    result = evaluate(campaign, london.select(offence="robbery"), draws=200)
    check = check_named(result, "offences without an area")
    assert (check.status, check.blocks, check.areas_only) == ("failed", True, True)
    assert result.main.area == "London"
    assert result.verdict != CANNOT_TELL
    units = [p for p in result.effect.parts if not p.is_total]
    assert len(units) == 13
    assert {p.verdict for p in units} == {CANNOT_TELL}
    assert {p.reason for p in units} == {check.text}


def test_sum_of_some_units_is_not_called_london(london: Panel) -> None:
    some = ["Central East", "North Area"]
    counts = london.select(offence="robbery")
    result = evaluate(make_campaign(areas=some, start="2019-10-01", end="2019-11-30"), counts,
                      draws=200)  # fmt: skip
    assert [p.area for p in result.effect.parts] == ["all areas", *some]
    totals = result.year_on_year[~result.year_on_year["area"].isin(some)]
    assert set(totals["area"]) == {"all areas"}
    every = evaluate(make_campaign(areas=counts.areas, start="2019-10-01", end="2019-11-30"),
                     counts, draws=200)  # fmt: skip
    assert every.main.area == "London"


def test_one_area_is_one_row_with_its_own_name(panel: Panel) -> None:
    result = evaluate(make_campaign(areas=["Area 02"]), panel, draws=200)
    assert [(p.area, p.is_total) for p in result.effect.parts] == [("Area 02", True)]
    assert set(result.year_on_year["area"]) == {"Area 02"}


def test_planted_fall_is_found_and_its_absence_is_not(panel: Panel, quiet: Evaluation) -> None:
    assert quiet.verdict == NO_DIFFERENCE
    values = panel.values.copy()
    at = panel.periods.get_indexer(quiet.main.periods)
    values[:3, at] = np.round(0.7 * values[:3, at])
    result = evaluate(make_campaign(), replace(panel, values=values), draws=200)
    assert result.verdict == FEWER
    lower, upper = result.main.percent_interval
    # the same draws were expected: nothing in the window is seen
    assert result.main.expected_interval == quiet.main.expected_interval
    assert lower < -30 < upper < 0


def test_nothing_in_the_window_changes_what_is_expected(panel: Panel, quiet: Evaluation) -> None:
    planted = evaluate(make_campaign(), with_planted(panel, "2022-10", "2022-11", 7.0), draws=200)
    for one, two in ((quiet.baseline.forecast, planted.baseline.forecast),
                     (quiet.baseline.raw, planted.baseline.raw)):  # fmt: skip
        assert one.draws.tobytes() == two.draws.tobytes()
    assert planted.baseline.calibration == quiet.baseline.calibration
    pd.testing.assert_frame_equal(planted.placebo.errors, quiet.placebo.errors)
    assert planted.main.observed == 42.0


def test_later_counts_calibrate_and_do_nothing_else(panel: Panel, quiet: Evaluation) -> None:
    planted = evaluate(make_campaign(), with_planted(panel, "2022-12", "2023-12", 7.0), draws=200)
    assert planted.baseline.raw.draws.tobytes() == quiet.baseline.raw.draws.tobytes()
    assert planted.baseline.calibration != quiet.baseline.calibration
    # without them nothing at or after the window can matter at all
    through = panel.through("2022-11")
    one = evaluate(make_campaign(), through, draws=200)
    two = evaluate(make_campaign(), with_planted(through, "2022-10", "2022-11", 7.0), draws=200)
    assert one.baseline.forecast.draws.tobytes() == two.baseline.forecast.draws.tobytes()
    assert "All came before the campaign." in check_named(one, "placebo windows").text
    assert "2 of the windows came after" in check_named(quiet, "placebo windows").text


def test_same_inputs_give_the_same_result(panel: Panel, quiet: Evaluation) -> None:
    def describe(result: Evaluation) -> dict[str, Any]:
        found: dict[str, Any] = result.to_dict()
        found["provenance"].pop("seconds")
        return found

    again = describe(evaluate(make_campaign(), panel, draws=200))
    assert again == describe(quiet)
    assert describe(evaluate(make_campaign(), panel, draws=200, seed=1)) != again


def test_the_panel_is_left_as_it_was(panel: Panel, quiet: Evaluation) -> None:
    assert quiet.counts is panel
    assert not np.isnan(panel.values).any()


def test_wider_level_gives_a_wider_interval(panel: Panel, quiet: Evaluation) -> None:
    narrow = evaluate(make_campaign(), panel, draws=200, level=0.8).main.percent_interval
    wide = quiet.main.percent_interval
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_other_models_can_be_given(panel: Panel) -> None:
    robbery = panel.select(offence="robbery").total()
    result = evaluate(make_campaign(), robbery, model=SeasonalNaive(), draws=200)
    assert result.model == "SeasonalNaive"
    assert result.verdict in (NO_DIFFERENCE, FEWER)


def test_too_short_a_history_of_placebos_cannot_tell() -> None:
    # three years: no window has three years before it
    result = evaluate(make_campaign(start="2017-10-01", end="2017-10-31"),
                      simulate(areas=1, years=3), draws=200)  # fmt: skip
    assert result.verdict == CANNOT_TELL
    assert result.reason.startswith("None of the 4 quiet windows with three years before them")
    assert result.baseline.calibration is None
    assert np.isnan(result.main.smallest_detectable_percent)


@pytest.fixture(scope="module")
def stored(panel: Panel) -> Any:
    robbery = panel.select(offence="robbery").before("2022-10")
    return StructuralTrend().fit(robbery).forecast(4, draws=200)


def test_stored_forecast_is_taken_as_it_stands(panel: Panel, stored: Any) -> None:
    result = evaluate(make_campaign(), panel, model=stored, draws=200)
    draws = stored.total().draws[:, 0, :2].sum(axis=1)
    assert result.main.expected == pytest.approx(draws.mean())
    # it cannot be tried on other windows, so that no verdict rests on it
    assert result.verdict == CANNOT_TELL
    assert result.reason == (
        "A stored forecast cannot be made again for placebo windows: it is not calibrated."
    )
    assert result.baseline.trained == "a stored forecast that saw nothing from 2022-10 on"
    assert np.isnan(result.main.smallest_detectable_percent)


@pytest.mark.parametrize(
    ("start", "offences", "measure", "words"),
    [
        ("2022-09-01", ["robbery"], None, r"saw counts up to 2022-09, inside the window\. Choose"),
        ("2023-01-01", ["robbery"], None, r"does not hold all periods from 2023-01 to 2023-02"),
        ("2022-10-01", ["theft"], None, r"3 series of the campaign are not in it\. Choose one mad"),
        ("2022-10-01", ["robbery"], "calls", r"it counts calls, the panel simulated offences"),
    ],
)
def test_stored_forecast_must_fit(
    panel: Panel, stored: Any, start: str, offences: list[str], measure: str | None, words: str
) -> None:
    saw = stored if start != "2022-09-01" else replace(stored, periods=stored.periods - 1)
    given = replace(saw, measure=measure) if measure else saw
    end = str((pd.Period(start, "M") + 1).end_time.date())
    campaign = make_campaign(start=start, end=end, offences=offences)
    with pytest.raises(
        CampaignError, match=rf"^Stored forecast must fit campaign 'Quiet': .*{words}"
    ):
        evaluate(campaign, panel, model=given, draws=200)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"counterfactual": "after"},
            r"^Argument counterfactual must be 'before', 'around' or 'controls': found 'after'\.",
        ),
        ({"level": 95}, r"^Level must lie between 0 and 1: found 95\. Use 0\.95 for 95 per cent"),
        (
            {"draws": 20},
            r"^Draws must number at least 100 for level 0\.95: found 20\. Pass draws=1000",
        ),
        # an interval at 99.9 per cent leaves half a draw of 1,000 in each tail: 1,999 are needed
        (
            {"level": 0.999},
            r"^Draws must number at least 1,999 for level 0\.999: found 1,000\. Pass draws=1999",
        ),
        (
            {"previous": "drop"},
            r"^Argument previous must be 'mask' or 'keep': found 'drop'\. Use 'm",
        ),
        ({"seed": -1}, r"^Seed must be 0 or more: found -1\. Leave it at 0"),
    ],
)
def test_arguments_are_refused_in_plain_words(
    panel: Panel, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(CampaignError, match=words):
        evaluate(make_campaign(), panel, **given)


def test_unknown_names_are_refused(panel: Panel) -> None:
    with pytest.raises(CampaignError, match=r"offence 'robery': it does not\. Did you mean 'robb"):
        evaluate(make_campaign(offences=["robery"]), panel)
    with pytest.raises(CampaignError, match=r"area 'Area 4': it does not\. Did you mean 'Area 0"):
        evaluate(make_campaign(areas=["Area 4"]), panel)


def test_window_with_missing_counts_is_refused(panel: Panel) -> None:
    values = panel.values.copy()
    at = panel.periods.get_indexer(pd.PeriodIndex(["2022-10", "2022-11"], freq="M"))
    values[:2, at] = np.nan
    words = (
        r"^Campaign 'Quiet' must have a count for every area and period of its window: it lacks "
        r"Area 01 robbery 2022-10, Area 01 robbery 2022-11, Area 02 robbery 2022-10, 1 more\. Load "
        r"what is missing, or leave the area out with `areas`\.$"
    )
    broken = replace(panel, values=values)
    with pytest.raises(CampaignError, match=words):
        evaluate(make_campaign(), broken)
    # the advice works
    result = evaluate(make_campaign(areas=["Area 03"]), broken, draws=200)
    assert result.main.area == "Area 03"


def test_offence_without_history_is_named(panel: Panel) -> None:
    values = panel.values.copy()
    values[:3, :80] = np.nan  # robbery is counted from September 2021 on
    message = r"before it in every area: Area 01 has 13 of robbery \(from 2021-09\), Area 02 has 13"
    with pytest.raises(CampaignError, match=message):
        evaluate(make_campaign(), replace(panel, values=values), draws=200)


def test_offence_not_targeted_without_counts_in_the_window_is_said(panel: Panel) -> None:
    values = panel.values.copy()
    values[3:, panel.periods == "2022-10"] = np.nan
    campaign = make_campaign(comparison={"offences": ["theft"]})
    result = evaluate(campaign, replace(panel, values=values), draws=200)
    check = check_named(result, "offences not targeted")
    assert (check.status, check.text) == (
        "not possible",
        "Offences that were not targeted lack counts in the window: theft.",
    )


@pytest.mark.parametrize("freq", ["W-SUN", "D"])
def test_weeks_and_days(freq: str) -> None:
    counts = simulate(areas=1, years=8, freq=freq, effect=-0.3,
                      window=("2021-10-04", "2021-11-07"))  # fmt: skip
    campaign = make_campaign(start="2021-10-04", end="2021-11-07")
    result = evaluate(campaign, counts, draws=200)
    assert result.verdict == FEWER
    assert len(result.main.periods) == (35 if freq == "D" else 5)
    assert set(result.main.exposure) == {1.0}
    # every day is a campaign day: both percentages are the same
    assert result.main.in_window_percent == pytest.approx(result.main.percent)


def test_progress_is_told(panel: Panel) -> None:
    told: list[tuple[str, int, int]] = []
    evaluate(
        make_campaign(areas=["Area 01"]),
        panel.select(offence="robbery"),
        draws=100,
        progress=lambda *step: told.append(step),
    )
    assert told[0][0] == "placebo windows"
    assert told[-1][1] == told[-1][2] == len(told)


def test_checks_that_block_come_first(quiet: Evaluation, autumn_nights: Evaluation) -> None:
    for result in (quiet, autumn_nights):
        blocking = [c.blocking for c in result.checks]
        assert blocking == sorted(blocking, reverse=True)
        assert all(c.text.endswith(".") and c.text[0].isupper() or c.text[0].isdigit()
                   for c in result.checks)  # fmt: skip
        assert len({c.name for c in result.checks}) == len(result.checks)


def test_expected_is_the_mean_of_the_models_own_draws(autumn_nights: Evaluation) -> None:
    """Calibrated draws have tails so heavy that one of them could carry their mean away."""
    raw = autumn_nights.baseline.raw.total().draws[:, 0]  # (draw, period)
    assert autumn_nights.main.expected == pytest.approx(raw.sum(axis=1).mean())
    ladder = autumn_nights.headline.ladders[0]
    assert ladder.steps[-1].reference == pytest.approx(autumn_nights.main.expected)
