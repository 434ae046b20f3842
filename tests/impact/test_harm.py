"""Cost, harm and break-even against hand arithmetic; intervals from draws, never from bounds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.errors import CampaignError
from forecast.impact.campaign import Campaign
from forecast.impact.effect import SeriesEffect, measure_effect
from forecast.impact.evaluation import Evaluation
from forecast.impact.harm import Harm, weigh_harm
from forecast.models.draws import Forecast, interval

MONTHS = pd.period_range("2020-10", periods=1, freq="M")
TO_2024 = 100 / (0.75 * 75.1536 + 0.25 * 76.4554)
"""Prices of 2015/16 to those of 2024: 1.324871."""


def campaign(**given: Any) -> Campaign:
    facts: dict[str, Any] = {"name": "Test", "start": "2020-10-01", "end": "2020-10-31"}
    return Campaign(**(facts | {"offences": ["robbery"]} | given))


def make(
    draws: dict[str, Any], observed: dict[str, float], measure: str = "recorded offences"
) -> tuple[tuple[SeriesEffect, ...], Forecast]:
    """Effects and a forecast of one area and month, a series an offence."""
    cube = np.stack(list(draws.values()), axis=1)[:, :, None].astype(np.int64)
    series = pd.DataFrame({"area": "Camden", "offence": list(draws)})
    forecast = Forecast(cube, series, MONTHS, MONTHS[0], "known", measure)
    parts = tuple(
        measure_effect(
            np.array([observed[offence]]),
            values[:, None].astype(float),
            expected=np.array([values.mean()]),
            offence=offence,
            area="Camden",
            is_total=True,
            periods=MONTHS,
            exposure=[1.0],
            level=0.95,
            smallest_detectable=float("nan"),
        )
        for offence, values in draws.items()
    )
    return parts, forecast


def robbery(observed: float = 900.0, **given: Any) -> Harm:
    """Draws 501 to 1,499: expected 1,000, with 999 draws the bounds are 525 and 1,475."""
    parts, forecast = make({"robbery": np.arange(501, 1500)}, {"robbery": observed})
    settings = {k: given.pop(k) for k in ("price_year", "prices", "weights") if k in given}
    return weigh_harm(campaign(**given), parts, forecast, level=0.95, **settings)


def test_cost_of_one_offence_by_hand() -> None:
    # 900 - 1,000 = -100 robberies at 11,320 pounds of 2015/16, 1.324871 times that in 2024
    row = robbery().of("recorded cost", "robbery")
    assert row is not None
    price = 11320 * TO_2024
    assert price == pytest.approx(14997.54, abs=0.01)
    assert row.unit_value == pytest.approx(price)
    assert row.value == pytest.approx(-100 * price)
    # 900 - 1,475 and 900 - 525
    assert row.value_interval == pytest.approx((-575 * price, 375 * price))
    assert row.percent == pytest.approx(-10.0)
    # (900 - 1475) / 1475 and (900 - 525) / 525, as of the count: one price changes no percentage
    assert row.percent_interval == pytest.approx((-38.9831, 71.4286), abs=1e-4)


def test_multiplier_by_hand() -> None:
    # 193,470 / 45,000 robberies happened for each one recorded
    row = robbery().of("cost", "robbery")
    assert row is not None
    assert row.multiplier == pytest.approx(4.299333, abs=1e-6)
    assert row.value == pytest.approx(-100 * 11320 * TO_2024 * 193470 / 45000)
    assert row.value == pytest.approx(-6_447_942, abs=1)


def test_price_year_by_hand() -> None:
    # 2020: 11,320 x 85.2137 / 75.47905 = 12,779.96
    row = robbery(price_year=2020).of("recorded cost", "robbery")
    assert row is not None
    assert row.unit_value == pytest.approx(12779.96, abs=0.01)
    with pytest.raises(CampaignError, match=r"Price year must lie .* found 2031"):
        robbery(price_year=2031)


def test_days_by_hand() -> None:
    row = robbery().of("harm", "robbery")
    assert row is not None
    assert row.value == -36500
    assert row.value_interval == (-575 * 365, 375 * 365)
    assert any("365 days each (widely quoted, not verified" in s for s in robbery().sentences())


def two_offences() -> tuple[tuple[SeriesEffect, ...], Forecast]:
    """Robbery and violence whose errors are opposite: one is high where the other is low."""
    up = np.arange(501, 1500)
    return make(
        {"robbery": up, "violence with injury": 3000 - up},
        {"robbery": 900.0, "violence with injury": 2100.0},
    )


def test_several_offences_are_added_draw_by_draw() -> None:
    parts, forecast = two_offences()
    both = campaign(offences=["robbery", "violence with injury"])
    row = weigh_harm(both, parts, forecast, level=0.95).of("recorded cost")
    assert row is not None
    a, b = 11320 * TO_2024, 14050 * TO_2024
    assert row.value == pytest.approx(-100 * a + 100 * b)
    # draw x: a (900 - x) + b (2100 - 3000 + x) = 900 (a - b) + (b - a) x, at x = 525 and 1,475
    assert row.value_interval == pytest.approx(((b - a) * (525 - 900), (b - a) * (1475 - 900)))
    # adding the bounds of the two would give an interval fourteen times as wide
    wide = (a + b) * 950
    assert row.value_interval[1] - row.value_interval[0] < wide / 9
    assert row.count_interval == (0.0, 0.0)


def test_several_draws_match_a_plain_matrix_product() -> None:
    rng = np.random.default_rng(1)
    draws = {"robbery": rng.poisson(800, 999), "violence with injury": rng.poisson(1500, 999)}
    observed = {"robbery": 700.0, "violence with injury": 1600.0}
    parts, forecast = make(draws, observed)
    harm = weigh_harm(
        campaign(offences=list(draws)),
        parts,
        forecast,
        level=0.9,
        weights=dict.fromkeys(draws, 7.0),
    )
    row = harm.of("harm")
    assert row is not None
    sums = 7 * (2300 - draws["robbery"] - draws["violence with injury"])
    lower, upper = interval(sums, 0.9)
    assert row.value_interval == (float(lower), float(upper))


def test_fewer_offences_and_more_harm_is_visible() -> None:
    # 100 fewer thefts at 2 days, 30 more robberies at 365: the count falls, the harm rises
    rng = np.random.default_rng(2)
    draws = {"theft": rng.poisson(1000, 999), "robbery": rng.poisson(100, 999)}
    parts, forecast = make(draws, {"theft": 900.0, "robbery": 130.0})
    both = campaign(offences=["theft", "robbery"])
    harm = weigh_harm(both, parts, forecast, level=0.95, weights={"theft": 2.0})
    row = harm.of("harm")
    assert row is not None
    assert row.count_percent < 0 < row.percent
    check = harm.check()
    assert (check.status, check.blocking) == ("failed", False)
    assert "the count is lower than expected while the harm in days is higher" in check.text
    assert check.text in harm.sentences()
    # by default theft is a mixture and has no weight, so nothing can be compared
    assert weigh_harm(both, parts, forecast, level=0.95).check().status == "not possible"


def test_count_and_harm_that_agree_pass() -> None:
    parts, forecast = make(
        {"robbery": np.arange(501, 1500), "violence with injury": np.arange(501, 1500)},
        {"robbery": 400.0, "violence with injury": 450.0},
    )
    check = weigh_harm(campaign(), parts, forecast, level=0.95).check()
    assert check.status == "passed"
    assert check.text.endswith("both point the same way.")


def test_break_even_by_hand() -> None:
    # 1 million of 2020 is 1,000,000 x 100 / 85.2137 = 1,173,520 of 2024; a robbery is 14,997.54:
    # 78.25 robberies, 7.8 per cent of 1,000
    harm = robbery(observed=400.0, cost=1_000_000, cost_year=2020)
    one = harm.break_even[0]
    assert one.cost == pytest.approx(1_173_520, abs=1)
    assert one.needed == pytest.approx(78.2475, abs=1e-3)
    assert one.needed_percent == pytest.approx(7.82475, abs=1e-4)
    # with 4.2993 happening for each recorded, 18.2 recorded ones would do
    assert harm.break_even[1].needed == pytest.approx(78.2475 / 4.299333, abs=1e-3)
    said = [s for s in harm.sentences() if s.startswith("Break-even")]
    assert "would be covered by 79 recorded offences fewer, 7.8 per cent of the 1,000" in said[0]
    assert "would be covered by 19 recorded offences fewer, 1.8 per cent of the 1,000" in said[1]


@pytest.mark.parametrize(
    ("observed", "cost", "answer"),
    [
        # interval of the effect: observed - 1,475 to observed - 525
        (400.0, 124 * 14997.54, "reached"),  # -1,075 to -125: 124 lie inside even the upper bound
        (400.0, 126 * 14997.54, "cannot tell"),
        (400.0, 1076 * 14997.54, "not reached"),
        (1600.0, 1000.0, "not reached"),  # more than expected
    ],
)
def test_break_even_is_judged_by_the_whole_interval(
    observed: float, cost: float, answer: str
) -> None:
    harm = robbery(observed=observed, cost=cost, cost_year=2024)
    assert harm.break_even[0].answer == answer


def test_break_even_over_all_offences_is_of_the_sum() -> None:
    parts, forecast = two_offences()
    both = campaign(offences=["robbery", "violence with injury"], cost=2e6, cost_year=2024)
    harm = weigh_harm(both, parts, forecast, level=0.95)
    one = next(b for b in harm.break_even if b.offence == "together")
    # expected: 1,000 robberies and 2,000 of violence
    assert one.needed_percent == pytest.approx(2e8 / (TO_2024 * (11320 * 1000 + 14050 * 2000)))
    assert np.isnan(one.needed)
    # the lower bound is 375 x 1.324871 x (14,050 - 11,320) pounds below zero, 1.36 million
    assert one.answer == "not reached"


def test_without_a_cost_break_even_is_not_costed() -> None:
    harm = robbery()
    assert harm.break_even == ()
    assert harm.sentences()[-1] == (
        "Break-even is not costed: the campaign file gives no cost. Add `cost` and `cost_year`."
    )
    late = robbery(cost=5.0, cost_year=2031)
    assert late.no_break_even == (
        "its cost is in prices of 2031, and deflators are known for 2010 to 2024."
    )


def test_an_interval_that_holds_zero_claims_nothing() -> None:
    said = robbery(observed=900.0).sentences()[1]
    assert said.endswith("The interval holds zero: no amount may be claimed.")
    assert "would be worth" not in said
    # observed 400 lies below the lower bound of 525
    assert (
        robbery(observed=400.0)
        .sentences()[1]
        .endswith("That many fewer would be worth £9.00 million.")
    )
    assert (
        robbery(observed=1600.0)
        .sentences()[1]
        .endswith("That many more would be worth £9.00 million.")
    )


def test_a_blocked_verdict_blocks_the_amount(autumn_nights: Evaluation) -> None:
    done = autumn_nights
    plain = done.campaign.model_copy(update={"cost": 2e6, "cost_year": 2020})
    harm = weigh_harm(plain, done.effect.parts, done.baseline.forecast, level=done.level)
    assert {one.answer for one in harm.break_even} == {"cannot tell"}
    for text in harm.sentences():
        assert "would be worth" not in text
    # the interval of the cost is that of the count, times the price
    part = done.effect.of("robbery")
    row = harm.of("recorded cost", "robbery")
    assert row is not None
    assert row.value_interval == pytest.approx(
        tuple(b * row.unit_value for b in part.effect_interval)
    )


def test_offences_without_a_price_are_named_with_the_reason() -> None:
    parts, forecast = make({"burglary": np.arange(501, 1500)}, {"burglary": 900.0})
    harm = weigh_harm(campaign(cost=1.0, cost_year=2020), parts, forecast, level=0.95)
    assert repr(harm) == "Harm(nothing priced; prices of 2024)"
    assert harm.sentences() == [
        "Not costed: burglary is a mixture of domestic burglary (5,930 pounds) and commercial "
        "burglary (15,460 pounds), and how it is mixed is not known.",
        "Not weighed: burglary is a mixture of burglary dwelling (20 days) and others: other "
        "buildings have no value in the table.",
        "Break-even is not costed: none of its offences is costed.",
    ]
    row = harm.to_dict()["rows"][0]
    assert (row["value"], row["value_interval"]) == (None, None)


def test_calls_are_not_priced() -> None:
    parts, forecast = make({"robbery": np.arange(501, 1500)}, {"robbery": 900.0}, "calls")
    harm = weigh_harm(campaign(), parts, forecast, level=0.95)
    assert harm.sentences()[0] == (
        "Not costed: calls are counted, and prices and weights are of offences."
    )


def test_a_price_that_is_given_is_taken_as_it_is() -> None:
    parts, forecast = make({"burglary": np.arange(501, 1500)}, {"burglary": 400.0})
    harm = weigh_harm(campaign(), parts, forecast, level=0.95, prices={"burglary": 9000})
    row = harm.of("recorded cost", "burglary")
    assert row is not None
    assert row.value == -600 * 9000
    assert "Priced at £9,000 each (given by the caller)" in harm.sentences()[1]
    wide = harm.of("cost", "burglary")
    assert wide is not None
    assert wide.reason == "how many of burglary go unrecorded is not known"


def test_prices_that_make_no_sense_are_refused_together() -> None:
    parts, forecast = make({"robbery": np.arange(501, 1500)}, {"robbery": 400.0})
    with pytest.raises(CampaignError, match=r"(?s)'fraud' was not.*found -1 for 'robbery'"):
        weigh_harm(
            campaign(),
            parts,
            forecast,
            level=0.95,
            prices={"fraud": 5.0},
            weights={"robbery": -1},
        )


def test_result_is_plain_and_says_no_cause() -> None:
    harm = robbery(observed=400.0, cost=1e6, cost_year=2020)
    plain = json.dumps(harm.to_dict(), allow_nan=False)
    assert '"price_year": 2024' in plain
    assert len(harm.summary()) == 3
    for text in harm.sentences():
        for word in ("caused", "led to", "thanks to", "benefit", "positive", "negative", "saved"):
            assert word not in text


def test_what_is_not_verified_is_printed_as_such() -> None:
    said = " ".join(robbery(observed=400.0).sentences())
    assert "GDP deflator (read in a copy, not in the release itself, not verified;" in said
    assert "4.3 for each recorded (recalled, not verified)" in said
    assert "£11,320 in prices of 2015/16, verified in press;" in said
    assert "average cost, with what is spent in anticipation of crime" in said
    table = robbery().summary().set_index("basis")
    assert table.loc["harm", "status"] == "widely quoted, not verified"
    assert table.loc["cost", "status"] == ("verified in press; multiplier recalled, not verified")
