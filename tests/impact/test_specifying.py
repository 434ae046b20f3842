"""The same evaluation in many ways: by the steps of `evaluate`, in one process or in several."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import CampaignError, DataError
from forecast.impact import specifying
from forecast.impact.baseline import shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.effect import CANNOT_TELL, FEWER, decide
from forecast.impact.evaluation import evaluate
from forecast.impact.sensitivity import NOT_CALIBRATED, OWN_OFFENCES
from forecast.impact.specifications import SAME_FIGURES
from forecast.impact.specifying import TOO_FEW, specify
from forecast.impact.windows import find_windows
from forecast.models.base import Model
from forecast.models.dynamic import DynamicCounts
from forecast.models.glm import SeasonalGLM
from forecast.models.naive import SeasonalNaive
from forecast.models.prophet import SeasonalProphet
from forecast.models.series import FittedSeries, SeriesData, SeriesModel
from forecast.models.structural import StructuralTrend
from forecast.periods import days_in
from forecast.simulation import simulate

Steady = Callable[[float], Model]
SETTINGS: dict[str, Any] = {"draws": 200, "seed": 3, "level": 0.9}


def make_campaign(**given: Any) -> Campaign:
    facts = {"name": "Quiet", "start": "2022-10-01", "end": "2022-11-30", "offences": ["robbery"]}
    return Campaign(**(facts | given))


def make_flat(freq: str, first: str, last: str, rate: float = 10.0) -> Panel:
    """One area with the same number of offences every day."""
    periods = pd.period_range(first, last, freq=freq)
    series = pd.DataFrame({"area": ["Northside"], "offence": ["robbery"]})
    return Panel(rate * days_in(periods)[None, :].astype(float), series, periods)


def plant(panel: Panel, values: dict[str, float]) -> Panel:
    """The panel with other counts in some periods of its first series."""
    counts = panel.values.copy()
    for name, value in values.items():
        counts[0, [str(p) for p in panel.periods].index(name)] = value
    return replace(panel, values=counts)


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Eight simulated years of two offences in three areas, robbery with a fall of 30 per cent."""
    robbery = simulate(areas=3, years=8, effect=-0.3)
    theft = simulate(areas=3, years=8, seed=1, offence="theft")
    return replace(
        robbery,
        values=np.concatenate([robbery.values, theft.values]),
        series=pd.concat([robbery.series, theft.series]),
    )


@dataclass(frozen=True)
class Broken(SeriesModel):
    """A model that cannot learn, by bad luck or by a mistake in its code."""

    error: type[Exception] = RuntimeError

    def _fit_series(self, data: SeriesData) -> FittedSeries:
        raise self.error(f"no optimum of {len(data.counts)} counts")


@pytest.mark.parametrize("model", [DynamicCounts(), StructuralTrend()])
def test_the_main_specification_is_the_evaluation(panel: Panel, model: Model) -> None:
    shock = {"name": "stadium closed", "start": "2019-03-01", "end": "2019-06-30"}
    campaign = make_campaign(offences=["robbery", "theft"], disruption=[shock])
    result = evaluate(campaign, panel, model=model, **SETTINGS)
    found = specify(campaign, panel, models=model, by_area=True, jobs=1, **SETTINGS)
    main = found.summary()[lambda table: table["is_main"]]
    assert len(main) == len(result.effect.parts) == 8
    for part in result.effect.parts:
        row = main[(main["offence"] == part.offence) & (main["area"] == part.area)].iloc[0]
        assert row["is_total"] == part.is_total
        assert [row[c] for c in ("observed", "expected", "effect_percent", "p")] == [
            part.observed, part.expected, part.percent, part.p,
        ]  # fmt: skip
        for name, value, bounds in (
            ("effect_percent", part.percent, part.percent_interval),
            ("effect_in_window_percent", part.in_window_percent, part.in_window_interval),
        ):
            assert (row[name], row[f"{name}_lower"], row[f"{name}_upper"]) == (value, *bounds)
        assert row["excludes_zero"] == (part.p <= 0.1)
        assert row["calibrated"]
    # errors that were measured already give the same figures as errors measured again
    known = {model.name: result.placebo}
    again = specify(campaign, panel, models=model, by_area=True, jobs=1, known=known, **SETTINGS)
    pd.testing.assert_frame_equal(again.summary(), found.summary())


