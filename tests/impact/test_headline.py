"""The ladder of a claim, against arithmetic by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.baseline import Baseline
from forecast.impact.campaign import Campaign
from forecast.impact.comparison import compare_years
from forecast.impact.headline import ClaimLadder, Headline, climb
from forecast.models.draws import Forecast
from forecast.simulation import simulate

AUTUMN_NIGHTS: dict[str, Any] = {
    "name": "Autumn Nights 2020",
    "start": "2020-10-19",
    "end": "2020-11-08",
    "offences": ["robbery"],
}


def make_table(panel: Panel, **given: Any) -> pd.DataFrame:
    settings: dict[str, Any] = {"total_name": "London", "level": 0.95, "draws": 1000, "seed": 0}
    return compare_years(Campaign(**AUTUMN_NIGHTS), panel, **(settings | given))


def make_claim(**given: Any) -> dict[str, Any]:
    settings = {
        "text": "down 27 per cent",
        "measure": "recorded offences",
        "offence": "robbery",
        "period": "2020-10",
        "against": "2019-10",
        "change": -27.0,
    }
    return settings | given


def take(
    panel: Panel, forecasts: list[tuple[str, Forecast]] | None = None, **given: Any
) -> ClaimLadder:
    campaign = Campaign(**AUTUMN_NIGHTS, claim=[make_claim(**given)])
    (claim,) = campaign.claim
    baselines = [(name, Baseline(f, f, None, "")) for name, f in forecasts or []]
    return climb(claim, campaign, panel, baselines, level=0.95, draws=1000, seed=0)


def make_forecast(draws: list[list[int]], offence: str = "robbery") -> Forecast:
    """Draws of October and November 2020, shape (draw, period), of London's total."""
    return Forecast(
        np.array(draws)[:, None, :],
        pd.DataFrame({"area": ["London"], "offence": [offence]}),
        pd.period_range("2020-10", periods=2, freq="M"),
        pd.Period("2020-10", "M"),
        "a model",
    )


def test_ladder_step_by_step(london: Panel) -> None:
    # plain expects 2,900 in October and 2,900 in November, masked 3,000 and 3,000, each +-100
    plain = make_forecast([[2900 + d, 2900 + d] for d in range(-100, 101)])
    masked = make_forecast([[3000 + d, 3000 + d] for d in range(-100, 101)])
    ladder = take(london, [("model, all", plain), ("model, some", masked)], measure="calls")
    assert [s.label for s in ladder.steps] == [
        "as announced: calls, 2020-10 against 2019-10",
        "recorded offences, 2020-10 against 2019-10",
        "the same against the mean of 2015 to 2019",
        "before the campaign: 2020-08 against the year before",
        "before the campaign: 2020-09 against the year before",
        "what is left when the change just before the campaign is carried on",
        "model, all: 2020-10",
        "model, some: 2020-10",
        "the whole of 2020-10 to 2020-11 against the model: the campaign and everything else that "
        "began with it",
    ]
    changes = [round(s.change_percent, 1) for s in ladder.steps]
    # 2484/3748; 2484/2730.6; 2545/3083; 2626/3352; 2484/(3748 x 2626/3352); 2484/2900; 2484/3000;
    # 4816/6000
    assert changes == [-27.0, -33.7, -9.0, -17.5, -21.7, -15.4, -14.3, -17.2, -19.7]
    carried = ladder.steps[5]
    assert carried.reference == pytest.approx(3748 * 2626 / 3352)
    # 201 draws: ranks 0.025 x 202 = 5 and 197, that is 3000 - 96 and 3000 + 96
    model = ladder.steps[7]
    assert model.change_percent_lower == pytest.approx(100 * (2484 / 3096 - 1))
    assert model.change_percent_upper == pytest.approx(100 * (2484 / 2904 - 1))
    window = ladder.steps[8]
    assert (window.observed, window.reference) == (4816.0, 6000.0)
    assert [s.kind for s in ladder.steps][3:6] == ["before", "before", "years"]


def test_one_comparison_has_one_interval_wherever_it_stands(london: Panel) -> None:
    table = make_table(london.select(offence="robbery"))
    ladder = take(london)
    for step, against in ((ladder.steps[1], "2019-10"), (ladder.steps[2], "mean of 2015 to 2019")):
        row = table[(table["period"] == "2020-10") & (table["against"] == against)].iloc[0]
        assert step.change_percent_lower == row["change_percent_lower"]
        assert step.change_percent_upper == row["change_percent_upper"]


@pytest.mark.parametrize(
    ("given", "reproduced", "sentence"),
    [
        (
            {"measure": "calls"},
            None,
            "Not reproduced: call-outs are not in these data, which count recorded offences.",
        ),
        (
            {"measure": "incidents"},
            None,
            "Not reproduced: incidents are not in these data, which count recorded offences.",
        ),
        (
            {},
            False,
            "Not reproduced: the claim says -27.0 per cent, these data -33.7.",
        ),
        (
            {"change": -34},
            True,
            "Reproduced: the claim says -34.0 per cent, these data -33.7.",
        ),
        (
            {"change": -33.2},
            False,
            "Not reproduced: the claim says -33.2 per cent, these data -33.7.",
        ),
        (
            {"offence": "homicide"},
            None,
            "Not reproduced: homicide is not in these data.",
        ),
        (
            {"against": "2009-10"},
            None,
            "Not reproduced: these data do not hold both periods in full.",
        ),
        (
            {"period": "2020-10-19"},
            None,
            "Not reproduced: monthly figures cannot be added up to 2020-10-19 and 2019-10.",
        ),
    ],
)
def test_claim_is_compared_with_its_own_measure_only(
    london: Panel, given: dict[str, Any], reproduced: bool | None, sentence: str
) -> None:
    ladder = take(london, **given)
    assert ladder.reproduced is reproduced
    assert ladder.sentence.startswith(sentence)
    assert ladder.steps[0].change_percent == given.get("change", -27.0)


