"""Packed quantiles come back as they were, in little room."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from forecast.errors import DataError
from forecast.nightly.packing import compress, pack_quantiles, unpack_quantiles
from forecast.scoring import HUB_LEVELS

LEVELS = np.array(HUB_LEVELS)[:, None, None]


def through(values: np.ndarray) -> np.ndarray:
    return unpack_quantiles([compress(row) for row in pack_quantiles(values)])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(1, 30), st.integers(0, 52), st.integers(0, 999))
def test_whole_numbers_of_any_size_come_back_exactly(
    series: int, periods: int, bits: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = np.sort(rng.integers(0, 2**bits, (23, series, periods)), axis=0).astype(float)
    assert np.array_equal(through(values), values)


def test_fractions_come_back_exactly_beside_whole_numbers() -> None:
    values = np.array([[[1.0, 2.0], [0.1, 7.25]], [[3.0, 2.0], [0.3, 7.5]]])
    assert np.array_equal(through(values), values)


def test_the_layout_is_what_the_description_says() -> None:
    # levels 2, periods 3: first level 3 5 4 is kept as +3, +2, -1, folded to 6, 4, 1;
    # the second, 3 6 9, as what it has more: 0, 1, 5
    [packed] = pack_quantiles(np.array([[[3.0, 5.0, 4.0]], [[3.0, 6.0, 9.0]]]))
    assert packed == struct.pack("<BBH", 1, 2, 3) + bytes([6, 4, 1, 0, 1, 5])
    assert compress(packed)[4:] == zlib.compress(bytes([6, 4, 1, 0, 1, 5]), 9)


@pytest.mark.parametrize("mean", [0.2, 5, 80, 1500])
def test_a_night_of_daily_series_takes_less_than_its_room(mean: float) -> None:
    # 3 MB per 1,000 daily series of 28 days is 3,000 bytes a series
    rng = np.random.default_rng(1)
    means = mean * np.exp(rng.normal(0, 0.15, (200, 28)))
    values = nbinom.ppf(LEVELS, 8, 8 / (8 + means))
    sizes = [len(compress(row)) for row in pack_quantiles(values)]
    assert np.mean(sizes) < 1000
    assert np.array_equal(through(values), values)


def test_a_damaged_row_is_refused() -> None:
    row = compress(pack_quantiles(np.sort(np.arange(69.0)).reshape(23, 1, 3))[0])
    broken = [row[:-3], row[:2], b"\x07" + row[1:], row[:1] + b"\x02" + row[2:]]
    broken.append(row[:10] + bytes([row[10] ^ 1]) + row[11:])
    for bad in broken:
        with pytest.raises(DataError, match="must be whole: a row is damaged"):
            unpack_quantiles([bad])


def test_rows_of_different_shapes_are_not_mixed() -> None:
    rows = [compress(pack_quantiles(np.zeros((23, 1, n)))[0]) for n in (2, 3)]
    with pytest.raises(DataError, match="must have one shape: found 2"):
        unpack_quantiles(rows)
