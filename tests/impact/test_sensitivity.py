"""What other models say: the same as `evaluate` with that model, row by row, and nothing silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import CampaignError, DataError
from forecast.impact import evaluation, sensitivity
from forecast.impact.campaign import Campaign
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.impact.sensitivity import COLUMNS, NOT_CALIBRATED, OWN_OFFENCES, compare_models
from forecast.models.base import Model
from forecast.models.dynamic import DynamicCounts
from forecast.models.naive import SeasonalNaive
from forecast.models.prophet import SeasonalProphet
from forecast.models.series import FittedSeries, SeriesData, SeriesModel
from forecast.models.structural import StructuralTrend
from forecast.periods import days_in
from forecast.simulation import simulate

ROW = (
    "model offence observed expected effect_percent effect_percent_interval p excludes_zero "
    "placebo_held placebo_tests width_points note"
)


def make_campaign(**given: Any) -> Campaign:
    facts = {"name": "Quiet", "start": "2022-10-01", "end": "2022-11-30", "offences": ["robbery"]}
    return Campaign(**(facts | given))


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Eight simulated years of two offences in two areas, robbery with a fall of 30 per cent."""
    robbery = simulate(areas=2, years=8, effect=-0.3)
    theft = simulate(areas=2, years=8, seed=1, offence="theft")
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


def same_as(table: pd.DataFrame, result: Evaluation) -> None:
    """The rows of one model are the totals of an evaluation with it."""
    totals = [part for part in result.effect.parts if part.is_total]
    assert table["offence"].tolist() == [part.offence for part in totals]
    for row, part in zip(table.to_dict("records"), totals, strict=True):
        found = [row[name] for name in ("observed", "expected", "effect_percent", "p")]
        assert found == [part.observed, part.expected, part.percent, part.p]
        lower, upper = part.percent_interval
        assert (row["effect_percent_lower"], row["effect_percent_upper"]) == (lower, upper)
        assert row["width_points"] == upper - lower
        assert row["excludes_zero"] == (part.p <= 1 - part.level) == (lower * upper > 0)
        tests = result.placebo.totals
        assert (row["placebo_held"], row["placebo_tests"]) == (tests["held"].sum(), len(tests))
        assert row["note"] == ""


@pytest.mark.parametrize("model", [DynamicCounts(), StructuralTrend(), SeasonalNaive()])
def test_a_row_is_the_total_of_an_evaluation_with_that_model(panel: Panel, model: Model) -> None:
    shock = {"name": "stadium closed", "start": "2019-03-01", "end": "2019-06-30"}
    campaign = make_campaign(offences=["robbery", "theft"], disruption=[shock])
    settings: dict[str, Any] = {"draws": 200, "seed": 3, "level": 0.9}
    table = compare_models(campaign, panel, models=[model], **settings)
    assert table["model"].tolist() == [model.name] * 2
    same_as(table, evaluate(campaign, panel, model=model, **settings))


def test_parts_of_london_keep_its_recording_breaks(london: Panel) -> None:
    # The sum over two units is not called London, yet London's tables still apply to it.
    campaign = make_campaign(areas=["Central West", "Central East"])
    counts = london.select(offence=["robbery", "burglary"])
    table = compare_models(campaign, counts, models=[SeasonalNaive()], draws=200)
    same_as(table, evaluate(campaign, counts, model=SeasonalNaive(), draws=200))


def test_the_answer_of_a_model_without_errors_is_known(steady: Callable[[float], Model]) -> None:
    # Ten a day for eight years, five a day in the window of 61 days: 305 of 610, half of them
    # gone. Placebo errors are next to none, so that only counting noise is left: the log of a
    # Poisson count of mean 610 has a standard deviation of 0.0405, and 50 per cent times 1.96
    # times that is 4.0 points either way.
    periods = pd.period_range("2015-01", "2022-12", freq="M")
    values = 10.0 * days_in(periods)[None, :]
    values[0, -3:-1] /= 2
    series = pd.DataFrame({"area": ["Northside"], "offence": ["robbery"]})
    table = compare_models(
        make_campaign(), Panel(values, series, periods), models=[steady(0.1)], draws=4000
    )
    row = table.iloc[0]
    assert row["observed"] == 305
    assert row["expected"] == pytest.approx(610, rel=0.005)
    assert row["effect_percent"] == pytest.approx(-50, abs=0.3)
    assert row["effect_percent_lower"] == pytest.approx(-53.7, abs=0.5)  # 305 / (610 x 1.079)
    assert row["effect_percent_upper"] == pytest.approx(-45.7, abs=0.5)  # 305 / (610 x 0.921)
    assert row["excludes_zero"]


def test_a_model_that_cannot_be_fitted_is_a_row_with_the_reason(panel: Panel) -> None:
    models = [Broken(), SeasonalNaive()]
    table = compare_models(make_campaign(), panel, models=models, draws=100)
    assert {name: str(kind) for name, kind in table.dtypes.items()} == COLUMNS
    broken, naive = table.to_dict("records")
    assert (broken["model"], broken["offence"]) == ("Broken", "robbery")
    assert broken["note"].startswith("Broken could not fit robbery, all areas: no optimum of ")
    for name in COLUMNS:
        assert pd.isna(broken[name]) == (name not in ("model", "offence", "note")), name
    assert naive["note"] == ""
    assert naive["expected"] > 0


