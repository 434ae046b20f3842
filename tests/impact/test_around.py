"""Forecasts of a window left out, against closed forms, a Kalman smoother and planted truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import UnobservedComponents

from forecast.data.panel import Panel
from forecast.impact.around import AroundModel, FittedAround, reach_after
from forecast.impact.campaign import Campaign
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.models.base import FittedModel, Model, Paths, stream
from forecast.models.dynamic import DynamicCounts
from forecast.models.structural import StructuralTrend
from forecast.simulation import simulate

WINDOW = pd.Period("2022-10", "M")


@dataclass(frozen=True)
class Walk(Model):
    """A total whose log starts from a given mean and variance and takes steps of a given variance.

    Shares start from equal ones, with a deviation for each area that lasts. `offset` is added to
    all log shares of a draw alike, which no share may notice.
    """

    level: float = 8.0
    start: float = 0.02
    step: float = 0.004
    share_sd: float = 0.1
    offset: float = 0.0

    def fit(self, panel: Panel) -> FittedModel:
        return FittedWalk(self, panel)


@dataclass(frozen=True, eq=False, repr=False)
class FittedWalk(FittedModel):
    model: Walk

    def paths(self, periods: int | pd.PeriodIndex, *, draws: int = 1000, seed: int = 0) -> Paths:
        ahead, wanted = self._ahead(periods)
        rng, m = stream(seed, "walk"), self.model
        steps = np.sqrt(m.step) * rng.standard_normal((draws, 1, wanted))
        steps[:, :, 0] = np.sqrt(m.start) * rng.standard_normal((draws, 1))
        areas = len(self.panel.series)
        share = m.share_sd * rng.standard_normal((draws, areas, 1)) * (areas > 1)
        share = share + m.offset * rng.standard_normal((draws, 1, 1))
        return Paths(
            m.level + steps.cumsum(axis=2),
            np.repeat(share, wanted, axis=2),
            np.zeros(areas, dtype=np.int64),
        )


def make_panel(after: list[float], *, areas: int = 1, before: int = 24) -> Panel:
    """Months before the window, the window itself as one month, and some after it, all areas."""
    counts = np.repeat([[*[3000.0] * before, 7.0, *after]], areas, axis=0)
    series = pd.DataFrame({"area": [f"Area {k}" for k in range(areas)], "offence": "robbery"})
    start = WINDOW - before
    return Panel(counts, series, pd.period_range(start, periods=counts.shape[1], freq="M"))


def look(base: Model, later: Panel, *, draws: int = 40_000, periods: int = 1) -> Paths:
    fitted = AroundModel(base, later).fit(later.before(WINDOW))
    return fitted.paths(periods, draws=draws)


def total_of(paths: Paths) -> np.ndarray:
    """Log rates of the first month, shape (draw,)."""
    return paths.log_total[:, 0, 0]


def test_one_month_after_moves_mean_and_variance_as_two_normals_do() -> None:
    """By hand: the level has variance 0.02, the month after it 0.004 more and counting 1 / 2,981.

    exp(8) = 2,981 are expected, so that counting noise has variance 0.000336 on the log (a hair
    more, as rates vary: E[1 / rate] = exp(0.012) / 2,981 = 0.00034). The gain is 0.02 / (0.02 +
    0.004 + 0.00034) = 0.8217; seen 20 per cent below, the mean moves by 0.8217 x log 0.8 =
    -0.1834, and 0.02 x (1 - 0.8217) = 0.003566 of the variance is left.
    """
    panel = make_panel([np.round(0.8 * np.exp(8)), np.nan, np.nan])
    found = total_of(look(Walk(), panel))
    # 40,000 draws: the mean has an error of sqrt(0.0036 / 40,000) = 0.0003 and of the gain's
    # estimate about as much, the variance one of 0.7 per cent
    assert found.mean() - 8 == pytest.approx(-0.1834, abs=0.0018)
    assert found.var() == pytest.approx(0.003566, rel=0.025)


@pytest.mark.parametrize(("start", "step"), [(0.02, 0.004), (0.01, 0.0001), (0.005, 0.02)])
def test_local_level_is_smoothed_as_by_a_kalman_smoother(start: float, step: float) -> None:
    """Another implementation: the state smoother of statsmodels on logs, with known variances."""
    after = np.round(np.exp(8) * np.array([0.9, 1.05, 0.85]))
    found = total_of(look(Walk(start=start, step=step), make_panel(list(after))))
    logs = np.concatenate([[np.nan], np.log(after)])
    smoother = UnobservedComponents(logs, "llevel")
    smoother.ssm.initialize_known(np.array([8.0]), np.array([[start]]))
    noise = np.exp(start / 2 + step) / np.exp(8)  # of a log Poisson count whose rate varies
    truth = smoother.smooth([noise, step])
    variance = truth.smoothed_state_cov[0, 0, 0]
    shift = truth.smoothed_state[0, 0] - 8
    assert found.mean() - 8 == pytest.approx(shift, abs=0.02 * np.sqrt(start))
    assert found.var() == pytest.approx(variance, rel=0.03)
    assert variance < start


def test_nothing_counted_after_leaves_the_base_model_as_it_is() -> None:
    panel = make_panel([np.nan] * 3)
    base = Walk().fit(panel.before(WINDOW)).paths(4, draws=500)
    found = look(Walk(), panel, draws=500)
    assert (found.log_total == base.log_total[:, :, :1]).all()
    ends = look(Walk(), make_panel([]), draws=500)  # nor do periods that are not there
    assert (ends.log_total == found.log_total).all()


def test_a_missing_month_is_skipped_and_is_not_zero() -> None:
    seen = np.round(0.8 * np.exp(8))
    only = total_of(look(Walk(), make_panel([seen, np.nan, seen])))
    both = total_of(look(Walk(), make_panel([seen, seen, seen])))
    zero = total_of(look(Walk(), make_panel([seen, 0.0, seen])))
    assert only.mean() == pytest.approx(both.mean(), abs=0.02)
    assert both.var() < only.var()  # one month more says more
    assert zero.mean() < both.mean() - 0.2  # a true zero is a count, and a very low one


def test_only_months_within_reach_are_looked_at() -> None:
    assert [reach_after(freq) for freq in ("M", "W-SUN", "D")] == [3, 8, 28]
    near = make_panel([2800.0, 2900.0, 3000.0, 1.0, 9e6])
    far = make_panel([2800.0, 2900.0, 3000.0, 2900.0, 2900.0])
    other = make_panel([2800.0, 2900.0, 3100.0, 2900.0, 2900.0])
    one, two, three = (look(Walk(), panel, draws=200).log_total for panel in (near, far, other))
    assert (one == two).all()
    assert (three != two).all()


@pytest.mark.parametrize("base", [DynamicCounts(), StructuralTrend()])
def test_counts_inside_the_window_are_never_seen(base: Model) -> None:
    panel = simulate(areas=3, years=8)
    window = panel.periods[-6:-4]

    def draw(planted: float) -> np.ndarray:
        values = panel.values.copy()
        values[:, -6:-4] = planted
        later = replace(panel, values=values)
        return AroundModel(base, later).fit(later.before(window[0])).forecast(window).draws

    assert (draw(0.0) == draw(99_999.0)).all()


def test_total_row_sums_the_areas_of_the_later_panel() -> None:
    # one third of 2,400 in each of three areas is what 2,400 in one row is
    areas = make_panel([800.0] * 3, areas=3)
    areas = replace(areas, values=np.where(areas.values == 3000, 1000, areas.values))
    whole = replace(
        areas.total(), series=pd.DataFrame({"area": ["all areas"], "offence": ["robbery"]})
    )
    one = AroundModel(Walk(), areas).fit(whole.before(WINDOW)).paths(1, draws=500)
    two = AroundModel(Walk(), whole).fit(whole.before(WINDOW)).paths(1, draws=500)
    assert (one.log_total == two.log_total).all()
    assert total_of(one).mean() < 7.9  # log 2,400 is 7.78


def test_offence_that_is_not_in_the_later_panel_is_not_read_as_zero() -> None:
    panel = make_panel([2400.0] * 3)
    theft = replace(panel, series=panel.series.assign(offence="theft"))
    found = AroundModel(Walk(), theft).fit(panel.before(WINDOW)).paths(1, draws=500)
    assert total_of(found).mean() == pytest.approx(8, abs=0.05)


def shares_of(paths: Paths) -> np.ndarray:
    """Shares of the areas in the window's first month, shape (draw, area)."""
    share = np.exp(paths.log_share[:, :, 0] - paths.log_share[:, :, 0].max(axis=1, keepdims=True))
    return share / share.sum(axis=1, keepdims=True)


