"""Weighted displacement differences: the published figures, arithmetic by hand, simulated luck."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.impact.differences import (
    Difference,
    find_factor,
    measure_difference,
    weigh_difference,
)
from forecast.impact.spans import lay_spans
from forecast.models.base import stream

# Wheeler & Ratcliffe (2018), the example of the paper: treated, displacement areas, controls of
# both
BEFORE, AFTER = (207, 178, 308, 150), (110, 157, 318, 140)


def test_example_of_the_paper() -> None:
    # -118, standard error the square root of 1,568, z -2.98, 95 per cent from -196 to -40
    found = weigh_difference(BEFORE, AFTER, (1, 1, -1, -1))
    assert found.estimate == -118
    assert found.standard_error == pytest.approx(np.sqrt(1568), rel=1e-9)
    assert found.z == pytest.approx(-2.98, abs=0.005)
    reach = 1.96 * found.standard_error
    assert [round(found.estimate - reach), round(found.estimate + reach)] == [-196, -40]
    # the two parts: (110 - 207) - (318 - 308) = -107 and (157 - 178) - (140 - 150) = -11
    assert weigh_difference(BEFORE[::2], AFTER[::2], (1, -1)).estimate == -107
    assert weigh_difference(BEFORE[1::2], AFTER[1::2], (1, -1)).estimate == -11


def test_published_example_of_unequal_periods() -> None:
    # Wheeler (2021): two years before, one after; 80 to 20 against 100 to 50. A year's difference
    # is (20 - 40) - (50 - 50) = -20, its variance 20 + 80/4 + 50 + 100/4 = 115.
    found = weigh_difference((80, 100), (20, 50), (1, -1), lengths=(2, 1))
    assert found.estimate == -20
    assert found.standard_error**2 == pytest.approx(115, rel=1e-9)
    # and as it stands, unweighted: -10 with a variance of 250
    plain = weigh_difference((80, 100), (20, 50), (1, -1))
    assert (plain.estimate, round(plain.standard_error**2)) == (-10, 250)


def test_published_example_of_unequal_areas() -> None:
    # Wheeler's note on rates: areas of 1.2 and 0.9 give -91.9 with a standard error of 31.5
    found = weigh_difference(BEFORE[::2], AFTER[::2], (1 / 1.2, -1 / 0.9))
    assert found.estimate == pytest.approx(-91.9, abs=0.05)
    assert found.standard_error == pytest.approx(31.5, abs=0.05)


def test_over_dispersion_multiplies_the_variance() -> None:
    found = weigh_difference(BEFORE, AFTER, (1, 1, -1, -1), dispersion=4)
    assert found.poisson_error == pytest.approx(np.sqrt(1568), rel=1e-9)
    assert found.standard_error == pytest.approx(2 * np.sqrt(1568), rel=1e-9)
    assert found.z == pytest.approx(-2.98 / 2, abs=0.003)
    assert np.isnan(weigh_difference((0, 0), (0, 0), (1, -1)).z)


MONTHS = pd.period_range("2022-01", "2022-08", freq="M")  # too short for a factor of its own


def measure(
    counts: list[float], control: list[float], draws: int = 400_000, level: float = 0.95
) -> Difference:
    """The last two of eight months, compared with the three before."""
    spans = lay_spans(MONTHS, MONTHS[-2:], np.ones(8, dtype=bool))
    assert spans is not None
    found = measure_difference(
        np.array(counts, dtype=float),
        np.array(control, dtype=float),
        spans,
        group="campaign areas",
        offence="robbery",
        level=level,
        draws=draws,
        rng=stream(0, "test"),
    )
    assert found is not None
    return found


def test_difference_by_hand() -> None:
    # April to June, 91 days, and July and August, 62. The group: 300, then 150; controls 600, then
    # 360. Had it followed them: 300 x 360 / 600 = 180; the difference is -30, -16.7 per cent.
    found = measure([9, 9, 9, 100, 100, 100, 75, 75], [9, 9, 9, 200, 200, 200, 180, 180])
    assert (found.before, found.after) == (300, 150)
    assert (found.control_before, found.control_after) == (600, 360)
    assert found.expected == pytest.approx(180)
    assert found.percent == pytest.approx(-100 / 6)
    assert found.compared_with == "2022-04 to 2022-06"
    # Weighted: the controls by 300/600, months before by 62/91:
    # variance 150 + 300 (62/91)^2 + 0.5^2 (360 + 600 (62/91)^2)
    share = 62 / 91
    assert found.weighted.estimate == pytest.approx(-30, rel=1e-9)
    variance = 150 + 300 * share**2 + 0.25 * (360 + 600 * share**2)
    assert found.weighted.standard_error == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_interval_is_that_of_log_ratios() -> None:
    # Large counts: the log ratio of ratios is normal with variance 1/a + 1/b + 1/c + 1/d
    found = measure([9, 9, 9, 1e4, 1e4, 1e4, 8e3, 8e3], [9, 9, 9, 2e4, 2e4, 2e4, 2e4, 2e4])
    # expected 30,000 x 40,000 / 60,000 = 20,000, observed 16,000
    sd = np.sqrt(1 / 3e4 + 1 / 1.6e4 + 1 / 6e4 + 1 / 4e4)
    expected = [100 * (0.8 * np.exp(k * 1.96 * sd) - 1) for k in (-1, 1)]
    width = expected[1] - expected[0]
    assert found.percent_interval == pytest.approx(tuple(expected), abs=0.006 * width)
    assert found.verdict == "fewer than expected"
    # and of the counts, by the same sum: sd of 16,000 - 20,000 by first order
    sd_count = np.sqrt(1.6e4 + 2e4**2 * (1 / 3e4 + 1 / 6e4 + 1 / 4e4))
    assert found.interval[1] - found.interval[0] == pytest.approx(2 * 1.96 * sd_count, rel=0.006)


@pytest.mark.parametrize("after", [70, 76, 80, 86, 90, 96, 100, 108, 116, 124])
def test_intervals_and_p_never_disagree(after: float) -> None:
    found = measure([9, 9, 9, 100, 100, 100, after, after], [9, 9, 9, 200, 200, 200, 200, 200], 999)
    excluded = not found.interval[0] <= 0 <= found.interval[1]
    assert excluded == (not found.percent_interval[0] <= 0 <= found.percent_interval[1])
    assert excluded == (found.p <= 0.05)
    assert excluded == (found.verdict != "no clear difference")


def test_nothing_counted_cannot_be_compared() -> None:
    spans = lay_spans(MONTHS, MONTHS[-2:], np.ones(8, dtype=bool))
    assert spans is not None
    whole, none = np.full(8, 50.0), np.zeros(8)
    for counts, control in ((none, whole), (whole, none), (np.full(8, np.nan), whole)):
        found = measure_difference(
            counts,
            control,
            spans,
            group="a",
            offence="b",
            level=0.95,
            draws=100,
            rng=stream(0, "test"),
        )
        assert found is None
    fall = measure([9, 9, 9, 50, 50, 50, 0, 0], [50] * 8)
    assert fall.percent == -100
    assert -100 <= fall.percent_interval[0] < fall.percent_interval[1] < -85


def draw_counts(rng: np.random.Generator, mean: float, ratio: float, shape: tuple[int, ...]):  # type: ignore[no-untyped-def]
    """Negative binomial counts whose variance is `ratio` times their mean."""
    return rng.negative_binomial(mean / (ratio - 1), 1 / ratio, size=shape).astype(float)


def test_factor_is_the_variance_over_the_mean() -> None:
    # counts of ratio 3 on both sides: so many months that the factor is known to 2 per cent
    rng = np.random.default_rng(3)
    counts, control = draw_counts(rng, 400, 3, (2, 20_000))
    months = pd.period_range("0001-01", periods=20_000, freq="M")
    spans = lay_spans(months, months[-2:], np.ones(20_000, dtype=bool))
    assert spans is not None
    factor, stretches = find_factor(counts, control, spans)
    assert factor == pytest.approx(3.0, rel=0.04)
    assert stretches == 19_994 // 5  # windows begin with months 3 to 19,996


def test_a_factor_from_few_stretches_gives_the_tails_of_t() -> None:
    # Large counts that vary four times as much as chance. The log ratio of ratios is the factor's
    # root times sqrt(1/a + 1/b + 1/c + 1/d) times a t of as many degrees as there are stretches.
    rng = np.random.default_rng(5)
    counts, control = draw_counts(rng, 40_000, 4, (2, 127))
    months = pd.period_range("2012-01", periods=127, freq="M")
    spans = lay_spans(months, months[-2:], np.ones(127, dtype=bool))
    assert spans is not None
    found = measure_difference(
        counts,
        control,
        spans,
        group="a",
        offence="b",
        level=0.95,
        draws=1_000_000,
        rng=stream(0, "test"),
    )
    assert found is not None
    assert found.stretches == 24  # 121 months in which a window begins, five months each
    cells = (found.before, found.after, found.control_before, found.control_after)
    sd = np.sqrt(found.weighted.dispersion * sum(1 / cell for cell in cells))
    logs = np.log1p(np.array(found.percent_interval) / 100)
    assert np.diff(logs)[0] / 2 == pytest.approx(stats.t.ppf(0.975, 24) * sd, rel=0.003)


def test_without_history_the_factor_is_that_of_single_counts() -> None:
    found = measure([50] * 8, [50] * 8, 999)
    assert (found.weighted.dispersion, found.stretches) == (1.0, 0)


def run_coverage(seeds: int, ratio: float) -> tuple[float, float]:
    """How often a fall of a fifth lies in the interval, and in the one by chance alone."""
    months = pd.period_range("2012-01", periods=120, freq="M")
    spans = lay_spans(months, months[-2:], np.ones(120, dtype=bool))
    assert spans is not None
    held, alone = 0, 0
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        season = 1 + 0.1 * np.cos(np.arange(120) * np.pi / 6)
        counts = draw_counts(rng, 300 * season, ratio, (120,))
        counts[-2:] = draw_counts(rng, 240 * season[-2:], ratio, (2,))
        control = draw_counts(rng, 700 * season, ratio, (120,))
        found = measure_difference(
            counts,
            control,
            spans,
            group="a",
            offence="b",
            level=0.95,
            draws=1000,
            rng=stream(seed, "test"),
        )
        assert found is not None
        held += found.percent_interval[0] <= -20 <= found.percent_interval[1]
        truth = -0.2 * found.expected
        alone += abs(found.weighted.estimate - truth) <= 1.96 * found.weighted.poisson_error
    return held / seeds, alone / seeds


@pytest.mark.slow
def test_interval_holds_with_the_factor_and_not_without() -> None:
    # counts that vary three times as much as chance: 1.96 of a standard error that is 1.73 times
    # too small hold 74 per cent
    held, alone = run_coverage(400, 3)
    print(f"held {held:.1%} with the factor, {alone:.1%} by chance alone")
    assert 0.925 <= held <= 0.98
    assert 0.67 <= alone <= 0.81
