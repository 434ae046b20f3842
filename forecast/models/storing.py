"""A fitted count engine in one file, from which the next night goes on."""

from __future__ import annotations

import datetime as dt
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.data.writing import replacing
from forecast.errors import DataError
from forecast.models.calibrating import Stretch
from forecast.models.designs import share_columns
from forecast.models.draws import FloatArray
from forecast.models.dynamic import DynamicCounts
from forecast.models.fitted import FittedDynamic
from forecast.models.grids import (
    DAMPINGS,
    FORGETTING,
    SEASON_DISCOUNTS,
    SHARE_FORGETTING,
    share_settings,
    total_settings,
)
from forecast.models.states import Checkpoint, OffenceState, ShareState, TotalState
from forecast.periods import as_period, label
from forecast.seasonality.disruptions import Disruption

SCHEMA = "forecast.fitted/1"

_MISSING = -1  # in counts that are kept as whole numbers
_LEARNT = ("deviation", "scaling", "prior")  # arrays of an offence beside its checkpoints
_STRETCHES = ("total_stretch", "area_stretch")
_FIT_AGAIN = "Fit the panel again and save it with save_fitted."

Arrays = Mapping[str, NDArray[Any]]


def save_fitted(fitted: FittedDynamic, path: str | Path) -> Path:
    """Write a fitted count engine to one file, from which `load_fitted` goes on.

    The file holds the panel, the settings and all that was learnt, as numbers and JSON: it runs
    nothing when it is read. It takes its place only when it is whole, so that a failure leaves
    an older file as it was. Where the model was computed (`engine`, `address`) is not kept.

    Parameters
    ----------
    fitted : FittedDynamic
        From `DynamicCounts.fit` or `FittedDynamic.update`.
    path : str or Path
        Of the file, in NumPy's .npz format.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    DataError
        If the model is of another kind, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from forecast.data.samples import load_sample
    >>> robbery = load_sample("london").select(offence="robbery", area="Central West")
    >>> fitted = DynamicCounts().fit(robbery.before("2019-01"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load_fitted(save_fitted(fitted, f"{folder}/robbery.npz"))
    >>> bool((again.forecast(3).draws == fitted.forecast(3).draws).all())
    True
    >>> again.update(robbery.before("2019-02")).cutoff
    Period('2019-02', 'M')
    """
    if not isinstance(fitted, FittedDynamic):
        raise DataError(
            f"A stored model must be a fitted DynamicCounts: found {type(fitted).__name__}. "
            "Other models are quick to fit again."
        )
    target = Path(path)
    arrays = _describe(fitted)
    with replacing(target) as half, half.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    return target


def load_fitted(path: str | Path) -> FittedDynamic:
    """Read a fitted count engine from a file of `save_fitted`.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    FittedDynamic
        Forecasts, quantiles and updates are those of the model that was saved, to the last digit.

    Raises
    ------
    DataError
        If the file is not there, is no stored model, is damaged, or was written by a version
        that learns in another way.
    """
    source = Path(path)
    arrays = _read(source)
    try:
        about = json.loads(str(arrays["about"]))
        schema = about["schema"]
    except (KeyError, TypeError, ValueError):
        raise _not_a_model(source, "it does not say what it holds") from None
    if schema != SCHEMA:
        raise _not_a_model(source, f"it is of schema {schema!r}, and {SCHEMA!r} is read")
    try:
        fitted = _rebuild(about, arrays)
        fits = about["grid"] == _grid(fitted.panel.freq) and _shapes_agree(fitted)
    except KeyError as error:
        raise _not_a_model(source, f"its part {error.args[0]!r} is missing") from None
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise _not_a_model(source, f"its parts do not fit together ({error})") from None
    if not fits:
        raise _not_a_model(source, f"version {about['version']} learnt with other settings")
    return fitted


def _not_a_model(source: Path, found: str) -> DataError:
    """The one error of a file that cannot be used."""
    return DataError(
        f"Stored model {source.name!r} must be a whole file of save_fitted: {found}. {_FIT_AGAIN}"
    )


