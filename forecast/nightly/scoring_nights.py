"""How good earlier nights were, by what has come true since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.errors import DataError
from forecast.models.base import stream
from forecast.models.draws import FloatArray
from forecast.models.naive import SeasonalNaive
from forecast.models.quantiles import QuantileForecast, observed_counts, score_quantiles
from forecast.periods import label
from forecast.scoring import coverage

NAIVE = SeasonalNaive().name
"""The model that skill is measured against."""

_CELL = ["origin", "area", "offence", "period"]
_BY = {"offence", "area", "step", "origin"}


def score_forecasts(
    forecasts: Sequence[QuantileForecast], panel: Panel, *, seed: int = 0
) -> pd.DataFrame:
    """Score forecasts of earlier nights, as `forecast.backtest` scores its own.

    Parameters
    ----------
    forecasts : sequence of QuantileForecast
        Of series that the panel has, and of periods that have ended.
    panel : Panel
        What came, and what came before: scales are taken from the counts before each cutoff.
    seed : int
        Places counts among quantiles that equal them.

    Returns
    -------
    pandas.DataFrame
        What `Run.scores` takes, `pit` and `naive_wis` among it. `crps` needs draws and is not
        there.
    """
    parts = []
    for forecast in forecasts:
        frame = score_quantiles(forecast, panel)
        came = observed_counts(forecast, panel)  # (series, period)
        rng = stream(seed, "pit", label(forecast.cutoff))
        pit = place_in_quantiles(forecast.values, forecast.levels, came, rng)
        parts.append(frame.assign(pit=pit[~np.isnan(came)]))
    if not parts:
        return pd.DataFrame()
    table = pd.concat(parts, ignore_index=True)
    naive = table.loc[table["model"] == NAIVE, [*_CELL, "wis"]]
    return table.merge(naive.rename(columns={"wis": "naive_wis"}), on=_CELL, how="left")


def place_in_quantiles(
    values: FloatArray, levels: Sequence[float], observed: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Return where counts fell in a forecast of which only quantiles are known, from 0 to 1.

    A count between two quantiles lies between their levels, anywhere. A count that equals some
    of them lies between the middle of the level below and the lowest of these, and the middle of
    the highest and the level above.

    Parameters
    ----------
    values : numpy.ndarray
        Quantiles, shape (level, ...).
    levels : sequence of float
    observed : numpy.ndarray
        Counts, shape (...); NaN is missing.
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray
        Shape (...); NaN where missing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> quantiles = np.array([2.0, 5.0, 9.0])[:, None]
    >>> bool(0.5 <= place_in_quantiles(quantiles, [0.1, 0.5, 0.9], np.array([7.0]), rng)[0] <= 0.9)
    True
    """
    ends = np.array([0.0, *levels, 1.0])  # (level + 2,)
    below = (values < observed).sum(axis=0)  # (...) levels whose quantile is below
    not_above = (values <= observed).sum(axis=0)
    equal = not_above > below
    lowest = np.where(equal, (ends[below] + ends[below + 1]) / 2, ends[below])
    highest = np.where(
        equal,
        (ends[not_above] + ends[np.minimum(not_above + 1, len(ends) - 1)]) / 2,
        ends[np.minimum(below + 1, len(ends) - 1)],
    )
    found = lowest + rng.random(observed.shape) * (highest - lowest)
    return np.where(np.isnan(observed), np.nan, found)


