"""The checklist of a report: every field answered, or said to be not possible and why."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pandas as pd
import pytest

from forecast.data.lag import Completeness
from forecast.data.panel import Panel
from forecast.errors import ForecastError
from forecast.impact.answering import missing, present
from forecast.impact.campaign import Campaign
from forecast.impact.checklist import FIELDS, Checklist, Field, make_checklist
from forecast.impact.checks import Check
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.simulation import simulate

UNASKED = "not possible, because result.examine() was not called."

CLAIMS = ("plain statement", "headline estimate", "power", "naive comparison")
CLAIMS += ("costs and benefits", "displacement and diffusion", "comparator")
"""Fields that tell a change in per cent."""


def make(**more: object) -> Evaluation:
    """A plain campaign in one of three simulated areas, in which a fall was planted."""
    facts: dict[str, object] = {"name": "Patrols", "offences": ["robbery"]}
    facts |= {"start": "2022-10-01", "end": "2022-11-30", **more}
    counts = simulate(areas=3, years=8, effect=-0.3)
    return evaluate(Campaign(**facts), counts, draws=200)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plain() -> Evaluation:
    return make()


@pytest.fixture(scope="module")
def examined(london: Panel) -> dict[str, Evaluation]:
    """The two campaigns that are to be answered in full."""
    found = {}
    for name in ("autumn-nights-2020", "autumn-nights-2021"):
        found[name] = evaluate(Campaign.load(name), london)
        found[name].examine()
    return found


def test_there_are_the_twenty_eight_fields_in_their_order(plain: Evaluation) -> None:
    rows = make_checklist(plain).rows
    assert [row.number for row in rows] == list(range(1, 29))
    assert [row.field for row in rows] == list(FIELDS)
    # numbers of the published list: 1 plain words, 12 power, 17 naive, 23 rating, 28 access
    assert [rows[n - 1].field for n in (1, 12, 17, 23, 28)] == [
        "plain statement",
        "power",
        "naive comparison",
        "design rating",
        "access",
    ]


def test_what_was_not_examined_says_so(plain: Evaluation) -> None:
    found = make_checklist(plain)
    for name in ("displacement and diffusion", "moderators and harm", "costs and benefits"):
        assert found.of(name).status == "not possible"
        assert found.of(name).text == UNASKED
    assert found.of("placebo in space and outcome").text.startswith(UNASKED)
    assert "compare_models()) nor other ways" in found.of("sensitivity").text
    assert found.of("sensitivity").status == "not possible"
    assert UNASKED[:-1] in found.of("multiplicity").text


def test_nobody_has_signed_and_nothing_was_registered(plain: Evaluation) -> None:
    found = make_checklist(plain)
    assert found.of("checking and sign-off").text.startswith(
        "not possible, because nobody has signed: draft."
    )
    assert found.of("deviations from plan").status == "not possible"
    assert "nothing was registered" in found.of("deviations from plan").text


def test_activity_and_choice_of_places_come_from_the_campaign_file() -> None:
    bare = make_checklist(make(areas=["Area 01"]))
    assert bare.of("activity and dose").status == "not possible"
    assert "lists no output and no activity log" in bare.of("activity and dose").text
    assert bare.of("regression to the mean").status == "not possible"
    assert "how places were chosen is not stated" in bare.of("regression to the mean").text
    output = {"kind": "arrests", "count": 1234, "source": "a release"}
    told = make_checklist(make(areas=["Area 01"], output=[output], selection="by lot"))
    assert "arrests 1,234" in told.of("activity and dose").text
    assert "activity, not effect" in told.of("activity and dose").text
    assert told.of("regression to the mean").text == "Places were chosen so: by lot."


def test_the_estimate_has_both_intervals_and_the_wide_one_is_that_of_the_verdict(
    plain: Evaluation,
) -> None:
    main, text = plain.main, make_checklist(plain).of("headline estimate").text
    low, high = (f"{bound:,.0f}" for bound in main.expected_interval)
    assert f"95 per cent: {low} to {high}, " in text
    assert f"{main.effect_interval[0]:+,.0f} to {main.effect_interval[1]:+,.0f}" in text
    # observed over expected is 1 and the difference in per cent
    assert f"ratio {main.observed / main.expected:.2f} (" in text
    wide, narrow = (
        tuple(int(x.replace(",", "")) for x in re.findall(r"[\d,]+", pattern)[1:3])
        for pattern in re.findall(r"\d\d per cent: [\d,]+ to [\d,]+", text)
    )
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_the_naive_comparison_has_its_z(autumn_nights: Evaluation) -> None:
    text = make_checklist(autumn_nights).of("naive comparison").text
    # 2 (sqrt 4816 - sqrt n), n the robberies of October and November 2019
    row = autumn_nights.year_on_year
    row = row[(row["offence"] == "robbery") & (row["area"] == "London")]
    before = float(row.loc[row["period"] == "2020-10 to 2020-11", "before"].iloc[0])
    assert f"4,816 after {before:,.0f}" in text
    assert f"z {2 * (4816**0.5 - before**0.5):+.1f}" in text
    assert "Not reproduced: call-outs are not in these data" in text
    assert "(2,626 against 3,352)" in text


def test_other_models_fill_the_sensitivity_in_part(plain: Evaluation) -> None:
    asked = replace(plain)
    asked.compare_models()
    found = make_checklist(asked).of("sensitivity")
    assert found.status == "present"
    assert re.search(r"Other models: (\d) of \1 put robbery below", found.text)
    assert "years left out and moved windows were not tried" in found.text


def test_costs_that_follow_are_not_said_to_be_impossible(plain: Evaluation) -> None:
    """One offence has a price: that harm cannot be set beside the count of several is no matter."""
    asked = replace(plain)
    harm = asked.examine().harm
    assert harm.check().status == "not possible"
    found = make_checklist(asked).of("costs and benefits")
    assert found.status == "present"
    assert "it comes to -£" in found.text
    assert "not possible" not in found.text
    # and where nothing has a price it is said first
    object.__setattr__(asked, "examination", replace(asked.examine(), harm=replace(harm, rows=())))
    text = make_checklist(asked).of("costs and benefits").text
    assert text.startswith("not possible, because none of the offences has a price or a weight.")


def test_up_to_three_limits_come_first(autumn_nights: Evaluation) -> None:
    text = make_checklist(autumn_nights).of("limits, up to three first").text
    assert text.startswith("(1) The campaign did not run alone: London in Tier 2 (High)")
    assert "(2) The design is at level 2 of 5 on the Maryland scale" in text
    assert "(4)" not in text


def test_a_command_is_told_and_the_seconds_are_not(plain: Evaluation) -> None:
    text = make_checklist(plain, command="forecast evaluate x").of("reproducibility").text
    assert text.endswith("Command: forecast evaluate x.")
    slower = replace(plain, seconds=plain.seconds + 100)
    assert make_checklist(slower).rows == make_checklist(plain).rows


def test_it_is_plain_for_machines(plain: Evaluation) -> None:
    found = make_checklist(plain)
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [set(row) for row in told] == [{"number", "field", "status", "text"}] * 28
    assert found.summary().shape == (28, 4)
    assert found.check().status == "not possible"
    assert not found.check().blocking
    assert re.fullmatch(r"\d\d of 28 fields are answered; .*", found.sentences()[0])


def test_an_empty_field_is_refused() -> None:
    rows = [Field(n, name, "present", "text") for n, name in enumerate(FIELDS, start=1)]
    assert Checklist(tuple(rows)).check().status == "passed"
    rows[11] = rows[11]._replace(text=" ")
    with pytest.raises(ForecastError, match="must answer every field: .*'?power'? is empty"):
        Checklist(tuple(rows))
    with pytest.raises(ForecastError, match="access"):
        Checklist(tuple(rows[:-1]))


def test_answers_keep_names_and_drop_what_is_empty() -> None:
    assert present("One.", "").text == "One."
    assert missing("GDP is not known.").text == "not possible, because GDP is not known."


@pytest.mark.slow
def test_both_autumns_answer_every_field_with_counts_beside_per_cents(
    examined: dict[str, Evaluation],
) -> None:
    for name, result in examined.items():
        found = make_checklist(result)
        for row in found.rows:
            assert row.text.strip(), (name, row.field)
            assert "not called" not in row.text, (name, row.field)
            assert "nan" not in row.text.split(), (name, row.field)
            assert "None" not in row.text.split(" of ")[0].split(), (name, row.field)
            if row.status == "not possible":
                assert row.text.startswith("not possible, because "), (name, row.field)
        ladders = " ".join(ladder.sentence for ladder in result.headline.ladders)
        for field in CLAIMS:
            for sentence in re.split(r"(?<=[a-z)])\. ", found.of(field).text):
                if sentence not in ladders and re.search(r"[+-][\d.]+ per cent", sentence):
                    assert re.search(r"counted|expected|after \d", sentence), (name, sentence)
        possible = {row.field for row in found.rows if row.status != "present"}
        # nobody registered, nobody signed, no other way was asked for; in 2020 the months after
        # the window are disrupted, and every area took part, so that nowhere was left to look
        least = {"deviations from plan", "checking and sign-off", "sensitivity"}
        assert possible == least | (
            {"displacement and diffusion"} if name.endswith("2020") else set()
        )


def test_completeness_quotes_what_was_found_of_late_records(plain: Evaluation) -> None:
    late = Check("immature periods, robbery", "failed", False, "Only about half had come.")
    other = Check("immature periods, theft", "not possible", False, "Of theft nothing is known.")
    told = replace(plain, checks=(*plain.checks, late, other))
    text = make_checklist(told).of("completeness and lag").text
    assert "Only about half had come. Of theft nothing is known." in text
    assert "Nothing is added to counts for offences still to be recorded" in text
    table = pd.DataFrame({"offence": "robbery", "lag": [0], "share": 1.0, "lower": 1.0})
    lag = Completeness(table.assign(upper=1.0, cells=9), "M", pd.Period("2023-01", "M"))
    thinned = replace(told, counts=told.counts.with_lag(lag, correct="thin"))
    text = make_checklist(thinned).of("completeness and lag").text
    assert "less is expected of periods still to be recorded" in text
