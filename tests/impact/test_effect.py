"""The effect and the one verdict rule, against hand arithmetic."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.errors import DataError
from forecast.impact.effect import (
    CANNOT_TELL,
    FEWER,
    MORE,
    NO_DIFFERENCE,
    SUMMARY_COLUMNS,
    Effect,
    SeriesEffect,
    decide,
    format_points,
    give_reason,
    measure_effect,
)
from forecast.models.draws import FloatArray

NOT_KNOWN = float("nan")


def measure(observed: list[float], draws: FloatArray, **given: Any) -> SeriesEffect:
    """Measure one series; two months from 2020-10 unless there are fewer."""
    settings: dict[str, Any] = {
        "offence": "robbery",
        "area": "Camden",
        "is_total": True,
        "periods": pd.period_range("2020-10", periods=len(observed), freq="M"),
        "exposure": [13 / 31, 8 / 30][: len(observed)],
        "level": 0.95,
        "smallest_detectable": NOT_KNOWN,
    }
    settings["expected"] = draws.mean(axis=0)  # nothing was calibrated
    return measure_effect(np.array(observed), draws, **(settings | given))


def known_draws() -> FloatArray:
    """Draws of two months, shape (999, 2): sums are 501 to 1,499, November always 300."""
    october = np.arange(201.0, 1200.0)
    return np.column_stack([october, np.full(999, 300.0)])


def test_effect_by_hand() -> None:
    # Sums 501..1499: mean 1000; with 999 draws the bounds are the 25th, 525, and the 975th, 1475.
    part = measure([600.0, 250.0], known_draws())
    assert (part.observed, part.expected) == (850.0, 1000.0)
    assert part.expected_interval == (525.0, 1475.0)
    assert (part.effect, part.effect_interval) == (-150.0, (850 - 1475, 850 - 525))
    assert part.percent == pytest.approx(-15.0)
    # (850 - 1475) / 1475 and (850 - 525) / 525
    assert part.percent_interval == pytest.approx((-42.3729, 61.9048), abs=1e-4)
    # 350 of 999 draws are at most 850: p = 2 (350 + 1) / 1000
    assert part.p == pytest.approx(0.702)
    assert part.probability_fewer == pytest.approx(649 / 999)
    assert part.verdict == NO_DIFFERENCE


def test_percentage_in_the_window_divides_by_the_campaign_days() -> None:
    part = measure([600.0, 250.0], known_draws())
    # expected on 13 of 31 and 8 of 30 days: 700 x 0.41935 + 300 x 0.26667 = 373.548
    assert part.in_window_percent == pytest.approx(100 * -150 / 373.548, abs=1e-3)
    # all of October: a draw with October x gives (850 - 300 - x) / (x + 80); x = 1175 and 225
    part = measure([600.0, 250.0], known_draws(), exposure=[1.0, 8 / 30])
    lower, upper = (550 - 1175) / (1175 + 80), (550 - 225) / (225 + 80)
    assert part.in_window_interval == pytest.approx((100 * lower, 100 * upper))
    assert part.in_window_reason == ""


def test_a_fall_larger_than_the_campaign_days_could_hold_is_not_given() -> None:
    # 850 fewer than 1,000, of which 373.548 were expected on the campaign's days: -228 per cent
    part = measure([100.0, 50.0], known_draws())
    assert np.isnan([part.in_window_percent, *part.in_window_interval]).all()
    assert part.in_window_reason == (
        "The fall is larger than what the campaign's days could hold: part of it lies outside the "
        "window."
    )
    # the whole periods are as they were
    assert part.percent == pytest.approx(-85.0)
    # -40 per cent itself, but (850 - 1475) / (1175 x 0.41935 + 80) = -109 at the lower end
    part = measure([600.0, 250.0], known_draws())
    assert part.in_window_percent == pytest.approx(-40.156, abs=1e-3)
    assert np.isnan(part.in_window_interval).all()
    assert part.in_window_reason.startswith("The interval reaches to falls larger than what the")
    # nothing left of what was expected, all of it campaign days, is a fall that there can be
    part = measure([0.0], np.full((999, 1), 300.0), exposure=[1.0])
    assert (part.in_window_percent, part.in_window_interval) == (-100.0, (-100.0, -100.0))


def test_cumulative_effect_adds_periods_draw_by_draw() -> None:
    part = measure([600.0, 250.0], known_draws())
    # October: 600 - 700, with 225 and 1175 as its bounds; November adds 250 - 300 exactly
    assert part.cumulative[0] == pytest.approx((-100.0, 600 - 1175, 600 - 225))
    assert part.cumulative[1] == pytest.approx((-150.0, 850 - 1475, 850 - 525))
    assert part.expected_by_period.tolist() == [700.0, 300.0]
    assert (part.expected_lower.tolist(), part.expected_upper.tolist()) == (
        [225.0, 300.0],
        [1175.0, 300.0],
    )


@pytest.mark.parametrize(
    ("observed", "p", "verdict"),
    [
        # with 999 draws: k draws at or below the count give 2 (k + 1) / 1000
        (524.0, 0.050, FEWER),
        (525.0, 0.052, NO_DIFFERENCE),
        (1475.0, 0.052, NO_DIFFERENCE),
        (1476.0, 0.050, MORE),
        (0.0, 0.002, FEWER),
    ],
)
def test_verdict_turns_exactly_at_the_bounds(observed: float, p: float, verdict: str) -> None:
    part = measure([observed - 300, 300.0], known_draws())
    assert part.p == pytest.approx(p)
    assert part.verdict == verdict


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("mean", [0.05, 2.0, 40.0, 3000.0])
def test_interval_p_percentage_and_verdict_never_disagree(mean: float, level: float) -> None:
    rng = np.random.default_rng([int(mean * 100), int(level * 100)])
    for _ in range(60):
        rate = mean * np.exp(0.3 * rng.standard_t(4, size=(200, 1)))
        draws = rng.poisson(np.minimum(rate, 1e6), size=(200, 2)).astype(float)
        observed = rng.poisson(mean * rng.choice([0.3, 0.8, 1.0, 1.2, 2.0]), size=2).astype(float)
        part = measure(observed.tolist(), draws, level=level)
        excluded = part.p <= 1 - level + 1e-12
        for lower, upper in (
            part.effect_interval,
            part.percent_interval,
            part.in_window_interval,
            part.cumulative[-1][1:],
        ):
            if np.isnan(lower):  # a fall larger than the campaign's days could hold
                assert part.in_window_reason
                continue
            assert (lower > 0 or upper < 0) == excluded
        lower, upper = part.expected_interval
        assert (part.observed < lower or part.observed > upper) == excluded
        assert (part.verdict in (FEWER, MORE)) == excluded
        if excluded:
            assert (part.verdict == FEWER) == (part.effect_interval[1] < 0)


def test_wild_calibrated_draws_do_not_move_what_was_expected() -> None:
    # of 999 draws the bounds are the 25th and the 975th, whatever the largest is
    draws = np.arange(1.0, 1000.0)
    draws[-1] = 1e9
    part = measure([400.0], draws[:, None], expected=np.array([500.0]))
    assert (part.expected, part.effect) == (500.0, -100.0)
    assert part.expected_interval == (25.0, 975.0)
    assert part.percent_interval[0] <= part.percent <= part.percent_interval[1]


def test_percentage_of_almost_nothing_is_of_one_half() -> None:
    # nine draws of ten are 0, one is 1: expected 0.1, read as 0.5; observed 1: 0.9 / 0.5
    draws = np.repeat([0.0] * 9 + [1.0], 100)[:, None]
    part = measure([1.0], draws)
    assert part.percent == pytest.approx(180.0)
    # draw 0: 1 / 0.5; draw 1: 0
    assert part.percent_interval == (0.0, 200.0)
    assert "200 per cent" in part.reason
    nothing = measure([0.0], np.zeros((500, 1)))
    assert (nothing.percent, nothing.percent_interval) == (0.0, (0.0, 0.0))
    assert nothing.verdict == NO_DIFFERENCE
    assert "not even a fall to zero could have been seen" in nothing.reason


def test_failed_check_forbids_a_verdict_and_gives_its_sentence() -> None:
    part = measure([100.0, 0.0], known_draws(), blocking=["London was shut.", "Nobody counted."])
    assert part.p == pytest.approx(0.002)
    assert (part.verdict, part.reason) == (CANNOT_TELL, "London was shut. Nobody counted.")


def test_rule_has_four_answers() -> None:
    assert decide(1, 2, excluded=True, blocked=False) == FEWER
    assert decide(3, 2, excluded=True, blocked=False) == MORE
    assert decide(1, 2, excluded=False, blocked=False) == NO_DIFFERENCE
    assert decide(1, 2, excluded=False, blocked=True) == CANNOT_TELL


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            (FEWER, -20.4, (-31.0, -0.3), 0.95, 18.0, ()),
            "The count was 20 per cent below what was expected: the 95 per cent interval runs from "
            "-31 to -0.3 per cent.",
        ),
        (
            (MORE, 12.0, (1.0, 25.2), 0.8, 18.0, ()),
            "The count was 12 per cent above what was expected: the 80 per cent interval runs from "
            "+1 to +25 per cent.",
        ),
        (
            (NO_DIFFERENCE, -0.2, (-10.0, 11.0), 0.95, 12.3, ()),
            "The difference of -0.2 per cent is no clear one: the 95 per cent interval runs from "
            "-10 to +11 per cent. A fall of 13 per cent or more would have been seen in at least "
            "four of five placebo windows.",
        ),
        (
            (NO_DIFFERENCE, 5.0, (-10.0, 11.0), 0.999, NOT_KNOWN, ()),
            "The difference of +5 per cent is no clear one: the 99.9 per cent interval runs from "
            "-10 to +11 per cent. How small a fall could have been seen is not known.",
        ),
    ],
)
def test_reason_is_one_plain_sentence(given: tuple[Any, ...], sentence: str) -> None:
    assert give_reason(*given) == sentence


def test_points_are_never_rounded_to_a_zero_that_they_are_not() -> None:
    assert [format_points(x) for x in (0.0, 0.94, -0.95, -0.04, 0.0004, -0.0004)] == [
        "0",
        "+0.9",
        "-1",
        "just below 0",
        "just above 0",
        "just below 0",
    ]
    for value in np.random.default_rng(0).normal(0, 2, 500):
        assert not re.fullmatch(r"[+-]0(\.0*)?", format_points(float(value)))


def test_summary_has_the_columns_of_the_design() -> None:
    assert ", ".join(SUMMARY_COLUMNS) == (
        "offence, area, observed, expected, effect, effect_lower, effect_upper, effect_percent, "
        "effect_percent_lower, effect_percent_upper, probability_fewer, verdict"
    )
    total = measure([600.0, 250.0], known_draws(), area="London")
    area = measure([100.0, 50.0], known_draws() / 5, area="Camden", is_total=False)
    effect = Effect((total, area))
    table = effect.summary()
    assert list(table.columns) == SUMMARY_COLUMNS
    assert table["area"].tolist() == ["London", "Camden"]
    assert table.loc[0, "effect_lower"] == -625.0
    assert effect.of("robbery") is total
    assert effect.of("robbery", "Camden") is area
    assert repr(effect) == (
        "Effect(robbery, London: -15.0% (-42.4 to +61.9), no clear difference; 2 rows)"
    )
    by_period = effect.by_period()
    assert by_period["period"].tolist() == ["2020-10", "2020-11"] * 2
    assert by_period["cumulative_effect"].tolist()[:2] == [-100.0, -150.0]
    words = r"'burglary' in total was not\. Choose from 'robbery'\.$"
    with pytest.raises(DataError, match=words):
        effect.of("burglary")
    with pytest.raises(DataError, match=r"'robbery' in 'Brent' was not\. Choose from 'London', 'C"):
        effect.of("robbery", "Brent")
