"""Runs: three weeks or months of counts in the upper half of their forecasts; and the memory.

Each count has its place in the forecast that was published before it (`pit`, from 0 to 1). Of
good forecasts, one period ahead, these places are independent from one period to the next
(Diebold, Gunther & Tay 1998), so their normal scores can be added up (Stouffer). A rise that
lasts moves all of them a little, and the sum a lot, long before any one count is rare.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import false_discovery_control

from forecast.periods import as_period, label
from forecast.reporting.formatting import capitalise, say_window, write_count

FloatArray = NDArray[np.float64]
Key = tuple[str, str]

_WEEKS = ("above for three weeks", "still above for three weeks", "no longer above for three weeks")
_MONTHS = tuple(kind.replace("weeks", "months") for kind in _WEEKS)
RUN_KINDS = {"D": _WEEKS, "W-SUN": _WEEKS, "M": _MONTHS}
"""Kinds of alerts of runs by frequency: it began, it goes on, it ended."""

BLOCKS = 3
"""Weeks, or months, of a run."""

_LENGTHS = {"D": 7, "W-SUN": 1, "M": 1}  # periods of a block

RUN_RATE = 0.01
"""Chance of any false run on a night on which nothing changed: at most one night in a hundred."""

KEEP = 0.05
"""A run goes on while such three weeks, or rarer ones, have at most this chance."""

_FURTHEST = 1e-6  # a place in the forecast is no nearer than this to 0 or 1: a score of 4.75


@dataclass(frozen=True)
class Episode:
    """A warning of an earlier night that has not ended.

    Attributes
    ----------
    key : tuple of str
        Area and offence.
    row : mapping
        The last alert of it.
    """

    key: Key
    row: Mapping[str, Any]

    @property
    def first(self) -> str:
        """The period that it began with, as text."""
        return str(self.row["first"] if _is_there(self.row["first"]) else self.row["period"])

    @property
    def periods(self) -> int:
        """How many periods it has lasted."""
        return int(self.row["periods"]) if _is_there(self.row["periods"]) else 1

    def go_on(self, kind: str) -> dict[str, object]:
        """Return its row where there is no newer count: as it was, and no news."""
        return self._again(kind, str(self.row["text"]))

    def end(self, kind: str, why: str) -> dict[str, object]:
        """Return the row of its end for a reason that is no count."""
        area, offence = self.key
        return self._again(kind, f"{capitalise(offence)}, {area}: {why}.")

    def _again(self, kind: str, text: str) -> dict[str, object]:
        names = ("area", "offence", "model", "period", "first", "periods", "observed", "expected",
                 "lower", "upper", "p", "q")  # fmt: skip
        kept = {name: self.row.get(name) for name in names}
        kept = {name: value if _is_there(value) else None for name, value in kept.items()}
        return {"kind": kind, **kept, "text": text}


def _is_there(value: Any) -> bool:
    """Whether a cell of the memory holds something."""
    return value is not None and not pd.isna(value)


def recall(memory: pd.DataFrame, kinds: Sequence[str]) -> dict[Key, Episode]:
    """Return the warnings that have not ended, by area and offence.

    Parameters
    ----------
    memory : pandas.DataFrame
        Alerts of earlier nights, oldest first.
    kinds : sequence of str
        It began, it goes on, it ended.

    Examples
    --------
    >>> seen = pd.DataFrame({"kind": ["above expected"] * 2 + ["no longer above expected"],
    ...                      "area": ["A", "B", "A"], "offence": ["robbery"] * 3})
    >>> recall(seen, ("above expected", "still above expected", "no longer above expected")).keys()
    dict_keys([('B', 'robbery')])
    """
    if memory.empty:
        return {}
    mine = memory[memory["kind"].isin(list(kinds))]
    if "as_of" in mine:
        mine = mine.sort_values("as_of", kind="stable")
    last = mine.drop_duplicates(["area", "offence"], keep="last")
    rows = last[last["kind"] != kinds[2]].to_dict("records")
    return {
        (str(row["area"]), str(row["offence"])): Episode(
            (str(row["area"]), str(row["offence"])), {str(k): v for k, v in row.items()}
        )
        for row in rows
    }


def find_runs(
    scores: pd.DataFrame,
    memory: pd.DataFrame,
    here: set[Key],
    *,
    model: str,
    freq: str,
    rate: float = RUN_RATE,
) -> list[dict[str, object]]:
    """Return the rows of runs: what began, what goes on, what ended.

    A series is above for three weeks when, in each of the last three weeks, the scores of its
    places add up to more than zero, and their sum over all three is rarer than false discoveries
    allow over all series (Benjamini & Hochberg 1995).

    Parameters
    ----------
    scores : pandas.DataFrame
        As `Store.scores` gives them; `pit` is needed, and what has none is left out.
    memory : pandas.DataFrame
        Alerts of earlier nights.
    here : set
        Areas and offences that are still counted.
    model : str
        Whose forecasts are looked at.
    freq : {"D", "W-SUN", "M"}
    rate : float, default 0.01
        The chance of any false run on a night on which nothing changed.

    Returns
    -------
    list of dict
    """
    kinds = RUN_KINDS[freq]
    open_ones = recall(memory, kinds)
    places = lay_out_places(scores, model, freq)
    runs = pd.DataFrame() if places is None else judge_runs(places, freq)
    rows = []
    if len(runs):
        runs["q"] = false_discovery_control(runs["p"], method="bh")
        runs = runs.sort_values("p", kind="stable")
    found: dict[Key, dict[Any, Any]] = {
        (run["area"], run["offence"]): run for run in runs.to_dict("records")
    }
    for key, run in found.items():
        if run["q"] <= rate and run["every"] and key not in open_ones:
            rows.append(_tell(run, kinds[0], model, run["first"], freq))
    for key, episode in open_ones.items():
        now = found.get(key)
        if key not in here:
            rows.append(episode.end(kinds[2], "it is not counted any more"))
        elif now is None:
            rows.append(episode.go_on(kinds[1]))
        else:
            kind = kinds[1] if now["p"] <= KEEP else kinds[2]
            rows.append(_tell(now, kind, model, as_period(episode.first, freq), freq))
    return rows


@dataclass(frozen=True, eq=False)
class Places:
    """Where counts lay in their forecasts.

    Attributes
    ----------
    series : pandas.MultiIndex
        Area and offence.
    periods : pandas.PeriodIndex
        One after another, the newest last.
    scores : numpy.ndarray
        Normal scores of places, NaN where there is none, (series, period).
    observed, median : numpy.ndarray
        (series, period).
    steps : numpy.ndarray
        How many periods ahead, (series, period).
    """

    series: pd.MultiIndex
    periods: pd.PeriodIndex
    scores: FloatArray
    observed: FloatArray
    median: FloatArray
    steps: FloatArray


def lay_out_places(scores: pd.DataFrame, model: str, freq: str) -> Places | None:
    """Return where counts lay in the last forecast before each, None where nothing is known."""
    if scores.empty or "pit" not in scores:
        return None
    mine = scores[(scores["model"] == model) & scores["pit"].notna()]
    if "freq" in mine:
        mine = mine[mine["freq"] == freq]
    if mine.empty:
        return None
    order = ["as_of", "step"] if "as_of" in mine else ["step"]
    mine = mine.sort_values(order, ascending=[False, True][-len(order) :], kind="stable")
    mine = mine.drop_duplicates(["area", "offence", "period"])  # a later night knows better
    known = {text: as_period(text, freq) for text in mine["period"].unique()}
    periods = pd.period_range(min(known.values()), max(known.values()), freq=freq)
    at = periods.get_indexer(pd.PeriodIndex([known[t] for t in mine["period"]], freq=freq))
    keys = pd.MultiIndex.from_frame(mine[["area", "offence"]])
    series = keys.unique()
    row = series.get_indexer(keys)
    blocks = []
    for name in ("pit", "observed", "median", "step"):
        block = np.full((len(series), len(periods)), np.nan)
        block[row, at] = mine[name].to_numpy(dtype=np.float64)
        blocks.append(block)
    place = np.clip(blocks[0], _FURTHEST, 1 - _FURTHEST)
    return Places(series, periods, ndtri(place), blocks[1], blocks[2], blocks[3])


def judge_runs(places: Places, freq: str) -> pd.DataFrame:
    """Return how rare the last three weeks, or months, of each series are.

    Returns
    -------
    pandas.DataFrame
        `area, offence, first, period, observed, expected, periods, p` and `every`, whether each
        of the three was above by itself. A series with a count missing has no row.
    """
    n = BLOCKS * _LENGTHS[freq]
    if places.scores.shape[1] < n:
        return pd.DataFrame()
    window = places.scores[:, -n:]  # (series, period)
    whole = np.flatnonzero(np.isfinite(window).all(axis=1))  # rows
    if not len(whole):
        return pd.DataFrame()
    steps = int(np.nanmax(places.steps[whole][:, -n:]))
    spread = math.sqrt(find_variance(places.scores[:, :-n], n, steps))
    blocks = window[whole].reshape(-1, BLOCKS, n // BLOCKS).sum(axis=2)  # (series, block)
    columns = {
        "area": places.series.get_level_values(0)[whole],
        "offence": places.series.get_level_values(1)[whole],
        "first": [places.periods[-n]] * len(whole),
        "period": [places.periods[-1]] * len(whole),
        "observed": places.observed[whole][:, -n:].sum(axis=1),
        "expected": places.median[whole][:, -n:].sum(axis=1),
        "periods": np.full(len(whole), float(n)),
        "p": ndtr(-blocks.sum(axis=1) / spread),
        "every": (blocks > 0).all(axis=1),
    }
    return pd.DataFrame(columns)


def find_variance(before: FloatArray, n: int, steps: int) -> float:
    """Return the variance of the sum of `n` consecutive scores when nothing changed.

    Forecasts further than one period ahead err alike in neighbouring periods. How much is
    measured, on all series together, from the periods before the run; it is never taken to be
    less than that of independent scores. Where too few periods came before, errors nearer to
    each other than the forecasts look ahead are taken to be the same.

    Parameters
    ----------
    before : numpy.ndarray
        Scores of the periods before the run, (series, period); NaN is missing.
    n : int
    steps : int
        How many periods ahead the forecasts looked.

    Examples
    --------
    >>> nothing = np.empty((3, 0))
    >>> find_variance(nothing, 3, 1), find_variance(nothing, 3, 2)  # 3, and 3 + 2 x 2
    (3.0, 7.0)
    """
    lags = np.arange(n)
    pairs = np.where(lags == 0, n, 2.0 * (n - lags))  # (lag,): ordered pairs of the sum
    if before.shape[1] < 2 * n:
        return float(pairs[lags < steps].sum())
    common = [
        np.nanmean(before[:, lag:] * before[:, : before.shape[1] - lag])
        if np.isfinite(before[:, lag:] * before[:, : before.shape[1] - lag]).any()
        else 0.0
        for lag in lags
    ]
    return float(max((pairs * np.array(common)).sum(), n))


def _tell(
    run: Mapping[Any, Any], kind: str, model: str, first: pd.Period, freq: str
) -> dict[str, object]:
    """The row of one run, with its sentence."""
    window = pd.period_range(run["first"], run["period"], freq=freq)
    text = (
        f"{capitalise(run['offence'])}, {run['area']}: {write_count(run['observed'])} "
        f"{say_window(window)}, where the forecasts of each "
        f"{'month' if freq == 'M' else 'day' if freq == 'D' else 'week'} "
        f"had {write_count(run['expected'])} in the middle"
    )
    unit = "months" if freq == "M" else "weeks"
    kinds = RUN_KINDS[freq]
    text += {
        kinds[0]: f"; it was above expected in each of three {unit}.",
        kinds[1]: f". It has been above expected since {_say_since(first)}.",
        kinds[2]: f". It is not above expected for three {unit} any more.",
    }[kind]
    lasted = len(pd.period_range(first, run["period"], freq=freq))
    return {
        "kind": kind, "area": run["area"], "offence": run["offence"], "model": model,
        "period": label(run["period"]), "first": label(first), "periods": float(lasted),
        "observed": run["observed"], "expected": run["expected"], "lower": None, "upper": None,
        "p": run["p"], "q": run["q"], "text": text,
    }  # fmt: skip


def _say_since(first: pd.Period) -> str:
    """A period after "since"."""
    return say_window(pd.PeriodIndex([first])).split(" ", 1)[1]
