"""Evaluations with known answers, one for each verdict, and one from an unfriendly file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.impact.effect import CANNOT_TELL, FEWER, MORE, NO_DIFFERENCE, Effect
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.reporting.composing import compose
from forecast.reporting.documents import Document
from forecast.reporting.figures import Plot
from forecast.reporting.pages import draw_figures
from forecast.simulation import simulate

HOSTILE = "<script>alert('x')</script> & $more$"


def patrols(**more: object) -> Campaign:
    """A campaign in the window in which simulated effects are planted."""
    facts: dict[str, object] = {"name": "Night patrols", "offences": ["robbery"]}
    facts |= {"start": "2022-10-01", "end": "2022-11-30", **more}
    return Campaign(**facts)


def planted(effect: float) -> Panel:
    """Two areas and eight years with an effect in the last October and November."""
    return simulate(areas=2, years=8, effect=effect)


@pytest.fixture(scope="session")
def fewer() -> Evaluation:
    """A fall of three tenths was planted."""
    return evaluate(patrols(), planted(-0.3), draws=200)


@pytest.fixture(scope="session")
def more() -> Evaluation:
    """A rise of three tenths was planted."""
    return evaluate(patrols(), planted(0.3), draws=200)


@pytest.fixture(scope="session")
def unclear() -> Evaluation:
    """Nothing was planted."""
    return evaluate(patrols(), planted(0.0), draws=200)


@pytest.fixture(scope="session")
def blocked() -> Evaluation:
    """A fall was planted, and a disruption shares ten of the campaign's days."""
    shock = {"name": "stadium closed", "start": "2022-10-05", "end": "2022-10-14"}
    return evaluate(patrols(disruption=[shock]), planted(-0.3), draws=200)


@pytest.fixture(scope="session")
def verdicts(
    fewer: Evaluation, more: Evaluation, unclear: Evaluation, blocked: Evaluation
) -> dict[str, Evaluation]:
    """One evaluation for each verdict."""
    found = {result.verdict: result for result in (fewer, more, unclear, blocked)}
    assert len(found) == 4
    return {str(verdict): result for verdict, result in found.items()}


def state(result: Evaluation, observed: float, *, smallest: float = 12.5) -> Evaluation:
    """The same result with 1,200 expected, 1,100 to 1,320, and 1 of 18 tests missed."""
    expected, low, high = 1200.0, 1100.0, 1320.0
    percents = [100 * (observed / x - 1) for x in (expected, high, low)]
    main = replace(
        result.main,
        observed=observed,
        expected=expected,
        expected_interval=(low, high),
        effect=observed - expected,
        effect_interval=(observed - high, observed - low),
        percent=percents[0],
        percent_interval=(percents[1], percents[2]),
        smallest_detectable_percent=smallest,
        p=0.01 if abs(observed - expected) > 150 else 0.5,
    )
    tests = SimpleNamespace(totals=pd.DataFrame({"held": [False] + [True] * 17}))
    effect = Effect((main, *result.effect.parts[1:]))
    return replace(result, effect=effect, placebo=tests)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def stated(verdicts: dict[str, Evaluation]) -> dict[str, Evaluation]:
    """Each verdict with numbers that can be worked out by hand."""
    counts = {FEWER: 900.0, MORE: 1500.0, NO_DIFFERENCE: 1150.0, CANNOT_TELL: 900.0}
    return {verdict: state(verdicts[verdict], count) for verdict, count in counts.items()}


@pytest.fixture(scope="session")
def stated_before(stated: dict[str, Evaluation]) -> Callable[[str], Evaluation]:
    """Gives a verdict where September had 1,400 after 2,000: a fall of 30 per cent."""

    def give(verdict: str) -> Evaluation:
        row = {"offence": "robbery", "area": "all areas", "period": "2022-09"}
        row |= {"against": "2021-09"}
        changes = {"before": 2000.0, "after": 1400.0, "change_percent": -30.0}
        changes |= {"change_percent_lower": -36.0, "change_percent_upper": -24.0}
        return replace(stated[verdict], year_on_year=pd.DataFrame([row | changes]))

    return give


