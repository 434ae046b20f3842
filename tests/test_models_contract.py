"""One battery over all models: what `fit` and `forecast` promise, whatever is inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.errors import FitError
from forecast.models.base import FittedModel, Model
from forecast.models.ensemble import Ensemble
from forecast.models.glm import SeasonalGLM
from forecast.models.naive import SeasonalNaive
from forecast.models.named import NAMED, find_class
from forecast.models.prophet import SeasonalProphet


@dataclass(frozen=True)
class QuickEnsemble(Ensemble):
    """A pool of two members that are quick to fit."""

    members: Sequence[Model] = (SeasonalNaive(), SeasonalGLM())


# every model that ships; the pool of them by one that is quick
MODELS = [QuickEnsemble if short == "ensemble" else find_class(short) for short in NAMED]

needs_prophet = pytest.mark.skipif(find_spec("prophet") is None, reason="prophet is not installed")
every_model = pytest.mark.parametrize(
    "model",
    [pytest.param(m, marks=needs_prophet if m is SeasonalProphet else ()) for m in MODELS],
)

SIZES = {"M": 60, "W-SUN": 130, "D": 760}
AREAS = ["Hill", "Dale", "Vale"]
OFFENCES = ["robbery", "burglary"]


@lru_cache
def make_panel(freq: str = "M") -> Panel:
    """Two offences in three areas of 10, 30 and 60 per cent; a level that moves, and a season."""
    rng = np.random.default_rng(7)
    size = SIZES[freq]
    periods = pd.period_range("2015-01-01", periods=size, freq=freq)
    wave = 0.2 * np.cos(2 * np.pi * np.asarray(periods.to_timestamp().day_of_year) / 365.25)
    walk = 0.3 * np.sqrt(1 / size) * rng.standard_normal((2, 1, size)).cumsum(axis=2)
    share = np.array([0.1, 0.3, 0.6])[:, None]  # (area, 1)
    rate = 400 * share * np.exp(wave + walk)  # (offence, area, period)
    names = [(area, offence) for offence in OFFENCES for area in AREAS]
    series = pd.DataFrame(names, columns=["area", "offence"])
    return Panel(rng.poisson(rate).reshape(6, size), series, periods)


@lru_cache
def fitted(model: type[Model], freq: str = "M") -> FittedModel:
    return model().fit(make_panel(freq))


def speaker(model: type[Model]) -> str:
    """Whose name an error bears: the model's, or that of a pool's first member."""
    made = model()
    return made.members[0].name if isinstance(made, Ensemble) else made.name


def change(panel: Panel, edit: Callable[[np.ndarray], None]) -> Panel:
    values = panel.values.copy()
    edit(values)
    return replace(panel, values=values)


@every_model
@pytest.mark.parametrize("freq", ["M", "W-SUN", "D"])
def test_draws_are_counts_of_the_panels_series(model: type[Model], freq: str) -> None:
    panel = make_panel(freq)
    if freq != "M":
        panel = panel.select(offence="robbery")
        found = model().fit(panel).forecast(5, draws=50)
    else:
        found = fitted(model).forecast(5, draws=50)
    assert found.draws.shape == (50, len(panel.series), 5)
    assert np.issubdtype(found.draws.dtype, np.integer)
    assert found.draws.min() >= 0
    assert found.series.equals(panel.series)
    start = panel.periods[-1] + 1
    assert found.cutoff == start
    assert found.periods.equals(pd.period_range(start, periods=5, freq=freq))
    assert found.model == model().name
    # Sensible too: a level that moves by 30 per cent or so has not doubled since a year ago.
    assert 0.5 < found.draws.mean() / panel.values[:, -5:].mean() < 2


@every_model
def test_the_same_seed_gives_the_same_bytes(model: type[Model]) -> None:
    panel = make_panel().select(offence="robbery")
    one = model().fit(panel).forecast(3, draws=100, seed=4).draws
    two = model().fit(panel).forecast(3, draws=100, seed=4).draws
    assert one.tobytes() == two.tobytes()
    assert one.tobytes() != model().fit(panel).forecast(3, draws=100, seed=5).draws.tobytes()


@every_model
def test_areas_add_up_to_the_total_draw_by_draw(model: type[Model]) -> None:
    found = fitted(model).forecast(3)
    total = found.total()
    assert total.draws.tolist() == found.draws.reshape(1000, 2, 3, 3).sum(axis=2).tolist()
    assert total.series["area"].unique().tolist() == ["all areas"]
    # The paths of the total are those of a panel of totals: areas do not change what it is.
    alone = model().fit(make_panel().total()).paths(3)
    assert (alone.log_total == fitted(model).paths(3).log_total).all()


@every_model
def test_further_ahead_is_wider(model: type[Model]) -> None:
    spread = fitted(model).paths(25, draws=4000).log_total.std(axis=0)  # (offence, period)
    near, far = spread[:, 0].mean(), spread[:, 24].mean()  # the same month, two years on
    assert far > 1.1 * near
    assert far < 20 * near


@every_model
@pytest.mark.parametrize(("freq", "unit"), [("M", "month"), ("W-SUN", "week"), ("D", "day")])
def test_short_series_are_refused_by_name(model: type[Model], freq: str, unit: str) -> None:
    panel = make_panel(freq).select(offence="burglary", area="Dale")
    needed = model.min_seasons * {"M": 12, "W-SUN": 52, "D": 365}[freq]
    short = panel.before(panel.periods[needed - 1])
    words = rf"{speaker(model)} must have at least {needed} {unit}s .*burglary, Dale has "
    with pytest.raises(FitError, match=words + str(needed - 1)):
        model().fit(short)


@every_model
def test_empty_series_are_refused_by_name(model: type[Model]) -> None:
    panel = change(make_panel().select(offence="burglary"), lambda v: v.fill(0))
    with pytest.raises(FitError, match=f"{speaker(model)} could not fit burglary, all areas: all"):
        model().fit(panel)


@every_model
def test_the_callers_panel_is_unchanged(model: type[Model]) -> None:
    panel = change(make_panel().select(offence="robbery"), lambda v: v.__setitem__((0, 5), np.nan))
    values, series, periods = panel.values.copy(), panel.series.copy(), panel.periods.copy()
    model().fit(panel).forecast(2, draws=10)
    assert panel.values.tobytes() == values.tobytes()
    assert panel.series.equals(series)
    assert panel.periods.equals(periods)


@every_model
def test_missing_periods_are_skipped(model: type[Model]) -> None:
    panel = make_panel().select(offence="robbery")
    # Three months are missing in all areas, or two of them in one area only.
    holes = change(panel, lambda v: v.__setitem__((slice(None), [20, 30, 58]), np.nan))
    one = change(holes, lambda v: v.__setitem__((slice(0, 2), [20, 58]), 1e6))
    whole = fitted(model).forecast(3).draws[:, :3].mean(axis=0)
    missing = model().fit(holes).forecast(3)
    assert missing.draws.mean(axis=0) == pytest.approx(whole, rel=0.15)
    # A total with a missing part is missing, so wild values beside it change nothing.
    assert (model().fit(one).forecast(3).draws == missing.draws).all()
    zeros = change(panel, lambda v: v.__setitem__((slice(None), [20, 30, 58]), 0))
    assert (model().fit(zeros).forecast(3).draws != missing.draws).any()


@every_model
@pytest.mark.parametrize("cut", ["2019-10", "2019-12"])
def test_nothing_at_or_after_the_cutoff_is_seen(model: type[Model], cut: str) -> None:
    panel = make_panel().select(offence="robbery")
    where = panel.periods.get_loc(pd.Period(cut, "M"))
    planted = change(panel, lambda v: v.__setitem__((slice(None), slice(where, None)), 1e6))
    one, two = (model().fit(p.before(cut)).forecast(3, draws=200) for p in (panel, planted))
    assert one.draws.tobytes() == two.draws.tobytes()
    assert one.cutoff == pd.Period(cut, "M")


@every_model
def test_the_order_of_series_does_not_matter(model: type[Model]) -> None:
    panel = make_panel()
    order = [4, 0, 5, 2, 1, 3]
    mixed = Panel(panel.values[order], panel.series.iloc[order], panel.periods)
    one, two = fitted(model).paths(3, draws=200), model().fit(mixed).paths(3, draws=200)
    assert (two.log_share == one.log_share[:, order]).all()
    assert (two.log_total == one.log_total[:, ::-1]).all()  # burglary comes first now
    # Counts are drawn last, from paths that are the same: equal up to that noise.
    a, b = (fitted(model).count(p, make_panel().periods[:3], seed=0).draws for p in (one, two))
    assert b.mean(axis=0) == pytest.approx(a[:, order].mean(axis=0), rel=0.06)


@every_model
def test_an_offence_alone_is_as_it_was_among_others(model: type[Model]) -> None:
    alone = model().fit(make_panel().select(offence="burglary")).paths(3, draws=200)
    among = fitted(model).paths(3, draws=200)
    assert (alone.log_total[:, 0] == among.log_total[:, 1]).all()
    assert (alone.log_share == among.log_share[:, 3:]).all()


@every_model
def test_shares_follow_the_areas(model: type[Model]) -> None:
    mean = fitted(model).forecast(3).draws.mean(axis=(0, 2)).reshape(2, 3)
    assert mean / mean.sum(axis=1, keepdims=True) == pytest.approx(
        np.tile([0.1, 0.3, 0.6], (2, 1)), abs=0.03
    )


@every_model
def test_counts_that_may_still_grow_are_not_learnt_from(model: type[Model]) -> None:
    panel = make_panel()
    last = np.arange(len(panel.periods)) == len(panel.periods) - 1
    missing = replace(panel, values=np.where(last, np.nan, panel.values))
    # taken while the last month was running: the few counts it had so far say nothing
    taken = Snapshot("a test", retrieved=f"{panel.periods[-1]}-05")
    early = replace(panel, values=np.where(last, 1.0, panel.values), snapshot=taken)
    found, wanted = (model().fit(p).forecast(2, draws=50) for p in (early, missing))
    assert np.array_equal(found.draws, wanted.draws)
    name = str(panel.periods[-1])
    assert found.notes == (f"{name} may not be complete yet: left out of what is learnt.",)
    assert wanted.notes == ()
    assert str(found.periods[0]) == str(panel.periods[-1] + 1)
