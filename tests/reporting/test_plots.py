"""The verb `plot`: what it draws for each kind of result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.backtesting import Scores, backtest
from forecast.data.panel import Panel
from forecast.errors import ForecastError
from forecast.impact.evaluation import Evaluation
from forecast.models.draws import Forecast
from forecast.models.naive import SeasonalNaive
from forecast.models.seasons import profile
from forecast.reporting.plots import plot
from forecast.seasonality.profiles import Profile
from forecast.simulation import simulate


@pytest.fixture(scope="module")
def robbery(london: Panel) -> Profile:
    return profile(london, offence="robbery")


@pytest.fixture(scope="module")
def past() -> Panel:
    return simulate(areas=2, years=6)


@pytest.fixture(scope="module")
def ahead(past: Panel) -> Forecast:
    return SeasonalNaive().fit(past).forecast(6, draws=200)


def known(skills: dict[str, tuple[float, float]]) -> Scores:
    """Scores of two origins with known weighted interval scores, by model."""
    origins = pd.PeriodIndex(["2020-01", "2020-04"], freq="M")
    rows = [
        {"model": name, "origin": origin, "area": "London", "offence": "robbery", "step": 1,
         "observed": 1.0, "median": 1.0, "wis": score, "crps": score, "scale": 1.0,
         "wis_scaled": score, "crps_scaled": score, "error_scaled": score, "pit": 0.5}
        for name, values in skills.items()
        for origin, score in zip(origins, values, strict=True)
    ]  # fmt: skip
    return Scores(pd.DataFrame(rows), 3, origins, 1, dict.fromkeys(skills, 0.1))


def test_an_evaluation_gives_its_three_panels(fewer: Evaluation) -> None:
    found = plot(fewer)
    assert len(found.figure.axes) == 3
    assert found.title.endswith("expected")


def test_a_profile_gives_the_months_with_intervals(robbery: Profile) -> None:
    found = plot(robbery)
    rise = robbery.autumn_rise[robbery.autumn_rise["area"] == "London"]["percent"].iloc[0]
    assert found.title == (
        f"Robbery in London: October and November are {rise:.0f} per cent above August and "
        "September"
    )
    axes = found.figure.axes[0]
    table = robbery.summary()
    dots: Any = next(line for line in axes.lines if line.get_marker() == "o")
    np.testing.assert_allclose(dots.get_ydata(), table["percent"])
    segments: Any = axes.collections[0]
    ends = [(s[0][1], s[1][1]) for s in segments.get_segments()]
    np.testing.assert_allclose(ends, table[["percent_lower", "percent_upper"]])
    assert [t.get_text() for t in axes.get_xticklabels()][9:11] == ["Oct", "Nov"]
    shaded: Any = axes.patches[0]
    assert (shaded.get_x(), shaded.get_x() + shaded.get_width()) == (9.5, 11.5)
    assert "highest in November" in found.alt


def test_a_profile_of_several_offences_gives_a_panel_each(london: Panel) -> None:
    found = plot(profile(london, offence=["robbery", "burglary", "theft"]))
    titles = [axes.get_title(loc="left") for axes in found.figure.axes]
    assert titles == ["Burglary", "Robbery", "Theft"]  # the panel's own order
    assert len({axes.get_ylim() for axes in found.figure.axes}) == 1
    assert "to +13 (burglary)" in found.title or "(burglary)" in found.title


def test_a_profile_of_weeks_is_a_line_with_a_band() -> None:
    counts = simulate(areas=1, years=6, freq="W-SUN")
    found = plot(profile(counts))
    line: Any = found.figure.axes[0].lines[0]
    assert len(line.get_ydata()) == 52
    assert "ISO week" in found.figure.axes[0].get_xlabel()
    assert "each week against its own year's level" in " ".join(
        text.get_text() for text in found.figure.texts
    )


def test_an_autumn_below_summer_is_said_to_be_below(robbery: Profile) -> None:
    falling = robbery.autumn_rise.assign(percent=-4.2)
    assert "4 per cent below August" in plot(replace(robbery, autumn_rise=falling)).title
    unknown = robbery.autumn_rise.assign(percent=float("nan"))
    assert "is not known" in plot(replace(robbery, autumn_rise=unknown)).title


def test_scores_give_the_share_of_the_naive_error_saved() -> None:
    found = plot(known({"SeasonalNaive": (2.0, 4.0), "Better": (1.0, 3.0), "Worse": (3.0, 6.0)}))
    # means 3, 2 and 4.5: 1 - 2 / 3 = 33 per cent saved, 1 - 4.5 / 3 = -50
    assert found.table["skill_percent"].tolist() == pytest.approx([0.0, 100 / 3, -50.0])
    # by origin: 1 - 1 / 2 and 1 - 3 / 4
    assert found.table["best_origin_percent"].tolist() == pytest.approx([0.0, 50.0, -50.0])
    assert found.table["worst_origin_percent"].tolist() == pytest.approx([0.0, 25.0, -50.0])
    assert found.title == "Better saved 33 per cent of the seasonal naive forecast's error"
    text = " ".join(text.get_text() for text in found.figure.axes[0].texts)
    assert "Worse −50; held" in text


def test_scores_in_which_nothing_is_better_say_so() -> None:
    found = plot(known({"SeasonalNaive": (2.0, 4.0), "Worse": (3.0, 6.0)}))
    assert found.title == "No model was better than the seasonal naive forecast"


def test_real_scores_are_drawn(past: Panel) -> None:
    found = plot(backtest(SeasonalNaive(), past, origins=2, draws=100))
    assert "3 months ahead" in " ".join(text.get_text() for text in found.figure.texts)
    assert "2 origins" in " ".join(text.get_text() for text in found.figure.texts)


def test_a_forecast_is_a_fan_after_its_counts(ahead: Forecast, past: Panel) -> None:
    found = plot(ahead, counts=past)
    axes = found.figure.axes[0]
    lines: dict[str, Any] = {str(line.get_label()): line for line in axes.lines}
    total = past.values.sum(axis=0)
    np.testing.assert_array_equal(lines["observed"].get_ydata(), total[-24:])
    middle = np.sort(ahead.draws.sum(axis=1), axis=0)[99]  # of 200 draws the 100th
    np.testing.assert_array_equal(lines["expected"].get_ydata(), middle)
    assert lines["expected"].get_linestyle() == "--"
    assert axes.get_ylim()[0] == 0
    bands = [c.get_datalim(axes.transData) for c in axes.collections]
    heights = [band.y1 - band.y0 for band in bands]
    assert len(heights) == 3
    assert heights == sorted(heights, reverse=True)
    assert "Solid: what was counted." in " ".join(t.get_text() for t in found.figure.texts)
    assert found.table["period"].tolist() == [f"2021-0{m}" for m in range(1, 7)]


def test_a_forecast_alone_needs_no_counts(ahead: Forecast) -> None:
    found = plot(ahead)
    text = " ".join(text.get_text() for text in found.figure.texts)
    assert "Source: SeasonalNaive, nothing seen from 2021-01 on" in text
    assert "Solid" not in text
    assert found.title.startswith("Robbery in all areas: about ")


def test_a_forecast_of_one_area_is_named_after_it(past: Panel) -> None:
    one = past.select(area="Area 02")
    found = plot(SeasonalNaive().fit(one).forecast(1, draws=200), counts=past)
    assert found.title.startswith("Robbery in Area 02: about ")
    drawn: Any = next(x for x in found.figure.axes[0].lines if x.get_label() == "observed")
    np.testing.assert_array_equal(drawn.get_ydata(), one.values[0, -24:])


def test_counts_must_be_those_of_the_forecast(ahead: Forecast, past: Panel, fewer: Any) -> None:
    with pytest.raises(ForecastError, match="found calls of frequency M"):
        plot(ahead, counts=replace(past, measure="calls"))
    with pytest.raises(ForecastError, match="Argument counts must be left out for kind .effect."):
        plot(fewer, counts=past)


def test_other_things_are_refused() -> None:
    with pytest.raises(ForecastError, match="must be of Evaluation, Effect, .* or VintageDiff: "):
        plot(pd.DataFrame())
