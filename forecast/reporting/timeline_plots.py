"""The figure of a campaign before anything is counted: its days, earlier runs, disruptions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from forecast.impact.campaign import Campaign
from forecast.reporting.drawing import (
    BORROWED_LABELS,
    Row,
    break_labels,
    row_heights,
    tick_days,
    write_sides,
)
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import capitalise, name_days, plural
from forecast.reporting.theme import (
    CAMPAIGN,
    HATCH,
    INK,
    MARGIN,
    OBSERVED,
    lay_out,
    styled,
)


@dataclass(frozen=True)
class _Span:
    """A row of the figure: what lay when, and how well its days are known."""

    kind: str
    label: str
    start: dt.date
    end: dt.date
    days_known: bool = True

    @property
    def when(self) -> str:
        """Its days in words."""
        return name_days(self.start, self.end) if self.days_known else f"some time in {self._year}"

    @property
    def _year(self) -> int:
        return self.start.year


_LOOKS = {
    "campaign": (OBSERVED, INK, ""),
    "other run": (CAMPAIGN, OBSERVED, ""),
    "days not known": ("white", OBSERVED, "...."),
    "disruption": ("white", HATCH, "////"),
}
"""Fill, edge and hatch of each kind of row: told apart without colour."""


def plot_timeline(campaign: Campaign, *, ax: Axes | None = None) -> Plot:
    """Draw when a campaign was, when else it ran, and what disturbed it.

    Parameters
    ----------
    campaign : Campaign
    ax : Axes, optional
        The caller's own.

    Returns
    -------
    Plot
        Nothing is counted: it shows the campaign file.
    """
    spans = _list_spans(campaign)
    others = sum(span.kind in ("other run", "days not known") for span in spans)
    shocks = sum(span.kind == "disruption" for span in spans)
    days = name_days(campaign.start, campaign.end)
    title = (
        f"{campaign.name}: {days} ({plural(campaign.days, 'day')}), "
        f"{plural(others, 'other run')}, {plural(shocks, 'disruption')} listed"
    )
    wide = 2.2 if ax is None else BORROWED_LABELS
    labels = break_labels([Row(span.label, 0.0, 0.0, 0.0) for span in spans], wide)
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=(
                f"{capitalise(', '.join(campaign.offences))}. Dark: the campaign. Grey: other "
                "runs; dotted: a run whose days are not known. Hatched: disruptions that the "
                "campaign file lists."
            ),
            source=f"campaign file of {campaign.name}",
            heights=[sum(row_heights(labels))],
            left=MARGIN + wide + 0.15,
            right=MARGIN + 2.1,
            headroom=0.1,
            ax=ax,
        )
        _draw_spans(sheet.axes[0], spans, labels, borrowed=sheet.borrowed)
    table = pd.DataFrame(
        {
            "what": [span.label for span in spans],
            "kind": [span.kind for span in spans],
            "days": [span.when for span in spans],
        }
    )
    said = [f"{span.label}: {span.when}." for span in spans]
    return Plot(sheet.figure, f"{title}. {' '.join(said)}", table, title)


def _list_spans(campaign: Campaign) -> list[_Span]:
    """The campaign first, then its other runs, then disruptions, each by its start."""
    spans = [_Span("campaign", campaign.name, campaign.start, campaign.end)]
    runs = []
    for run in campaign.previous:
        name = f"Run of {run.when}"
        if run.start is not None and run.end is not None:
            runs.append(_Span("other run", name, run.start, run.end))
        else:
            year = run.when
            runs.append(
                _Span("days not known", name, dt.date(year, 1, 1), dt.date(year, 12, 31), False)
            )
    shocks = [
        _Span("disruption", capitalise(shock.name), shock.start, shock.end)
        for shock in campaign.disruption
    ]
    return spans + sorted(runs, key=lambda s: s.start) + sorted(shocks, key=lambda s: s.start)


def _draw_spans(axes: Axes, spans: list[_Span], labels: list[list[str]], *, borrowed: bool) -> None:
    """A bar a row, wide enough to be seen however short it is."""
    first, last = min(s.start for s in spans), max(s.end for s in spans)
    room = max(30, (last - first).days // 20)
    axes.set_xlim(first.toordinal() - room, last.toordinal() + room)
    least = (last - first).days / 80
    heights = row_heights(labels)
    axes.set_ylim(sum(heights) + 0.04, 0)
    centres, top = [], 0.0
    for span, height in zip(spans, heights, strict=True):
        centres.append(top + height / 2)
        fill, edge, hatch = _LOOKS[span.kind]
        days = max((span.end - span.start).days + 1, least)
        axes.barh(
            centres[-1], days, 0.15, left=span.start.toordinal(),
            color=fill, edgecolor=edge, hatch=hatch, linewidth=0.9,
        )  # fmt: skip
        top += height
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    tick_days(axes, first, last)
    notes = ["" if borrowed else span.when for span in spans]
    write_sides(axes, centres, ["\n".join(x) for x in labels], notes, borrowed=borrowed)
