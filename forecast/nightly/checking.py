"""What a night must be like before it is kept: all problems of one table together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecast.errors import DataError, join_problems, name_offenders
from forecast.nightly import schema
from forecast.nightly.dependence import Joint
from forecast.periods import as_date, as_period, first_day, label, last_day
from forecast.scoring import HUB_LEVELS

_OWN = ("run_id", "series_id", "number")  # columns that the store fills itself
_SCORE_KEYS = ("model", "origin", "area", "offence", "period", "step", "observed")
_ALERT_KEYS = ("kind", "text")


def check_forecasts(
    series: pd.DataFrame,
    periods: pd.PeriodIndex,
    values: np.ndarray,
    cutoff: pd.Period | None,
    as_of: str,
    joint: Joint | None,
) -> None:
    """Refuse forecasts that cannot be kept, or that saw a period which was still running.

    A cutoff that is not given is the first of the periods.

    Raises
    ------
    DataError
        All problems together.
    """
    absent = [name for name in ("area", "offence") if name not in series]
    if absent or not len(series) or not len(periods):
        found = f"no column {' or '.join(absent)}" if absent else "nothing"
        raise DataError(
            f"Forecasts to keep must have areas, offences and periods: found {found}. Pass the "
            "`series` and `periods` of a panel's forecast."
        )
    shape = (len(HUB_LEVELS), len(series), len(periods))
    if values.shape != shape:
        raise DataError(
            f"Quantiles to keep must have shape {shape}, (level, series, period): found "
            f"{values.shape}. Take them at the levels `forecast.scoring.HUB_LEVELS`."
        )
    problems = [
        f"Quantiles to keep must {rule}: {name_offenders(_name_series(series, bad))} "
        f"{'has others' if int(bad.sum()) == 1 else 'have others'}. {advice}"
        for rule, bad, advice in (
            (
                "be finite and not below zero",
                ~(np.isfinite(values) & (values >= 0)).all(axis=(0, 2)),
                "Leave out series without a forecast.",
            ),
            (
                "not fall as the level rises",
                (np.diff(values, axis=0) < 0).any(axis=(0, 2)),
                "Sort them with numpy.sort(quantiles, axis=0).",
            ),
        )
        if bad.any()
    ]
    run = pd.period_range(periods[0], periods=len(periods), freq=periods.freq)
    if not periods.equals(run):
        problems.append(
            f"Periods to keep must follow one another: found {len(periods)} from "
            f"{label(periods[0])} to {label(periods[-1])}. Pass the whole span."
        )
    cutoff = periods[0] if cutoff is None else cutoff
    if cutoff > periods[0]:
        problems.append(
            f"Forecasts to keep must begin at their cutoff {label(cutoff)} or later: found "
            f"{label(periods[0])}. Pass the first period that was not seen."
        )
    if first_day(cutoff) > as_date(as_of):
        problems.append(
            f"Cutoff must not lie after the night of {as_of}: found {label(cutoff)}, so that a "
            "period was seen which had not ended. Forecast from panel.before(...) of the night."
        )
    problems += _find_misfits(series, len(periods), joint)
    if problems:
        raise DataError(join_problems(problems))


def _name_series(series: pd.DataFrame, bad: Any) -> list[str]:
    """Area and offence of some rows, as messages write them."""
    rows = series.loc[np.asarray(bad), ["area", "offence"]]
    return [f"{area}, {offence}" for area, offence in rows.itertuples(index=False)]


def _find_misfits(series: pd.DataFrame, periods: int, joint: Joint | None) -> list[str]:
    """What keeps `joint` from being of the same series and periods."""
    if joint is None:
        return []
    names = ["area", "offence"]
    same = [each[names].astype(str).to_numpy().tolist() for each in (series, joint.series)]
    if same[0] == same[1] and joint.factors.shape[1] == periods:
        return []
    return [
        f"Argument joint must be of the same series and periods: it is of {len(joint.series)} "
        f"series and {joint.factors.shape[1]} periods. Take it from find_joint of this forecast."
    ]


def tidy_scores(frame: pd.DataFrame, as_of: str) -> tuple[pd.DataFrame, str]:
    """Return scores as the store keeps them, and the frequency of their periods.

    Raises
    ------
    DataError
        If columns are missing or not known, frequencies differ, or a period was still running.
    """
    columns = [c.name for c in schema.scores.columns if c.name not in _OWN]
    _check_columns(frame, "Scores", [*_SCORE_KEYS, *columns], _SCORE_KEYS)
    if frame.empty:
        return frame, ""
    tidy = frame.copy()
    found = {name: pd.factorize(frame[name]) for name in ("period", "origin")}
    freqs = {str(getattr(p, "freqstr", None)) for _, some in found.values() for p in some}
    if len(freqs) != 1 or freqs == {"None"}:
        raise DataError(
            f"Scores must be of periods of one frequency: found {name_offenders(sorted(freqs))}. "
            "Pass pandas Periods, and each frequency by itself."
        )
    running = sorted(p for p in found["period"][1] if last_day(p) >= as_date(as_of))
    if running:
        raise DataError(
            f"Scores must be of periods that ended before the night of {as_of}: "
            f"{name_offenders([label(p) for p in running])} had not. Leave them for a later night."
        )
    for name, (codes, periods) in found.items():
        tidy[name] = np.array([label(p) for p in periods], dtype=object)[codes]
    tidy["step"] = frame["step"].astype(int)
    return tidy, freqs.pop()


def tidy_alerts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return alerts as the store keeps them.

    Raises
    ------
    DataError
        If columns are missing or not known.
    """
    columns = [c.name for c in schema.alerts.columns if c.name not in _OWN]
    _check_columns(frame, "Alerts", columns, _ALERT_KEYS)
    tidy = frame.copy()
    for name in {"period", "first"} & set(frame.columns):
        tidy[name] = [label(p) if isinstance(p, pd.Period) else p for p in frame[name]]
    return tidy


def _check_columns(
    frame: pd.DataFrame, what: str, known: Sequence[str], needed: Sequence[str]
) -> None:
    """Refuse a frame that lacks columns, or has some that would be lost."""
    problems = []
    absent = [name for name in needed if name not in frame]
    if absent:
        problems.append(f"{what} must have the columns {', '.join(needed)}: {', '.join(absent)} "
                        f"{'is' if len(absent) == 1 else 'are'} missing. Add them.")  # fmt: skip
    strange = [str(name) for name in frame.columns if name not in known]
    if strange:
        problems.append(
            f"{what} must have no columns but those that are kept: found "
            f"{name_offenders(strange)}. Drop them, or choose from {', '.join(known)}."
        )
    if problems:
        raise DataError(join_problems(problems))


def as_night(value: Any) -> str:
    """Return the date of a night as ISO text.

    Examples
    --------
    >>> as_night(pd.Timestamp("2020-10-19 03:15"))
    '2020-10-19'
    """
    if isinstance(value, pd.Period):
        return str(first_day(as_period(value, "D")))
    return str(as_date(value, subject="Night"))
