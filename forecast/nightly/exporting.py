"""Nights as files that others read: quantiles in the hubverse's columns, written by DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast.data.writing import replacing
from forecast.errors import DataError, name_offenders
from forecast.models.hub import COLUMNS
from forecast.models.quantiles import QuantileForecast, lay_out_cells
from forecast.nightly.checking import as_night
from forecast.nightly.looking_back import Found, Kind, to_quantiles
from forecast.nightly.store import Store
from forecast.periods import FREQUENCY_NAMES, first_day, last_day


def export_hub(
    store: Store,
    folder: str | Path,
    *,
    as_of: Any = None,
    since: Any = None,
    model: str | None = None,
    totals: bool = False,
) -> list[Path]:
    """Write nights as Parquet files in the columns of the forecast hubs.

    One file a night and model, in a folder of the model's name, as hubs lay out their model
    output: `<model>/<night>-<model>.parquet`. Where a night has several measures, frequencies or
    origins of one model, each gets a file and the names say which. A file holds one origin, as
    `forecast.read_hub` reads it. Files that are there are replaced, each as a whole.

    Parameters
    ----------
    store : Store
    folder : str or Path
        Made when it is not there.
    as_of : date or str, optional
        One night alone: the last one at or before this date. The last of all unless `since` is
        given.
    since : date or str, optional
        All nights from this date on whose forecasts are still kept.
    model : str, optional
        All unless given.
    totals : bool, default False
        The sums over areas in place of the areas.

    Returns
    -------
    list of Path
        Of the files, in order of night.

    Raises
    ------
    DataError
        If no night fits, or a file cannot be written.

    References
    ----------
    Consortium of Infectious Disease Modeling Hubs, hubverse documentation, "Model output".
    """
    if as_of is not None and since is not None:
        raise DataError(
            "Export must be of one night or of several: found both as_of and since. Drop one."
        )
    dates = [as_of] if since is None else _nights_since(store, as_night(since))
    made = []
    for date in dates:
        kinds = [kind for kind in store.kinds(date) if model in (None, kind.model)]
        if not kinds:
            raise DataError(
                f"Night to export must hold forecasts by {model or 'a model'}: found none. Leave "
                "the model out, or ask for another night."
            )
        for kind in kinds:
            found = store.find(date, kind=kind, totals=totals)
            target = Path(folder) / kind.model / f"{_name_file(found, kinds, totals)}.parquet"
            _make_folder(target.parent)
            with replacing(target) as half:
                write_parquet(to_quantiles(found), half)
            made.append(target)
    return made


def _make_folder(place: Path) -> None:
    """Make a folder and those above it."""
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"Folder {place.name!r} must be writable: {error.strerror or error}. Ask for access, "
            "or name another folder."
        ) from None


def _name_file(found: Found, kinds: Sequence[Kind], totals: bool) -> str:
    """Name of a file without its end: the night, the model, and what tells it from others."""
    parts = [found.night.as_of, found.model]
    mine = [kind for kind in kinds if kind.model == found.model]
    told = {
        "measure": found.measure.replace(" ", "-"),
        "freq": FREQUENCY_NAMES[found.freq],
        "cutoff": f"from-{first_day(found.cutoff)}",
        "first": f"first-{first_day(found.periods[0])}",
        "periods": f"{len(found.periods)}-periods",
    }
    parts += [text for name, text in told.items() if len({getattr(k, name) for k in mine}) > 1]
    return "-".join([*parts, "totals"] if totals else parts)


def _nights_since(store: Store, since: str) -> list[str]:
    """Dates of nights whose forecasts are kept."""
    nights = store.nights()
    found = [night.as_of for night in nights if night.as_of >= since and not night.pruned]
    if not found:
        last = nights[-1].as_of if nights else "none"
        raise DataError(
            f"Store {store.name!r} must hold a night since {since}: the last one is "
            f"{name_offenders([last])}. Ask for an earlier date."
        )
    return found


def write_parquet(forecast: QuantileForecast, path: Path) -> None:
    """Write the quantiles of a forecast, one row a quantile; an OSError where that fails.

    The rows are made by DuckDB out of one row a cell, so that they never are in memory at once.
    """
    import duckdb  # takes longer to import than a small night takes to write

    cells = lay_out_cells(forecast)
    days = {period: str(last_day(period)) for period in forecast.periods}
    wide = pd.DataFrame(
        {
            "target": cells["offence"].to_numpy(),
            "horizon": cells["step"].to_numpy(),
            "target_end_date": [days[period] for period in cells["period"]],
            "location": cells["area"].to_numpy(),
        }
    )
    values = np.moveaxis(forecast.values, 0, 2).reshape(len(wide), len(forecast.levels))
    for index, column in enumerate(values.T):
        wide[f"q{index}"] = column
    levels = ", ".join(f"{level!r}" for level in forecast.levels)
    columns = ", ".join(f"q{index}" for index in range(len(forecast.levels)))
    order = {
        "origin_date": f"DATE '{first_day(forecast.cutoff)}'",
        "target_end_date": "target_end_date::DATE",
        "output_type": "'quantile'",
        "output_type_id": "UNNEST([" + levels + "])",
        "value": f"UNNEST([{columns}])",
        "model_id": "$model",
    }
    asked = ", ".join(f"{order[name]} AS {name}" if name in order else name for name in COLUMNS)
    try:
        with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
            connection.register("cells", wide)
            found = connection.sql(f"SELECT {asked} FROM cells", params={"model": forecast.model})  # noqa: S608
            found.write_parquet(str(path), compression="zstd")
    except duckdb.IOException as error:
        raise OSError(str(error).partition("\n")[0]) from None
