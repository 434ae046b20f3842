"""What scores add up to, by hand on tables of a few cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import DataError, ForecastError
from forecast.models.ensemble import Ensemble
from forecast.scoreboard import Scores

ORIGINS = pd.PeriodIndex(["2020-01", "2020-04"], freq="M")


def make_scores(
    wis: dict[str, list[float | None]], pit: dict[str, list[float]] | None = None
) -> Scores:
    """Scores of four cells: two origins, each with two steps; None is a cell that is not there."""
    cells = [(origin, step) for origin in ORIGINS for step in (1, 2)]
    rows = [
        {
            "model": name,
            "origin": origin,
            "area": "A",
            "offence": "x",
            "step": step,
            "observed": 1.0,
            "median": 1.0,
            "scale": 2.0,
            "wis": 2 * value,
            "crps": 2 * value,
            "wis_scaled": value,
            "crps_scaled": value,
            "error_scaled": value,
            "pit": pit[name][place] if pit else 0.5,
        }
        for name, values in wis.items()
        for place, ((origin, step), value) in enumerate(zip(cells, values, strict=True))
        if value is not None
    ]
    return Scores(pd.DataFrame(rows), 2, ORIGINS, 1, dict.fromkeys(wis, 0.25))


def column(table: pd.DataFrame, name: str) -> dict[str, float]:
    return dict(zip(table["model"], table[name], strict=True))


def three() -> Scores:
    # Means 4, 2 and 8.
    naive: list[float | None] = [2.0, 4.0, 4.0, 6.0]
    better: list[float | None] = [1.0, 3.0, 1.0, 3.0]
    worse: list[float | None] = [4.0, 12.0, 4.0, 12.0]
    return make_scores({"SeasonalNaive": naive, "Worse": worse, "Better": better})


def test_by_horizon_by_hand() -> None:
    # Step 1: naive (2 + 4) / 2 = 3, better 1, worse 4; step 2: naive 5, better 3, worse 12.
    table = three().by_horizon()
    assert list(table) == ["model", "step", "wis", "coverage_80", "coverage_95", "skill"]
    assert table["model"].tolist() == [*["SeasonalNaive"] * 2, *["Worse"] * 2, *["Better"] * 2]
    assert table["step"].tolist() == [1, 2] * 3
    assert table["wis"].tolist() == [3, 5, 4, 12, 1, 3]
    assert table["skill"].tolist() == pytest.approx([0, 0, -1 / 3, -7 / 5, 2 / 3, 2 / 5])


def test_coverage_by_horizon_by_hand() -> None:
    # Step 1 has PIT 0.05 and 0.5: one of two inside the middle 80 per cent, both inside 95.
    # Step 2 has 0.99 and 0.01: none inside either.
    scores = make_scores({"SeasonalNaive": [1.0] * 4}, {"SeasonalNaive": [0.05, 0.99, 0.5, 0.01]})
    table = scores.by_horizon()
    assert table["coverage_80"].tolist() == [0.5, 0.0]
    assert table["coverage_95"].tolist() == [1.0, 0.0]


def test_pit_histogram_by_hand() -> None:
    pit = {"SeasonalNaive": [0.0, 0.05, 0.3, 1.0]}
    table = make_scores({"SeasonalNaive": [1.0] * 4}, pit).pit_histogram()
    assert list(table) == ["model", "lower", "upper", "share"]
    assert table["share"].tolist() == [0.5, 0, 0, 0.25, 0, 0, 0, 0, 0, 0.25]
    assert table["lower"].tolist() == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    halves = make_scores({"SeasonalNaive": [1.0] * 4}, pit).pit_histogram(2)
    assert halves["share"].tolist() == [0.75, 0.25]
    assert halves["upper"].tolist() == [0.5, 1.0]


@pytest.mark.parametrize("bins", [1, 2.0, True])
def test_a_histogram_needs_two_parts(bins: object) -> None:
    with pytest.raises(ForecastError, match=r"Bins must be a whole number, 2 or more: found "):
        three().pit_histogram(bins)  # type: ignore[arg-type]


def test_relative_skill_of_complete_scores_by_hand() -> None:
    # Means 4, 8 and 2: their geometric mean is 4 (4 * 8 * 2 = 64).
    table = three().relative_skill()
    assert column(table, "against_rivals") == pytest.approx(
        {"SeasonalNaive": 1.0, "Worse": 2.0, "Better": 0.5}
    )
    # All have the same cells: one minus the skill.
    skill = column(three().summary(), "skill")
    assert column(table, "relative_wis") == pytest.approx({m: 1 - s for m, s in skill.items()})


def test_a_model_that_skips_what_is_hard_gains_nothing() -> None:
    # "Shy" has the naive score everywhere it dares; its mean of 1 is no merit.
    scores = make_scores({"SeasonalNaive": [1.0, 1.0, 9.0, 9.0], "Shy": [1.0, 1.0, None, None]})
    assert column(scores.summary(), "wis") == {"SeasonalNaive": 5.0, "Shy": 1.0}
    assert column(scores.relative_skill(), "relative_wis")["Shy"] == pytest.approx(1.0)


def test_relative_skill_with_gaps_by_hand() -> None:
    # Cells 1 to 4; B lacks cell 4, C lacks cell 1.
    # A against B: (1 + 2 + 3) / (2 + 2 + 2) = 1; A against C: (2 + 3 + 4) / (3 + 3 + 3) = 1;
    # B against C, cells 2 and 3: 4 / 6. Each to the power of one third, itself included.
    wis: dict[str, list[float | None]] = {
        "SeasonalNaive": [1.0, 2.0, 3.0, 4.0],
        "B": [2.0, 2.0, 2.0, None],
        "C": [None, 3.0, 3.0, 3.0],
    }
    found = make_scores(wis).relative_skill()
    expected = {"SeasonalNaive": 1.0, "B": (2 / 3) ** (1 / 3), "C": (3 / 2) ** (1 / 3)}
    assert column(found, "against_rivals") == pytest.approx(expected)


def test_a_pair_without_a_common_cell_is_undefined() -> None:
    scores = make_scores({"SeasonalNaive": [1.0, 1.0, None, None], "B": [None, None, 1.0, 1.0]})
    assert scores.relative_skill()["against_rivals"].isna().all()
    with pytest.raises(DataError, match="found none for SeasonalNaive, B. Score them on the same"):
        scores.weights(["SeasonalNaive", "B"])


def test_the_leaderboard_is_in_order_of_wis() -> None:
    table = three().leaderboard()
    assert list(table) == [
        *("model", "wis", "skill", "against_rivals", "coverage_80", "coverage_95"),
        "cpu_ms_per_series",
    ]
    assert table["model"].tolist() == ["Better", "SeasonalNaive", "Worse"]
    assert table["wis"].tolist() == [2, 4, 8]
    assert table["cpu_ms_per_series"].tolist() == [250] * 3


def test_weights_by_hand() -> None:
    # Means 8 and 2: 1 / 64 against 1 / 4 is 1 to 16. Half-way to equal: (1 / 17 + 1 / 2) / 2.
    assert three().weights(shrink=0) == pytest.approx({"Worse": 1 / 17, "Better": 16 / 17})
    assert three().weights() == pytest.approx({"Worse": 19 / 68, "Better": 49 / 68})
    assert three().weights(shrink=1) == {"Worse": 0.5, "Better": 0.5}
    # The naive model has a mean of 4: 1 / 16 against 1 / 4.
    asked = three().weights(["SeasonalNaive", "Better"], shrink=0)
    assert asked == pytest.approx({"SeasonalNaive": 0.2, "Better": 0.8})


def test_weights_are_learnt_from_cells_that_all_have() -> None:
    wis: dict[str, list[float | None]] = {
        "SeasonalNaive": [1.0] * 4,
        "A": [1.0, 1.0, 50.0, None],
        "B": [2.0, 2.0, None, 50.0],
    }
    assert make_scores(wis).weights(shrink=0) == pytest.approx({"A": 0.8, "B": 0.2})


def test_a_model_that_is_never_wrong_takes_all() -> None:
    wis: dict[str, list[float | None]] = {
        "SeasonalNaive": [1.0] * 4,
        "A": [0.0] * 4,
        "B": [1.0] * 4,
    }
    assert make_scores(wis).weights(shrink=0) == {"A": 1.0, "B": 0.0}


def test_weights_leave_an_ensemble_out_and_suit_one() -> None:
    ones: list[float | None] = [1.0] * 4
    names = ("SeasonalNaive", "DynamicCounts", "StructuralTrend", "Ensemble")
    weights = make_scores(dict.fromkeys(names, ones)).weights()
    assert weights == {"DynamicCounts": 0.5, "StructuralTrend": 0.5}
    assert Ensemble(weights=weights).weights == (0.5, 0.5)
    assert make_scores({"SeasonalNaive": ones}).weights() == {"SeasonalNaive": 1.0}


@pytest.mark.parametrize(
    ("models", "shrink", "message"),
    [
        (None, 1.5, "Shrink must lie between 0 and 1: found 1.5"),
        (None, True, "Shrink must lie between 0 and 1: found True"),
        (["Best"], 0.5, r"among those scored \(SeasonalNaive, Worse, Better\): found Best"),
        ([], 0.5, "among those scored .*: found none"),
    ],
)
def test_weights_that_cannot_be_learnt_are_refused(
    models: list[str] | None, shrink: float, message: str
) -> None:
    with pytest.raises(ForecastError, match=message):
        three().weights(models, shrink=shrink)


def test_a_notebook_shows_the_leaderboard() -> None:
    html = three()._repr_html_()
    assert html.index("Better</th>") < html.index("SeasonalNaive</th>") < html.index("Worse</th>")
    assert "Leaderboard, 2 months ahead from 2 past dates" in html


def test_weights_from_a_backtest_sum_to_one(london: Panel) -> None:
    from forecast.backtesting import backtest
    from forecast.models.glm import SeasonalGLM
    from forecast.models.structural import StructuralTrend

    panel = london.select(offence="robbery").total().before("2020-01")
    scores = backtest([StructuralTrend(), SeasonalGLM()], panel, origins=2, draws=200)
    weights = scores.weights()
    assert list(weights) == ["StructuralTrend", "SeasonalGLM"]
    assert sum(weights.values()) == pytest.approx(1)
    better = min(weights, key=lambda name: column(scores.summary(), "wis")[name])
    assert max(weights, key=lambda name: weights[name]) == better
    # The histogram and the coverage are of the same PIT values.
    shares = scores.pit_histogram(5)
    middle = shares[(shares["lower"] > 0) & (shares["upper"] < 1)]
    assert np.isclose(shares.groupby("model")["share"].sum(), 1).all()
    assert len(middle) == 3 * 3