def _read(source: Path) -> dict[str, NDArray[Any]]:
    """All arrays of a file; reading checks them against their checksums."""
    try:
        with source.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise _not_a_model(source, "it is no .npz file, or its end is missing")
            file.seek(0)
            with np.load(file, allow_pickle=False) as held:
                return {name: held[name] for name in held.files}
    except FileNotFoundError:
        raise DataError(
            f"Stored model {source.name!r} must exist: it was not found. Check the path, or fit "
            "the panel and save it with save_fitted."
        ) from None
    except OSError as error:
        raise DataError(
            f"{source.name} must be readable: {error.strerror or error}. Check the path."
        ) from None
    except DataError:
        raise
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise _not_a_model(source, f"it is damaged ({error})") from None


def _describe(fitted: FittedDynamic) -> dict[str, Any]:
    """All arrays of a file: numbers by name, and `about`, a text in JSON."""
    panel = fitted.panel
    arrays: dict[str, Any] = {"counts": _pack(panel.values)}
    states = []
    for i, state in enumerate(fitted.states):
        arrays |= {f"{i}.{name}": getattr(state, name) for name in _LEARNT}
        stretches = {}
        for name in _STRETCHES:
            stretch = getattr(state, name)
            arrays |= {
                f"{i}.{name}.{part}": getattr(stretch, part) for part in ("steps", "factors")
            }
            stretches[name] = _pack_table(stretch.reached)
        for j, checkpoint in enumerate(state.checkpoints):
            for part in (checkpoint.total, checkpoint.share):
                if part is not None:
                    kind = type(part).__name__
                    arrays |= {f"{i}.{j}.{kind}.{name}": a for name, a in vars(part).items()}
        states.append(
            {
                "offence": state.offence,
                "checkpoints": [c.at for c in state.checkpoints],
                "shares": state.last.share is not None,
                "reached": stretches,
            }
        )
    model, regressors = fitted.model, fitted.model.regressors
    if regressors is not None:
        arrays["regressors"] = regressors.to_numpy(dtype=np.float64)
    about = {
        "schema": SCHEMA,
        "version": version("violence-forecast"),
        "grid": _grid(panel.freq),
        "panel": {
            "measure": panel.measure,
            "freq": panel.freq,
            "first": label(panel.periods[0]),
            "series": _pack_table(panel.series),
            "snapshot": asdict(panel.snapshot),
            "notes": list(panel.notes),
        },
        "model": {
            "treatment": model.treatment,
            "disruptions": [asdict(shock) for shock in model.disruptions],
            "regressors": None if regressors is None else _pack_names(regressors),
        },
        "states": states,
        "flags": _pack_table(fitted.flags),
    }
    arrays["about"] = np.array(json.dumps(about, default=dt.date.isoformat))
    return arrays


def _rebuild(about: dict[str, Any], arrays: Arrays) -> FittedDynamic:
    """The model that a file holds."""
    told = about["panel"]
    values = _unpack(arrays["counts"])
    freq = told["freq"]
    periods = pd.period_range(as_period(told["first"], freq), periods=values.shape[1], freq=freq)
    panel = Panel(
        values,
        _unpack_table(told["series"]),
        periods,
        told["measure"],
        Snapshot(**told["snapshot"]),
        tuple(told["notes"]),
    )
    model = DynamicCounts(
        disruptions=tuple(_shock(**shock) for shock in about["model"]["disruptions"]),
        treatment=about["model"]["treatment"],
        regressors=_regressors(about["model"]["regressors"], arrays, freq),
    )
    states = [_state(i, each, arrays) for i, each in enumerate(about["states"])]
    return FittedDynamic(model, panel, tuple(states), _unpack_table(about["flags"]))


