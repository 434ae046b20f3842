"""The leaderboard of a backtest: its table, its figure, and a page with both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from forecast.data.panel import Panel
from forecast.data.writing import replacing
from forecast.errors import ForecastError
from forecast.periods import UNIT_NAMES, label
from forecast.reporting.drawing import (
    LEADING,
    Row,
    break_labels,
    count_axis,
    draw_rows,
    row_heights,
    spread_apart,
)
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import plural, write_signed
from forecast.reporting.tables import render_table
from forecast.reporting.templating import make_environment
from forecast.reporting.theme import (
    EXPECTED,
    FOURTH,
    INK,
    MARGIN,
    OBSERVED,
    SIZE,
    SMALL,
    THIRD,
    WIDTH,
    lay_out,
    styled,
    wrap,
)
from forecast.scoreboard import NAIVE, Scores

MOST_SHOWN = 4
"""Models whose calibration and skill by step are drawn: the best ones."""

KEY = (
    "WIS: weighted interval score over the in-sample error of the seasonal naive forecast, "
    "smaller is better. Error saved: against the seasonal naive forecast from the same dates. "
    "Against rivals: geometric mean of the ratios of WIS to those of all models, below 1 is "
    "better. Inside 80 and 95 per cent: share of the counts that these intervals held. CPU: to "
    "fit one series and forecast it."
)
"""How to read the leaderboard."""

_HEADERS = {
    "wis": "WIS",
    "skill_percent": "Error saved, per cent",
    "share_of_rivals": "Against rivals",
    "coverage_80": "Inside 80 per cent",
    "coverage_95": "Inside 95 per cent",
    "cpu_ms_per_series": "CPU, milliseconds a series",
}
_COLOURS = (OBSERVED, EXPECTED, THIRD, FOURTH)
_MARKERS = ("D", "s", "^", "v")
_LABELS, _NOTES = 1.9, 1.3  # inches left and right of the leaderboard
_PIT_BINS = 10


def show_leaderboard(scores: Scores) -> pd.DataFrame:
    """Return the leaderboard with its columns named as tables write them."""
    table = scores.leaderboard().rename(columns={"against_rivals": "share_of_rivals"})
    return _in_percent(table)


def _in_percent(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its skill in per cent, in the same place."""
    table = table.rename(columns={"skill": "skill_percent"})
    return table.assign(skill_percent=100 * table["skill_percent"])


def describe_backtest(scores: Scores) -> str:
    """Say what was scored: "3 months ahead from 8 past dates, 2018-01 to 2019-10, 13 series"."""
    unit = UNIT_NAMES[str(scores.origins.freqstr)]
    return (
        f"{plural(scores.horizon, unit)} ahead from {plural(len(scores.origins), 'past date')}, "
        f"{label(scores.origins[0])} to {label(scores.origins[-1])}, {scores.series:,} series"
    )


def _render_board(scores: Scores) -> str:
    """The leaderboard as an HTML table."""
    caption = f"Leaderboard, {describe_backtest(scores)}"
    return render_table(show_leaderboard(scores), caption=caption, headers=_HEADERS)


def render_scores(scores: Scores) -> str:
    """Return the leaderboard as a small piece of HTML, for notebooks."""
    return f'<div lang="en-GB">{_render_board(scores)}<p><small>{KEY}</small></p></div>'


def write_scores(scores: Scores, counts: Panel, *, to: str | Path) -> Path:
    """Write a page that needs nothing else: the leaderboard, its figure and its numbers.

    Parameters
    ----------
    scores : Scores
    counts : Panel
        What was scored: the page says where the figures came from.
    to : str or Path
        A file that ends in .html; one that is there is replaced, nothing half written stays.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    ForecastError
        If the file's name does not end in .html, or it cannot be written.
    """
    target = Path(to)
    if target.suffix != ".html":
        raise ForecastError(
            f"Page to write must be HTML: found {target.name!r}. End its name in .html."
        )
    with replacing(target) as half:
        half.write_text(render_page(scores, counts), "utf-8", newline="\n")
    return target


