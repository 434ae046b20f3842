"""Quantiles, intervals and p are order statistics; the two verdicts never disagree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import DataError, ForecastError
from forecast.models.draws import Forecast, interval, median, p_value, quantile

LEVELS = [0.5, 0.8, 0.9, 0.95, 0.99]
counts = st.integers(0, 30)


def make_forecast() -> Forecast:
    # Two draws, three series, two periods.
    draws = np.array([[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]]])
    series = pd.DataFrame({"area": ["A", "B", "A"], "offence": ["x", "x", "y"]})
    periods = pd.period_range("2020-10", "2020-11", freq="M")
    return Forecast(draws, series, periods, periods[0], "Some model", total_name="London")


@pytest.mark.parametrize(
    ("level", "rank"),
    # Nine draws: rank floor(10 p), mirrored above one half; floor(2.5) = 2, so 0.75 takes 8.
    [(0.01, 1), (0.1, 1), (0.25, 2), (0.3, 3), (0.5, 5), (0.7, 7), (0.75, 8), (0.9, 9)],
)
def test_quantile_is_the_draw_of_a_rank(level: float, rank: int) -> None:
    draws = np.random.default_rng(0).permutation(np.arange(1, 10))
    assert quantile(draws, [level]).tolist() == [rank]


def test_quantile_rank_survives_binary_fractions() -> None:
    # 0.29 * 100 is 28.999999999999996 in binary; the rank is 29 all the same.
    assert quantile(range(1, 100), [0.29, 0.71]).tolist() == [29, 71]


def test_quantile_of_an_even_number_takes_the_lower_middle() -> None:
    assert median([4, 1, 3, 2]) == 2


def test_quantile_keeps_the_other_axes() -> None:
    draws = np.arange(9)[:, None, None] + np.array([[0, 10], [20, 30]])  # (9, 2, 2)
    assert quantile(draws, [0.1, 0.5]).tolist() == [[[0, 10], [20, 30]], [[4, 14], [24, 34]]]


@pytest.mark.parametrize("level", [0.025, 0.1, 0.37, 0.5])
@pytest.mark.parametrize("size", [40, 41, 1000])
def test_a_new_draw_falls_below_a_quantile_at_most_that_often(size: int, level: float) -> None:
    # Of size + 1 different values each is as likely to be the new one: leave out each in turn.
    values = np.arange(size + 1)
    below = sum(value < quantile(np.delete(values, value), [level])[0] for value in values)
    # The rank is the largest for which this holds: one rank more would break it.
    assert below <= level * (size + 1) + 1e-9 < below + 1 + 1e-9


@given(st.lists(counts, min_size=1, max_size=60), st.floats(0.01, 0.49))
def test_quantiles_mirror(draws: list[int], level: float) -> None:
    assert quantile(draws, [level])[0] == -quantile(-np.array(draws), [1 - level])[0]


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5, -0.1])
def test_levels_outside_are_refused(level: float) -> None:
    with pytest.raises(ForecastError, match="must lie between 0 and 1"):
        quantile([1, 2, 3], [level])
    with pytest.raises(ForecastError, match="Use 0.95 for 95 per cent"):
        interval([1, 2, 3], level)


@pytest.mark.parametrize(
    ("observed", "p"),
    # Draws 1 to 9. At 0: tails 1/10 and 10/10. At 2: 3/10 and 9/10. At 5: 6/10 and 6/10.
    [(0, 0.2), (2, 0.6), (5, 1.0), (9, 0.4), (10, 0.2)],
)
def test_p_value_is_twice_the_smaller_tail(observed: int, p: float) -> None:
    assert p_value(range(1, 10), observed) == pytest.approx(p)


@given(
    st.lists(counts, min_size=199, max_size=260),
    st.integers(-1, 31),
    st.sampled_from(LEVELS),
)
def test_interval_excludes_exactly_when_p_is_small(
    draws: list[int], observed: int, level: float
) -> None:
    lower, upper = interval(draws, level)
    excluded = not lower <= observed <= upper
    assert excluded == (p_value(draws, observed) <= 1 - level + 1e-9)


@given(st.lists(counts, min_size=39, max_size=80))
def test_intervals_are_nested(draws: list[int]) -> None:
    bounds = [interval(draws, level) for level in LEVELS]
    lower, upper = np.array(bounds).T
    assert (np.diff(lower) <= 0).all()
    assert (np.diff(upper) >= 0).all()


def test_total_sums_areas_draw_by_draw() -> None:
    total = make_forecast().total()
    assert total.draws.tolist() == [[[4, 6], [5, 6]], [[16, 18], [11, 12]]]
    assert total.series.to_dict("list") == {"area": ["London", "London"], "offence": ["x", "y"]}
    with pytest.raises(DataError, match="must be 'offence', 'group' or 'area': found 'month'"):
        make_forecast().total(by="month")


def test_groups_and_areas_agree_with_the_total_draw_by_draw() -> None:
    plain = make_forecast()
    with pytest.raises(DataError, match="must have a column 'group' for sums by group"):
        plain.total(by="group")
    names = {area: f"Group {k % 2}" for k, area in enumerate(plain.series["area"].unique())}
    grouped = replace(plain, series=plain.series.assign(group=plain.series["area"].map(names)))
    by_group = grouped.total(by="group")
    assert set(by_group.series["area"]) == {"Group 0", "Group 1"}
    assert (by_group.total().draws == plain.total().draws).all()
    by_area = plain.total(by="area")
    assert (by_area.draws.sum(axis=1) == plain.draws.sum(axis=1)).all()
    assert by_area.series["offence"].unique().tolist() == ["all offences"]


def test_past_coverage_is_named_in_the_repr() -> None:
    table = pd.DataFrame(
        {"level": [0.8, 0.8, 0.95], "after": [0.7, 0.9, 0.93], "forecasts": [300, 100, 400]}
    )
    # 80 per cent: (300 x 0.7 + 100 x 0.9) / 400 = 0.75
    shown = repr(replace(make_forecast(), coverage=table))
    assert shown.endswith("; past intervals held 75% of 80% and 93% of 95%)")


def test_summary_is_tidy() -> None:
    frame = make_forecast().summary(level=0.5)
    columns = ["area", "offence", "period", "mean", "median", "lower", "upper"]
    assert frame.columns.tolist() == columns
    # Second series, first period: draws 3 and 9; two draws have ranks 1, 1 and 2.
    row = frame.iloc[2]
    assert row.tolist() == ["B", "x", pd.Period("2020-10", "M"), 6.0, 3.0, 3.0, 9.0]


def test_repr_is_one_line() -> None:
    assert repr(make_forecast()) == (
        "Forecast(3 series, 2020-10 to 2020-11, monthly, 2 draws by Some model, "
        "nothing seen from 2020-10 on)"
    )


@pytest.mark.parametrize("draws", [np.ones((2, 3, 2)), np.full((2, 3, 2), -1)])
def test_draws_must_be_counts(draws: np.ndarray) -> None:
    good = make_forecast()
    with pytest.raises(DataError, match="must be integers of zero or more"):
        Forecast(draws, good.series, good.periods, good.cutoff, "m")