def test_shares_of_areas_follow_what_they_were_after() -> None:
    """Of two areas, log share over the other's: sd 0.1 x sqrt 2, seen three times.

    Counting among 1,490 each gives the log ratio an error of sqrt(2 / 1,490) a month, so of
    three months sqrt(2 / 4,470) = 0.0212; the gain is 0.02 / (0.02 + 0.000447) = 0.978.
    """
    panel = make_panel([0.0] * 3, areas=2)
    values = panel.values.copy()
    values[0, -3:], values[1, -3:] = 1650.0, 1350.0
    share = shares_of(look(Walk(), replace(panel, values=values), draws=4000))[:, 0]
    ratio = np.log(share / (1 - share))
    assert ratio.mean() == pytest.approx(0.978 * np.log(1650 / 1350), abs=0.006)
    assert ratio.std() == pytest.approx(0.0212 * np.sqrt(0.978), rel=0.08)


@pytest.mark.parametrize("offset", [0.0, 2.0])
def test_only_differences_between_log_shares_matter(offset: float) -> None:
    """What is added to all log shares of a draw alike leaves shares, and what is said of them."""
    panel = make_panel([0.0] * 3, areas=3)
    values = panel.values.copy()
    values[:, -3:] = [[1200.0], [1000.0], [800.0]]
    share = shares_of(look(Walk(offset=offset), replace(panel, values=values), draws=1000))
    # all but a fiftieth of the deviation from one third is taken over
    assert share.mean(axis=0) == pytest.approx([0.4, 1 / 3, 0.8 / 3], abs=0.005)
    # counting alone: sqrt(0.4 x 0.6 / 9,000) = 0.0052
    assert share[:, 0].std() == pytest.approx(0.0052, rel=0.15)