def test_a_mistake_in_a_model_is_not_hidden(panel: Panel) -> None:
    models = [SeasonalNaive(), Broken(ZeroDivisionError)]
    with pytest.raises(ZeroDivisionError, match="no optimum"):
        compare_models(make_campaign(), panel, models=models, draws=100)


def test_too_few_windows_are_said(panel: Panel) -> None:
    short = replace(panel, values=panel.values[:, -36:], periods=panel.periods[-36:])
    (row,) = compare_models(make_campaign(), short, models=[SeasonalNaive()], draws=100).to_dict(
        "records"
    )
    assert row["note"] == NOT_CALIBRATED
    assert pd.isna(row["placebo_held"])
    assert row["placebo_tests"] == 0
    assert row["expected"] > 0


def test_every_model_that_ships_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    without = ["DynamicCounts", "Ensemble", "StructuralTrend", "SeasonalGLM", "SeasonalNaive"]
    monkeypatch.setattr(sensitivity, "find_spec", lambda _: None)
    assert [model.name for model in sensitivity.usual_models()] == without
    monkeypatch.setattr(sensitivity, "find_spec", lambda _: object())
    names = [model.name for model in sensitivity.usual_models()]
    assert names == [*without[:-1], "SeasonalProphet", without[-1]]


def test_prophet_is_judged_on_the_campaign_s_offences_alone(panel: Panel) -> None:
    pytest.importorskip("prophet")
    models = [SeasonalProphet(), SeasonalNaive()]
    prophet, naive = compare_models(make_campaign(), panel, models=models, draws=100).to_dict(
        "records"
    )
    assert prophet["note"] == OWN_OFFENCES
    assert naive["note"] == ""
    # two offences in the panel, one in the campaign
    assert 2 * prophet["placebo_tests"] == naive["placebo_tests"]
    assert prophet["effect_percent"] < 0
    only = panel.select(offence="robbery")
    (alone,) = compare_models(make_campaign(), only, models=models[:1], draws=100).to_dict(
        "records"
    )
    assert alone == prophet | {"note": ""}


def test_progress_is_told_to_the_end(panel: Panel) -> None:
    told: list[tuple[str, int, int]] = []
    models = [Broken(), SeasonalNaive()]
    compare_models(
        make_campaign(), panel, models=models, draws=100, progress=lambda *now: told.append(now)
    )
    done = [step for _, step, _ in told]
    assert done == sorted(set(done))
    assert {word for word, _, _ in told} == {"other models"}
    assert told[-1][1] == told[-1][2]


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ([], "one or more, of different names: found none. Leave"),
        ([SeasonalNaive(), SeasonalNaive()], "found SeasonalNaive, SeasonalNaive. Leave"),
    ],
)
def test_models_must_be_some_and_differ(panel: Panel, models: list[Model], message: str) -> None:
    with pytest.raises(DataError, match=message):
        compare_models(make_campaign(), panel, models=models)


def test_what_cannot_be_evaluated_is_refused(panel: Panel) -> None:
    with pytest.raises(CampaignError, match="hold the offence 'arson': it does not"):
        compare_models(make_campaign(offences=["arson"]), panel)
    with pytest.raises(CampaignError, match="Draws must number at least 100"):
        compare_models(make_campaign(), panel, draws=10)


def test_an_evaluation_asks_once_and_keeps_the_answer(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "usual_models", lambda: (Broken(), SeasonalNaive()))
    settings: dict[str, Any] = {"draws": 200, "seed": 2, "level": 0.9}
    result = evaluate(make_campaign(), panel, model=SeasonalNaive(), **settings)
    assert result.sensitivity is None
    assert "sensitivity" not in result.to_dict()
    told: list[int] = []
    first = result.compare_models(progress=lambda _, done, __: told.append(done))
    steps = len(told)
    assert steps > 0
    same_as(first[first["model"] == "SeasonalNaive"], result)
    first["model"] = "spoilt"
    second = result.compare_models(progress=lambda _, done, __: told.append(done))
    assert len(told) == steps
    assert second["model"].tolist() == ["SeasonalNaive", "Broken"]  # its own, known already
    assert replace(result, seed=1).sensitivity is None
    described = json.loads(json.dumps(result.to_dict(), allow_nan=False))["sensitivity"]
    assert [set(row) for row in described] == [set(ROW.split())] * 2
    naive, broken = described
    assert broken["effect_percent_interval"] is None
    assert broken["placebo_held"] is None
    assert broken["excludes_zero"] is None
    assert naive["excludes_zero"] is (naive["p"] <= 0.1)
    assert naive["effect_percent_interval"] == pytest.approx(result.main.percent_interval)


def test_names_are_no_models(panel: Panel) -> None:
    wrong: Any = "dynamic"
    words = r"Models must be models such as DynamicCounts\(\): found 'dynamic'\. Pass the model"
    for models in (wrong, [wrong]):
        with pytest.raises(DataError, match=words):
            compare_models(make_campaign(), panel, models=models)
    with pytest.raises(DataError, match=words):
        evaluate(make_campaign(), panel, model=wrong)


def test_a_single_model_is_a_list_of_one(panel: Panel) -> None:
    one, listed = (
        compare_models(make_campaign(), panel, models=models, draws=100)
        for models in (SeasonalNaive(), [SeasonalNaive()])
    )
    pd.testing.assert_frame_equal(one, listed)