def render_page(scores: Scores, counts: Panel) -> str:
    """Return the page as HTML; names of areas and files are escaped."""
    figure = plot_scores(scores)
    numbers = {
        "Skill and calibration by step": _in_percent(scores.by_horizon()),
        "Where counts fell in the forecast": scores.pit_histogram(_PIT_BINS).astype(
            {"lower": str, "upper": str}
        ),
    }
    return (
        make_environment()
        .get_template("scores.html.j2")
        .render(
            title=figure.title,
            synthetic=counts.snapshot.synthetic,
            board=Markup(_render_board(scores)),  # noqa: S704
            key=KEY,
            picture=Markup(figure.picture()),  # noqa: S704
            numbers=[
                (caption, Markup(render_table(table, caption=caption, headers=_HEADERS)))  # noqa: S704
                for caption, table in numbers.items()
            ],
            facts=[("Data", counts.snapshot.sentence()), ("Counted", counts.measure)],
        )
    )


def plot_scores(scores: Scores, *, ax: Axes | None = None) -> Plot:
    """Draw the leaderboard, how well the best models are calibrated, and their skill by step.

    Parameters
    ----------
    scores : Scores
    ax : Axes, optional
        The caller's own, on which the leaderboard alone is drawn.

    Returns
    -------
    Plot
        Its table has a row a model, in the order in which they were given: the means of
        `summary`; the least and most saved from any one origin; the shares of the PIT histogram
        by tenth of the forecast; the skill by step.
    """
    board = show_leaderboard(scores)
    shown = board["model"].head(MOST_SHOWN).tolist()
    colours = choose_colours(shown)
    looks = choose_markers(shown)
    rows = [
        Row(
            str(found["model"]),
            float(found["wis"]),
            0.0,
            float(found["wis"]),
            note=f"{write_signed(found['skill_percent'])}; held {found['coverage_95']:.2f}",
            colour=colours.get(found["model"], INK),
            marker=looks.get(str(found["model"]), "o"),
            hollow=found["model"] not in shown or found["model"] == NAIVE,
        )
        for found in board.to_dict("records")
    ]
    labels = break_labels(rows, _LABELS)
    title, unit = _title_of(board), UNIT_NAMES[str(scores.origins.freqstr)]
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=_subtitle_of(scores, len(rows) > len(shown)),
            source=f"backtest, {describe_backtest(scores)}",
            heights=[sum(row_heights(labels)), 1.15, 1.75],
            columns=[1, len(shown), 1],
            left=0.6 if ax is None else MARGIN + _LABELS,
            between=0.3,
            gap=1.1,
            ax=ax,
        )
        top, *middle, bottom = sheet.axes
        if not sheet.borrowed:
            _squeeze(top, MARGIN + _LABELS + 0.15, MARGIN + _NOTES + 0.1)
            _head(top, "Error, and (right) per cent of it saved and share held")
        draw_rows(
            top, rows, labels,
            xlabel="Weighted interval score, smaller is better", borrowed=sheet.borrowed,
        )  # fmt: skip
        top.set_xlim(left=0)
        top.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        _draw_pits(middle, scores, shown, colours)
        _squeeze(bottom, 0.6, 1.75)
        _draw_skill(bottom, scores, shown, colours, unit)
    return Plot(sheet.figure, _say(title, board, scores), _table_of(scores), title)


def choose_colours(shown: Sequence[str]) -> dict[str, str]:
    """Return the colour of each model that is drawn; the naive one has that of the text."""
    named = [name for name in shown if name != NAIVE]
    return dict(zip(named, _COLOURS, strict=False)) | {NAIVE: INK}