@pytest.fixture(scope="session")
def drawn(verdicts: dict[str, Evaluation]) -> dict[str, dict[str, Plot]]:
    """The figures of each verdict."""
    return {verdict: draw_figures(result) for verdict, result in verdicts.items()}


@pytest.fixture(scope="session")
def documents(
    verdicts: dict[str, Evaluation], drawn: dict[str, dict[str, Plot]]
) -> dict[str, Document]:
    """The report of each verdict as data."""
    return {
        verdict: compose(result, drawn[verdict], command="a command")
        for verdict, result in verdicts.items()
    }


@pytest.fixture(scope="session")
def short() -> Callable[..., Document]:
    """Makes a report as data with nothing in it but what is given."""

    def make(**changes: Any) -> Document:
        facts: dict[str, Any] = {
            "title": "Night patrols",
            "kicker": "Evaluation of a campaign",
            "verdict": "cannot tell",
            "verdict_line": "Robbery in all areas: cannot tell",
            "box": "What was tried.",
            "status": "draft",
            "synthetic": True,
            "summary": (),
            "evidence": (),
            "evaluation": {"schema": "forecast.evaluation/1", "headline": []},
        }
        return Document(**{**facts, **changes})

    return make


@pytest.fixture(scope="session")
def hostile() -> Evaluation:
    """A campaign file whose texts hold mark-up, and words that a report may not use itself."""
    campaign = patrols(
        name=HOSTILE,
        aim="Show that patrols led to less <b>robbery</b>",
        claim=[
            {
                "text": "patrols caused a fall of 30 per cent",
                "measure": "simulated offences",
                "offence": "robbery",
                "period": "2022-10",
                "against": "2021-10",
                "change": -30,
            }
        ],
        output=[{"kind": "arrests <i>", "count": 1234, "source": "thanks to the press office"}],
    )
    return evaluate(campaign, planted(-0.3), draws=200)


@pytest.fixture(scope="session")
def lonely() -> Evaluation:
    """One area with too short a past for any window of another year."""
    return evaluate(patrols(), simulate(areas=1, years=3, start="2020-01"), draws=200)


@pytest.fixture(scope="session")
def weekly() -> Evaluation:
    """Weeks, the campaign beginning in the middle of one."""
    campaign = patrols(start="2022-10-19", end="2022-11-08")
    days = ("2022-10-19", "2022-11-08")
    counts = simulate(areas=2, years=8, effect=-0.3, freq="W-SUN", window=days)
    return evaluate(campaign, counts, draws=200)


@pytest.fixture(scope="session")
def sides() -> Evaluation:
    """Three of six areas had the campaign, with a log; examined, with everything to be said."""
    facts: dict[str, Any] = {
        "areas": ["Area 01", "Area 02", "Area 06"],
        "selection": "by recent counts",
    }
    facts |= {"adjacent": {"Area 01": ["Area 03"], "Area 02": ["Area 03"], "Area 06": []}}
    facts |= {"comparison": {"areas": ["Area 04", "Area 05"]}, "cost": 50000, "cost_year": 2022}
    facts |= {"previous": [{"start": "2020-10-01", "end": "2020-11-30"}]}
    log = pd.DataFrame(
        {
            "date": ["2022-10-03", "2022-10-20", "2022-11-05", "2022-11-06"],
            "area": ["Area 01", "Area 02", "Area 01", "Area 02"],
            "kind": "patrol hours",
            "amount": [400.0, 100.0, 300.0, 50.0],
        }
    )
    counts = simulate(areas=6, years=8, effect=-0.3)
    found = evaluate(patrols(**facts), counts, draws=200, activity=log)
    found.examine()
    return found


@pytest.fixture(scope="session")
def shipped(london: Panel, autumn_nights: Evaluation) -> list[Evaluation]:
    """The campaigns that ship, examined."""
    later = [Campaign.load(f"autumn-nights-{year}") for year in (2021, 2023)]
    found = [replace(autumn_nights), *(evaluate(campaign, london) for campaign in later)]
    for result in found:
        result.examine()
    return found
