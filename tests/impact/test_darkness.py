"""Darkness and season: planted apart, found apart, or said to be beyond reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import DataError
from forecast.impact.darkness import QUANTITIES, Darkness, relate_darkness
from forecast.impact.sunlight import LONDON, Place, evening_darkness
from forecast.models.draws import FloatArray
from forecast.simulation import simulate

CHICAGO = Place("Chicago", 41.88, -87.63, "America/Chicago")
DAYS = pd.period_range("2012-01-01", "2019-12-31", freq="D")
WEEKDAYS = np.array([-0.08, -0.06, -0.05, 0.0, 0.08, 0.14, 0.06])


def season(effect: float) -> FloatArray:
    """Log season of each day: two waves that peak in early November, and darkness."""
    angle = 2 * np.pi * (np.asarray(DAYS.day_of_year) - 308) / 365.25
    return np.asarray(
        0.06 * np.cos(angle) + 0.03 * np.cos(2 * angle) + effect * evening_darkness(DAYS, LONDON)
    )


def plant(seed: int, *, effect: float = 0.05, mean: float = 60.0, spread: float = 2.0) -> Panel:
    """Eight years of days, variance `spread` times the mean, and a slow trend that bends."""
    log = season(effect) - season(effect).mean() + WEEKDAYS[DAYS.day_of_week]
    rate = mean * np.exp(log + 0.1 * np.sin(np.arange(len(DAYS)) / 900))
    counts = np.random.default_rng(seed).negative_binomial(rate / (spread - 1), 1 / spread)
    series = pd.DataFrame({"area": ["Town"], "offence": ["robbery"]})
    return Panel(counts[None, :].astype(float), series, DAYS)


def relate(panel: Panel, **given: Any) -> Darkness:
    return relate_darkness(panel, **({"offence": "robbery", "place": LONDON, "draws": 400} | given))


@pytest.fixture(scope="module")
def usual() -> Darkness:
    """Sixty robberies a day."""
    return relate(plant(3))


def test_planted_darkness_and_its_share_of_the_rise_are_found() -> None:
    found = relate(plant(0, mean=200_000.0))
    assert found.of("hour")[0] == pytest.approx(100 * np.expm1(0.05), abs=0.12)
    assert found.of("back")[0] == pytest.approx(100 * np.expm1(0.05), abs=0.4)
    assert found.of("forward")[0] == pytest.approx(100 * np.expm1(-0.05), abs=0.4)
    # the same from what was planted: October and November over the mean of the days
    autumn = np.isin(DAYS.month, [10, 11])
    rise, part = (s[autumn].mean() - s.mean() for s in (season(0.05), season(0.05) - season(0.0)))
    assert found.of("rise")[0] == pytest.approx(100 * np.expm1(rise), abs=0.1)
    assert found.of("part")[0] == pytest.approx(100 * np.expm1(part), abs=0.25)
    assert found.of("share")[0] == pytest.approx(100 * part / rise, abs=2)
    for quantity in ("hour", "rise", "part", "share", "back", "forward"):
        estimate, lower, upper = found.of(quantity)
        assert lower < estimate < upper


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.05, 0.0])
def test_intervals_hold_what_was_planted_at_the_stated_rate(effect: float) -> None:
    truth = {"hour": effect, "back": effect, "forward": -effect}
    held = dict.fromkeys(truth, 0)
    errors = []
    for seed in range(24):
        found = relate(plant(seed, effect=effect))
        errors.append(found.of("hour")[0] - 100 * np.expm1(effect))
        for quantity, log in truth.items():
            _, lower, upper = found.of(quantity)
            held[quantity] += lower <= 100 * np.expm1(log) <= upper
    # 22.8 of 24 are expected, with a standard deviation of 1.1
    assert min(held.values()) >= 20, held
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(24)


def test_sentences_give_counts_intervals_and_what_it_rests_on(usual: Darkness) -> None:
    said = usual.sentences()
    assert said[0].startswith("In London one more hour of evening darkness goes with a change of +")
    assert "in a day's robbery (2,922 days, " in said[0]
    assert "per cent of the rise (" in said[1]
    assert any("Of the variance of evening darkness 99 per cent is that of" in s for s in said)
    assert said[-1] == (
        "It is an association: whatever else changes with an evening's darkness is in it."
    )
    assert usual.check().status == "passed"
    assert not usual.check().blocking


def test_results_are_a_table_and_plain_values(usual: Darkness) -> None:
    table = usual.summary()
    assert list(table.columns) == [
        "quantity", "text", "estimate_percent", "estimate_percent_lower", "estimate_percent_upper"
    ]  # fmt: skip
    assert set(table["quantity"]) <= set(QUANTITIES)
    described: Any = usual.to_dict()
    assert described["reason"] is None
    assert len(described["estimates"][0]["estimate_percent_interval"]) == 2
    assert relate(plant(3)).to_dict() == described


def test_a_year_without_an_autumn_rise_has_no_share() -> None:
    angle = 2 * np.pi * (np.asarray(DAYS.day_of_year) - 180) / 365.25
    counts = np.random.default_rng(2).poisson(500 * np.exp(0.2 * np.cos(angle)))
    series = pd.DataFrame({"area": ["Town"], "offence": ["robbery"]})
    found = relate(Panel(counts[None, :].astype(float), series, DAYS))
    assert np.isnan(found.of("share")).all()
    assert (
        "There is no clear autumn rise of which darkness could be a share."
        in (found.sentences()[1])
    )


def test_missing_days_are_left_out_and_read_as_nothing_else() -> None:
    panel = plant(0, mean=200_000.0)
    values = panel.values.copy()
    values[0, ::17] = np.nan
    found = relate(Panel(values, panel.series, panel.periods))
    assert found.days == 2750
    assert found.of("hour")[0] == pytest.approx(100 * np.expm1(0.05), abs=0.15)
    assert np.isnan(found.of("back")).all()  # no four weeks are whole


@pytest.mark.parametrize(
    ("panel", "place", "reason"),
    [
        (simulate(areas=1, years=5), LONDON, "Monthly figures cannot tell darkness from season"),
        (simulate(areas=1, years=5, freq="W-SUN"), LONDON, "Weekly figures cannot tell darkness"),
        (simulate(areas=1, years=5, freq="D"), None, "Where the sun sets is not known"),
        (simulate(areas=1, years=2, freq="D"), LONDON, "Darkness needs 3 years of daily counts"),
    ],
)
def test_what_cannot_be_told_is_said_with_the_reason(
    panel: Panel, place: Place | None, reason: str
) -> None:
    found = relate(panel, place=place)
    assert found.sentences()[0].startswith(reason)
    assert found.check().status == "not possible"
    assert found.summary().empty
    described = found.to_dict()
    assert described["estimates"] == []


def test_bad_names_are_refused() -> None:
    with pytest.raises(DataError, match="must hold the offence 'arson': it does not"):
        relate(plant(0), offence="arson")
    with pytest.raises(DataError, match="must hold the area 'Camden': it does not"):
        relate(plant(0), area="Camden")


def test_chicago_s_days_and_hours_give_estimates_that_are_not_london_s(shared: Path) -> None:
    folder = shared / "data" / "us_daily"
    days = pd.read_csv(folder / "five_us_cities_daily_2010_2019.csv.gz")
    days = days[days["city"] == "Chicago"].rename(
        columns={"city": "area", "offence_type": "offence", "date": "period"}
    )
    hours = pd.read_csv(folder / "chicago_aggravated_assault_hourly_profile_2010_2019.csv.gz")
    panel = Panel.from_frame(days, freq="D", measure="incidents")
    found = relate(panel, offence="violence", place=CHICAGO, hourly=hours)
    assert found.days == 3651
    for quantity in ("hour", "rise", "part", "back", "forward", "dusk"):
        estimate, lower, upper = found.of(quantity)
        assert lower < estimate < upper
    # American violence peaks in summer: October and November lie below the year's mean
    assert found.of("rise")[2] < 0
    assert np.isnan(found.of("share")).all()
    assert found.sentences()[-1] == "These are the figures of Chicago: they are not London's."