def summarise(scores: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Return means of scores by model, and by offence, area, step or origin.

    Parameters
    ----------
    scores : pandas.DataFrame
        As `Store.scores` gives them, or `score_forecasts`.
    by : sequence of str
        Of "offence", "area", "step" and "origin"; none for a row a model.

    Returns
    -------
    pandas.DataFrame
        `model`, what it is by, `cells`, `wis` (in offences), `wis_scaled` (over the in-sample
        error of the seasonal naive forecast), `skill` (one minus scaled WIS over that of the
        naive model in the same cells), `coverage_80`, `coverage_95`.

    Raises
    ------
    DataError
        If it is by something else.
    """
    wrong = [name for name in by if name not in _BY]
    if wrong:
        raise DataError(
            f"Scores must be summed by offence, area, step or origin: found {wrong[0]!r}. Choose "
            "one of these."
        )
    columns = ["cells", "wis", "wis_scaled", "skill", "coverage_80", "coverage_95"]
    keys = ["model", *by]
    if scores.empty:
        return pd.DataFrame(columns=[*keys, *columns])
    table = scores.assign(rival=scores["naive_wis"] / scores["scale"])
    table["own"] = table["wis_scaled"].where(table["rival"].notna())
    groups = table.groupby(keys, sort=False)
    out = groups[["wis", "wis_scaled"]].mean()
    out.insert(0, "cells", groups.size())
    rival = groups["rival"].mean()
    out["skill"] = 1 - groups["own"].mean() / rival.where(rival > 0)
    for level in (80, 95):
        out[f"coverage_{level}"] = groups["pit"].apply(coverage, level=level / 100)
    return out.reset_index()[[*keys, *columns]]


def sum_origins(scores: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what later nights need of scores: a row a model and origin, as JSON can hold it."""
    table = summarise(scores, ["origin"])
    names = ["cells", "wis_scaled", "coverage_80", "coverage_95"]
    out = []
    for row in table.to_dict("records"):
        kept = {name: None if pd.isna(row[name]) else float(row[name]) for name in names}
        origin = row["origin"]
        text = label(origin) if isinstance(origin, pd.Period) else str(origin)
        out.append({"model": str(row["model"]), "origin": text, **kept})
    return out


def order_models(
    origins: pd.DataFrame, declared: Sequence[str], *, least_origins: int
) -> list[dict[str, Any]]:
    """Return models in the order in which one stands in for another.

    The first that is declared stays first. The others follow by their mean scaled WIS over the
    origins that all of them have; those without enough of them come last, as they were declared.

    Parameters
    ----------
    origins : pandas.DataFrame
        Recent scores: `model`, `origin`, `cells`, `wis_scaled`; an origin may come several times.
    declared : sequence of str
        Names of models, as in results.
    least_origins : int
        Origins that scores must be of.

    Returns
    -------
    list of dict
        `model`, `wis_scaled` (None without enough scores), `origins`.

    Examples
    --------
    >>> rows = [("A", 1, 1, 0.5), ("B", 1, 1, 0.9), ("C", 1, 1, 0.7)]
    >>> table = pd.DataFrame(rows, columns=["model", "origin", "cells", "wis_scaled"])
    >>> [row["model"] for row in order_models(table, ["A", "B", "C"], least_origins=1)]
    ['A', 'C', 'B']
    """
    found: dict[str, tuple[float, int]] = {}
    if len(origins):
        table = origins.dropna(subset="wis_scaled")
        table = table.assign(sum=table["wis_scaled"] * table["cells"])
        sums = table.groupby(["origin", "model"])[["sum", "cells"]].sum().unstack("model")
        names = [name for name in declared if ("sum", name) in sums]
        common = sums.dropna()
        if names and len(common) >= least_origins:
            found = {
                name: (
                    float(common["sum", name].sum() / common["cells", name].sum()),
                    len(common),
                )
                for name in names
            }
    rest = sorted(declared[1:], key=lambda name: found.get(name, (np.inf, 0))[0])
    return [
        {
            "model": name,
            "wis_scaled": round(found[name][0], 6) if name in found else None,
            "origins": found.get(name, (0.0, 0))[1],
        }
        for name in [*declared[:1], *rest]
    ]


def find_drift(origins: pd.DataFrame, *, band: float, least_origins: int) -> list[dict[str, Any]]:
    """Return where coverage has left its band, by model and level.

    Counts of one night move together, so that origins are what is counted: their mean must be
    out of the band, by more than twice its standard error.

    Parameters
    ----------
    origins : pandas.DataFrame
        Recent scores: `model`, `origin`, `cells`, `coverage_80`, `coverage_95`.
    band : float
        How far coverage may be from its nominal share.
    least_origins : int

    Returns
    -------
    list of dict
        `model, level, coverage, origins, text`.
    """
    out: list[dict[str, Any]] = []
    for model in dict.fromkeys(origins["model"]) if len(origins) else ():
        part = origins[origins["model"] == model]
        for percent in (80, 95):
            level = percent / 100
            inside = (part[f"coverage_{percent}"] * part["cells"]).groupby(part["origin"]).sum()
            each = inside / part["cells"].groupby(part["origin"]).sum()  # (origin,)
            if len(each) < least_origins:
                continue
            mean, error = float(each.mean()), float(each.std(ddof=1) / np.sqrt(len(each)))
            if abs(mean - level) > max(band, 2 * error):
                word = "too narrow" if mean < level else "too wide"
                out.append({
                    "model": str(model), "level": level, "coverage": round(mean, 4),
                    "origins": len(each),
                    "text": f"Intervals of {model} at {percent} per cent are {word}: "
                            f"{100 * mean:.0f} per cent of the counts lay inside, over "
                            f"{len(each)} origins.",
                })  # fmt: skip
    return out
