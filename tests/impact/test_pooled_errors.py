"""Pooled errors are worth as many windows as they scatter like, and no more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.impact.pooled_errors import PooledErrors, count_separate, t_limit


def make_errors(z: list[float]) -> pd.DataFrame:
    """Errors of one offence, one window a year."""
    return as_errors(np.array(z)[:, None])


def correlated(rng: np.random.Generator, windows: int, series: int, together: float) -> np.ndarray:
    """Normal errors, (window, series), any two of which have the same correlation."""
    shared, own = rng.normal(size=(windows, 1)), rng.normal(size=(windows, series))
    return np.sqrt(together) * shared + np.sqrt(1 - together) * own


def as_errors(z: np.ndarray) -> pd.DataFrame:
    """Rows of errors, one a window and offence."""
    names = [f"{2000 + year}-10" for year in range(len(z))]
    frame = pd.DataFrame(z, index=pd.Index(names, name="window")).rename_axis(columns="offence")
    rows = frame.stack().rename("z").reset_index()
    year = rows["window"].str[:4].astype(int)
    return rows.assign(area="London", year=year, same_season=True, back=0.0)


def test_limit_is_student_s_with_the_windows_as_degrees() -> None:
    rows = make_errors([2.0] * 10)
    rows = pd.concat([rows, rows])  # two offences in the same windows are not more windows
    assert t_limit(rows, 0.9) == pytest.approx(2 * stats.t.ppf(0.95, 10))


def test_offences_that_stray_on_their_own_are_more_windows() -> None:
    # errors 2, 2, 2, 2 and 2, -2, 2, -2 do not go together: four windows count as eight, and t(8)
    rows = as_errors(np.array([[2.0, 2.0], [2.0, -2.0], [2.0, 2.0], [2.0, -2.0]]))
    assert t_limit(rows, 0.9) == pytest.approx(2 * 1.859548, abs=1e-5)
    # of each series three, two of them in common: nothing is known of how they go together
    rows = rows.drop(index=[0, 7])
    assert t_limit(rows, 0.9) == pytest.approx(2 * 2.131847, abs=1e-5)


@pytest.mark.parametrize(("windows", "together"), [(4, 0.5), (13, 0.0), (13, 0.5), (13, 0.9)])
def test_intervals_hold_as_many_as_they_say_however_offences_go_together(
    windows: int, together: float
) -> None:
    rng, held, trials = np.random.default_rng(11), 0, 1500
    for _ in range(trials):
        z = 0.7 * correlated(rng, windows, 6, together)
        limit = t_limit(as_errors(z), 0.95)
        held += int((np.abs(0.7 * correlated(rng, 1, 6, together)[0, 0])) <= limit)
    # 95 in a hundred; at most one more, because correlations are found too large
    assert 0.95 - 2.5 * np.sqrt(0.05 * 0.95 / trials) < held / trials < 0.972


def test_a_window_in_another_part_of_the_year_counts_half() -> None:
    # two windows of the season (z = 2) and one half a year away (z = 2) count one each, two
    # others (z = 1) half each: (3 x 4 + 2 x 0.5 x 1) / 4 = 3.25, and a t of 4 degrees: 2.1318
    rows = make_errors([2.0, 2.0, 2.0, 1.0, 1.0])
    rows["same_season"] = [True, True, False, False, False]
    rows["back"] = [0.0, 0.0, 0.5, 0.25, 0.75]
    assert t_limit(rows, 0.9) == pytest.approx(2.1318 * np.sqrt(3.25), abs=1e-4)
    twice = pd.concat([rows, rows])  # a second offence in the same windows
    assert t_limit(twice, 0.9) == pytest.approx(2.1318 * np.sqrt(3.25), abs=1e-4)
    factor, degrees = PooledErrors.of(rows, "z").moderate(4)
    assert degrees == 8
    assert factor == pytest.approx(np.sqrt((4 + 13) / 8))


def test_a_spread_known_to_be_nearly_right_counts_like_some_windows_more() -> None:
    # ten windows with errors of twice the spread, and a spread worth five windows:
    # sqrt((5 x 1 + 10 x 4) / 15) = sqrt(3), and a t with 15 degrees reaches 1.753 (tables)
    rows = make_errors([2.0] * 10)
    assert t_limit(rows, 0.9, 5) == pytest.approx(1.7531 * np.sqrt(3), abs=1e-4)


@pytest.mark.parametrize("together", [0.0, 0.3, 0.8])
def test_mean_squares_scatter_as_those_of_so_many_separate_series(together: float) -> None:
    # the squares of two normal errors with correlation r have correlation r squared: of 5 series
    # in n windows the mean square has variance 2 (1 + 4 r squared) / 5 n
    rng = np.random.default_rng(8)
    shared, own = rng.normal(size=(4000, 20, 1)), rng.normal(size=(4000, 20, 5))
    z = np.sqrt(together) * shared + np.sqrt(1 - together) * own
    scattered = float((z**2).mean(axis=(1, 2)).var())
    worth = count_separate(z.reshape(-1, 5))
    assert worth == pytest.approx(5 / (1 + 4 * together**2), rel=0.02)
    assert 2 / (20 * worth) == pytest.approx(scattered, rel=0.06)
    # from 20 windows it is found on the safe side, and not far off
    found = [count_separate(one) for one in z[:300]]
    assert 0.75 * worth < np.mean(found) < 1.03 * worth


def test_of_very_many_series_some_say_how_they_go_together() -> None:
    rng = np.random.default_rng(9)
    z = np.repeat(rng.normal(size=(30, 1)), 1501, axis=1) + rng.normal(size=(30, 1501))
    assert count_separate(z) == pytest.approx(count_separate(z[:, ::4]))
    assert count_separate(z[:, :500]) == pytest.approx(count_separate(z[:, ::4]), rel=0.2)
