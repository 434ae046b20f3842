"""The chart of one series: history, what was forecast earlier, and the fan of what is ahead.

Written as SVG by hand, not by matplotlib: a night has thousands of them, and a chart whose type
keeps its size on a phone needs lines that stretch beside text that does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.disclosure import HIDDEN
from forecast.nightly.contents import Fan, Line
from forecast.periods import UNIT_NAMES, label
from forecast.reporting.formatting import (
    MONTH_NAMES,
    capitalise,
    name_window,
    say_window,
    spell_periods,
    write_count,
)
from forecast.scoring import HUB_LEVELS

FloatArray = NDArray[np.float64]

LOWER, UPPER = HUB_LEVELS.index(0.025), HUB_LEVELS.index(0.975)
LOW, HIGH, MIDDLE = HUB_LEVELS.index(0.1), HUB_LEVELS.index(0.9), HUB_LEVELS.index(0.5)

_TOP, _TALL, _ALL = 24, 168, 216  # pixels above the plot, of the plot, of the whole
_HEADROOM = 1.06  # the axis reaches beyond what is drawn, so that nothing touches its top
_MOST_TICKS = 6
_NOT_KNOWN = "none"


def draw_fan(line: Line, name: str) -> str:
    """Return the chart of a series as an HTML figure, with what it shows in words.

    Parameters
    ----------
    line : Line
    name : str
        That no other chart of the page has.

    Returns
    -------
    str
        Everything that stood in names is escaped.
    """
    counts = line.history.to_numpy(dtype=np.float64)
    known = np.flatnonzero(np.isfinite(counts))
    parts = [fan for fan in (line.earlier, line.ahead) if fan is not None]
    first = min([*line.history.index[known[:1]], *(fan.periods[0] for fan in parts)])
    n = line.ahead.periods[-1].ordinal - first.ordinal + 1
    high = max(float(fan.values[UPPER].max()) for fan in parts)
    high = max(high, float(counts[known].max()) if len(known) else 0.0)
    ticks = count_ticks(high)
    top = max(ticks[-1], _HEADROOM * high) or 1.0

    def x(periods: pd.PeriodIndex) -> FloatArray:
        ordinals = np.asarray(periods.asi8, dtype=np.float64)
        return np.asarray((ordinals - first.ordinal + 0.5) / n * 1000)

    def y(values: FloatArray) -> FloatArray:
        return np.asarray(1000 - values / top * 1000)

    rules = y(np.asarray(ticks, dtype=np.float64)).tolist()
    marks = [f'<path class="grid" d="M0 {rule:.0f}H1000"/>' for rule in rules]
    for fan in parts:
        at = x(fan.periods)
        for kind, low, upper in (("wide", LOWER, UPPER), ("near", LOW, HIGH)):
            marks.append(_band(kind, at, y(fan.values[low]), y(fan.values[upper])))
        marks.append(_path("middle", at, y(fan.values[MIDDLE])))
    edge = (line.ahead.periods[0].ordinal - first.ordinal) / n * 1000
    marks.append(f'<path class="edge" d="M{edge:.0f} 0V1000"/>')
    if len(known):
        marks.append(_history(line, x, y))
    texts = _write_ticks(ticks, top) + _write_days(first, n)
    return (
        f'<figure class="fan" id="{name}"><svg width="100%" height="{_ALL}" role="img" '
        f'aria-label="{escape(describe_fan(line))}">{_key(len(known) > 0)}'
        f'<svg role="none" y="{_TOP}" width="100%" height="{_TALL}" viewBox="0 0 1000 1000" '
        f'preserveAspectRatio="none">{"".join(marks)}</svg>{texts}</svg></figure>'
    )


def _history(
    line: Line, x: Callable[[pd.PeriodIndex], FloatArray], y: Callable[[FloatArray], FloatArray]
) -> str:
    """The line of counts, a mark on each that lay above an earlier forecast."""
    whole = line.history
    at, to = x(pd.PeriodIndex(whole.index)), y(np.asarray(whole, dtype=np.float64))
    pieces, begin = [], None
    for i, there in enumerate([*np.isfinite(to), False]):  # a gap is no line
        if there and begin is None:
            begin = i
        elif not there and begin is not None:
            pieces.append(_path("observed", at[begin:i], to[begin:i]))
            begin = None
    dots = [(at[np.isfinite(to)][-1], to[np.isfinite(to)][-1], "dot")]
    dots += [(*place, "above") for place in _find_above(line, at, to)]
    pieces += [f'<path class="{kind}" d="M{a:.1f} {b:.1f}h0"/>' for a, b, kind in dots]
    return "".join(pieces)


def _find_above(line: Line, at: FloatArray, to: FloatArray) -> list[tuple[float, float]]:
    """Places of counts above the 0.975 quantile of the earlier forecast."""
    if line.earlier is None:
        return []
    where = pd.PeriodIndex(line.history.index).get_indexer(pd.Index(line.earlier.periods))
    counts = line.history.to_numpy(dtype=np.float64)
    return [
        (at[i], to[i])
        for i, upper in zip(where, line.earlier.values[UPPER], strict=True)
        if i >= 0 and counts[i] > upper
    ]


def _path(kind: str, at: FloatArray, to: FloatArray) -> str:
    """A line through points; one point is a short stroke."""
    points = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(at.tolist(), to.tolist(), strict=True))
    return f'<path class="{kind}" d="M{points}{"h0" if len(at) == 1 else ""}"/>'


def _band(kind: str, at: FloatArray, low: FloatArray, high: FloatArray) -> str:
    """A band between two lines; of one period, a bar."""
    if len(at) == 1:
        at, low, high = (np.repeat(a, 2) for a in (at, low, high))
        at = at + np.array([-12.0, 12.0])
    points = [*zip(at, high, strict=True), *zip(at[::-1], low[::-1], strict=True)]
    return f'<path class="{kind}" d="M{"L".join(f"{a:.1f} {b:.1f}" for a, b in points)}Z"/>'


def _key(has_history: bool) -> str:
    """What the lines are, in the colour of each, above the plot."""
    observed = (
        '<path class="observed" d="M0 11h20"/><text x="25" y="15">observed</text>'
        if has_history
        else ""
    )
    return (
        f"{observed}"
        '<svg role="none" x="100%" overflow="visible"><path class="middle" d="M-87 11h20"/>'
        '<text x="0" y="15" text-anchor="end">expected</text></svg>'
    )


def count_ticks(high: float) -> list[float]:
    """Return where the axis of counts is ruled: whole numbers from zero, three to five.

    Examples
    --------
    >>> count_ticks(37.0), count_ticks(0.0), count_ticks(3.0)
    ([0.0, 10.0, 20.0, 30.0], [0.0, 1.0], [0.0, 1.0, 2.0, 3.0])
    """
    if high < 1:
        return [0.0, 1.0]
    rough = high / 4
    size = 10 ** math.floor(math.log10(rough)) if rough >= 1 else 1
    step = max(1.0, next(s * size for s in (1, 2, 2.5, 5, 10) if s * size >= rough))
    step = float(math.ceil(step)) if step < 10 else step
    return [float(step * i) for i in range(int(high / step) + 1)]


def _write_ticks(ticks: Sequence[float], top: float) -> str:
    """Numbers left of the plot, level with the rules: in it they would lie on the lines."""
    return "".join(
        f'<text class="tick" x="-6" y="{_TOP + _TALL * (1 - t / top) + 4:.0f}" text-anchor="end">'
        f"{write_count(t)}</text>"
        for t in ticks
    )


def _write_days(first: pd.Period, n: int) -> str:
    """Days or months below the plot; every other one goes where there is no room."""
    steps = (1, 2, 3, 4, 6, 8, 12, 24, 60, 120)
    step = next((s for s in steps if n / s <= _MOST_TICKS), -(-n // _MOST_TICKS))
    if first.freqstr == "D" and step > 1:
        step = -(-step // 7) * 7
    texts = []
    for count, place in enumerate(range(step // 2, n, step)):
        period = first + place
        share = (place + 0.5) / n * 100
        anchor = "start" if share < 9 else "end" if share > 91 else "middle"
        day = period.start_time
        word = MONTH_NAMES[day.month - 1][:3]
        text = f"{word} {day.year}" if period.freqstr == "M" else f"{day.day} {word}"
        extra = " alt" if count % 2 else ""
        texts.append(
            f'<text class="tick{extra}" x="{share:.1f}%" y="{_TOP + _TALL + 18}" '
            f'text-anchor="{anchor}">{text}</text>'
        )
    return "".join(texts)


@lru_cache(maxsize=4096)  # of one page it is asked for again and again
def find_last(line: Line) -> tuple[pd.Period, float, FloatArray | None] | None:
    """Return the newest count of a series, and the quantiles that it was forecast with.

    Returns
    -------
    tuple or None
        Period, count (NaN where it is hidden), quantiles (level,) or None where no earlier
        forecast is known.
    """
    counts = line.history.to_numpy(dtype=np.float64)
    there = np.isfinite(counts)
    if line.hidden:
        there |= line.history.index.isin(list(line.hidden))
    known = np.flatnonzero(there)
    if not len(known):
        return None
    period, count = line.history.index[known[-1]], float(counts[known[-1]])
    if line.earlier is not None:
        for at in np.flatnonzero(line.earlier.periods.asi8 == period.ordinal):
            return period, count, line.earlier.values[:, at]
    return period, count, None


def describe_fan(line: Line) -> str:
    """Return what a chart shows, in words: the finding first."""
    return f"{capitalise(line.offence)}, {line.area}: {line.status}. {describe_numbers(line)}"


def describe_numbers(line: Line) -> str:
    """Return the newest count of a series and what is expected next, in sentences."""
    last = find_last(line)
    if last is None:
        return describe_ahead(line)
    period, count, quantiles = last
    when = say_window(pd.PeriodIndex([period]))
    said = f"{write_count(count)} {when}"
    if not np.isfinite(count):
        said = f"The count {when} is not shown, for it is small or would tell one that is"
    if quantiles is not None:
        said += f", where {write_range_of(quantiles)} were expected"
    return f"{said}. {describe_ahead(line)}"


def describe_bands(line: Line) -> str:
    """Return how to read a chart, in sentences."""
    said = (
        f"{capitalise(line.measure)} a {UNIT_NAMES[line.freq]}. The dark band holds the count 80 "
        "times in 100, the light one 95."
    )
    if line.earlier is not None:
        said += (
            f" Over periods that have ended it is what was forecast before "
            f"{spell_periods(label(line.earlier.periods[0]))}; a large dot is a count above it."
        )
    return said


def describe_ahead(line: Line) -> str:
    """Return what is expected, in a sentence."""
    middle = line.ahead.values[MIDDLE]
    low, high = write_count(float(middle.min())), write_count(float(middle.max()))
    size = low if low == high else f"between {low} and {high}"
    unit = UNIT_NAMES[line.freq]
    span = name_window(line.ahead.periods)
    return f"{capitalise(size)} a {unit} {'is' if low == high else 'are'} expected, {span}."


def write_range_of(quantiles: FloatArray) -> str:
    """Write the 95 per cent interval of one period's quantiles, (level,)."""
    return f"{write_count(float(quantiles[LOWER]))} to {write_count(float(quantiles[UPPER]))}"


