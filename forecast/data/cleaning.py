"""The door: a tidy frame is checked here once, all its problems together, and trusted after.

Missing is not zero: a row that is absent, or a count that is empty, stays missing unless the
caller says that absent rows are zeros.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast.data.csvtables import MOST
from forecast.data.spelling import unify
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import UNIT_NAMES, as_periods, label

REQUIRED = ("area", "offence", "period", "count")
"""Columns of a tidy frame; `group` may stand beside them."""


def check_tidy(
    frame: pd.DataFrame,
    freq: str | None = None,
    *,
    subject: str = "Panel",
    first_line: int | Sequence[int] = 0,
) -> pd.DataFrame:
    """Check a tidy frame and return it with clean types.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `area, offence, period, count` and perhaps `group`; other columns are refused.
    freq : str, optional
        D, W-SUN or M when the frequency must not be inferred.
    subject : str, default "Panel"
        What the messages call the input, for example the name of a file.
    first_line : int or sequence of int, default 0
        Line number of the first row when the frame was read from a file, or of every row when
        some lines were blank; 0 when there is no file.

    Returns
    -------
    pandas.DataFrame
        A new frame: `area`, `offence` (and `group`) as text, `period` as Period, `count` as
        float with NaN for missing.

    Raises
    ------
    DataError
        All problems together: missing columns, no rows, text, negative or fractional counts,
        empty names, unreadable periods, repeated rows.

    Examples
    --------
    >>> tidy = pd.DataFrame({"area": ["A"], "offence": ["robbery"],
    ...                      "period": ["2020-10"], "count": [3]})
    >>> check_tidy(tidy)["period"].iloc[0]
    Period('2020-10', 'M')
    """
    _check_columns(frame, subject)
    problems: list[str] = []
    clean = pd.DataFrame(index=range(len(frame)))
    for name in ("area", "offence", *(["group"] if "group" in frame else [])):
        clean[name] = _clean_names(frame[name], name, subject, first_line, problems)
    clean["period"] = _clean_periods(frame["period"], freq, subject, first_line, problems)
    clean["count"] = _clean_counts(frame["count"], subject, first_line, problems)
    if problems:
        raise DataError(join_problems(problems))
    _refuse_repeats(clean, subject)
    return clean


def _check_columns(frame: pd.DataFrame, subject: str) -> None:
    """Refuse missing or unknown columns, and an empty frame."""
    repeated = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
    if repeated:
        raise DataError(
            f"{subject} must have columns that differ: {name_offenders(repeated)} found twice. "
            "Drop or rename the copies."
        )
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        raise DataError(
            f"{subject} must have the columns {', '.join(REQUIRED)}: {name_offenders(missing)} "
            f"not found among {name_offenders([str(c) for c in frame.columns], 8) or 'none'}. "
            "Rename the columns."
        )
    unknown = [str(c) for c in frame.columns if c not in (*REQUIRED, "group")]
    if unknown:
        raise DataError(
            f"{subject} must have only the columns {', '.join(REQUIRED)} and perhaps group: "
            f"{name_offenders(unknown)} found as well. Drop or rename them."
        )
    if frame.empty:
        raise DataError(f"{subject} must hold at least one count: it has no rows. Load a full one.")


def _at(position: int, first_line: int | Sequence[int]) -> str:
    """Where a row stands, as a reader would look for it."""
    if not isinstance(first_line, int):
        return f"line {first_line[position]}"
    return f"line {position + first_line}" if first_line else f"row {position}"


def _clean_names(
    column: pd.Series,
    name: str,
    subject: str,
    first_line: int | Sequence[int],
    problems: list[str],
) -> pd.Series:
    """Names as text, each written in one way; empty ones are a problem."""
    text = column.reset_index(drop=True).astype("object")
    blank = text.isna() | (text.astype(str).str.strip() == "")
    if blank.any():
        where = [_at(i, first_line) for i in np.flatnonzero(blank).tolist()]
        problems.append(
            f"{subject} must name the {name} of every row: it is empty in "
            f"{name_offenders(where)}. Fill it in, or drop the rows."
        )
    known = text.where(~blank, "").astype(str)
    return known.map(unify(known.unique()))


def _clean_periods(
    column: pd.Series,
    freq: str | None,
    subject: str,
    first_line: int | Sequence[int],
    problems: list[str],
) -> pd.PeriodIndex | None:
    """Periods of one frequency; unreadable ones are a problem, named with their first place."""
    written = column.tolist()
    try:
        return as_periods(written, freq)
    except DataError as error:
        problems.append(f"{subject}: {error}")
    for i, value in enumerate(written):
        try:
            as_periods([value], freq)
        except DataError:
            problems[-1] += f" The first is in {_at(i, first_line)}."
            break
    return None


def _clean_counts(
    column: pd.Series, subject: str, first_line: int | Sequence[int], problems: list[str]
) -> pd.Series:
    """Counts as floats; text, negative, fractional and impossible ones are problems."""
    raw = column.reset_index(drop=True)
    if raw.dtype == object or pd.api.types.is_string_dtype(raw.dtype):
        raw = raw.where(raw.isna(), raw.astype(str).str.strip()).replace("", None)
    numbers = pd.to_numeric(raw, errors="coerce").astype(float)
    is_text = numbers.isna() & raw.notna()
    kinds = (
        ("be numbers", is_text, "Correct them, or leave the cell empty when the count is missing."),
        ("be finite", np.isinf(numbers), "Correct them."),
        (f"be below {MOST:,}", np.isfinite(numbers) & (numbers >= MOST), "Correct them."),
        ("not be negative", numbers < 0, "Correct them, or leave the cell empty."),
        (
            "be whole",
            np.isfinite(numbers) & (numbers % 1 != 0),
            "Load counts of events, not rates or averages.",
        ),
    )
    for rule, bad, advice in kinds:
        if bad.any():
            found = [f"{raw[i]!r} in {_at(i, first_line)}" for i in np.flatnonzero(bad).tolist()]
            problems.append(f"{subject}: counts must {rule}: {name_offenders(found)}. {advice}")
    return numbers


def _refuse_repeats(clean: pd.DataFrame, subject: str) -> None:
    """One row per area, offence and period."""
    repeats = clean[clean.duplicated(["area", "offence", "period"])]
    if len(repeats):
        unit = UNIT_NAMES[pd.PeriodIndex(clean["period"]).freqstr]
        keys = zip(repeats["area"], repeats["offence"], repeats["period"], strict=True)
        found = [f"{area} {offence} {label(period)}" for area, offence, period in keys]
        rows = "1 row repeats" if len(found) == 1 else f"{len(found):,} rows repeat"
        raise DataError(
            f"{subject} must have one row per area, offence and {unit}: {rows} "
            f"({name_offenders(found)}). Add them up before loading, or drop the copies."
        )
