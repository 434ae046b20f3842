"""A stored model: what is read back is what was written, and nothing else is accepted."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.errors import DataError
from forecast.models.dynamic import DynamicCounts
from forecast.models.fitted import FittedDynamic
from forecast.models.naive import SeasonalNaive
from forecast.models.states import OffenceState
from forecast.models.storing import load_fitted, save_fitted
from forecast.seasonality.disruptions import Disruption

LEVELS = [0.025, 0.25, 0.5, 0.75, 0.975]
SHOCK = Disruption("closed", dt.date(2017, 3, 1), dt.date(2017, 5, 31), "test", 3, "planted")


def make_panel(freq: str = "M", n: int = 60, areas: int = 3) -> Panel:
    """Two offences, one of them in one area only; a month is missing; the areas have groups."""
    rng = np.random.default_rng(3)
    names = [("robbery", f"Area {k}", "North") for k in range(areas)]
    series = pd.DataFrame([*names, ("burglary", "Area 0", None)], columns=list("oag"))
    series = series.set_axis(["offence", "area", "group"], axis=1)[["area", "offence", "group"]]
    values = rng.poisson(30.0, (len(series), n)).astype(float)
    values[0, 40] = np.nan
    periods = pd.period_range("2015-01-01", periods=n, freq=freq)
    snapshot = Snapshot("a test", "2020-01-01", "ab12", "OGL", True)
    return Panel(values, series, periods, "calls", snapshot, ("one note", "and “another”"))


def cut(panel: Panel, n: int) -> Panel:
    return replace(panel, values=panel.values[:, :n], periods=panel.periods[:n])


@pytest.fixture(scope="module")
def fitted() -> FittedDynamic:
    return DynamicCounts().fit(cut(make_panel(), 58))


def arrays_of(state: OffenceState) -> list[tuple[int, bytes]]:
    """All numbers of a state, to the last digit."""
    found = [(0, a.tobytes()) for a in (state.deviation, state.scaling, state.prior)]
    for stretch in (state.total_stretch, state.area_stretch):
        found += [(0, stretch.steps.tobytes()), (0, stretch.factors.tobytes())]
    for checkpoint in state.checkpoints:
        for part in (checkpoint.total, checkpoint.share):
            if part is not None:
                found += [(checkpoint.at, a.tobytes()) for a in vars(part).values()]
    return found


def check_equal(one: FittedDynamic, two: FittedDynamic) -> None:
    assert [arrays_of(s) for s in one.states] == [arrays_of(s) for s in two.states]
    pd.testing.assert_frame_equal(one.flags, two.flags)
    pd.testing.assert_frame_equal(one.coverage(), two.coverage())
    a, b = (f.forecast(4, draws=200, seed=7).draws for f in (one, two))
    assert a.tobytes() == b.tobytes()
    for by in ("area", "offence"):
        assert (one.quantile(4, LEVELS, by=by) == two.quantile(4, LEVELS, by=by)).all()


def test_a_model_is_read_back_as_it_was(fitted: FittedDynamic, tmp_path: Path) -> None:
    path = save_fitted(fitted, tmp_path / "model.npz")
    again = load_fitted(str(path))
    check_equal(again, fitted)
    assert again.panel.values.tobytes() == fitted.panel.values.tobytes()
    pd.testing.assert_frame_equal(again.panel.series, fitted.panel.series)
    assert again.panel.periods.equals(fitted.panel.periods)
    for name in ("measure", "snapshot", "notes", "total_name"):
        assert getattr(again.panel, name) == getattr(fitted.panel, name)
    assert again.model == fitted.model


def test_a_stored_model_takes_in_new_counts(fitted: FittedDynamic, tmp_path: Path) -> None:
    again = load_fitted(save_fitted(fitted, tmp_path / "model.npz"))
    check_equal(again.update(make_panel()), fitted.update(make_panel()))
    revised = replace(make_panel(), values=make_panel().values + 1)
    check_equal(again.update(revised), fitted.update(revised))


@pytest.mark.parametrize(("freq", "n"), [("W-SUN", 130), ("D", 760)])
def test_weeks_and_days_are_kept(freq: str, n: int, tmp_path: Path) -> None:
    one = DynamicCounts().fit(make_panel(freq, n, areas=2))
    again = load_fitted(save_fitted(one, tmp_path / "model.npz"))
    check_equal(again, one)
    assert again.panel.periods.equals(one.panel.periods)


@pytest.mark.parametrize("treatment", ["mask", "step", "variance"])
def test_settings_are_kept(treatment: Any, tmp_path: Path) -> None:
    index = pd.period_range("2015-01", periods=70, freq="M")
    rain = pd.DataFrame({"rain": np.arange(70.0) % 5, "heat": np.arange(70.0) % 3}, index=index)
    model = DynamicCounts(disruptions=(SHOCK,), treatment=treatment, regressors=rain)
    one = model.fit(make_panel())
    again = load_fitted(save_fitted(one, tmp_path / "model.npz"))
    check_equal(again, one)
    assert again.model == model  # leaves regressors out
    assert isinstance(again.model, DynamicCounts)
    assert again.model.regressors is not None
    pd.testing.assert_frame_equal(again.model.regressors, rain)


@pytest.mark.parametrize(("count", "kind"), [(12.0, "int32"), (12.5, "float64"), (3e9, "float64")])
def test_counts_are_small_numbers_where_that_is_exact(
    count: float, kind: str, fitted: FittedDynamic, tmp_path: Path
) -> None:
    values = fitted.panel.values.copy()
    values[1, 3] = count
    one = replace(fitted, panel=replace(fitted.panel, values=values))
    path = save_fitted(one, tmp_path / "model.npz")
    assert np.load(path)["counts"].dtype == kind
    assert load_fitted(path).panel.values.tobytes() == values.tobytes()


def test_nothing_in_the_file_can_run(fitted: FittedDynamic, tmp_path: Path) -> None:
    with np.load(save_fitted(fitted, tmp_path / "model.npz"), allow_pickle=False) as held:
        kinds = {held[name].dtype.kind for name in held.files}
        about = json.loads(str(held["about"]))
    assert kinds == {"f", "i", "U"}
    assert about["schema"] == "forecast.fitted/1"
    assert about["panel"]["first"] == "2015-01"


def edited(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change the arrays of a stored model."""
    with np.load(path) as held:
        arrays = {name: held[name] for name in held.files}
    edit(arrays)
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def about(**changes: Any) -> Callable[[dict[str, Any]], object]:
    def edit(arrays: dict[str, Any]) -> None:
        told = json.loads(str(arrays["about"]))
        arrays["about"] = np.array(json.dumps(told | changes))

    return edit


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda a: a.pop("about"), "does not say what it holds"),
        (lambda a: a.update(about=np.array("{")), "does not say what it holds"),
        (about(schema="forecast.fitted/9"), "is of schema 'forecast.fitted/9'"),
        (about(grid={}), "learnt with other settings"),
        (about(states=[]), "learnt with other settings"),
        (about(flags=3), "do not fit together"),
        (lambda a: a.pop("counts"), "its part 'counts' is missing"),
        (lambda a: a.pop("0.1.TotalState.means"), "'0.1.TotalState.means' is missing"),
        (lambda a: a.update({"0.deviation": np.zeros((2, 4))}), "learnt with other settings"),
        (lambda a: a.update(counts=a["counts"][:, 1:]), "learnt with other settings"),
        (lambda a: a.update(counts=a["counts"][1:]), "do not fit together"),
    ],
)
def test_files_that_do_not_hold_a_model_are_refused(
    edit: Callable[[dict[str, Any]], object], words: str, fitted: FittedDynamic, tmp_path: Path
) -> None:
    path = save_fitted(fitted, tmp_path / "model.npz")
    edited(path, edit)
    with pytest.raises(DataError, match=rf"'model.npz' must be .*{words}.* save_fitted\.$"):
        load_fitted(path)


