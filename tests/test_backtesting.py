"""Scores by hand on a tiny panel; origins, what is left out, and nothing seen too early."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.backtesting import backtest
from forecast.data.lag import Completeness
from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.errors import DataError, FitError, ForecastError
from forecast.models.draws import Forecast
from forecast.models.glm import SeasonalGLM
from forecast.models.naive import SeasonalNaive
from forecast.models.structural import StructuralTrend
from forecast.scoreboard import Scores


@dataclass(frozen=True)
class Oracle:
    """Forecasts the same draws for every series and period, and keeps what it was shown."""

    values: tuple[int, ...]
    name: str = "Oracle"
    seen: list[pd.Period] = field(default_factory=list)

    def fit(self, panel: Panel) -> FittedOracle:
        self.seen.append(panel.periods[-1])
        return FittedOracle(self, panel)


@dataclass(frozen=True)
class FittedOracle:
    model: Oracle
    panel: Panel

    def forecast(self, periods: int, *, draws: int = 1000, seed: int = 0) -> Forecast:  # noqa: ARG002
        start = self.panel.periods[-1] + 1
        ahead = pd.period_range(start, periods=periods, freq=self.panel.freq)
        each = np.resize(np.array(self.model.values), draws)[:, None, None]
        block = np.broadcast_to(each, (draws, len(self.panel.series), periods)).copy()
        return Forecast(block, self.panel.series, ahead, start, self.model.name)


def make_panel(values: np.ndarray, freq: str = "M", start: str = "2018-01-01") -> Panel:
    values = np.atleast_2d(values)
    names = pd.DataFrame({"area": [f"Area {i}" for i in range(len(values))], "offence": "x"})
    periods = pd.period_range(start, periods=values.shape[1], freq=freq)
    return Panel(values, names, periods)


def tiny() -> Panel:
    # 10 a month in 2018, 14 in 2019: the in-sample seasonal naive error is 4.
    return make_panel(np.r_[np.full(12, 10.0), np.full(12, 14.0), 10.0, 16.0, 11.0])


def means(scores: Scores, model: str = "Oracle") -> dict[str, float]:
    """The row of one model in the summary."""
    rows: Any = scores.summary().set_index("model").to_dict(orient="index")
    return dict(rows[model])


def rows(scores: Scores, model: str = "Oracle") -> pd.DataFrame:
    return scores.table[scores.table["model"] == model].reset_index(drop=True)


def test_scores_of_two_point_draws_by_hand() -> None:
    # Half of the draws are 8, half 12. Of the 23 quantiles 12 are 8 (the median is the lower
    # middle) and 11 are 12. At 10 the loss is 2 p below one half (2 * 2.285 in all: 0.01 +
    # 0.025 + 0.05 + ... + 0.45), 1 at the median and the same again above:
    # WIS = 2 / 23 * (4.57 + 1 + 4.57).
    total = 2 / 23 * 10.14
    scores = backtest(Oracle((8, 12)), tiny(), horizon=1, origins=["2020-01"])
    row = rows(scores).iloc[0]
    assert row["wis"] == pytest.approx(total)
    # Eleven intervals of width 4: 4 * sum of alpha / 2 = 4 * 2.285, over 11.5.
    assert row["dispersion"] == pytest.approx(4 * 2.285 / 11.5)
    assert row["overprediction"] == 0
    # The median is 2 too low: half of that, over 11.5.
    assert row["underprediction"] == pytest.approx(1 / 11.5)
    # CRPS: mean distance 2, less half the mean distance of two draws, 4 / 2 / 2.
    assert row["crps"] == pytest.approx(1)
    assert row["pit"] == pytest.approx(0.5)  # half below, none equal
    assert row["scale"] == 4
    assert row["wis_scaled"] == pytest.approx(total / 4)
    assert row["crps_scaled"] == pytest.approx(1 / 4)
    assert row["error_scaled"] == pytest.approx(2 / 4)
    expected = ["Oracle", pd.Period("2020-01", "M"), "Area 0", "x", pd.Period("2020-01", "M"), 1]
    assert list(row)[:8] == [*expected, 10.0, 8.0]


def test_summary_by_hand() -> None:
    # A certain forecast of 12: every score is the distance, 2, 4 and 1, over 4.
    scores = backtest(Oracle((12,)), tiny(), horizon=3, origins=["2020-01"])
    assert scores.summary().columns.tolist() == [
        *("model", "wis", "wis_raw", "crps", "mase", "coverage_80", "coverage_95", "skill"),
        "cpu_seconds_per_series",
    ]
    own, naive = means(scores), means(scores, "SeasonalNaive")
    assert own["wis_raw"] == pytest.approx(7 / 3)
    assert [own[key] for key in ("wis", "crps", "mase")] == pytest.approx([7 / 12] * 3)
    assert own["coverage_80"] == own["coverage_95"] == 0
    assert own["skill"] == pytest.approx(1 - own["wis"] / naive["wis"])
    assert naive["skill"] == 0
    # A wide forecast of 1 to 27: 10, 16 and 11 lie inside its middle 80 per cent.
    wide = backtest(Oracle(tuple(range(1, 28))), tiny(), horizon=3, origins=["2020-01"])
    assert means(wide)["coverage_80"] == 1


def test_coverage_by_hand() -> None:
    # Draws of 1 to 1,000: an observation y has a PIT from (y - 1) / 1,000 to y / 1,000. The
    # middle 80 per cent are PITs from 0.1 to 0.9, the middle 95 those from 0.025 to 0.975.
    values = np.r_[tiny().values[0, :24], 23.0, 27.0, 98.0, 102.0]
    scores = backtest(Oracle(tuple(range(1, 1001))), make_panel(values), horizon=4, origins=1)
    assert means(scores)["coverage_80"] == 1 / 4
    assert means(scores)["coverage_95"] == 3 / 4


def test_missing_observations_are_left_out() -> None:
    panel = tiny()
    values = panel.values.copy()
    values[0, -2] = np.nan
    scores = backtest(Oracle((12,)), make_panel(values), horizon=3, origins=["2020-01"])
    assert rows(scores)["step"].tolist() == [1, 3]
    assert means(scores)["wis_raw"] == pytest.approx(3 / 2)
    # What lies after the panel's end has no row either.
    beyond = backtest(Oracle((12,)), panel, horizon=4, origins=["2020-02"])
    assert rows(beyond)["step"].tolist() == [1, 2]
    values[0, -3:] = np.nan
    with pytest.raises(DataError, match="all are missing after the origins 2020-01"):
        backtest(Oracle((12,)), make_panel(values), horizon=3, origins=["2020-01"])


def test_an_undefined_scale_is_null_and_leaves_the_rest_alone() -> None:
    # The second series never changes before the origin: it has no in-sample error.
    values = np.stack([tiny().values[0], np.full(27, 12.0)])
    scores = backtest(Oracle((12,)), make_panel(values), horizon=3, origins=["2020-01"])
    own = means(scores)
    assert own["wis"] == pytest.approx(7 / 12)  # the first series alone
    assert own["wis_raw"] == pytest.approx(7 / 6)  # both, the second is right
    alone = backtest(Oracle((12,)), make_panel(values[1:]), horizon=3, origins=["2020-01"])
    written = alone.to_dict()["models"][1]
    assert (written["wis"], written["crps"], written["mase"]) == (None, None, None)
    assert written["wis_raw"] == 0
    assert np.isnan(alone.summary()["skill"]).all()


def test_to_dict_is_the_agreed_object() -> None:
    scores = backtest(
        [SeasonalNaive(), Oracle((12,))], tiny(), horizon=1, origins=["2020-01", "2020-03"]
    )
    found = scores.to_dict()
    assert list(found) == ["schema", "horizon", "origins", "series", "models"]
    assert found["schema"] == "forecast.scores/1"
    assert (found["horizon"], found["series"]) == (1, 1)
    assert found["origins"] == ["2020-01", "2020-03"]
    for model in found["models"]:
        assert list(model) == [
            *("model", "wis", "wis_raw", "crps", "mase", "coverage_80", "coverage_95"),
            "cpu_seconds_per_series",
        ]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(
    ("freq", "size", "horizon", "first", "last", "step"),
    [
        # 60 months from 2018-01: the last origin leaves three, eight a quarter apart.
        ("M", 60, 3, "2021-01", "2022-10", 3),
        # 220 weeks from 1 January 2018: week 220 begins on 14 March 2022, 13 weeks apart.
        ("W-SUN", 220, 1, "2020-06-15", "2022-03-14", 13),
        # 1,400 days: day 1,400 is 31 October 2021; 28 days ahead from 4 October, 91 days apart.
        ("D", 1400, 28, "2020-01-06", "2021-10-04", 91),
        # 30 months: of eight quarters, only those with two years before them.
        ("M", 30, 3, "2020-01", "2020-04", 3),
    ],
)
def test_default_origins(
    freq: str, size: int, horizon: int, first: str, last: str, step: int
) -> None:
    values = np.random.default_rng(0).poisson(50, size).astype(float)
    oracle = Oracle((50,))
    scores = backtest(oracle, make_panel(values, freq), horizon=horizon, draws=20)
    assert [scores.to_dict()["origins"][k] for k in (0, -1)] == [first, last]
    steps = np.diff(scores.origins.astype("int64"))
    assert set(steps.tolist()) == {step}
    assert [period + 1 for period in oracle.seen] == list(scores.origins)


def test_origins_may_be_a_number_or_periods() -> None:
    panel = make_panel(np.random.default_rng(1).poisson(50, 60).astype(float))
    assert len(backtest(SeasonalNaive(), panel, origins=4, draws=20).origins) == 4
    given: list[object] = [pd.Period("2021-05", "M"), "2020-03-17", "2020-03"]
    found = backtest(SeasonalNaive(), panel, origins=given, draws=20)
    assert found.to_dict()["origins"] == ["2020-03", "2021-05"]
    one = backtest(SeasonalNaive(), panel, origins="2020-03", draws=20)
    assert one.to_dict()["origins"] == ["2020-03"]


def test_the_naive_model_is_always_there_and_first() -> None:
    def order(models: object) -> list[str]:
        scores = backtest(models, tiny(), horizon=1, origins=1, draws=20)  # type: ignore[arg-type]
        return scores.summary()["model"].tolist()

    assert order(Oracle((1,))) == ["SeasonalNaive", "Oracle"]
    assert order([Oracle((1,)), SeasonalNaive()]) == ["Oracle", "SeasonalNaive"]
    assert order(SeasonalNaive()) == ["SeasonalNaive"]


def test_two_models_of_a_kind_are_named_by_their_settings() -> None:
    panel = make_panel(np.random.default_rng(2).poisson(50, 60).astype(float))
    scores = backtest([SeasonalGLM(), SeasonalGLM(years=3)], panel, origins=1, draws=50)
    assert scores.summary()["model"].tolist() == [
        *("SeasonalNaive", "SeasonalGLM(years=5)", "SeasonalGLM(years=3)"),
    ]
    with pytest.raises(ForecastError, match=r"must differ: SeasonalGLM\(years=5\) is there more"):
        backtest([SeasonalGLM(), SeasonalGLM()], panel)


@pytest.mark.parametrize("model", [SeasonalNaive(), StructuralTrend(), SeasonalGLM()])
def test_nothing_at_or_after_an_origin_is_seen(model: SeasonalNaive) -> None:
    values = np.random.default_rng(3).poisson(50, (2, 60)).astype(float)
    planted = values.copy()
    planted[:, 40:] = 1e6
    origins = ["2021-03", "2021-05"]  # months 38 and 40
    one, two = (
        rows(backtest(model, make_panel(v), origins=origins, draws=100), model.name)
        for v in (values, planted)
    )
    assert (one["median"] == two["median"]).all()
    assert (one["scale"] == two["scale"]).all()
    assert (one["observed"] != two["observed"]).any()
    # Months 38 and 39 of the first origin are as they were, with every score of theirs.
    early = (one["origin"] == pd.Period("2021-03", "M")) & (one["step"] < 3)
    pd.testing.assert_frame_equal(one[early], two[early])


def test_the_same_seed_gives_the_same_table() -> None:
    panel = make_panel(np.random.default_rng(4).poisson(50, (2, 48)).astype(float))
    one, two, three = (
        backtest(SeasonalNaive(), panel, origins=2, draws=50, seed=seed).table for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(three)


def test_progress_and_cpu_are_told() -> None:
    told: list[tuple[int, int]] = []
    panel = make_panel(np.random.default_rng(5).poisson(50, 48).astype(float))
    scores = backtest(
        Oracle((50,)), panel, origins=2, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert all(0 <= cpu < 5 for cpu in scores.cpu_seconds_per_series.values())


def test_repr_is_one_line() -> None:
    scores = backtest(Oracle((12,)), tiny(), horizon=3, origins=["2020-01"])
    assert repr(scores).startswith(
        "Scores(2 models, 1 series, 1 origin from 2020-01 to 2020-01, 3 months ahead; lowest WIS "
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizon": 0}, "Horizon must be a whole number, 1 or more: found 0"),
        ({"horizon": True}, "Horizon must be a whole number"),
        ({"draws": 1.5}, "Draws must be a whole number, 1 or more: found 1.5"),
        ({"origins": 0}, "Origins must be a whole number, 1 or more: found 0"),
        ({"origins": 3}, "the panel of 27 months has room for 1 of 3 origins"),
        ({"origins": ["2019-06", "2020-01"]}, "lie from 2020-01 .* to 2020-03: found 2019-06"),
        ({"origins": ["2020-04"]}, "to 2020-03: found 2020-04"),
        ({"origins": []}, "to 2020-03: found none"),
        ({"origins": ["autumn"]}, "must be a date or text such as 2020-10: found 'autumn'"),
    ],
)
def test_what_cannot_be_used_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ForecastError, match=message):
        backtest(Oracle((1,)), tiny(), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("models", "found"),
    [
        ("dynamic", "'dynamic'"),
        (["dynamic", SeasonalNaive()], "'dynamic'"),
        (SeasonalGLM, "the class SeasonalGLM"),
        ([*"abcd"], "'a', 'b', 'c', 1 more"),
        (None, "None"),
    ],
)
def test_what_is_no_model_is_refused(models: Any, found: str) -> None:
    words = rf"Models must be models such as DynamicCounts\(\): found {found}\. Pass"
    with pytest.raises(ForecastError, match=words):
        backtest(models, tiny())


def test_a_model_that_fails_stops_the_backtest() -> None:
    values = np.zeros(40)
    values[::5] = 2
    with pytest.raises(FitError, match="SeasonalGLM could not fit x, Area 0: 29 of 37 months are"):
        backtest(SeasonalGLM(), make_panel(values), origins=1)


def test_the_structural_model_beats_the_naive_on_london(london: Panel) -> None:
    panel = london.select(offence=["robbery", "burglary"]).total().before("2020-01")
    found = means(backtest(StructuralTrend(), panel, draws=500), "StructuralTrend")
    assert found["skill"] > 0.2
    assert found["coverage_95"] > 0.8


def taken_early(retrieved: str = "2020-04-09", **known: Any) -> Panel:
    """The tiny panel as it was on a day, and a lag: half is recorded when a month ends."""
    table = pd.DataFrame({"offence": "x", "lag": [0, 1], "share": [0.5, 1.0]})
    table = table.assign(lower=table["share"], upper=table["share"], cells=12)
    lag = Completeness(table, "M", pd.Period("2020-04", "M"))
    panel = replace(tiny(), snapshot=Snapshot("late", retrieved=retrieved))
    return panel.with_lag(lag, **known)


def test_counts_that_may_still_grow_are_not_scored_unless_the_lag_is_corrected_for() -> None:
    def score(panel: Panel) -> tuple[Scores, pd.DataFrame]:
        scores = backtest(Oracle((22,)), panel, origins=["2020-01"])
        return scores, scores.table[scores.table["model"] == "Oracle"].set_index("step")

    marked, rows = score(taken_early())
    assert rows["observed"].to_dict() == {1: 10.0, 2: 16.0}  # March was over for no month yet
    assert marked.notes == (
        "2020-03 may not be complete yet: left out of the scores.",
        "What may not be complete is not learnt from.",
    )
    assert marked.to_dict()["notes"] == list(marked.notes)
    thinned, rows = score(taken_early(correct="thin"))
    assert rows["observed"].to_dict() == {1: 10.0, 2: 16.0, 3: 11.0}
    # half of 22 is expected of March; a binomial of 22 halves has a standard deviation of 2.3
    assert rows["median"].to_dict() == {1: 22.0, 2: 22.0, 3: 11.0}
    assert 0 < rows["wis"][3] < 3 < rows["wis"][1]
    assert thinned.notes[0] == (
        "2020-03 may not be complete yet: what was recorded when the figures were taken is "
        "forecast, draw by draw."
    )
    silent, rows = score(tiny())
    assert (len(rows), silent.notes) == (3, ())
    assert "notes" not in silent.to_dict()


def test_a_month_that_was_still_running_is_never_scored_nor_learnt_from() -> None:
    for correct in ("mark", "thin"):
        panel = taken_early("2020-03-20", correct=correct)
        scores = backtest(SeasonalNaive(), panel, origins=["2020-01"])
        assert "2020-03" not in {str(p) for p in scores.table["period"]}
        assert "2020-03" in scores.notes[0]
    seen: list[float] = []

    class Looking(Oracle):
        def fit(self, panel: Panel) -> FittedOracle:
            seen.append(float(panel.values[0, -1]))
            return super().fit(panel)

    late = taken_early("2020-03-20")
    backtest(Looking((12,)), late, origins=["2020-01", "2020-02", "2020-03"], horizon=1)
    # January 2020 was over for a month; February not: half of it may still come
    assert seen[:2] == [14, 10]
    assert np.isnan(seen[2])
    none_over = replace(taken_early("2020-01-20"), lag=None)  # January was still running
    with pytest.raises(DataError, match="are missing or may still grow after the origins 2020-01"):
        backtest(SeasonalNaive(), none_over, origins=["2020-01"])