def choose_markers(shown: Sequence[str]) -> dict[str, str]:
    """Return the marker of each model that is drawn, which tells it apart without colour."""
    named = [name for name in shown if name != NAIVE]
    return dict(zip(named, _MARKERS, strict=False)) | {NAIVE: "o"}


def _title_of(board: pd.DataFrame) -> str:
    """Which model was best, and by how much."""
    best = board.iloc[0]
    if math.isnan(best["skill_percent"]):
        return "Which model was better is not known: there is no error to compare with"
    if best["model"] == NAIVE or not best["skill_percent"] > 0:
        return "No model was better than the seasonal naive forecast"
    return (
        f"{best['model']} saved {best['skill_percent']:.0f} per cent of the seasonal naive "
        "forecast's error"
    )


def _subtitle_of(scores: Scores, more: bool) -> str:
    """What the three panels show, and how to read them."""
    unit = UNIT_NAMES[str(scores.origins.freqstr)]
    best = f" Middle and bottom: the best {MOST_SHOWN}." if more else ""
    return (
        f"{plural(scores.horizon, unit)} ahead, {plural(len(scores.origins), 'origin')}. Top: "
        "error over that of the seasonal naive forecast in sample; held: share of counts inside "
        "95 per cent intervals. Middle: bars level with the dashed line are right; high ends mean "
        f"intervals too narrow. Bottom: above zero is better than the naive forecast.{best}"
    )


def _squeeze(axes: Axes, left: float, right: float) -> None:
    """Leave some inches left and right of axes."""
    box = axes.get_position()
    axes.set_position((left / WIDTH, box.y0, (WIDTH - left - right) / WIDTH, box.height))


def _head(axes: Axes, text: str, *, above: float = 0.12) -> None:
    """Write what a row of panels shows, some inches above it and from the margin on."""
    height = axes.figure.get_figheight()  # type: ignore[union-attr]
    y = axes.get_position().y1 + above / height
    axes.figure.text(MARGIN / WIDTH, y, text, fontsize=SIZE, fontweight="bold", va="bottom")


def _draw_pits(
    panels: list[Axes], scores: Scores, shown: list[str], colours: dict[str, str]
) -> None:
    """A histogram of where counts fell, a panel a model, under one scale."""
    table = scores.pit_histogram(_PIT_BINS)
    width = (WIDTH - 0.6 - 0.25 - 0.3 * (len(shown) - 1)) / len(shown)
    names = [wrap(name, width, size=SMALL)[:2] for name in shown]
    for axes, name, lines in zip(panels, shown, names, strict=True):
        rows = table[table["model"] == name]
        axes.bar(
            rows["lower"], 100 * rows["share"], 1 / _PIT_BINS, align="edge",
            color=colours[name], edgecolor="white", linewidth=0.6,
        )  # fmt: skip
        halo = [withStroke(linewidth=2.6, foreground="white")]  # seen on dark bars as well
        axes.axhline(100 / _PIT_BINS, color=INK, linewidth=1.0, linestyle="--", path_effects=halo)
        axes.set_title("\n".join(lines), fontsize=SMALL, fontweight="normal", pad=4)
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.5, 1], ["below", "middle", "above"])
        ticks = axes.get_xticklabels()
        ticks[0].set_horizontalalignment("left")
        ticks[-1].set_horizontalalignment("right")
        count_axis(axes)
        if axes is not panels[0]:
            axes.set_yticklabels([])
    top = max(axes.get_ylim()[1] for axes in panels)
    for axes in panels:
        axes.set_ylim(0, top)
    deepest = max(len(lines) for lines in names)
    _head(panels[0], "Calibration: per cent of counts by where they fell in the forecast",
          above=0.1 + LEADING * deepest)  # fmt: skip