def test_a_year_left_out_is_not_seen_and_its_neighbours_are(steady: Steady) -> None:
    # Ten a day always, but thirty a day in all of 2019: the mean of 2015-01 to 2022-09, 2829 days,
    # is (2464 x 10 + 365 x 30) / 2829 = 12.58 a day, and 10 without 2019.
    flat = make_flat("M", "2015-01", "2022-12")
    odd = plant(flat, {f"2019-{m:02}": 30.0 * d for m, d in enumerate(
        (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), start=1)})  # fmt: skip
    found = specify(make_campaign(), odd, models=steady(0.1), jobs=1, draws=4000)
    table = found.of()
    rows = table[table["window_days"] == 0].set_index(["span", "year_left_out"])["expected"]
    whole = {year: rows["all", year] for year in ("none", "2018", "2019", "2021")}
    assert whole["none"] / 61 == pytest.approx(12.58, rel=0.01)
    assert whole["2019"] / 61 == pytest.approx(10.0, rel=0.01)
    # without 2018: (2099 x 10 + 365 x 30) / 2464 = 12.96
    assert whole["2018"] / 61 == pytest.approx(12.96, rel=0.01)
    # the last three years begin in October 2019: 92 of 1096 days have thirty
    assert rows["last three years", "none"] / 61 == pytest.approx(10 + 20 * 92 / 1096, rel=0.01)
    assert rows["last three years", "2019"] / 61 == pytest.approx(10.0, rel=0.01)


def test_a_moved_window_counts_other_days(steady: Steady) -> None:
    # Ten a day; five a day in the week after a campaign of two weeks, eleven in the week before.
    # Moved a week later the window holds 70 + 35 = 105 of 140, a quarter fewer; moved a week
    # earlier 77 + 70 = 147, 5 per cent more.
    flat = make_flat("D", "2017-01-01", "2022-12-31")
    days = pd.period_range("2022-10-31", "2022-11-06", freq="D")
    counts = {str(day): 5.0 for day in days} | {str(day - 21): 11.0 for day in days}
    quiet_week = plant(flat, counts)
    campaign = make_campaign(start="2022-10-17", end="2022-10-30")
    found = specify(campaign, quiet_week, models=steady(0.01), jobs=1, draws=4000)
    rows = found.of()
    moved = rows[rows["span"].eq("all") & rows["year_left_out"].eq("none")]
    moved = moved.set_index("window_days")
    assert moved["observed"].to_dict() == {0: 140.0, -7: 147.0, 7: 105.0}
    assert moved["effect_percent"].to_numpy() == pytest.approx([0.0, 5.0, -25.0], abs=0.5)
    assert moved["note"].tolist() == ["", "", ""]


def test_a_moved_window_in_the_same_months_is_no_other_specification(steady: Steady) -> None:
    flat = plant(make_flat("M", "2015-01", "2022-12"), {"2022-10": 250.0})
    campaign = make_campaign(start="2022-10-10", end="2022-10-23")
    table = specify(campaign, flat, models=steady(0.02), jobs=1, draws=4000).of()
    moved = table[(table["span"] == "all") & (table["year_left_out"] == "none")]
    assert moved["window_days"].tolist() == [0, -7, 7]
    assert moved["counted"].tolist() == [True, False, False]
    assert moved["note"].tolist() == ["", *["the same months as the declared window"] * 2]
    # 60 of 310 are missing: 19.4 per cent of the month, 42.9 of fourteen of its days
    assert moved["effect_percent"].to_numpy() == pytest.approx([-19.35] * 3, abs=0.3)
    assert moved["effect_in_window_percent"].to_numpy() == pytest.approx([-42.86] * 3, abs=0.7)
    # five days of October only when it ends on the 5th of November
    late = specify(make_campaign(start="2022-10-22", end="2022-10-30"), flat,
                   models=steady(0.1), jobs=1, draws=4000).of()  # fmt: skip
    later = late[late["window_days"] == 7].iloc[0]
    assert later["counted"]
    assert later["observed"] == 250.0 + 300.0


def test_a_window_that_leaves_the_data_is_told_and_not_counted(steady: Steady) -> None:
    flat = make_flat("D", "2017-01-01", "2022-11-03")
    campaign = make_campaign(start="2022-10-17", end="2022-10-30")
    rows = specify(campaign, flat, models=steady(0.1), jobs=1, draws=100).of()
    later = rows[rows["window_days"] == 7].iloc[0]
    assert later["note"] == "the window of 2022-10-24 to 2022-11-06 leaves the data"
    assert not later["counted"]
    assert np.isnan(later["expected"])


