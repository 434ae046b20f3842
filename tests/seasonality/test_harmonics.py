"""Annual waves against arithmetic by hand and another implementation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.errors import DataError
from forecast.seasonality.harmonics import annual_phase, fourier


def months(start: str, end: str) -> pd.PeriodIndex:
    return pd.period_range(start, end, freq="M")


class TestAnnualPhase:
    def test_of_months_is_the_middle_of_twelve_equal_steps(self) -> None:
        # January 0.5/12, October 9.5/12, the same in a leap year.
        octobers = pd.PeriodIndex(["2019-01", "2019-10", "2020-01", "2020-10"], freq="M")
        by_hand = [0.0416667, 0.7916667, 0.0416667, 0.7916667]
        assert annual_phase(octobers).tolist() == pytest.approx(by_hand, abs=1e-6)

    def test_of_days_is_noon(self) -> None:
        # 1 January: 0.5/365.25. 31 October is day 304 of 2019 and day 305 of 2020.
        days = pd.PeriodIndex(["2019-01-01", "2019-10-31", "2020-10-31"], freq="D")
        by_hand = [0.5 / 365.25, 303.5 / 365.25, 304.5 / 365.25]
        assert annual_phase(days).tolist() == pytest.approx(by_hand)

    def test_of_weeks_is_the_thursday(self) -> None:
        # The week from 19 October 2020: Thursday the 22nd is day 296. The week from
        # 30 December 2019: Thursday 2 January is day 2.
        weeks = pd.PeriodIndex(["2020-10-19", "2019-12-30"], freq="W-SUN")
        assert annual_phase(weeks).tolist() == pytest.approx([295.5 / 365.25, 1.5 / 365.25])

    def test_of_a_month_and_of_its_days_agree(self) -> None:
        for month in months("2019-01", "2020-12"):
            days = pd.period_range(month.start_time, month.end_time, freq="D")
            mean = annual_phase(days).mean()
            # Months of 28 to 31 days against twelve equal ones: at most two days apart.
            assert annual_phase(pd.PeriodIndex([month]))[0] == pytest.approx(mean, abs=2 / 365)

    def test_other_frequencies_are_refused(self) -> None:
        with pytest.raises(DataError, match="found frequency Q-DEC"):
            annual_phase(pd.period_range("2020Q1", periods=4, freq="Q"))


class TestFourier:
    def test_january_by_hand(self) -> None:
        # Half a month is 15 degrees: cos 15, sin 15, cos 30, sin 30.
        found = fourier(months("2020-01", "2020-01"), order=2)
        by_hand = [[0.9659258, 0.2588190, 0.8660254, 0.5]]
        assert found == pytest.approx(np.array(by_hand), abs=1e-6)

    def test_a_day_by_hand(self) -> None:
        # 1 April 2019 is day 91: noon is at 90.5/365.25 of the year, 89.199 degrees.
        found = fourier(pd.period_range("2019-04-01", periods=1, freq="D"), order=1)
        angle = np.deg2rad(360 * 90.5 / 365.25)
        assert found == pytest.approx(np.array([[np.cos(angle), np.sin(angle)]]))
        assert np.rad2deg(angle) == pytest.approx(89.199, abs=1e-3)

    @pytest.mark.parametrize("order", [1, 3, 5])
    def test_spans_what_statsmodels_spans(self, order: int) -> None:
        from statsmodels.tsa.deterministic import Fourier

        index = months("2015-01", "2019-12")
        theirs = Fourier(period=12, order=order).in_sample(index).to_numpy()
        ours = fourier(index, order=order)
        # The same waves shifted by half a month: each set predicts the other exactly.
        fitted = theirs @ np.linalg.lstsq(theirs, ours, rcond=None)[0]
        assert fitted == pytest.approx(ours, abs=1e-10)

    def test_years_of_months_repeat_exactly(self) -> None:
        waves = fourier(months("2016-01", "2023-12"), order=5).reshape(8, 12, 10)
        assert np.ptp(waves, axis=0).max() == 0

    def test_columns_of_whole_years_are_orthogonal(self) -> None:
        # Over n whole years each column has squares that add up to 6 n, and sums to zero.
        waves = fourier(months("2019-01", "2020-12"), order=5)
        assert waves.T @ waves == pytest.approx(12 * np.eye(10), abs=1e-9)
        assert waves.sum(axis=0) == pytest.approx(np.zeros(10), abs=1e-9)

    @pytest.mark.parametrize(("freq", "most"), [("M", 5), ("W-SUN", 26), ("D", 182)])
    def test_highest_order_still_has_full_rank(self, freq: str, most: int) -> None:
        index = pd.period_range("2019-01-01", "2020-12-31", freq=freq)
        waves = fourier(index, order=most)
        assert waves.shape == (len(index), 2 * most)
        assert np.linalg.matrix_rank(waves) == 2 * most
        with pytest.raises(DataError, match=f"from 1 to {most} when a period is a"):
            fourier(index, order=most + 1)

    def test_order_zero_is_refused(self) -> None:
        with pytest.raises(DataError, match="a month: found 0"):
            fourier(months("2020-01", "2020-12"), order=0)