def test_areas_add_up_to_their_total_in_every_draw() -> None:
    panel = simulate(areas=4, years=8)
    start, window = panel.periods[-6], panel.periods[-6:-4]
    fitted = AroundModel(DynamicCounts(), panel).fit(panel.before(start))
    assert isinstance(fitted, FittedAround)
    forecast = fitted.forecast(window, draws=300)
    total = forecast.total().draws[:, 0]
    assert (total == forecast.draws.sum(axis=1)).all()
    assert forecast.cutoff == start  # it was learnt from before the window alone
    # and the total with areas agrees with the total alone: the same counts after tell both
    one = AroundModel(DynamicCounts(), panel).fit(panel.total().before(start))
    alone = one.forecast(window)
    assert total.mean() == pytest.approx(alone.draws.mean(), rel=0.03)


def test_going_on_is_the_same_as_learning_before_each_window() -> None:
    panel = simulate(areas=2, years=8)
    model = AroundModel(DynamicCounts(), panel)
    early, late = panel.periods[-12], panel.periods[-6]
    went_on = model.fit(panel.before(early)).update(panel.before(late))
    plain = model.base.fit(panel.before(early)).update(panel.before(late))  # type: ignore[attr-defined]
    again = FittedAround(model, panel.before(late), plain)
    one, two = (f.forecast(2, draws=200) for f in (went_on, again))
    assert (one.draws == two.draws).all()
    assert one.cutoff == late


def test_base_model_keeps_its_name_and_needs() -> None:
    model = AroundModel(DynamicCounts(), make_panel([]))
    assert (model.name, model.min_seasons, model.counts_native) == ("DynamicCounts", 2, True)


CAMPAIGN: dict[str, Any] = {"name": "A", "start": "2021-10-01", "end": "2021-11-30"}


def ask(panel: Panel, way: str = "around", **given: Any) -> Evaluation:
    campaign = Campaign(**(CAMPAIGN | {"offences": ["robbery"]} | given))
    return evaluate(campaign, panel, counterfactual=way, draws=400)


def planted(panel: Panel, first: str, last: str, factor: float) -> Panel:
    values = panel.values.copy()
    values[:, (panel.periods >= first) & (panel.periods <= last)] *= factor
    return replace(panel, values=np.round(values))


