"""What stands in each section of the report."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from forecast.impact.campaign_parts import Previous
from forecast.impact.checks import Check
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.reporting import sections

AUTUMN_2020 = Previous(start="2020-10-01", end="2020-11-30")


def test_facts_say_which_days_were_counted(autumn_nights: Evaluation, fewer: Evaluation) -> None:
    facts = dict(sections.list_facts(autumn_nights))
    assert facts["Campaign"] == "19 October to 8 November 2020, 21 days"
    # 13 days of October and 8 of November; 31 and 30 days in all
    assert facts["Counted"] == (
        "the whole of October and November 2020: 21 of 61 days are campaign days, because the "
        "figures are by month"
    )
    assert facts["Offences"] == "robbery and violence with injury; the verdict is of the first"
    assert facts["Areas"].startswith("all: 12 areas (Central East, ")
    assert facts["Areas"].endswith("and offences marked “Not allocated”")
    assert facts["Measure"] == "recorded offences"
    assert "over and above a usual autumn" in facts["Question"]
    assert "DynamicCounts" in facts["What was expected"]
    assert dict(sections.list_facts(fewer))["Counted"] == "the whole of October and November 2022"
    assert dict(sections.list_facts(fewer))["Offences"] == "robbery"


def test_the_detectable_fall_is_divided_by_the_exposed_share(autumn_nights: Evaluation) -> None:
    frame = sections.show_detectable(autumn_nights).frame
    main = autumn_nights.main
    october, november = main.expected_by_period
    share = (13 / 31 * october + 8 / 30 * november) / (october + november)
    row = frame.iloc[0]
    assert row["smallest_percent"] == -main.smallest_detectable_percent
    assert row["smallest_window_percent"] == pytest.approx(
        -main.smallest_detectable_percent / share
    )
    assert row["in_window_percent"] == main.in_window_percent
    assert len(frame) == 2


def test_the_ladder_does_not_invent_an_interval_for_the_claim(autumn_nights: Evaluation) -> None:
    ladder = autumn_nights.headline.ladders[0]
    frame = sections.show_ladder(ladder, 0.95).frame
    assert frame["interval"].iloc[0] == "none"
    assert " to " in frame["interval"].iloc[1]
    assert frame["label"].iloc[1].startswith("2. recorded offences, 2020-10")
    assert len(frame) == len(ladder.steps)


def test_years_and_areas_have_a_table_for_each_offence(autumn_nights: Evaluation) -> None:
    years = sections.show_years(autumn_nights)
    assert [table.caption.split(":")[0] for table in years] == ["Robbery", "Violence with injury"]
    assert years[0].frame["before"].iloc[0] == 7587.0  # 3,748 and 3,839 in 2019
    areas = sections.show_areas(autumn_nights)
    assert [len(table.frame) for table in areas] == [13, 13]
    names = areas[1].frame["area"].tolist()
    assert names[:12] == sorted(names[:12])
    assert names[12] == "Not allocated"


def test_one_area_has_no_table_of_areas(lonely: Evaluation) -> None:
    assert sections.show_areas(lonely) == []
    assert len(sections.show_years(lonely)[0].frame) > 0


def test_chance_alone_is_counted(autumn_nights: Evaluation) -> None:
    # 26 intervals at 95 per cent: 1.3
    assert "There are 26 intervals" in sections.describe_chance(autumn_nights)
    assert "about 1 would" in sections.describe_chance(autumn_nights)


def test_placebo_sets_show_all_and_each_season(autumn_nights: Evaluation) -> None:
    frame = sections.show_placebo(autumn_nights).frame
    assert frame["set"].tolist() == [
        "All windows", "Same season", "Half a year away", "No earlier campaign known",
    ]  # fmt: skip
    assert frame["tests"].iloc[0] == frame["tests"].iloc[1] + frame["tests"].iloc[2]


@pytest.mark.parametrize(
    ("status", "blocking", "areas_only", "words"),
    [
        ("failed", True, False, "yes, and does for all"),
        ("failed", True, True, "yes, and does for single areas"),
        ("not possible", True, False, "yes, and does for all"),
        ("passed", True, True, "yes, for single areas"),
        ("failed", False, False, "no"),
    ],
)
def test_checks_say_in_words_whether_they_bar_a_verdict(
    autumn_nights: Evaluation, status: str, blocking: bool, areas_only: bool, words: str
) -> None:
    check = Check("a name", status, blocking, "In 2020-10: -5.", areas_only)  # type: ignore[arg-type]
    row = sections.show_checks(replace(autumn_nights, checks=(check,))).frame.iloc[0]
    assert row["status"] == status
    assert row["blocking"] == words
    assert row["text"] == "In October 2020: −5."
    assert row["name"] == "A name"


def test_assumptions_follow_the_checks(autumn_nights: Evaluation) -> None:
    frame = sections.show_assumptions(autumn_nights).frame.set_index("check")
    status = {check.name: check.status for check in autumn_nights.checks}
    words = {"passed": "good", "failed": "poor", "not possible": "not known"}
    assert set(frame.index) <= set(status)  # every check that is named exists
    for name, row in frame.iterrows():
        assert row["quality"] == words[status[str(name)]]
    assert frame.loc["disruptions in the window", "quality"] == "poor"


def test_disruptions_are_shown_with_the_campaign_s_days(autumn_nights: Evaluation) -> None:
    frame = sections.show_disruptions(autumn_nights).frame.set_index("name")
    assert frame.loc["second national lockdown", "inside"] == 4  # 5 to 8 November
    assert frame.loc["London in Tier 2 (High)", "days"] == "17 October to 4 November 2020"
    assert frame.loc["first national lockdown", "inside"] == 0


def test_data_and_provenance_are_complete(autumn_nights: Evaluation, fewer: Evaluation) -> None:
    facts = dict(sections.list_data_facts(autumn_nights))
    assert facts["Licence"].startswith("Contains public sector information")
    assert len(facts["SHA-256"]) == 64
    assert "2010-04 to 2024-10" in facts["Span"]
    assert dict(sections.list_data_facts(fewer))["SHA-256"] == "not known"
    made = dict(sections.list_provenance(fewer, command="forecast evaluate x"))
    assert made["Command"] == "forecast evaluate x"
    assert (made["Seed"], made["Draws"]) == ("0", "200")
    assert set(made) == {"Package", "Command", "Seed", "Draws", "Model", "Python", "Seconds"}


def test_offences_not_targeted_stand_with_both_counts(
    autumn_nights: Evaluation, fewer: Evaluation
) -> None:
    text = sections.describe_untargeted(autumn_nights)
    for part in autumn_nights.untargeted:
        assert f"{part.offence} " in text
        assert f"{part.observed:,.0f} counted, {part.expected:,.0f} expected" in text
    assert sections.describe_untargeted(fewer) == ""


def test_activity_is_listed_as_such(autumn_nights: Evaluation) -> None:
    table = sections.show_outputs(autumn_nights)
    assert table.caption == "Activity of the campaign, which is not its effect"
    assert table.frame.set_index("kind").loc["weapon sweeps", "count"] == 1384


@pytest.mark.parametrize(
    ("way", "method", "assumption"),
    [
        ("around", "Learnt from before and after the campaign, by", "had ended with it"),
        ("controls", "with what it did not touch as controls, by", "was not touched"),
    ],
)
def test_every_counterfactual_says_what_it_learnt_from(
    fewer: Evaluation, way: str, method: str, assumption: str
) -> None:
    result = replace(fewer, counterfactual=way, runs_left_out=(AUTUMN_2020,))
    said = dict(sections.list_facts(result))["What was expected"]
    assert method in said
    assert said.endswith(
        "left out of that and of the windows of other years: 1 October to 30 November 2020."
    )
    assert assumption in sections.show_assumptions(result).frame["text"].iloc[0]
    assert assumption not in " ".join(sections.show_assumptions(fewer).frame["text"])


def test_the_ladder_shows_z_where_both_sides_are_counts(autumn_nights: Evaluation) -> None:
    ladder = autumn_nights.headline.ladders[0]
    frame = sections.show_ladder(ladder, 0.95).frame
    # 2 (sqrt 2484 - sqrt 3748) = 2 (49.84 - 61.22) = -22.8
    assert frame["z_range"].iloc[1] == "−22.8"  # noqa: RUF001
    assert frame["z_range"].iloc[0] == "none"


def test_a_check_of_one_offence_bars_that_one_alone(blocked: Evaluation) -> None:
    check = Check("sensitivity, theft", "failed", True, "Text.", offence="theft")
    frame = sections.show_checks(replace(blocked, checks=(check,))).frame
    assert frame["blocking"].tolist() == ["yes, and does for theft"]


def test_what_is_not_covered_follows_what_was_asked(fewer: Evaluation, sides: Evaluation) -> None:
    assert len(sections.list_not_covered(replace(fewer))) == 4
    assert not any("Displacement" in line for line in sections.list_not_covered(sides))


def test_the_levels_mark_the_design_s_own(fewer: Evaluation) -> None:
    frame = sections.show_levels(fewer).frame
    assert frame.loc[frame["here"], "level"].tolist() == [f"Level {fewer.rating.level}"]


def test_a_fall_that_the_window_could_not_hold_is_not_shown(fewer: Evaluation) -> None:
    short = fewer.campaign.model_copy(
        update={"start": dt.date(2022, 10, 30), "end": dt.date(2022, 11, 2)}
    )
    table = sections.show_detectable(evaluate(short, fewer.counts, draws=200))
    row = table.frame.iloc[0]
    # a fall of 30 per cent of 61 days is more than 4 of them could hold
    assert np.isnan(row["in_window_percent"])
    assert row["in_window_interval"] == "not known"
    assert np.isnan(row["smallest_window_percent"]) or row["smallest_window_percent"] >= -100
    assert table.caption.endswith(
        "own days. The fall is larger than what the campaign's days could hold: part of it lies "
        "outside the window"
    )
    assert table.caption.count("The fall is larger") == 1
