"""Sentences about a result."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from forecast.impact.evaluation import Evaluation
from forecast.reporting.sentences import (
    describe_detectable,
    describe_estimand,
    describe_held,
    describe_rank,
    describe_verdict,
    exposed_share,
    write_finding,
    years_of_total,
)


def test_each_verdict_has_a_sentence_of_its_own(verdicts: dict[str, Evaluation]) -> None:
    said = {describe_verdict(result.main) for result in verdicts.values()}
    assert len(said) == 4
    assert "not proof that nothing changed" in describe_verdict(
        verdicts["no clear difference"].main
    )


def test_findings_carry_both_counts(verdicts: dict[str, Evaluation]) -> None:
    for result in verdicts.values():
        title = write_finding(result.main)
        assert f"{result.main.observed:,.0f} counted" in title
        assert f"{result.main.expected:,.0f}" in title
    main = verdicts["fewer than expected"].main
    assert write_finding(main) == (
        f"Robbery in all areas: {main.observed:,.0f} counted, {-main.effect:,.0f} fewer than the "
        f"{main.expected:,.0f} expected"
    )
    assert "cannot be told" in write_finding(verdicts["cannot tell"].main)


def test_the_estimand_is_over_and_above_a_usual_autumn(autumn_nights: Evaluation) -> None:
    text = describe_estimand(autumn_nights)
    assert "in the whole of October and November 2020" in text
    assert "over and above a usual autumn?" in text


def test_the_share_on_campaign_days_weighs_months_by_what_was_expected(
    autumn_nights: Evaluation,
) -> None:
    # 13 of 31 days of October and 8 of 30 of November
    october, november = autumn_nights.main.expected_by_period
    hand = (13 / 31 * october + 8 / 30 * november) / (october + november)
    assert exposed_share(autumn_nights.main) == pytest.approx(hand)


def test_the_detectable_fall_is_larger_on_the_campaign_s_days(autumn_nights: Evaluation) -> None:
    main = replace(
        autumn_nights.main,
        smallest_detectable_percent=17.0,
        expected=6000.0,
        expected_by_period=np.array([3000.0, 3000.0]),
        exposure=(0.5, 0.18),
    )
    # the share is (1,500 + 540) / 6,000 = 0.34; 17 / 0.34 = 50; 17 per cent of 6,000 is 1,020
    text = describe_detectable(main)
    assert "A fall of 17 per cent of the whole of October and November 2020" in text
    assert "(about 1,020 of 6,000) would have been seen in four of five" in text
    assert "that is 50 per cent of what was expected on them." in text


def test_the_detectable_fall_may_be_more_than_everything_or_unknown(
    autumn_nights: Evaluation, fewer: Evaluation
) -> None:
    main = replace(autumn_nights.main, smallest_detectable_percent=40.0)  # over 0.34: 117
    assert "Not even a campaign after which nothing was left" in describe_detectable(main)
    unknown = replace(main, smallest_detectable_percent=math.nan)
    assert "is not known" in describe_detectable(unknown)
    assert "own days" not in describe_detectable(fewer.main)  # every day is a campaign day


def test_windows_of_other_years_that_held_are_counted(
    autumn_nights: Evaluation, lonely: Evaluation
) -> None:
    totals = autumn_nights.placebo.totals
    held = int(totals["held"].sum())
    assert describe_held(autumn_nights) == (
        f"{held} of {len(totals)} tests on windows of other years lay inside their 95 per cent "
        "interval"
    )
    assert describe_held(lonely).endswith("is not known")


def test_the_rank_is_description_and_never_below_one_over_n_plus_one(fewer: Evaluation) -> None:
    # the planted fall is further off than all 8 windows: 1 / (8 + 1) = 0.11
    text = describe_rank(fewer)
    assert text.startswith("Description only: of 8 windows of other years, for robbery, none was")
    assert "(rank 0.11; with 8 windows it cannot fall below 0.11)" in text


def test_the_rank_counts_windows_at_least_as_far(unclear: Evaluation, lonely: Evaluation) -> None:
    errors = unclear.placebo.totals["error"].abs()
    own = abs(math.log(unclear.main.observed / unclear.main.expected))
    further = int((errors >= own).sum())
    assert further > 1
    assert f"for robbery, {further} were at least as far" in describe_rank(unclear)
    assert f"rank {(1 + further) / 9:.2f}" in describe_rank(unclear)
    assert "no rank" in describe_rank(lonely)


def test_years_of_the_total_leave_out_single_areas(autumn_nights: Evaluation) -> None:
    own = years_of_total(autumn_nights, "violence with injury")
    assert set(own["area"]) == {"London"}
    assert set(own["offence"]) == {"violence with injury"}
    assert years_of_total(autumn_nights, "arson").empty