def test_evaluation_sees_after_the_window_and_not_inside_it() -> None:
    panel = simulate(areas=2, years=8)  # to 2022-12
    plain = ask(panel)
    inside = ask(planted(panel, "2021-10", "2021-11", 0.1))
    assert inside.baseline.forecast.draws.tobytes() == plain.baseline.forecast.draws.tobytes()
    assert inside.placebo.errors.equals(plain.placebo.errors)
    after = ask(planted(panel, "2021-12", "2022-02", 0.9))
    assert after.main.expected < 0.98 * plain.main.expected
    beyond = ask(planted(panel, "2022-03", "2022-03", 0.9))
    assert beyond.baseline.raw.draws.tobytes() == plain.baseline.raw.draws.tobytes()
    assert plain.counterfactual == "around"
    assert plain.baseline.trained.endswith("; counts after the window told its level too")


def test_disrupted_time_after_is_not_used() -> None:
    panel = simulate(areas=1, years=8)
    shock = {"name": "flood", "start": "2021-12-05", "end": "2022-01-20", "treatment": "mask"}
    shocked = [
        ask(planted(panel, "2021-12", "2022-01", factor), disruption=[shock])
        for factor in (1.0, 0.2)
    ]
    one, two = (r.baseline.raw.draws.tobytes() for r in shocked)
    assert one == two
    (check,) = [c for c in shocked[0].checks if c.name == "counts after the window"]
    assert check.text.startswith("1 of the 3 months after the window were used too (2021-12 to ")


def test_check_says_what_is_taken_for_granted() -> None:
    panel = simulate(areas=1, years=8)
    (check,) = [c for c in ask(panel).checks if c.name == "counts after the window"]
    assert (check.status, check.blocking) == ("failed", False)
    assert check.text.startswith("3 of the 3 months after the window were used too (2021-12 to ")
    assert check.text.endswith(
        "what lasted would be taken for a lower level and hide a part of the effect, and what "
        "rose afterwards, a rebound among it, would be taken for a higher level and exaggerate a "
        "fall or invent one."
    )
    (plain,) = [c for c in ask(panel, "before").checks if c.name == "counts after the window"]
    assert (plain.status, plain.text) == (
        "passed", "Nothing after the window was used to say what was expected in it.",
    )  # fmt: skip


def test_effect_that_lasts_is_partly_hidden() -> None:
    """A fifth fewer from the window on for five months: the level after it is low as well."""
    panel = simulate(areas=1, years=8, noise_sd=0.01, level_sd=0.02, seed=3)
    ended = planted(panel, "2021-10", "2021-11", 0.8)
    lasted = planted(panel, "2021-10", "2022-02", 0.8)
    whole, hidden = ask(ended).main.percent, ask(lasted).main.percent
    before = [ask(p, "before").main.percent for p in (ended, lasted)]
    assert before[0] == pytest.approx(before[1], abs=1e-9)  # from before, both are the same
    assert whole == pytest.approx(-20, abs=4)
    assert hidden > whole + 5


def measure(seed: int, way: str, effect: float) -> tuple[float, float, float]:
    """Error of the effect in points, whether the interval holds it, and its width."""
    panel = simulate(areas=1, years=9, effect=effect, window=("2022-10-01", "2022-11-30"),
                     noise_sd=0.03, level_sd=0.02, seed=seed)  # fmt: skip
    main = ask(panel, way, start="2022-10-01", end="2022-11-30").main
    lower, upper = main.percent_interval
    return main.percent - 100 * effect, float(lower <= 100 * effect <= upper), upper - lower


@pytest.mark.slow
def test_interval_is_narrower_than_from_before_and_still_holds() -> None:
    effect = -0.1
    found = {
        way: np.array([measure(seed, way, effect) for seed in range(60)])
        for way in ("before", "around")
    }
    for way, rows in found.items():
        print(f"{effect:+.0%} {way}: bias {rows[:, 0].mean():+.2f}, sd {rows[:, 0].std():.2f}, "
              f"held {rows[:, 1].mean():.0%}, width {rows[:, 2].mean():.1f}")  # fmt: skip
    around, before = found["around"], found["before"]
    assert around[:, 2].mean() < before[:, 2].mean()
    assert around[:, 0].std() < before[:, 0].std()
    # of 60 intervals that hold 95 per cent, fewer than 52 would have a chance under 1 per cent
    assert around[:, 1].sum() >= 52
    # the mean of 60 errors: within three standard errors
    assert abs(around[:, 0].mean()) <= 3 * around[:, 0].std() / np.sqrt(60)