def test_the_figures_are_the_same_with_one_process_and_with_two(panel: Panel) -> None:
    shock = {"name": "stadium closed", "start": "2019-03-01", "end": "2019-06-30"}
    campaign = make_campaign(disruption=[shock])
    models = [DynamicCounts(), StructuralTrend(), SeasonalNaive()]
    told: list[tuple[str, int, int]] = []
    one, two = (
        specify(
            campaign, panel, models=models, by_area=True, jobs=jobs,
            progress=lambda *now: told.append(now), **SETTINGS,
        ).summary()
        for jobs in (1, 2)
    )  # fmt: skip
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    assert {word for word, _, _ in told} == {"sensitivity"}
    # totals 3 models x 3 spans x 2 treatments x 2 + 6 other years + 2 windows x 2; areas 2 x 2 x 2
    assert max(of for _, _, of in told) == 36 + 6 + 4 + 8
    half = len(told) // 2
    for steps in (told[:half], told[half:]):
        assert [done for _, done, _ in steps] == sorted({done for _, done, _ in steps})
        assert steps[-1][1] == steps[-1][2]


@pytest.mark.parametrize("error", [BrokenProcessPool, OSError])
def test_without_further_processes_all_is_done_here(
    panel: Panel, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def break_down(tasks: Any, jobs: int) -> Any:
        place, task = next(iter(tasks.items()))
        yield specifying._answer(place, task)
        raise error("no more")

    models = [SeasonalNaive(), StructuralTrend()]
    expected = specify(make_campaign(), panel, models=models, jobs=1, **SETTINGS).summary()
    monkeypatch.setattr(specifying, "_start_processes", break_down)
    found = specify(make_campaign(), panel, models=models, jobs=2, **SETTINGS).summary()
    pd.testing.assert_frame_equal(found, expected)


def test_a_planted_fall_is_stable(panel: Panel) -> None:
    models = [DynamicCounts(), StructuralTrend(), SeasonalGLM(), SeasonalNaive()]
    found = specify(make_campaign(), panel, models=models, jobs=1, draws=500)
    rows = found.of()
    assert len(rows) >= 24 + 6 + 2
    check = found.check()
    assert (check.status, check.blocking) == ("passed", True)
    main = rows[rows["is_main"]].iloc[0]
    assert main["effect_percent"] == pytest.approx(-30, abs=8)
    # the text-book model learns from five years whatever it is given
    glm = rows[(rows["model"] == "SeasonalGLM") & (rows["span"] == "last five years")]
    assert not glm["counted"].any()
    assert set(glm["note"]) == {SAME_FIGURES}


def test_a_finding_that_one_year_carries_cannot_be_told(steady: Steady) -> None:
    # Ten a day, and 6,000 more in December 2019, after the last placebo window: the mean of the 81
    # months to September 2020, 2465 days, is 10 + 6000 / 2465 = 12.43 a day. Eleven a day in the
    # window are 11.5 per cent fewer than that, and 10 per cent more than the ten of other years.
    flat = make_flat("M", "2014-01", "2020-11")
    counts = {"2019-12": 6310.0, "2020-10": 11 * 31.0, "2020-11": 11 * 30.0}
    campaign = make_campaign(start="2020-10-01", end="2020-11-30")
    odd = plant(flat, counts)
    large = replace(odd, values=odd.values * 100)  # so many that counting noise is next to none
    found = specify(campaign, large, models=steady(0.01), jobs=1, draws=1000)
    main = found.of()[lambda rows: rows["is_main"]].iloc[0]
    assert main["effect_percent"] == pytest.approx(-11.5, abs=0.3)
    assert main["excludes_zero"]
    without = found.of()[lambda rows: rows["year_left_out"] == "2019"]
    assert without["effect_percent"].to_numpy() == pytest.approx([10.0] * 3, abs=0.3)
    # Three spans without 2019 give the very same ten a day, and so do four years of 365 days each
    # that are left out, and the window a week later leaves the data. What remains: the whole and
    # two spans, 2019 left out, 2016 left out, one of 365 days left out, the window a week earlier.
    blocks, sentence = found.judge()
    assert blocks
    assert "1 of 7 specifications (14.3 per cent, where 5 is the most) put it on" in sentence
    observed, middle = main["observed"], main["expected"]
    assert decide(observed, middle, excluded=True, blocked=False) == FEWER
    assert decide(observed, middle, excluded=True, blocked=blocks) == CANNOT_TELL


def test_models_that_cannot_be_fitted_are_told_and_not_counted(panel: Panel) -> None:
    models = [SeasonalNaive(), Broken()]
    found = specify(make_campaign(), panel, models=models, jobs=1, draws=100)
    rows = found.of()
    broken = rows[rows["model"] == "Broken"]
    assert len(broken) == 6
    assert not broken["counted"].any()
    assert broken["note"].str.startswith("Broken could not fit robbery, all areas: no opt").all()
    assert "6 of 20 specifications of robbery in all areas gave no figures" in found.sentences()[1]
    with pytest.raises(ZeroDivisionError, match="no optimum"):
        specify(make_campaign(), panel, models=Broken(ZeroDivisionError), jobs=1, draws=100)


def test_too_few_windows_leave_the_model_s_own_interval(panel: Panel) -> None:
    short = replace(panel, values=panel.values[:, -36:], periods=panel.periods[-36:])
    rows = specify(make_campaign(), short, models=SeasonalNaive(), jobs=1, draws=100).of()
    answered = rows[rows["counted"]]
    assert len(answered)
    assert not answered["calibrated"].any()
    assert set(answered["note"]) == {NOT_CALIBRATED}


def test_areas_too_small_for_other_models_are_left_to_the_main_one(panel: Panel) -> None:
    values = panel.values.copy()
    values[1] = np.arange(values.shape[1]) % 2  # Area 02 has an offence every other month
    small = replace(panel, values=values)
    models = [DynamicCounts(), SeasonalGLM()]
    found = specify(make_campaign(), small, models=models, by_area=True, jobs=1, **SETTINGS)
    two = found.of("robbery", "Area 02").groupby("model")
    assert two["expected"].count().to_dict() == {"DynamicCounts": 4, "SeasonalGLM": 0}
    assert set(two.get_group("SeasonalGLM")["note"]) == {TOO_FEW}
    others = found.of("robbery", "Area 01")
    assert others["expected"].notna().all()
    # two offences of the same three areas: only robbery of Area 02 is small
    assert found.agreement()["area"].tolist() == ["all areas", "Area 01", "Area 02", "Area 03"]


def test_areas_are_spared_the_windows_of_the_other_season(london: Panel) -> None:
    # October and November of 2013 to 2019 and of 2022 and 2023 are quiet: nine windows, and eight
    # of spring beside them. The main model and the totals keep all of them.
    campaign = Campaign.load("autumn-nights-2020")
    panel = london.select(offence="robbery", area=["Central West", "Central East"])
    few = campaign.model_copy(update={"offences": ("robbery",)})
    shocks = shocks_of(few, panel)
    windows = find_windows(few, panel, shocks)
    asked = specifying._Question(few, panel, shocks, windows, 0.95, 100, 0)
    models = [DynamicCounts(), StructuralTrend()]
    areas = [len(task._windows) for task in asked.split(models, {}, by_area=True)]
    season = sum(window.same_season for window in windows)
    assert season >= specifying.ENOUGH
    assert areas == [len(windows), season]
    totals = asked.split(models, {}, by_area=False)
    assert {len(task._windows) for task in totals} == {len(windows)}


def test_offences_that_are_small_everywhere_do_not_stop_the_rest() -> None:
    tiny = simulate(areas=2, years=8, mean=4.0)
    models = [DynamicCounts(), SeasonalGLM()]
    found = specify(make_campaign(), tiny, models=models, by_area=True, jobs=1, **SETTINGS)
    rows = found.of("robbery", "Area 01")
    assert set(rows.loc[rows["model"] == "SeasonalGLM", "note"]) == {TOO_FEW}


def test_prophet_is_judged_on_the_campaign_s_offences_alone(panel: Panel) -> None:
    pytest.importorskip("prophet")
    models = [SeasonalNaive(), SeasonalProphet()]
    short = replace(panel, values=panel.values[:, 48:], periods=panel.periods[48:])
    rows = specify(make_campaign(), short, models=models, jobs=1, draws=100).of()
    prophet = rows[rows["model"] == "SeasonalProphet"]
    assert len(prophet) == 4
    assert set(prophet.loc[prophet["calibrated"], "note"]) <= {OWN_OFFENCES, SAME_FIGURES}


def test_what_makes_no_sense_is_refused(panel: Panel) -> None:
    with pytest.raises(CampaignError, match="Argument jobs must be 1 or more: found 0. Leave"):
        specify(make_campaign(), panel, jobs=0)
    with pytest.raises(CampaignError, match="hold the offence 'arson': it does not"):
        specify(make_campaign(offences=["arson"]), panel)
    with pytest.raises(DataError, match="one or more, of different names: found none"):
        specify(make_campaign(), panel, models=[])