def test_a_claim_is_told_what_it_leaves_out(london: Panel) -> None:
    # 19 to 31 October are 13 days; September 2020 had 2,626 robberies after 3,352
    assert take(london, measure="calls").sentence == (
        "Not reproduced: call-outs are not in these data, which count recorded offences. "
        "Only 13 of the 31 days of 2020-10 are campaign days. "
        "Just before the campaign robbery stood -21.7 per cent from the year before "
        "(2,626 against 3,352). "
        "So in recorded offences most of a change of the announced size was there before the "
        "campaign began."
    )
    # 21.7 is less than four fifths of 28
    assert "So in" not in take(london, measure="calls", change=-28).sentence
    assert "So in" not in take(london, measure="calls", change=5).sentence


def test_months_say_what_needs_days(london: Panel) -> None:
    ladder = take(london, measure="calls")
    assert ladder.notes == (
        "The announcement gives a percentage without counts: all counts here are these data's.",
        "Months cannot be split into the campaign's own days, weekdays or event days: that needs "
        "daily counts.",
        "z = 2 (sqrt(now) - sqrt(before)) sets a change beside the luck of two Poisson counts, of "
        "which z scatters by 1.4. Offences scatter more than that: the interval holds what z "
        "leaves out. Either is change, not cause (Wheeler 2018).",
        "The order of the steps is fixed, because it decides how the whole is split among them: "
        "the first and the last step are the result, those between describe the way.",
    )
    assert [s.rung for s in ladder.steps] == [1, 1, 4, 5, 5, 5]


def test_z_stands_beside_counts_and_nowhere_else(london: Panel) -> None:
    forecast = make_forecast([[2900, 2900], [2950, 2950]])
    steps = take(london, [("model", forecast)]).steps
    # 2 (sqrt 2484 - sqrt 3748) = 2 (49.8397 - 61.2209); the claim has no counts, the carried
    # change and the model no count to compare with
    assert steps[1].z == pytest.approx(-22.762, abs=0.001)
    assert [bool(np.isfinite(s.z)) for s in steps] == [False, True, True, True, True, *[False] * 3]


def test_a_claim_that_names_a_year_of_the_campaign_says_so(london: Panel) -> None:
    runs = [{"start": "2019-10-21", "end": "2019-11-08"}, {"year": 2016}]
    campaign = Campaign(**AUTUMN_NIGHTS, claim=[make_claim()], previous=runs)
    ladder = climb(campaign.claim[0], campaign, london, [], level=0.95, draws=100, seed=0)
    assert (
        "The same days of 2019 had a run of this campaign themselves: the change from them is "
        "one from another run, not from days without a campaign." in ladder.notes
    )
    assert any(n.startswith("The same days of 2016, 2017 and 2018 may have") for n in ladder.notes)


def test_weeks_are_never_added_up_to_a_month() -> None:
    # October 2020 touches five weeks and October 2019 five; October 2023 touches six
    panel = simulate(areas=1, years=8, freq="W-SUN")
    ladder = take(panel, measure=panel.measure)
    assert ladder.reproduced is None
    assert ladder.sentence.startswith(
        "Not reproduced: weekly figures cannot be added up to 2020-10 and 2019-10. "
        "Only 13 of the 31 days of 2020-10 are campaign days. "
        "Just before the campaign robbery stood "
    )
    assert not [s for s in ladder.steps if s.label.startswith(panel.measure)]
    assert any(note.startswith("Whole weeks hold each weekday once") for note in ladder.notes)


def test_claim_of_an_offence_that_was_not_targeted_has_no_model_step(london: Panel) -> None:
    forecasts = [("model", make_forecast([[2900, 2900], [2950, 2950]]))]
    ladder = take(london, forecasts, offence="burglary")
    assert ladder.reproduced is not None
    assert len(ladder.steps) == 6
    assert not [s for s in ladder.steps if s.kind == "model"]


def test_headline_is_one_table(london: Panel) -> None:
    headline = Headline((take(london), take(london, change=-34)))
    table = headline.summary()
    assert table["step"].tolist() == [*range(1, 7), *range(1, 7)]
    assert list(table.columns) == [
        "claim",
        "step",
        "label",
        "observed",
        "reference",
        "change_percent",
        "change_percent_lower",
        "change_percent_upper",
        "z",
        "rung",
    ]
    assert repr(headline).startswith("Headline(Not reproduced: the claim says -27.0 per cent")
    assert repr(Headline(())) == "Headline(no claim)"
    assert list(Headline(()).summary().columns) == list(table.columns)


def test_headline_as_plain_values(london: Panel) -> None:
    (described,) = Headline((take(london),)).to_dict()
    assert list(described) == ["claim", "reproduced", "sentence", "steps"]
    steps: Any = described["steps"]
    assert steps[0] == {
        "label": "as announced: recorded offences, 2020-10 against 2019-10",
        "observed": None,
        "reference": None,
        "change_percent": -27,
        "change_percent_interval": None,
    }
    assert steps[1]["observed"] == 2484
    assert len(steps[1]["change_percent_interval"]) == 2


def test_headline_says_each_sentence_once(london: Panel) -> None:
    said = Headline((take(london), take(london, change=-34))).sentences()
    assert len(said) == len(set(said)) == 6  # two claims, four notes that they share
