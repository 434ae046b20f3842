"""Draws made again have the spread of those that were forecast, however areas depend."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.models.draws import Forecast, interval
from forecast.nightly.dependence import find_joint
from forecast.nightly.redrawing import counts_at, draw_areas, draw_total
from forecast.scoring import HUB_LEVELS

LEVELS = np.array(HUB_LEVELS)


def plant(
    areas: int, mean: float, periods: int, *, total: float, share: float, seed: int = 0
) -> np.ndarray:
    """Draws of areas whose total and whose shares have a known spread, (draw, area, period)."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(0, 0.7, areas))
    walk = 0.02 * rng.standard_normal((1000, periods)).cumsum(axis=1)
    rate = mean * areas * np.exp(total * rng.standard_normal((1000, 1)) + walk)
    own = share * rng.standard_normal((1000, 1, areas))
    own = own + 0.05 * rng.standard_normal((1000, periods, areas)).cumsum(axis=1)
    part = size * np.exp(own)
    part /= part.sum(axis=2, keepdims=True)
    return np.moveaxis(rng.multinomial(rng.poisson(rate), part), 2, 1)


def again(draws: np.ndarray, seed: int = 1) -> np.ndarray:
    """The same forecast, from what is kept of it."""
    n, periods = draws.shape[1:]
    series = pd.DataFrame({"area": [f"A{i}" for i in range(n)], "offence": "x"})
    ahead = pd.period_range("2024-01-01", periods=periods, freq="D")
    forecast = Forecast(draws, series, ahead, ahead[0], "planted")
    joint, rng = find_joint(forecast), np.random.default_rng(seed)
    total = draw_total(joint.quantiles[:, 0], joint.factors[0], 1000, rng)
    if n == 1:
        return total[:, None]
    return draw_areas(total, forecast.quantile(HUB_LEVELS), joint.shares, rng)


def width(draws: np.ndarray) -> np.ndarray:
    lower, upper = interval(draws, 0.95)
    return upper - lower


CASES = {
    "many rare": plant(150, 0.1, 7, total=0.1, share=0.3),
    "shares less sure than the total": plant(20, 10, 14, total=0.02, share=0.5),
    "total less sure than the shares": plant(20, 10, 14, total=0.3, share=0.1),
    "two areas": plant(2, 50, 28, total=0.1, share=0.2),
    "one area": plant(1, 3, 28, total=0.2, share=0.0),
    "one rare area": plant(1, 0.3, 28, total=0.2, share=0.0),
    "one period": plant(5, 2000, 1, total=0.05, share=0.1),
}


@pytest.mark.parametrize("name", CASES)
def test_totals_and_areas_keep_their_spread(name: str) -> None:
    draws = CASES[name]
    made = again(draws)
    # of single periods the total's quantiles are those that were kept
    ratio = width(made.sum(axis=1)).mean() / width(draws.sum(axis=1)).mean()
    assert ratio == pytest.approx(1, abs=0.015)
    # 95 per cent width of the sum over all areas and periods; its own sampling error is 3 %
    sums = [d.sum(axis=(1, 2)) for d in (made, draws)]
    assert float(width(sums[0])) == pytest.approx(float(width(sums[1])), rel=0.07)
    assert sums[0].std() == pytest.approx(sums[1].std(), rel=0.05)
    assert made.mean() == pytest.approx(draws.mean(), rel=0.025)
    # areas: of single periods, of their sum, and of half of them together
    assert width(made).mean() == pytest.approx(width(draws).mean(), rel=0.03)
    spread = [d.sum(axis=2).std(axis=0) for d in (made, draws)]
    assert np.median(spread[0] / spread[1]) == pytest.approx(1, abs=0.04)
    half = slice(0, max(1, draws.shape[1] // 2))
    spread = [d[:, half].sum(axis=(1, 2)).std() for d in (made, draws)]
    assert spread[0] == pytest.approx(spread[1], rel=0.06)


def test_areas_add_up_to_their_total_in_every_draw() -> None:
    rng = np.random.default_rng(0)
    total = rng.poisson(40, (300, 5))
    quantiles = np.tile(np.linspace(2, 30, 23)[:, None, None], (1, 4, 5))
    made = draw_areas(total, quantiles, np.array([[16.0, 0.1, 0.01, 0.0]] * 4), rng)
    assert np.array_equal(made.sum(axis=1), total)
    assert made.min() >= 0


def test_counts_at_kept_levels_are_the_kept_quantiles() -> None:
    quantiles = np.sort(np.random.default_rng(0).poisson(30, (23, 2)), axis=0).astype(float)
    found = counts_at(quantiles, np.tile(LEVELS[:, None], 2))
    assert np.array_equal(found, quantiles)
    # half-way between the levels 0.5 and 0.55 the count is half-way too
    quantiles[11:, 0] += 10
    middle = counts_at(quantiles, np.full((1, 2), 0.525))
    assert abs(middle[0, 0] - quantiles[11:13, 0].mean()) <= 0.5


def test_counts_beyond_the_last_level_go_on_as_poisson_counts_do() -> None:
    from scipy.stats import poisson

    ranks = np.array([[0.0005], [0.003], [0.997], [0.9995]])
    for mean in (20, 300):
        kept = poisson.ppf(LEVELS, mean)[:, None]
        assert np.abs(counts_at(kept, ranks) - poisson.ppf(ranks, mean)).max() <= 0.02 * mean + 1
    zeros = counts_at(np.zeros((23, 1)), np.array([[0.9999]]))
    assert zeros.tolist() == [[0]]
