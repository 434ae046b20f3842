"""Numbers and dates as they are written."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from forecast.reporting.formatting import (
    capitalise,
    name_days,
    name_season,
    name_short,
    name_window,
    plural,
    say_window,
    spell_periods,
    typeset,
    write_article,
    write_change,
    write_count,
    write_gap,
    write_interval,
    write_range,
    write_signed,
)

NAN = float("nan")


def months(first: str, last: str) -> pd.PeriodIndex:
    return pd.period_range(first, last, freq="M")


@pytest.mark.parametrize(
    ("value", "text"), [(1234.4, "1,234"), (0.0, "0"), (-1234.0, "−1,234"), (NAN, "not known")]
)
def test_counts_have_commas_and_a_true_minus(value: float, text: str) -> None:
    assert write_count(value) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234.5, 1, "+1,234.5"),
        (-0.06, 1, "−0.1"),
        (-0.04, 1, "0.0"),  # what rounds to zero has no sign
        (0.0, 0, "0"),
        (NAN, 0, "not known"),
        (float("inf"), 0, "not known"),
    ],
)
def test_differences_have_a_sign(value: float, digits: int, text: str) -> None:
    assert write_signed(value, digits=digits) == text


def test_intervals_say_when_a_bound_is_unknown() -> None:
    assert write_interval((-12.34, 5.0), digits=1) == "−12.3 to +5.0"
    assert write_interval((NAN, 5.0)) == "not known"
    assert write_range((1032.4, 6723.0)) == "1,032 to 6,723"
    assert write_range((NAN, 1.0)) == "not known"


def test_changes_are_fewer_or_more_and_never_positive() -> None:
    assert (
        write_change(-27.0, "calls", "October 2019") == "27 per cent fewer calls than October 2019"
    )
    assert write_change(12.6, "offences", "expected") == "13 per cent more offences than expected"
    assert write_change(-0.4, "offences", "expected") == "about as many offences as expected"
    assert write_change(NAN, "offences", "expected") == "offences against expected: not known"
    assert write_gap(-748.4) == "748 fewer"


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ((2020, 10, 19), (2020, 11, 8), "19 October to 8 November 2020"),
        ((2020, 12, 28), (2021, 1, 3), "28 December 2020 to 3 January 2021"),
        ((2020, 10, 1), (2020, 10, 31), "1 to 31 October 2020"),
        ((2020, 10, 1), (2020, 10, 1), "1 October 2020"),
        # the same month of two years must keep both
        ((2020, 10, 1), (2021, 10, 1), "1 October 2020 to 1 October 2021"),
    ],
)
def test_spans_of_days(start: tuple[int, ...], end: tuple[int, ...], text: str) -> None:
    assert name_days(dt.date(*start), dt.date(*end)) == text


def test_windows_of_months_weeks_and_days() -> None:
    assert name_window(months("2020-10", "2020-10")) == "October 2020"
    assert name_window(months("2020-10", "2020-11")) == "October and November 2020"
    assert name_window(months("2020-09", "2020-11")) == "September to November 2020"
    assert name_window(months("2020-12", "2021-01")) == "December 2020 and January 2021"
    weeks = pd.period_range("2020-10-19", "2020-11-02", freq="W-SUN")
    assert name_window(weeks) == "19 October to 8 November 2020"  # Monday of the first to Sunday
    assert say_window(weeks) == "from 19 October to 8 November 2020"
    assert say_window(months("2020-10", "2020-10")) == "in October 2020"
    one = pd.period_range("2020-10-19", "2020-10-19", freq="D")
    assert say_window(one) == "on 19 October 2020"


def test_seasons_and_short_names() -> None:
    assert name_season(months("2020-10", "2020-11")) == "autumn"
    assert name_season(months("2021-02", "2021-02")) == "winter"
    assert name_season(months("2021-04", "2021-05")) == "spring"
    assert name_short(pd.Period("2020-10", "M")) == "Oct 2020"
    assert name_short(pd.Period("2020-10-19", "W-SUN")) == "19 Oct 2020"


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("2020-10", "October 2020"),
        ("2020-10-05 on", "5 October 2020 on"),
        ("2020-10 to 2020-11", "October and November 2020"),
        ("2010-04 to 2024-10", "April 2010 to October 2024"),
        ("2020-10-19 to 2020-10-26", "19 October 2020 to 26 October 2020"),
        ("2020-13 and 2020-00", "2020-13 and 2020-00"),  # no months
        ("SI 2020/1104", "SI 2020/1104"),
    ],
)
def test_periods_of_a_text_are_spelt(text: str, spelt: str) -> None:
    assert spell_periods(text) == spelt


def test_typeset_keeps_hyphens_of_words() -> None:
    assert typeset("-35 to -28 (-4) on 21-day, re-run, 2020-10") == (
        "−35 to −28 (−4) on 21-day, re-run, October 2020"
    )


def test_small_words() -> None:
    assert [write_article(n) for n in (1, 8, 18, 80, 100, 21)] == ["a", "an", "an", "an", "a", "a"]
    assert (plural(1, "day"), plural(1234, "day")) == ("1 day", "1,234 days")
    assert capitalise("robbery") == "Robbery"
    assert capitalise("DIVERT referrals") == "DIVERT referrals"
