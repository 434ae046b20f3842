"""Forecasts as files that others read and write: quantiles in the hubverse's columns.

One row a quantile: `origin_date` (first day that was not seen), `target` (the offence),
`horizon` (1 is the period that begins on the origin date), `target_end_date` (last day of the
period), `location` (the area), `output_type` ("quantile"), `output_type_id` (its level),
`value` (the count), `model_id`. A file holds one forecast: one model, one origin.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast.data.csvtables import read_table, refuse_uneven
from forecast.data.writing import replacing
from forecast.errors import DataError, join_problems, name_offenders
from forecast.models.draws import Forecast, quantile
from forecast.models.quantiles import QuantileForecast, lay_out_cells
from forecast.periods import FREQUENCIES, as_date, as_period, first_day, label, last_day
from forecast.scoring import HUB_LEVELS

COLUMNS = (
    *("origin_date", "target", "horizon", "target_end_date", "location"),
    *("output_type", "output_type_id", "value", "model_id"),
)
"""Columns of a file, in their order."""

_FURTHEST, _NO_YEAR = 1000, 9000  # the furthest horizon; calendars end with the year 9999
_CELL = ["location", "target", "horizon"]


def write_hub(
    forecast: Forecast, path: str | Path, *, levels: Sequence[float] = HUB_LEVELS
) -> Path:
    """Write the quantiles of a forecast as a file in the hubverse's columns.

    Values are whole counts and never fall as the level rises. A file that is there is replaced;
    nothing half written is left behind.

    Parameters
    ----------
    forecast : Forecast
    path : str or Path
        Ends in .csv or .parquet.
    levels : sequence of float, default the 23 of the forecast hubs
        Between 0 and 1.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    DataError
        If it is no `Forecast`, begins before its cutoff, or the file cannot be written.
    ForecastError
        If a level is not between 0 and 1.

    References
    ----------
    Consortium of Infectious Disease Modeling Hubs, hubverse documentation, "Model output":
    quantile output type, and task identifiers by their usual names.

    Examples
    --------
    >>> import tempfile
    >>> from forecast.data.samples import load_sample
    >>> from forecast.models.naive import SeasonalNaive
    >>> robbery = load_sample("london").select(offence="robbery").total()
    >>> ahead = SeasonalNaive().fit(robbery.before("2020-01")).forecast(3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_hub(write_hub(ahead, Path(folder) / "ahead.csv"))
    QuantileForecast(1 series, 2020-01 to 2020-03, monthly, 23 quantiles by SeasonalNaive, nothing seen from 2020-01 on)
    """  # noqa: E501
    if not isinstance(forecast, Forecast):
        raise DataError(
            f"Forecast to write must be a Forecast: found {type(forecast).__name__}. Of a fitted "
            "model, write fitted.forecast(3)."
        )
    target = Path(path)
    if target.suffix not in (".csv", ".parquet"):
        raise DataError(
            f"File to write must be CSV or Parquet: found {target.name!r}. End its name in .csv "
            "or .parquet."
        )
    if forecast.periods[0] < forecast.cutoff:
        raise DataError(
            f"Forecast to write must begin at its cutoff {label(forecast.cutoff)} or later: found "
            f"{label(forecast.periods[0])}. Forecast from an earlier cutoff."
        )
    frame = _to_rows(forecast, sorted(set(levels)))
    with replacing(target) as half:
        _write_rows(frame, half, parquet=target.suffix == ".parquet")
    return target


def _to_rows(forecast: Forecast, levels: Sequence[float]) -> pd.DataFrame:
    """One row a series, period and level."""
    values = quantile(forecast.draws, levels).astype(np.int64)  # (level, series, period)
    cells = lay_out_cells(forecast)
    ends = [str(last_day(period)) for period in cells["period"]]
    frame = pd.DataFrame(
        {
            "origin_date": str(first_day(forecast.cutoff)),
            "target": cells["offence"],
            "horizon": cells["step"],
            "target_end_date": ends,
            "location": cells["area"],
            "output_type": "quantile",
        }
    )
    frame = frame.loc[frame.index.repeat(len(levels))].reset_index(drop=True)
    frame["output_type_id"] = np.tile(np.asarray(levels, dtype=np.float64), len(cells))
    frame["value"] = np.moveaxis(values, 0, 2).ravel()
    frame["model_id"] = forecast.model
    return frame[list(COLUMNS)]


_DATED = """
SELECT * REPLACE (origin_date::DATE AS origin_date, target_end_date::DATE AS target_end_date)
FROM rows
"""


def _write_rows(frame: pd.DataFrame, path: Path, *, parquet: bool) -> None:
    """Write rows in one of the two formats; what DuckDB cannot write is an OSError as well."""
    if not parquet:
        frame.to_csv(path, index=False, lineterminator="\n")
        return
    import duckdb  # takes longer to import than a small file takes to write

    try:
        with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
            connection.register("rows", frame)
            connection.sql(_DATED).write_parquet(str(path))
    except duckdb.IOException as error:
        raise OSError(str(error).partition("\n")[0]) from None


def read_hub(path: str | Path) -> QuantileForecast:
    """Read a forecast from a file in the hubverse's columns, wherever it was made.

    Parameters
    ----------
    path : str or Path
        CSV (plain or gzip) or Parquet; other columns are left alone. The frequency follows from
        the dates: daily, weekly from Monday to Sunday, or monthly.

    Returns
    -------
    QuantileForecast
        Series and periods in order of first appearance and of time.

    Raises
    ------
    DataError
        All problems of the file together: columns that are not there, rows that are no
        quantiles, levels that are no probabilities, quantiles that cross, rows that repeat.
    """
    source = Path(path)
    frame = _read_text(source)
    problems = [f"{source.name} must {problem}" for problem in _find_problems(frame)]
    if problems:
        raise DataError(join_problems(problems))
    return _to_forecast(frame)


def _read_text(source: Path) -> pd.DataFrame:
    """Cells of a file as text, one row named after its place in the file."""
    try:
        with source.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        if not is_parquet:
            table = read_table(source.read_bytes(), source.name)
            refuse_uneven(table)
            places = [f"line {line}" for line in table.lines]
            cells = {name: table.column(at) for at, name in enumerate(table.headers)}
            return pd.DataFrame(cells, index=places, dtype=object)
    except OSError as error:
        raise DataError(
            f"{source.name} must be readable: {error.strerror}. Check the path."
        ) from None
    import duckdb

    try:
        with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
            asked = "SELECT COLUMNS(*)::VARCHAR FROM read_parquet(?)"
            found = connection.execute(asked, [glob.escape(str(source))])
            names, rows = [d[0] for d in found.description or ()], found.fetchall()
    except duckdb.Error:
        raise DataError(
            f"{source.name} must be a whole Parquet file: it cannot be read. Save it again."
        ) from None
    text = [[("" if cell is None else cell.removesuffix(" 00:00:00")) for cell in r] for r in rows]
    places = [f"row {number}" for number in range(1, len(rows) + 1)]
    return pd.DataFrame(text, columns=names, index=places, dtype=object)


def _number(text: str) -> float:
    """A number, NaN when the text is none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _is_day(text: str) -> bool:
    """Whether a text is a day of the calendar."""
    try:
        return as_date(text).year < _NO_YEAR
    except DataError:
        return False


def _is_count(text: str) -> bool:
    """Whether a text is a number that a count's quantile can be."""
    return isfinite(_number(text)) and _number(text) >= 0


def _is_step(text: str) -> bool:
    """Whether a text is a whole number of periods that a forecast may be ahead."""
    return 1 <= _number(text) <= _FURTHEST and _number(text) % 1 == 0


_DAY = (_is_day, "days", "Write them YYYY-MM-DD.")
_NAME = (bool, "names", "Name every row.")
_RULES: dict[str, tuple[Callable[[str], bool], str, str]] = {
    "origin_date": _DAY,
    "target": _NAME,
    "horizon": (
        _is_step,
        f"whole numbers from 1 to {_FURTHEST:,}",
        "The period of the origin date is 1.",
    ),
    "target_end_date": _DAY,
    "location": _NAME,
    "output_type_id": (
        lambda text: 0 < _number(text) < 1,
        "probabilities between 0 and 1",
        "Write 0.975 for 97.5 per cent.",
    ),
    "value": (_is_count, "numbers of zero or more", "Correct them, or leave the file out."),
    "model_id": _NAME,
}


def _find_problems(frame: pd.DataFrame) -> list[str]:
    """Everything that is wrong with the rows of a file."""
    problems = []
    absent = [name for name in COLUMNS if name not in frame]
    if absent:
        problems.append(
            f"have the columns of a forecast hub: {name_offenders(absent, 9)} "
            f"{'is' if len(absent) == 1 else 'are'} not there. Add them."
        )
    if not len(frame):
        return [*problems, "hold rows: it has none. Write the forecast again."]
    if "output_type" in frame:
        wrong = frame.index[frame["output_type"] != "quantile"]
        frame = frame.drop(index=wrong)
        if len(wrong):
            problems.append(
                f"hold rows of output_type 'quantile' alone: found others in "
                f"{name_offenders(list(wrong))}. Leave these rows out."
            )
    good = np.ones(len(frame), dtype=bool)  # (row,)
    for name in [name for name in _RULES if name in frame]:
        check, rule, advice = _RULES[name]
        bad = np.array([not check(text) for text in frame[name]], dtype=bool)  # (row,)
        good &= ~bad
        if bad.any():
            found = [f"{t!r} in {p}" for p, t in frame.loc[bad, name].items()]
            problems.append(f"have {rule} in {name}: found {name_offenders(found)}. {advice}")
    return problems if absent else problems + _find_misfits(frame[good], whole=not problems)


def _find_misfits(frame: pd.DataFrame, *, whole: bool) -> list[str]:
    """What is wrong between rows that are right by themselves; gaps are sought in whole files."""
    problems = [
        f"hold one {name}: found {name_offenders(found)}. Split the file."
        for name in ("model_id", "origin_date")
        if len(found := frame[name].unique().tolist()) > 1
    ]
    if problems or frame.empty:
        return problems
    typed = frame.assign(**{c: frame[c].map(_number) for c in ("horizon", "output_type_id")})
    typed["value"] = frame["value"].map(_number)
    freq = _find_frequency(typed)
    if freq is None:
        problems.append(
            "have in target_end_date the last day of day, Monday-to-Sunday week or month number "
            "`horizon`, the first beginning on the origin_date: these do not agree in all rows. "
            "Correct the dates, or count horizons from 1."
        )
    repeated = typed.index[typed.duplicated([*_CELL, "output_type_id"])]
    if len(repeated):
        problems.append(
            "hold one row a location, target, horizon and level: found repeated ones in "
            f"{name_offenders(list(repeated))}. Drop the copies."
        )
    ordered = typed.sort_values([*_CELL, "output_type_id"], kind="stable")
    falls = ordered["value"].diff() < 0
    falls &= (ordered[_CELL] == ordered[_CELL].shift()).all(axis=1)
    if falls.any():
        rows = ordered[falls].drop_duplicates(_CELL)
        names = [f"{r.location}, {r.target}, horizon {r.horizon:g}" for r in rows.itertuples()]
        problems.append(
            f"have values that do not fall as the level rises: quantiles cross in "
            f"{name_offenders(names)}. Sort the values of each forecast."
        )
    series = len(typed.drop_duplicates(["location", "target"]))
    wanted = series * typed["horizon"].nunique() * typed["output_type_id"].nunique()
    if whole and not len(repeated) and wanted != len(typed):
        problems.append(
            f"hold every level for every location, target and horizon: {wanted - len(typed):,} of "
            f"{wanted:,} rows are not there. Add them, or split the file."
        )
    return problems


def _find_frequency(typed: pd.DataFrame) -> str | None:
    """The frequency that the dates of all rows agree with."""
    dates = typed[["origin_date", "horizon", "target_end_date"]].drop_duplicates()
    rows = dates.to_numpy().tolist()
    return next((f for f in FREQUENCIES if all(_is_dated(row, f) for row in rows)), None)


def _is_dated(row: Sequence[Any], freq: str) -> bool:
    """Whether the origin date, horizon and end date of a row are those of a frequency."""
    origin, horizon, end = row
    first = as_period(origin, freq)
    return (str(first_day(first)), str(last_day(first + int(horizon) - 1))) == (origin, end)


def _to_forecast(frame: pd.DataFrame) -> QuantileForecast:
    """The forecast that good rows hold."""
    typed = frame.assign(horizon=frame["horizon"].map(_number))
    level, values = (
        np.array([_number(text) for text in frame[name]]) for name in ("output_type_id", "value")
    )  # (row,) each
    freq = str(_find_frequency(typed))
    levels, which = np.unique(level, return_inverse=True)
    steps, ahead = np.unique(typed["horizon"].astype(int), return_inverse=True)
    names = frame[["location", "target"]].drop_duplicates()
    known = pd.MultiIndex.from_frame(names)
    row = known.get_indexer(pd.MultiIndex.from_frame(frame[["location", "target"]]))
    block = np.full((len(levels), len(names), len(steps)), np.nan)
    block[which, row, ahead] = values
    cutoff = as_period(frame["origin_date"].iloc[0], freq)
    series = pd.DataFrame({"area": [n[0] for n in known], "offence": [n[1] for n in known]})
    periods = pd.PeriodIndex([cutoff + int(step) - 1 for step in steps], freq=freq)
    model = str(frame["model_id"].iloc[0])
    return QuantileForecast(block, tuple(levels.tolist()), series, periods, cutoff, model)
