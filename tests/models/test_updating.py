"""New and revised counts: an update is the filter gone through again, to the last digit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import DataError
from forecast.models.dynamic import DynamicCounts
from forecast.models.evidence import Evidence
from forecast.models.fitted import FittedDynamic
from forecast.models.learning import advance
from forecast.models.states import OffenceState, kept_columns
from forecast.models.updating import first_change
from forecast.seasonality.disruptions import Disruption

NAN = np.nan
SIZES = {"M": (72, 90), "W-SUN": (150, 160), "D": (760, 800)}  # fitted to, and known later


def make_panel(freq: str = "M", n: int | None = None) -> Panel:
    """Robbery in three areas, burglary in one."""
    rng = np.random.default_rng(11)
    periods = pd.period_range("2013-01-01", periods=SIZES[freq][1], freq=freq)
    wave = 1 + 0.2 * np.cos(2 * np.pi * np.asarray(periods.to_timestamp().day_of_year) / 365.25)
    values = rng.poisson(np.array([[10.0], [30], [60], [40]]) * wave).astype(float)
    series = pd.DataFrame({"area": ["A", "B", "C", "A"], "offence": ["robbery"] * 3 + ["burglary"]})
    return cut(Panel(values, series, periods), SIZES[freq][0] if n is None else n)


def cut(panel: Panel, n: int) -> Panel:
    return replace(panel, values=panel.values[:, :n], periods=panel.periods[:n])


def change(panel: Panel, edit: Callable[[np.ndarray], None]) -> Panel:
    values = panel.values.copy()
    edit(values)
    return replace(panel, values=values)


def numbers_of(state: OffenceState) -> list[Any]:
    """All numbers of a state, to the last digit."""
    found: list[Any] = [a.tobytes() for a in (state.deviation, state.scaling, state.prior)]
    found += [s.factors.tobytes() for s in (state.total_stretch, state.area_stretch)]
    for checkpoint in state.checkpoints:
        found.append(checkpoint.at)
        for part in (checkpoint.total, checkpoint.share):
            found += [] if part is None else [a.tobytes() for a in vars(part).values()]
    return found


def check_equal(one: FittedDynamic, two: FittedDynamic) -> None:
    assert [numbers_of(s) for s in one.states] == [numbers_of(s) for s in two.states]
    assert one.cutoff == two.cutoff
    a, b = (f.forecast(3, draws=100).draws for f in (one, two))
    assert a.tobytes() == b.tobytes()


def replayed(fitted: FittedDynamic, panel: Panel) -> FittedDynamic:
    """The truth: the filter gone through from the very start, with what was learnt."""
    states = []
    for state in fitted.states:
        evidence = fitted.model._gather(panel, state.offence)
        states.append(advance(evidence, state.going_on_from(0))[0])
    return replace(fitted, panel=panel, states=tuple(states))


@pytest.mark.parametrize("freq", ["M", "W-SUN", "D"])
def test_many_periods_at_once_are_as_one_after_the_other(freq: str) -> None:
    first, last = SIZES[freq]
    fitted = DynamicCounts().fit(make_panel(freq))
    step_by_step = fitted
    for n in range(first + 1, last + 1):
        step_by_step = step_by_step.update(make_panel(freq, n))
    at_once = fitted.update(make_panel(freq, last))
    check_equal(step_by_step, at_once)
    check_equal(at_once, replayed(fitted, make_panel(freq, last)))
    # and the level has moved on: it is not the forecast of the older filter
    assert (at_once.paths(1).log_total != fitted.paths(1).log_total).any()


def test_areas_that_report_late_or_stop_make_no_difference() -> None:
    """The second area began late, the third stops, the first is two months behind for a while."""

    def holes(values: np.ndarray) -> None:
        values[1, :10] = NAN
        values[2, 78:] = NAN

    whole = change(make_panel(n=90), holes)
    fitted = DynamicCounts().fit(cut(whole, 72))
    found = fitted
    for n in range(73, 91):
        found = found.update(
            change(cut(whole, n), lambda v: v.__setitem__((0, slice(-2, None)), NAN))
        )
    found = found.update(whole)
    check_equal(found, fitted.update(whole))
    check_equal(found, replayed(fitted, whole))


@pytest.mark.parametrize("column", [-1, -2, -4, -11, -17, -40, 3, 0])
@pytest.mark.parametrize("value", [5.0, NAN])
def test_a_revised_count_is_as_though_it_had_always_been_so(column: int, value: float) -> None:
    fitted = DynamicCounts().fit(make_panel())
    revised = change(make_panel(), lambda v: v.__setitem__((0, column), value))
    found = fitted.update(revised)
    check_equal(found, replayed(fitted, revised))
    robbery, burglary = found.states
    assert numbers_of(robbery) != numbers_of(fitted.states[0])
    assert numbers_of(burglary) == numbers_of(fitted.states[1])
    # together with new periods
    later = change(make_panel(n=80), lambda v: v.__setitem__((0, column % 72), value))
    check_equal(fitted.update(later), replayed(fitted, later))
    # and back again
    check_equal(found.update(make_panel()), fitted)


def test_a_missing_count_that_comes_in_late_is_taken_in() -> None:
    holes = change(make_panel(), lambda v: v.__setitem__((slice(0, 3), [20, 66, 71]), NAN))
    fitted = DynamicCounts().fit(holes)
    check_equal(fitted.update(make_panel()), replayed(fitted, make_panel()))


def test_the_earlier_model_stays_as_it_was() -> None:
    panel = make_panel()
    fitted = DynamicCounts().fit(panel)
    numbers = [numbers_of(s) for s in fitted.states]
    draws = fitted.forecast(3, draws=100).draws.tobytes()
    later = fitted.update(change(make_panel(n=80), lambda v: v.__setitem__((0, 60), 500)))
    assert [numbers_of(s) for s in fitted.states] == numbers
    assert fitted.forecast(3, draws=100).draws.tobytes() == draws
    assert fitted.panel is panel
    assert (str(fitted.cutoff), str(later.cutoff)) == ("2019-01", "2019-09")
    assert [str(p) for p in later.forecast(2, draws=50).periods] == ["2019-09", "2019-10"]
    with pytest.raises(DataError, match=r"must be monthly and start at 2019-09 or later"):
        later.forecast(pd.period_range("2019-08", periods=2, freq="M"))


def test_an_update_without_news_changes_nothing() -> None:
    fitted = DynamicCounts().fit(make_panel())
    check_equal(fitted.update(make_panel()), fitted)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda p: p.before("2018-11"), "it ends at 2018-10, before 2018-12"),
        (
            lambda p: replace(p, values=p.values[:, 1:], periods=p.periods[1:]),
            r"it begins at 2013-02, not 2013-01\. Load the earlier periods too, or u",
        ),
        (lambda p: p.select(area=["A", "B"]), r"series differ \(missing are C robbery\)"),
        (
            lambda p: replace(p, values=p.values[::-1], series=p.series[::-1]),
            r"series differ \(they are in another order\)",
        ),
        (lambda p: replace(p, measure="calls"), "counts 'calls', not 'recorded offences'"),
        (lambda _: make_panel("D"), "its periods are daily"),
        (lambda p: p.before("2000-01"), "it has no periods"),
        (
            lambda p: replace(
                p.select(area="A").before("2018-01"),
                series=pd.DataFrame({"area": ["X", "A"], "offence": ["robbery", "burglary"]}),
            ),
            r"new are X robbery; missing are A robbery, B robbery, C robbery\); it ends at 2017-12",
        ),
    ],
)
def test_another_panel_is_refused(edit: Callable[[Panel], Panel], words: str) -> None:
    fitted = DynamicCounts().fit(make_panel())
    start = "Update must have the panel that was fitted and what came since: .*"
    with pytest.raises(DataError, match=start + words + r".*se fit for another panel\.$"):
        fitted.update(edit(make_panel()))


def test_a_table_is_no_panel() -> None:
    fitted = DynamicCounts().fit(make_panel())
    table: Any = make_panel().series
    with pytest.raises(DataError, match=r"Update must have a Panel: found DataFrame\. Use load"):
        fitted.update(table)
    series: Any = table["area"]
    with pytest.raises(DataError, match="Regressors must be columns of a DataFrame: found Series"):
        fitted.update(make_panel(), regressors=series)


def test_regressors_may_go_on() -> None:
    index = pd.period_range("2013-01", periods=90, freq="M")
    rain = pd.DataFrame({"rain": np.random.default_rng(0).random(90)}, index=index)
    fitted = DynamicCounts(regressors=rain[:73]).fit(make_panel())
    with pytest.raises(DataError, match=r"Regressors rain must have a value .*2019-02"):
        fitted.update(make_panel(n=80))
    whole = DynamicCounts(regressors=rain).fit(make_panel())
    found = fitted.update(make_panel(n=80), regressors=rain)
    check_equal(found, whole.update(make_panel(n=80)))
    # a regressor revised in the past is gone through again
    other = rain.copy()
    other.iloc[30] += 1
    again = found.update(make_panel(n=80), regressors=other)
    check_equal(again, replayed(replace(found, model=replace(found.model, regressors=other)),
                                make_panel(n=80)))  # fmt: skip
    assert numbers_of(again.states[0]) != numbers_of(found.states[0])
    with pytest.raises(DataError, match=r"columns that were fitted, \['rain'\]: found \['sun'\]"):
        found.update(make_panel(n=80), regressors=rain.rename(columns={"rain": "sun"}))
    plain = DynamicCounts().fit(make_panel())
    with pytest.raises(DataError, match=r"that were fitted, \[\]: found \['rain'\]. Use fit"):
        plain.update(make_panel(n=80), regressors=rain)


@pytest.mark.parametrize("treatment", ["mask", "step", "variance"])
def test_disruptions_are_treated_in_updates_too(treatment: Any) -> None:
    shock = Disruption("closed", dt.date(2018, 10, 1), dt.date(2019, 4, 30), "test", 3, "planted")
    fitted = DynamicCounts(disruptions=(shock,), treatment=treatment).fit(make_panel())
    found = fitted
    for n in (73, 75, 76, 77, 85):
        # one area is missing in the last month before the shock ends it
        panel = change(make_panel(n=n), lambda v: v.__setitem__((0, 68), NAN))
        found = found.update(panel)
        check_equal(found, replayed(fitted, panel))


def test_states_are_kept_where_they_are_useful_and_are_few() -> None:
    """Of a year of 365 days: a twelfth is 30 days, a half 180."""
    before: set[int] = set()
    for n in range(1, 2000):
        kept = kept_columns(n, 365)
        assert len(kept) <= 6
        assert kept[-1] == n
        assert set(kept) <= before | {n}  # nothing is needed that was thrown away
        before = set(kept)
        for back, reach in ((30, 60), (360, 540)):
            if n >= reach:
                assert any(n - reach < at <= n - back for at in kept)
    assert kept_columns(72, 12) == [60, 66, 71, 72]


def test_an_update_looks_only_at_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = DynamicCounts().fit(make_panel("D"))
    shown: list[Evidence] = []
    gather = DynamicCounts._gather

    def spy(self: DynamicCounts, *given: Any) -> Evidence:
        shown.append(gather(self, *given))
        return shown[-1]

    monkeypatch.setattr(DynamicCounts, "_gather", spy)
    one = fitted.update(make_panel("D", 761))
    assert [len(e.periods) for e in shown] == [1, 1]
    # robbery revised a week ago: from 749, the last multiple of 30 before; of burglary nothing
    shown.clear()
    one.update(change(make_panel("D", 762), lambda v: v.__setitem__((1, 754), 7)))
    assert [(e.begin, len(e.periods)) for e in shown] == [(750, 12), (761, 1)]


def test_the_first_change_is_found() -> None:
    a = np.array([[1.0, 2.0, NAN, 4.0], [1.0, 2.0, 3.0, 4.0]])
    for column, value, found in ((3, 5.0, 3), (2, 1.0, 2), (1, NAN, 1), (1, 2.0, 4)):
        b = a.copy()
        b[0, column] = value
        assert first_change(a, b) == found
