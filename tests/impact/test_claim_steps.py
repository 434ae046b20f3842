"""The ladder of daily and weekly counts, on a London whose every step is known beforehand.

One unit is a Monday. Mondays to Thursdays hold 1, Fridays 1.2, Saturdays 1.4, Sundays 1.1: a
week 7.7. Halloween holds 1.2 times its day from Sunday to Thursday and 1.5 times on a Friday or
Saturday. The five weeks from 30 September 2019, which hold that October, are odd: 1.25 times.
From 31 August 2020 on all is 0.8 times; the campaign, 19 October to 8 November 2020, 0.9 times.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.baseline import Baseline
from forecast.impact.campaign import Campaign
from forecast.impact.claim_steps import Step
from forecast.impact.headline import ClaimLadder, climb
from forecast.models.draws import Forecast

UNIT = 10_000
WEEK = np.array([1, 1, 1, 1, 1.2, 1.4, 1.1])
DAYS = pd.period_range("2014-01-01", "2020-11-30", freq="D")
PLANTED = {"odd": 1.25, "fall": 0.8, "campaign": 0.9, "halloween": 1.2, "busy_halloween": 1.5}


def plant(**given: float) -> Panel:
    """Daily counts with the factors of `PLANTED`, or others."""
    factors = PLANTED | given
    counts = UNIT * WEEK[DAYS.day_of_week]
    night = (DAYS.month == 10) & (DAYS.day == 31)
    busy = np.isin(DAYS.day_of_week, [4, 5])
    for name, where in {
        "odd": (DAYS >= "2019-09-30") & (DAYS <= "2019-11-03"),
        "fall": DAYS >= "2020-08-31",
        "campaign": (DAYS >= "2020-10-19") & (DAYS <= "2020-11-08"),
        "halloween": night & ~busy,
        "busy_halloween": night & busy,
    }.items():
        counts = np.where(where, counts * factors[name], counts)
    series = pd.DataFrame({"area": ["London"], "offence": ["robbery"]})
    return Panel(np.round(counts)[None, :], series, DAYS, "calls")


def add_up(panel: Panel) -> Panel:
    """Whole weeks of a daily panel."""
    weeks = panel.periods.asfreq("W-SUN")
    table = pd.Series(panel.values[0]).groupby(weeks).agg(["sum", "size"])
    whole = table[table["size"] == 7]
    return Panel(
        whole["sum"].to_numpy()[None, :], panel.series, pd.PeriodIndex(whole.index), "calls"
    )


def expect(factor: float, freq: str = "D") -> Baseline:
    """A forecast of `factor` times usual days and event days, with a spread of one per cent."""
    window = pd.period_range("2020-10-19", "2020-11-08", freq="D")
    rate = UNIT * factor * WEEK[window.day_of_week]  # (day,)
    rate[window == "2020-10-31"] *= 1.5
    if freq == "W-SUN":
        rate = rate.reshape(3, 7).sum(axis=1)
        window = pd.period_range(window[0], window[-1], freq=freq)
    spread = 1 + np.linspace(-0.01, 0.01, 201)
    draws = np.round(rate * spread[:, None]).astype(int)[:, None, :]  # (draw, series, period)
    series = pd.DataFrame({"area": ["London"], "offence": ["robbery"]})
    forecast = Forecast(draws, series, window, window[0], "a model", "calls")
    return Baseline(forecast, forecast, None, "")


def take(panel: Panel, **given: Any) -> ClaimLadder:
    claim = {
        "measure": "calls",
        "offence": "robbery",
        "period": "2020-10",
        "against": "2019-10",
        "change": -36.8,
    }
    campaign = Campaign(
        name="Autumn Nights 2020",
        start="2020-10-19",
        end="2020-11-08",
        offences=["robbery"],
        claim=[claim | given],
    )
    expected = [("all days", expect(1.0, panel.freq)), ("some days", expect(0.8, panel.freq))]
    return climb(campaign.claim[0], campaign, panel, expected, level=0.95, draws=400, seed=0)


def by_label(steps: tuple[Step, ...]) -> dict[str, float]:
    return {s.label: 1 + s.change_percent / 100 for s in steps}


@pytest.fixture(scope="module")
def ladder() -> ClaimLadder:
    return take(plant())


# 1. October 2020 starts on a Thursday: 4.7 to Sunday, 15.4 to the 18th (20.1), then 7.7 and 6.6 to
#    Saturday the 31st with 0.7 more for Halloween (15.0): 0.8 (20.1 + 0.9 x 15.0) = 26.88. October
#    2019 starts on a Tuesday: 6.7, 23.1, and 4.2 to Thursday the 31st, 34.0: x 1.25 = 42.5.
# 2. 0.72 x 15.0 against 21 October to 2 November 2019, 7.7 + 4.2 + 2.6 = 14.5 x 1.25. All 21 days:
#    0.72 x 23.8 against 15.6 x 1.25 + 7.7 = 27.2.
# 3. October: 26.88 / 35.1 against 42.5 / 34.0; the 13 days 0.72 against 1.25; all days 0.72 against
#    27.2 / 23.3.
# 4. Aligned windows start on 21 October 2019, 22 October 2018, 16 October 2017, 17 October 2016,
#    19 October 2015. The 13 days: 18.125, 14.5, 14.3, 14.3 and, with a Saturday's Halloween, 15.0.
#    All days: 27.2, 23.3, 23.3, 23.3 and 23.8.
# 5. 1 to 18 October: 0.8 x 20.1 against 1.25 x 20.1. From 1 September, a Tuesday: 0.8 (6.7 + 46.2)
#    = 42.32 against 6.7 + 23.1 + 1.25 x 23.1 = 58.675. Carried on: 17.136 against 27.2 times that.
# 6. 0.9 x 0.8 against 1.0 and against 0.8. 7. The same of all days against the second.
KNOWN = [
    ("as announced: calls, 2020-10 against 2019-10", 0.632, 1),
    ("calls, 2020-10 against 2019-10", 26.88 / 42.5, 1),
    (
        "the 13 campaign days of 2020-10, 2020-10-19 to 2020-10-31 against "
        "2019-10-21 to 2019-11-02",
        0.72 * 15.0 / (14.5 * 1.25),
        2,
    ),
    (
        "all 21 campaign days, 2020-10-19 to 2020-11-08 against 2019-10-21 to 2019-11-10",
        17.136 / 27.2,
        2,
    ),
    ("every day of 2020-10 at equal weekdays and event days", 26.88 / 35.1 * 34.0 / 42.5, 3),
    ("the 13 campaign days of 2020-10 at equal weekdays and event days", 0.72 / 1.25, 3),
    ("all 21 campaign days at equal weekdays and event days", 0.72 / (27.2 / 23.3), 3),
    (
        "the 13 campaign days of 2020-10 against the mean of 2015 to 2019, aligned",
        10.8 / (76.225 / 5),
        4,
    ),
    ("all 21 campaign days against the mean of 2015 to 2019, aligned", 17.136 / (120.9 / 5), 4),
    (
        "was 2019 high? The same days of it against the mean of 2015 to 2018, aligned",
        27.2 / (93.7 / 4),
        4,
    ),
    ("before the campaign, 2020-10-01 to 2020-10-18 against 2019-10-03 to 2019-10-20", 0.64, 5),
    (
        "before the campaign, 2020-09-01 to 2020-10-18 against 2019-09-03 to 2019-10-20",
        42.32 / 58.675,
        5,
    ),
    (
        "what is left when the change just before the campaign is carried on",
        17.136 / (27.2 * 42.32 / 58.675),
        5,
    ),
    ("all days: the 13 campaign days of 2020-10", 0.72, 6),
    ("some days: the 13 campaign days of 2020-10", 0.9, 6),
    (
        "the whole of 2020-10-19 to 2020-11-08 against the model: the campaign and everything "
        "else that began with it",
        0.9,
        7,
    ),
]


def test_every_step_has_its_known_answer(ladder: ClaimLadder) -> None:
    assert [s.label for s in ladder.steps] == [label for label, _, _ in KNOWN]
    assert [s.rung for s in ladder.steps] == [rung for _, _, rung in KNOWN]
    found = by_label(ladder.steps)
    assert found == pytest.approx({label: ratio for label, ratio, _ in KNOWN}, rel=2e-4)


def test_counts_stand_beside_every_percentage(ladder: ClaimLadder) -> None:
    for step in ladder.steps[1:]:
        assert step.change_percent == pytest.approx(100 * (step.observed / step.reference - 1))
        assert step.change_percent_lower < step.change_percent < step.change_percent_upper
    aligned = ladder.steps[3]
    assert (aligned.observed, aligned.reference) == (171_360, 272_000)
    # 2 (sqrt 171,360 - sqrt 272,000) = 2 (413.957 - 521.536)
    assert aligned.z == pytest.approx(-215.16, abs=0.01)
    fair = ladder.steps[6]
    assert fair.reference == pytest.approx(272_000 * 23.8 / 23.3, rel=2e-4)
    assert np.isnan(fair.z)  # it is no count


AT_CAMPAIGN = [2, 3, 5, 6, 7, 8, 12, 13, 14, 15]  # rows of `KNOWN` of campaign days alone


@pytest.mark.parametrize(
    ("without", "factor", "changed"),
    [
        # No campaign: all campaign days are 1 / 0.9 times what they were, those before are not.
        ("campaign", 1 / 0.9, AT_CAMPAIGN),
        # No earlier fall: all of 2020 is 1 / 0.8 times, so that what is carried on is unchanged.
        ("fall", 1 / 0.8, [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15]),
    ],
)
def test_without_one_part_its_steps_move_by_its_factor(
    ladder: ClaimLadder, without: str, factor: float, changed: list[int]
) -> None:
    found = list(by_label(take(plant(**{without: 1.0})).steps).values())
    known = list(by_label(ladder.steps).values())
    for row in set(range(len(KNOWN))) - {1, 4}:  # October holds days before the campaign too
        wanted = known[row] * (factor if row in changed else 1.0)
        assert found[row] == pytest.approx(wanted, rel=2e-4), KNOWN[row][0]


def test_without_an_odd_october_last_year_was_as_others(ladder: ClaimLadder) -> None:
    found = list(by_label(take(plant(odd=1.0)).steps).values())
    known = list(by_label(ladder.steps).values())
    for row in (1, 2, 4, 5, 10):  # all of last year's days were odd ones
        assert found[row] == pytest.approx(known[row] * 1.25, rel=2e-4)
    # three Halloweens from Sunday to Thursday and one on a Saturday before one on a Thursday
    assert found[9] == pytest.approx(23.3 / (93.7 / 4), rel=2e-4)
    assert found[11] == pytest.approx(0.8, rel=2e-4)


def test_without_halloween_the_weights_change_nothing_but_october() -> None:
    steps = take(plant(halloween=1.0, busy_halloween=1.0)).steps
    found = list(by_label(steps).values())
    assert found[5:7] == pytest.approx(found[2:4], rel=2e-4)
    assert found[5] == pytest.approx(0.72 / 1.25, rel=2e-4)
    # weekdays alone: 34.4 and 33.8
    october = 0.8 * (20.1 + 0.9 * 14.3)
    assert found[1] == pytest.approx(october / (1.25 * 33.8), rel=2e-4)
    assert found[4] == pytest.approx(october / 34.4 / 1.25, rel=2e-4)


def test_the_plain_sentence_says_when_it_was_there_before(ladder: ClaimLadder) -> None:
    assert ladder.reproduced
    # 27.9 is less than four fifths of 36.8, and more than those of 27
    assert ladder.sentence == (
        "Reproduced: the claim says -36.8 per cent, these data -36.8. "
        "Only 13 of the 31 days of 2020-10 are campaign days. "
        "Just before the campaign robbery stood -27.9 per cent from the year before "
        "(423,200 against 586,750)."
    )
    assert take(plant(), change=-27.0).sentence.endswith(
        "So most of the announced change was there before the campaign began."
    )


def test_notes_say_what_the_weights_rest_on(ladder: ClaimLadder) -> None:
    # fifteen weeks of six autumns, and eight weeks before the campaign
    assert ladder.notes[1] == (
        "Weekdays and event days (England's calendar) are weighed as in 98 weeks of earlier "
        "autumns and of this one before the campaign."
    )


def test_a_halloween_never_seen_on_a_saturday_has_the_weight_of_others() -> None:
    panel = plant()
    late = panel.periods >= "2016-01-01"  # Monday, Tuesday, Wednesday and Thursday
    ladder = take(Panel(panel.values[:, late], panel.series, panel.periods[late], "calls"))
    assert "None held Halloween on a Friday or Saturday: it has the weight of such days." in (
        ladder.notes
    )
    found = by_label(ladder.steps)[
        "the 13 campaign days of 2020-10 at equal weekdays and event days"
    ]
    # 14.3 + 0.2 x 1.4 = 14.58 against 14.5
    assert found == pytest.approx(10.8 / 14.58 / 1.25, rel=2e-4)


def test_whole_weeks_have_the_steps_that_they_allow() -> None:
    ladder = take(add_up(plant()))
    assert ladder.reproduced is None
    assert [s.rung for s in ladder.steps] == [1, 2, 2, 4, 4, 4, 5, 5, 5, 6, 6, 7]
    found = [1 + s.change_percent / 100 for s in ladder.steps]
    # one week of October, 19 to 25, is whole: 0.72 against 1.25; two before it, 5 to 18. From
    # 7 September: 0.8 x 46.2 = 36.96 against 23.1 + 1.25 x 23.1 = 51.975.
    assert found[1:3] == pytest.approx([0.72 / 1.25, 17.136 / 27.2], rel=2e-4)
    assert found[6:8] == pytest.approx([0.64, 36.96 / 51.975], rel=2e-4)
    assert ladder.steps[1].label.startswith("the 1 campaign week of 2020-10")


def test_a_campaign_from_the_first_of_a_month_looks_at_the_month_before() -> None:
    campaign = Campaign(
        name="Night patrols", start="2020-11-01", end="2020-11-08", offences=["robbery"]
    )
    claim = {"measure": "calls", "offence": "robbery", "period": "2020-11", "against": "2019-11"}
    campaign = Campaign(**campaign.model_dump(exclude={"claim"}), claim=[claim | {"change": -20}])
    steps = climb(campaign.claim[0], campaign, plant(), [], level=0.95, draws=100, seed=0).steps
    before = [s.label for s in steps if s.kind == "before"]
    assert before == [
        "before the campaign, 2020-10-01 to 2020-10-31 against 2019-10-03 to 2019-11-02"
    ]


def test_years_that_the_data_do_not_hold_are_left_out_of_the_mean() -> None:
    panel = plant()
    for first, said in (("2018-01-01", True), ("2019-01-01", False)):
        late = panel.periods >= first
        short = Panel(panel.values[:, late], panel.series, panel.periods[late], "calls")
        labels = [s.label for s in take(short).steps]
        assert any("mean of 2018 to 2019" in name for name in labels) is said
        assert not any("was 2019 high?" in name for name in labels)


def test_a_missing_day_is_not_a_zero() -> None:
    panel = plant()
    values = panel.values.copy()
    values[0, panel.periods.get_loc("2019-10-25")] = np.nan
    steps = take(Panel(values, panel.series, panel.periods, "calls")).steps
    assert np.isnan([s.change_percent for s in steps if s.rung in (2, 3)]).all()
    assert np.isfinite([s.change_percent for s in steps if s.rung == 7]).all()
