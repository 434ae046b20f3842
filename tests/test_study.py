"""The simulation study in small: its generator, its table, and the goals over fewer seeds.

The whole of it is `make study`, with a thousand seeds a cell and peers beside.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parent / "benchmarks"
SEEDS = 40


@pytest.fixture(scope="module")
def data() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("study_data")


@pytest.fixture(scope="module")
def ours() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("study_ours")


@pytest.fixture(scope="module")
def table() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("study_table")


def test_mean_of_a_day_is_that_of_the_formula(data: ModuleType) -> None:
    # Sunday 3 November 2024 is day 308 of its year: the angle is 0. It comes 1,449 days after
    # 15 November 2020, so y = 3.96715; ln 100 + .06 + .10 + .04 - .02 y + .03 sin(2 pi y / 6)
    # = 4.60517 + .2 - .07934 - .02543 = 4.70040, and e^4.70040 = 109.99
    at = list(data.DAYS.astype(str)).index("2024-11-03")
    assert at == 1449
    assert np.exp(data.smooth_log_mean()[at]) == pytest.approx(109.99, abs=0.01)


def test_window_is_the_last_three_weeks_and_the_same_weeks_of_earlier_years(
    data: ModuleType,
) -> None:
    assert np.flatnonzero(data.in_window(2024)).tolist() == list(range(1461 - 21, 1461))
    assert data.in_window(2022).sum() == data.in_window(2023).sum() == 21


def test_counts_vary_twice_as_much_as_chance_alone(data: ModuleType) -> None:
    # mean 100, variance 100 + 0.01 x 100^2 = 200; of 200,000 draws the variance is known to 0.3 %
    drawn = data.draw_counts(np.random.default_rng(0), np.full(200_000, 100.0))
    assert drawn.mean() == pytest.approx(100, abs=0.1)
    assert drawn.var() == pytest.approx(200, rel=0.01)


def test_path_forgets_a_tenth_a_day_and_keeps_its_spread(data: ModuleType) -> None:
    rng = np.random.default_rng(0)
    paths = np.array([data.walk(rng, 11) for _ in range(20_000)])  # (path, day)
    assert paths.std(axis=0) == pytest.approx(0.06, rel=0.03)
    assert np.corrcoef(paths[:, 0], paths[:, 10])[0, 1] == pytest.approx(0.9**10, abs=0.02)
    known = np.array([data.walk(rng, 3, start=1.0) for _ in range(5_000)])
    assert known.mean(axis=0) == pytest.approx([0.9, 0.81, 0.729], abs=0.003)


@pytest.mark.parametrize(
    ("name", "this_year", "earlier"),
    [("contaminated, -10 %", 0.9, 0.9), ("contaminated, 0 this year", 1.0, 0.9), ("ar1, 0", 1, 1)],
)
def test_effects_are_planted_where_the_cell_says(
    data: ModuleType, name: str, this_year: float, earlier: float
) -> None:
    found = [data.simulate_cell(data.CELLS[name], seed) for seed in range(40)]
    expected = [np.exp(data.smooth_log_mean() + one.path) for one in found]
    for year, share in ((2021, 1.0), (2022, earlier), (2023, earlier), (2024, this_year)):
        inside = data.in_window(year)
        seen = sum(one.counts[inside].sum() for one in found)
        # 40 windows of about 2,400 events with twice the variance of chance: known to 0.5 %
        assert seen / sum(e[inside].sum() for e in expected) == pytest.approx(share, abs=0.016)


def test_same_seed_gives_the_same_counts_and_another_seed_others(data: ModuleType) -> None:
    cell = data.CELLS["ar1, -10 %"]
    first, again, other = (data.simulate_cell(cell, seed).counts for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_row_of_the_table_is_what_the_hand_makes_of_four_answers(table: ModuleType) -> None:
    # errors of -12, -10, -8, -4 about -10: -2, 0, 2, 6: mean 1.5, squares about it 12.25 + 2.25
    # + .25 + 20.25 = 35, sd sqrt(35 / 3) = 3.416, over sqrt 4: 1.71. Intervals hold -10 in three
    # of four: the error of that share is sqrt(.75 x .25 / 4) = 21.7 points. Three exclude zero.
    answers = table.Answers(
        "by hand",
        np.array([-12.0, -10, -8, -4]),
        np.array([-20.0, -15, -14, -9]),
        np.array([-4.0, -5, -2, 1]),
        np.array([0.1, 0.2, 0.3, 0.2]),
    )
    row = table.describe_answers("cell", -0.1, answers)
    assert row["bias (MC)"] == "+1.50 (1.71)"
    assert row["covers % (MC)"] == "75.0 (21.7)"
    assert row["alarms or power % (MC)"] == "75.0 (21.7)"
    assert row["width"] == 12.0  # 16, 10, 12, 10
    assert row["CPU s"] == 0.2


def test_share_of_none_or_all_is_not_known_without_error(table: ModuleType) -> None:
    # half of one in 50: .01; sqrt(.01 x .99 / 50) = 1.407 points
    assert table.share_error(0.0, 50) == pytest.approx(1.407, abs=0.001)
    assert table.share_error(1.0, 50) == pytest.approx(1.407, abs=0.001)


def test_oracle_knows_all_but_the_noise(ours: ModuleType) -> None:
    # 21 days of mean 105, so a total of 2,207 with a variance of (1 + .01 x 105) times its mean:
    # a relative sd of sqrt(2.05 / 2,207) = 3.05 %, an interval of 2 x 1.96 x 3.05 = 12.0 points
    found = ours.own_answers("oracle: the mean", "clean, 0", 400, processes=1)
    assert found.estimate.std() == pytest.approx(3.05, abs=0.35)
    assert (found.upper - found.lower).mean() == pytest.approx(12.0, abs=0.2)
    # 400 intervals of 95 per cent: 380 hold, give or take 4.4; three of these either way
    assert 367 <= ((found.lower <= 0) & (found.upper >= 0)).sum() <= 393


def answers_beside_the_oracle(
    ours: ModuleType, table: ModuleType, name: str
) -> tuple[object, float, float]:
    """Ours in a cell; its bias less the oracle's on the same counts, which has none; its error."""
    found = ours.own_answers("ours, from before", name, SEEDS, processes=1)
    oracle = ours.own_answers("oracle: the mean", name, SEEDS, processes=1)
    difference = found.estimate - oracle.estimate
    error = float(difference.std(ddof=1) / np.sqrt(SEEDS))
    print(table.describe_answers(name, ours.CELLS[name].effect, found))
    print(f"bias beside the oracle {difference.mean():+.2f} ({error:.2f})")
    return found, float(difference.mean()), error


@pytest.mark.slow
def test_a_tenth_fewer_is_found_on_clean_days(ours: ModuleType, table: ModuleType) -> None:
    found, bias, error = answers_beside_the_oracle(ours, table, "clean, -10 %")
    assert abs(bias) <= 0.7 + 2.6 * error
    # of 40, 33 or fewer at a coverage of 95 per cent, 25 or fewer at a power of 80, and 10 or more
    # at one in ten: each has a probability under 1 per cent
    assert ((found.lower <= -10) & (found.upper >= -10)).sum() > 33
    assert found.excludes_zero.sum() > 25
    assert found.cannot_tell.sum() < 10


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ar1, 0", "contaminated, 0 this year"])
def test_nothing_is_not_found(ours: ModuleType, table: ModuleType, name: str) -> None:
    found, bias, error = answers_beside_the_oracle(ours, table, name)
    assert abs(bias) <= 0.7 + 2.6 * error
    assert found.excludes_zero.sum() < 7  # of 40 at 5 per cent, 7 or more: under 1 per cent
    assert found.cannot_tell.sum() < 10