def test_a_file_cut_short_is_refused(fitted: FittedDynamic, tmp_path: Path) -> None:
    path = save_fitted(fitted, tmp_path / "model.npz")
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"'model.npz' .*no .npz file, or its end is missing"):
            load_fitted(path)
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(200) + whole[middle + 200 :])
    with pytest.raises(DataError, match=r"'model.npz' must be a whole file .*it is damaged"):
        load_fitted(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "counts.csv"
    text.write_text("area,offence\n", "utf-8")
    with pytest.raises(DataError, match=r"'counts.csv' must be a whole file of save_fitted"):
        load_fitted(text)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(DataError, match=r"'one.npy' .*it is no .npz file"):
        load_fitted(tmp_path / "one.npy")
    np.savez(tmp_path / "objects.npz", about=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match=r"'objects.npz' .*it is damaged"):
        load_fitted(tmp_path / "objects.npz")
    with pytest.raises(DataError, match=r"'gone.npz' must exist: it was not found. Check"):
        load_fitted(tmp_path / "gone.npz")
    with pytest.raises(DataError, match=r"must be readable: .*Check the path"):
        load_fitted(tmp_path)


def test_a_failed_save_leaves_the_old_file(
    fitted: FittedDynamic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_fitted(fitted, tmp_path / "model.npz")
    before = path.read_bytes()

    def fail(file: Any, **arrays: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(DataError, match=r"'model.npz' must be writable: No space left on device"):
        save_fitted(fitted, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]


def test_what_cannot_be_stored_is_refused(fitted: FittedDynamic, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'model.npz' must be writable: .*Make its folder"):
        save_fitted(fitted, tmp_path / "no folder" / "model.npz")
    other: Any = SeasonalNaive().fit(make_panel())
    with pytest.raises(DataError, match="must be a fitted DynamicCounts: found FittedBySeries"):
        save_fitted(other, tmp_path / "model.npz")