def _state(i: int, told: dict[str, Any], arrays: Arrays) -> OffenceState:
    """What was learnt of the offence in row `i`."""

    def part(kind: type, key: str) -> Any:
        return kind(*(arrays[f"{i}.{key}.{f.name}"] for f in fields(kind)))

    def stretch(name: str) -> Stretch:
        steps, factors = (arrays[f"{i}.{name}.{key}"] for key in ("steps", "factors"))
        return Stretch(steps, factors, _unpack_table(told["reached"][name]))

    checkpoints = [
        Checkpoint(
            at,
            part(TotalState, f"{j}.TotalState"),
            part(ShareState, f"{j}.ShareState") if told["shares"] else None,
        )
        for j, at in enumerate(told["checkpoints"])
    ]
    learnt: dict[str, Any] = {name: arrays[f"{i}.{name}"] for name in _LEARNT}
    learnt |= {name: stretch(name) for name in _STRETCHES}
    return OffenceState(offence=told["offence"], checkpoints=tuple(checkpoints), **learnt)


def _grid(freq: str) -> dict[str, Any]:
    """The settings that states are states of: with others they would mean something else."""
    constants = (DAMPINGS, SEASON_DISCOUNTS, FORGETTING, SHARE_FORGETTING)
    return {
        "total": total_settings(freq).tolist(),
        "share": share_settings(freq).tolist(),
        "constants": [each[freq] for each in constants],
    }


def _shapes_agree(fitted: FittedDynamic) -> bool:
    """Whether the states have the shapes that the panel and the settings ask for."""
    periods, series = fitted.panel.periods, fitted.panel.series
    p = fitted.model._columns(periods[:1]).shape[1]
    waves = share_columns(periods[:1])[0].shape[1]
    k, m = len(total_settings(fitted.panel.freq)), len(share_settings(fitted.panel.freq))
    if [state.offence for state in fitted.states] != fitted.panel.offences:
        return False
    for state in fitted.states:
        n = int((series["offence"] == state.offence).sum())
        agree = state.deviation.shape == (n, waves) and state.scaling.shape == (n,)
        for checkpoint in state.checkpoints:
            shapes = [a.shape for a in vars(checkpoint.total).values()]
            agree &= shapes == [(k, p), (k, p, p), (k,), (k,)]
            agree &= (checkpoint.share is None) == (n == 1)
            if checkpoint.share is not None:
                agree &= all(a.shape == (n, m) for a in vars(checkpoint.share).values())
        if not (agree and state.checkpoints[0].at == 0 and state.last.at == len(periods)):
            return False
    return True


def _pack(values: FloatArray) -> NDArray[Any]:
    """Counts as whole numbers of 32 bits where that loses nothing, (series, period)."""
    gone = np.isnan(values)
    whole = np.where(gone, _MISSING, values)
    small = (whole >= 0) & (whole <= np.iinfo(np.int32).max) | gone
    if not small.all():
        return values
    packed = whole.astype(np.int32)
    return packed if (packed == whole).all() else values


def _unpack(packed: NDArray[Any]) -> FloatArray:
    """Counts as they were, (series, period)."""
    values = packed.astype(np.float64)
    if np.issubdtype(packed.dtype, np.integer):
        values[packed == _MISSING] = np.nan
    return values


def _pack_table(table: pd.DataFrame) -> dict[str, Any]:
    """A small table by columns; what is missing is null."""
    return {
        str(name): {
            "dtype": str(column.dtype),
            "values": column.astype(object).where(column.notna(), None).tolist(),
        }
        for name, column in table.items()
    }


def _unpack_table(told: dict[str, Any]) -> pd.DataFrame:
    """The table that was packed."""
    columns = {name: pd.Series(c["values"], dtype=c["dtype"]) for name, c in told.items()}
    return pd.DataFrame(columns)


def _pack_names(regressors: pd.DataFrame) -> dict[str, list[str]]:
    """Columns and periods of the regressors."""
    periods = pd.PeriodIndex(regressors.index)
    return {"columns": list(map(str, regressors.columns)), "periods": list(map(label, periods))}


def _regressors(told: dict[str, list[str]] | None, arrays: Arrays, freq: str) -> Any:
    """The regressors that were packed, or None."""
    if told is None:
        return None
    index = pd.PeriodIndex([as_period(p, freq) for p in told["periods"]], freq=freq)
    return pd.DataFrame(arrays["regressors"], index=index, columns=told["columns"])


def _shock(start: str, end: str, **told: Any) -> Disruption:
    """The disruption that was packed."""
    return Disruption(start=dt.date.fromisoformat(start), end=dt.date.fromisoformat(end), **told)
