"""What the night warns of: counts beyond their forecast, each told once.

Two rules. A *single* count is above expected when it is rarer under the forecast than false
discoveries allow, over all series of the night. A *run* is three weeks (or months) in each of
which counts lay in the upper half of their forecasts, and which together are rarer than that.
A night's news are what began; what goes on is kept without being news, and so is its end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from forecast.data.panel import Panel
from forecast.models.quantiles import QuantileForecast
from forecast.nightly.lasting import RUN_KINDS, Episode, find_runs, recall
from forecast.nightly.tails import tail_above
from forecast.periods import as_period, label
from forecast.reporting.formatting import capitalise, say_window, write_count

if TYPE_CHECKING:
    from forecast.nightly.configuring import Configuration

FloatArray = NDArray[np.float64]

SINGLE_KINDS = ("above expected", "still above expected", "no longer above expected")
"""Kinds of alerts of single counts: it began, it goes on, it ended."""

NEWS = (SINGLE_KINDS[0], *(kinds[0] for kinds in RUN_KINDS.values()))
"""Kinds that are news, and the only ones that notices are sent of."""

LEVEL = 0.95
"""Of the interval that an alert states; an exceedance goes on while counts lie above it."""

COLUMNS = (
    *("kind", "area", "offence", "model", "period", "first", "periods"),
    *("observed", "expected", "lower", "upper", "p", "q", "text"),
)


Part = tuple[NDArray[np.intp], NDArray[np.intp], QuantileForecast]  # rows and columns of it


class Cells(NamedTuple):
    """Counts of the night and their forecasts, one entry a series and period.

    `quantiles` has the shape (level, cell), the others (cell,).
    """

    area: NDArray[np.object_]
    offence: NDArray[np.object_]
    period: NDArray[np.object_]
    observed: FloatArray
    quantiles: FloatArray
    model: NDArray[np.object_]


def find_alerts(
    observed: Panel,
    forecasts: Sequence[QuantileForecast],
    memory: pd.DataFrame,
    *,
    as_of: dt.date,
    scores: pd.DataFrame,
    config: Configuration,
) -> pd.DataFrame:
    """Return what to warn of: counts above their forecast, and what became of earlier warnings.

    Parameters
    ----------
    observed : Panel
        Counts of all periods that had ended before the night.
    forecasts : sequence of QuantileForecast
        Published on earlier nights, of periods that no earlier night looked at; the latest origin
        first, which is the one that a count is judged by. Those of totals over areas may be
        among them: their counts are summed here.
    memory : pandas.DataFrame
        Alerts of earlier nights, as `Store.alerts` gives them.
    as_of : date
        Of the night; counts of periods that had not ended before are not looked at.
    scores : pandas.DataFrame
        Scores of recent nights and of this one, as `Store.scores` gives them: their `pit` tells
        of runs. Without it no run is found.
    config : Configuration
        Its `alerts.rate` is the share of warnings that may be false.

    Returns
    -------
    pandas.DataFrame
        What `Run.alerts` takes, news first, the rarest first. `p` is the chance of such a count
        or a higher one under the forecast, `q` is p after false-discovery control.

    Notes
    -----
    False discoveries are controlled over all counts of the night (Benjamini & Hochberg 1995).
    Series go together, by what all areas share and because totals are among them; that makes
    them rise together, and for one-sided p the rate then still holds (Benjamini & Yekutieli
    2001, theorem 1.2). On a night on which nothing changed, `alerts.rate` is the chance of any
    false warning at all. How p is taken from quantiles says `forecast.nightly.tails`; runs are
    in `forecast.nightly.lasting`.

    References
    ----------
    Benjamini & Hochberg (1995), Controlling the false discovery rate, JRSS B 57. Benjamini &
    Yekutieli (2001), The control of the false discovery rate in multiple testing under
    dependency, Annals of Statistics 29.
    """
    known = observed.before(as_of)
    cells = gather_cells(known, forecasts)
    here = set(zip(known.series["area"], known.series["offence"], strict=True))
    here |= {(known.total_name, offence) for offence in known.offences}
    rows = _judge_singles(cells, recall(memory, SINGLE_KINDS), here, config.alerts.rate, known.freq)
    if forecasts:
        rows += find_runs(scores, memory, here, model=forecasts[0].model, freq=known.freq)
    else:
        kinds = RUN_KINDS[known.freq]
        rows += [e.go_on(kinds[1]) for e in recall(memory, kinds).values() if e.key in here]
    order = {kind: place for place, kind in enumerate(NEWS)}
    rows.sort(key=lambda row: (order.get(str(row["kind"]), len(order)), row["q"] or 0.0))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def gather_cells(observed: Panel, forecasts: Sequence[QuantileForecast]) -> Cells:
    """Return all counts that a forecast is there for, each with the first forecast of it.

    Parameters
    ----------
    observed : Panel
    forecasts : sequence of QuantileForecast
        Those of another frequency are left out.

    Returns
    -------
    Cells
    """
    totals = observed.total()
    both = pd.concat([observed.series[["area", "offence"]], totals.series], ignore_index=True)
    keys = pd.MultiIndex.from_frame(both)
    keep = ~keys.duplicated()  # a panel of one area may be its own total
    values = np.concatenate([observed.values, totals.values])[keep]  # (series, period)
    keys = keys[keep]
    seen = np.zeros(values.shape, dtype=bool)  # (series, period)
    parts: list[Part] = []
    for forecast in forecasts:
        if forecast.periods.freqstr != observed.freq:
            continue
        row = keys.get_indexer(pd.MultiIndex.from_frame(forecast.series[["area", "offence"]]))
        at = observed.periods.get_indexer(forecast.periods)  # (period,)
        found = (row >= 0)[:, None] & (at >= 0)
        found &= np.isfinite(values[np.ix_(row, at)]) & ~seen[np.ix_(row, at)]
        rows, places = np.nonzero(found)  # of the forecast
        seen[row[rows], at[places]] = True
        if len(rows):
            parts.append((rows, places, forecast))
    return _join(parts, keys, values, observed)


def _join(
    parts: Sequence[Part],
    keys: pd.MultiIndex,
    values: FloatArray,
    observed: Panel,
) -> Cells:
    """The cells of several forecasts, one after another."""
    nothing = np.empty(0, dtype=object)
    if not parts:
        return Cells(nothing, nothing, nothing, np.empty(0), np.empty((23, 0)), nothing)
    columns: list[list[NDArray[np.object_]]] = [[], [], [], []]
    counts, quantiles = [], []
    for rows, places, forecast in parts:
        series = forecast.series.iloc[rows]
        periods = forecast.periods[places]
        at = keys.get_indexer(pd.MultiIndex.from_frame(series[["area", "offence"]]))
        counts.append(values[at, observed.periods.get_indexer(periods)])
        quantiles.append(forecast.values[:, rows, places])
        told = [series["area"], series["offence"], periods, [forecast.model] * len(rows)]
        for column, part in zip(columns, told, strict=True):
            column.append(np.asarray(part, dtype=object))
    area, offence, period, model = (np.concatenate(column) for column in columns)
    joined = np.concatenate(quantiles, axis=1)
    return Cells(area, offence, period, np.concatenate(counts), joined, model)


def _judge_singles(
    cells: Cells,
    open_ones: dict[tuple[str, str], Episode],
    here: set[tuple[str, str]],
    rate: float,
    freq: str,
) -> list[dict[str, object]]:
    """Rows of single counts: what began, what goes on, what ended."""
    p = tail_above(cells.quantiles, cells.observed)
    q = false_discovery_control(p, method="bh") if len(p) else p
    table = pd.DataFrame(
        {
            "area": cells.area, "offence": cells.offence, "period": cells.period,
            "model": cells.model, "observed": cells.observed, "p": p, "q": q,
            "expected": cells.quantiles[11], "lower": cells.quantiles[1],
            "upper": cells.quantiles[21],
        }
    )  # fmt: skip
    by_series = table[table["q"] <= rate].sort_values("p", kind="stable")
    rows = []
    for key, group in by_series.groupby(["area", "offence"], sort=False):
        if key not in open_ones:
            periods = sorted(group["period"])
            rows.append(_tell(group.iloc[0], SINGLE_KINDS[0], periods[0], len(periods)))
    wanted = {key for key in open_ones if key in here}
    keys = zip(table["area"], table["offence"], strict=True)
    latest = table[np.fromiter((key in wanted for key in keys), bool, len(table))]
    latest = latest.sort_values("period", kind="stable")
    groups = dict(iter(latest.groupby(["area", "offence"], sort=False)))
    for key in open_ones:
        rows.append(_follow(open_ones[key], groups.get(key), key in here, freq))
    return rows


def _follow(
    episode: Episode, fresh: pd.DataFrame | None, counted: bool, freq: str
) -> dict[str, object]:
    """What became of an exceedance that an earlier night told of."""
    if not counted:
        return episode.end(SINGLE_KINDS[2], "it is not counted any more")
    if fresh is None:
        return episode.go_on(SINGLE_KINDS[1])
    last = fresh.iloc[-1]
    if last["observed"] > last["upper"]:
        more = int((fresh["observed"] > fresh["upper"]).sum())
        return _tell(last, SINGLE_KINDS[1], as_period(episode.first, freq), episode.periods + more)
    return _tell(last, SINGLE_KINDS[2], as_period(episode.first, freq), episode.periods)


def _tell(cell: pd.Series, kind: str, first: pd.Period, periods: int) -> dict[str, object]:
    """The row of one count, with its sentence."""
    period = cell["period"]
    when = say_window(pd.PeriodIndex([period]))
    lower, upper = write_count(cell["lower"]), write_count(cell["upper"])
    text = (
        f"{capitalise(cell['offence'])}, {cell['area']}: {write_count(cell['observed'])} {when}, "
        f"where {lower} to {upper} were expected"
    )
    if kind == SINGLE_KINDS[0]:
        text += f"; {_say_chance(cell['p'])}."
    elif kind == SINGLE_KINDS[1]:
        text += f". It has been above expected since {_say_since(first)}."
    else:
        text += ". It is not above expected any more."
    return {
        "kind": kind, "area": cell["area"], "offence": cell["offence"], "model": cell["model"],
        "period": label(period), "first": label(first), "periods": float(periods),
        "observed": cell["observed"], "expected": cell["expected"], "lower": cell["lower"],
        "upper": cell["upper"], "p": cell["p"], "q": cell["q"], "text": text,
    }  # fmt: skip


def _say_since(first: pd.Period) -> str:
    """A period after "since"."""
    return say_window(pd.PeriodIndex([first])).split(" ", 1)[1]


def _say_chance(p: float) -> str:
    """How rare a count is, in words.

    Examples
    --------
    >>> _say_chance(0.00024), _say_chance(1e-9)
    ('as many or more come once in about 4,200 such forecasts', 'as many or more come less than once in a million such forecasts')
    """  # noqa: E501
    if p < 1e-6:
        return "as many or more come less than once in a million such forecasts"
    digits = 10 ** max(len(str(int(1 / p))) - 2, 0)  # two figures
    return f"as many or more come once in about {round(1 / p / digits) * digits:,} such forecasts"


def count_exceedances(
    observed: Panel, forecasts: Sequence[QuantileForecast], *, by: str = "offence"
) -> pd.DataFrame:
    """Return how many series lie above their forecast's interval, by area or by offence.

    It describes; it is no test, for the areas of one offence rise together. The test of an
    offence as a whole is that of its total.

    Parameters
    ----------
    observed : Panel
    forecasts : sequence of QuantileForecast
        The latest origin first.
    by : {"offence", "area"}

    Returns
    -------
    pandas.DataFrame
        `area` or `offence`, `counts` (how many were looked at), `above` (how many lay above the
        0.975 quantile) and `usual` (how many do on average when nothing changed, at most).

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> from forecast.models.naive import SeasonalNaive
    >>> counts = load_sample("london").select(offence="robbery")
    >>> drawn = SeasonalNaive().fit(counts.before("2020-01")).forecast(1)
    >>> from forecast.scoring import HUB_LEVELS
    >>> known = QuantileForecast(drawn.quantile(HUB_LEVELS), HUB_LEVELS, drawn.series,
    ...                          drawn.periods, drawn.cutoff, drawn.model)
    >>> count_exceedances(counts, [known])
       offence  counts  above  usual
    0  robbery      13      0  0.325
    """
    cells = gather_cells(observed, forecasts)
    places = set(observed.areas)
    frame = pd.DataFrame({by: getattr(cells, by), "above": cells.observed > cells.quantiles[21]})
    frame = frame[[area in places for area in cells.area]]
    found = frame.groupby(by, sort=False)["above"].agg(counts="size", above="sum").reset_index()
    return found.assign(usual=(found["counts"] * (1 - LEVEL) / 2).round(3))