def _draw_skill(
    axes: Axes, scores: Scores, shown: list[str], colours: dict[str, str], unit: str
) -> None:
    """Skill by step, a line a model, named at its end."""
    table = _in_percent(scores.by_horizon())
    ends, looks = {}, choose_markers(shown)
    for name in shown:
        rows = table[table["model"] == name]
        x, y = rows["step"].to_numpy(), rows["skill_percent"].to_numpy(dtype=float)
        if name != NAIVE:
            every = max(1, len(x) // 10)
            axes.plot(x, y, color=colours[name], marker=looks[name], markevery=every)
        if len(y) and math.isfinite(y[-1]):
            ends[name] = float(y[-1])
    axes.axhline(0, color=INK, linewidth=1.0)
    last = int(table["step"].max())
    axes.set_xlim(0.75, last + max(0.02 * last, 0.05 if last > 1 else 0.25))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.set_xlabel(f"{unit.capitalize()}s ahead", fontsize=SMALL)
    count_axis(axes, signed=True)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    room = LEADING * (high - low) / 1.75  # a line of type in per cent
    ends.setdefault(NAIVE, 0.0)
    heights = spread_apart(list(ends.values()), room)
    beside = axes.get_yaxis_transform()
    for name, at in zip(ends, heights, strict=True):
        axes.plot(
            1.025, at, looks[name], transform=beside, clip_on=False, color=colours[name],
            markerfacecolor="white" if name == NAIVE else colours[name],
        )  # fmt: skip
        axes.annotate(
            wrap(name, 1.6, size=SMALL)[0], (1.025, at), xycoords=beside, xytext=(8, 0),
            textcoords="offset points", va="center", fontsize=SMALL, annotation_clip=False,
        )  # fmt: skip
    _head(axes, f"Skill by {unit} ahead: per cent of the seasonal naive forecast's error saved")


def _say(title: str, board: pd.DataFrame, scores: Scores) -> str:
    """The figure in words."""
    said = [
        f"{row['model']}: WIS {row['wis']:.2f}, {write_signed(row['skill_percent'])} per cent "
        f"saved, {row['coverage_95']:.2f} of counts inside 95 per cent intervals."
        for row in board.to_dict("records")
    ]
    pit = scores.pit_histogram(_PIT_BINS)
    steps = _in_percent(scores.by_horizon()).dropna(subset="skill_percent")
    for name in board["model"].head(MOST_SHOWN):
        shares = 100 * pit.loc[pit["model"] == name, "share"].to_numpy()
        text = f"{name}: lowest tenth of the forecast held {shares[0]:.0f} per cent of the counts, "
        text += f"highest {shares[-1]:.0f}"
        skill = steps.loc[steps["model"] == name, "skill_percent"].to_numpy()
        if name != NAIVE and len(skill):
            text += f"; saved {write_signed(skill[0])} per cent at the first step, "
            text += f"{write_signed(skill[-1])} at the last"
        said.append(f"{text}.")
    return f"{title}. {' '.join(said)}"


def _table_of(scores: Scores) -> pd.DataFrame:
    """The numbers of the figure, a row a model."""
    table = _in_percent(scores.summary().drop(columns="cpu_seconds_per_series"))
    by_origin = scores.table.groupby(["origin", "model"])["wis_scaled"].mean().unstack("model")
    saved = 100 * (1 - by_origin.div(by_origin[NAIVE], axis=0))  # (origin, model)
    table["worst_origin_percent"] = [float(saved[m].min()) for m in table["model"]]
    table["best_origin_percent"] = [float(saved[m].max()) for m in table["model"]]
    pit = scores.pit_histogram(_PIT_BINS)
    shares = np.asarray(pit["share"]).reshape(-1, _PIT_BINS)  # (model, bin)
    for place in range(_PIT_BINS):
        table[f"pit_share_{place + 1}"] = shares[:, place]
    steps = _in_percent(scores.by_horizon())
    for step, rows in steps.groupby("step"):
        skill = rows.set_index("model")["skill_percent"]
        table[f"skill_percent_step_{step}"] = table["model"].map(skill)
    return table