def tabulate_fan(line: Line, *, newest: int = 8) -> pd.DataFrame:
    """Return the numbers of a chart: its newest counts, and all that is ahead.

    Returns
    -------
    pandas.DataFrame
        `period, observed, expected, likely_range, wide_range`, as text.
    """
    rows = []
    earlier: Fan | None = line.earlier
    recent = line.history[-newest:]
    periods = pd.PeriodIndex(recent.index)
    where = np.full(len(recent), -1) if earlier is None else earlier.periods.get_indexer(periods)
    for period, count, at in zip(periods, recent.tolist(), where.tolist(), strict=True):
        values = None if at < 0 or earlier is None else earlier.values[:, at]
        rows.append(_row(period, count, values, is_hidden=period in line.hidden))
    for place, period in enumerate(line.ahead.periods):
        rows.append(_row(period, float("nan"), line.ahead.values[:, place]))
    return pd.DataFrame(rows)


def _row(
    period: pd.Period, count: float, values: FloatArray | None, *, is_hidden: bool = False
) -> dict[str, str]:
    """One period of the table."""
    unknown = HIDDEN if is_hidden else _NOT_KNOWN
    near = wide = middle = _NOT_KNOWN
    if values is not None:
        near = f"{write_count(values[LOW])} to {write_count(values[HIGH])}"
        wide, middle = write_range_of(values), write_count(values[MIDDLE])
    return {
        "period": _spell(period),
        "observed": write_count(count) if np.isfinite(count) else unknown,
        "expected": middle,
        "likely_range": near,
        "wide_range": wide,
    }


@lru_cache(maxsize=1024)
def _spell(period: pd.Period) -> str:
    """A period in words; all series of a night share a few."""
    return spell_periods(label(period))
