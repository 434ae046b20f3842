"""An intervention whose effect is published: the seat-belt law of 31 January 1983.

Harvey & Durbin (1986), The effects of seat belt legislation on British road casualties: a case
study in structural time series modelling, JRSS A 149(3), 187-227, abstract: of those killed or
seriously injured 23 per cent fewer drivers and 30 per cent fewer front-seat passengers; of rear-
seat passengers, whom the law did not cover, 3 per cent more, not significant. Durbin & Harvey
(1985), in Compulsory seat belt wearing, Department of Transport, gives 20 to 26 per cent for
drivers (as summed up by the Road Safety Observatory). Both use counts to December 1984, petrol
price and distance driven; here there are counts alone.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.impact.effect import FEWER, NO_DIFFERENCE, SeriesEffect
from forecast.impact.evaluation import evaluate
from forecast.models.base import Model
from forecast.models.dynamic import DynamicCounts
from forecast.models.structural import StructuralTrend

pytestmark = pytest.mark.slow

SERIES = ["drivers", "front", "rear"]
PUBLISHED_DRIVERS = (-26.0, -20.0)


@pytest.fixture(scope="module")
def casualties(shared: Path) -> Panel:
    table = pd.read_csv(shared / "data" / "known_answers" / "uk_seatbelts_1969_1984.csv")
    tidy = table.melt("month", SERIES, var_name="offence", value_name="count")
    tidy = tidy.rename(columns={"month": "period"}).assign(area="Great Britain")
    return Panel.from_frame(tidy[["area", "offence", "period", "count"]], measure="casualties")


def effects(casualties: Panel, last: str, model: Model) -> dict[str, SeriesEffect]:
    """Each series evaluated alone, as the paper did, from February 1983 to a last day."""
    found = {}
    for name in SERIES:
        campaign = Campaign(name="Seat belts", start="1983-02-01", end=last, offences=[name])
        result = evaluate(campaign, casualties.select(offence=name), model=model)
        found[name] = result.main
        part = result.main
        lower, upper = part.percent_interval
        shown = f"{part.percent:+.1f} ({lower:+.1f} to {upper:+.1f})"
        print(f"{model.name}, {name}, 1983-02 to {last[:7]}: {shown}")
    return found


@pytest.mark.parametrize("model", [DynamicCounts(), StructuralTrend()])
def test_seat_belts_in_the_first_year(casualties: Panel, model: Model) -> None:
    found = effects(casualties, "1984-01-31", model)
    drivers, front, rear = (found[name] for name in SERIES)
    assert -28 <= drivers.percent <= -18
    lower, upper = drivers.percent_interval
    assert lower <= PUBLISHED_DRIVERS[1]
    assert upper >= PUBLISHED_DRIVERS[0]
    assert drivers.verdict == FEWER
    assert -34 <= front.percent <= -22
    assert front.percent_interval[0] <= -30 <= front.percent_interval[1]
    assert front.verdict == FEWER
    # not covered by the law
    assert rear.percent_interval[0] < 0 < rear.percent_interval[1]
    assert rear.verdict == NO_DIFFERENCE


@pytest.mark.parametrize("model", [DynamicCounts(), StructuralTrend()])
def test_seat_belts_over_all_months_there_are(casualties: Panel, model: Model) -> None:
    # The forecast of 23 months is less sure; only the direction is asked of it.
    found = effects(casualties, "1984-12-31", model)
    lower, upper = found["drivers"].percent_interval
    assert lower <= PUBLISHED_DRIVERS[1]
    assert upper >= PUBLISHED_DRIVERS[0]
    assert found["front"].verdict == FEWER
    assert found["rear"].percent_interval[0] < 0 < found["rear"].percent_interval[1]


def test_pooling_the_three_series_gives_the_same_answer(casualties: Panel) -> None:
    campaign = Campaign(name="Seat belts", start="1983-02-01", end="1984-01-31", offences=SERIES)
    result = evaluate(campaign, casualties)
    assert [p.verdict for p in result.effect.parts] == [FEWER, FEWER, NO_DIFFERENCE]
    assert result.main.area == "Great Britain"
    assert result.counts.measure == "casualties"
