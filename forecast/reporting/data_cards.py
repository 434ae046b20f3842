"""How counts, forecasts and what is known of them show themselves in a notebook."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from forecast.data.lag import Completeness
from forecast.data.panel import Panel
from forecast.data.revisions import VintageDiff
from forecast.data.snapshots import Store
from forecast.data.tallies import Tally
from forecast.models.draws import Forecast, interval, median
from forecast.models.quantiles import QuantileForecast
from forecast.periods import FREQUENCY_NAMES, UNIT_NAMES, describe_span, label
from forecast.reporting.cards import lay_card
from forecast.reporting.formatting import (
    capitalise,
    name_days,
    name_short,
    plural,
    say_window,
    write_count,
    write_interval,
    write_range,
    write_signed,
)
from forecast.reporting.lag_plots import say_lag, title_of_lag
from forecast.reporting.panel_plots import title_of_diff
from forecast.reporting.profile_plots import title_of_profile
from forecast.reporting.tables import with_interval
from forecast.seasonality.disruptions import Disruption
from forecast.seasonality.profiles import Profile

LEVEL = 0.95
"""Of the intervals of forecasts."""


def show_panel(panel: Panel) -> str:
    """Return a panel: how much was counted of each offence, and how much is missing."""
    total = panel.total()
    rows = []
    for place, name in enumerate(total.offences):
        own = panel.values[(panel.series["offence"] == name).to_numpy()]  # (series, period)
        known = np.flatnonzero(np.isfinite(total.values[place]))
        last = total.periods[known[-1]] if len(known) else None
        rows.append(
            {
                "offence": name,
                "counted": float(np.nansum(own)),
                "missing": int(np.isnan(own).sum()),
                "last_period": "none" if last is None else name_short(last),
                "last": float(total.values[place, known[-1]]) if len(known) else math.nan,
            }
        )
    missing = int(np.isnan(panel.values).sum())
    title = (
        f"{write_count(float(np.nansum(panel.values)))} {panel.measure} in "
        f"{plural(len(panel.areas), 'area')}, {describe_span(panel.periods)}"
    )
    gaps = f"{missing:,} of {panel.values.size:,} counts are missing; zero is a count."
    unit = UNIT_NAMES[panel.freq]
    return lay_card(
        title,
        [gaps if missing else "No count is missing.", *panel.notes],
        pd.DataFrame(rows),
        caption=f"Counts by offence, {FREQUENCY_NAMES[panel.freq]}, all areas together",
        headers={
            "last_period": f"Last {unit} known of all areas",
            "last": f"Counted in that {unit}",
        },
        snapshot=panel.snapshot,
        whole="to_frame()",
    )


def show_profile(profile: Profile) -> str:
    """Return a profile: the autumn rise, and the highest and lowest season of each offence."""
    table = profile.summary()
    rises = profile.autumn_rise[profile.autumn_rise["area"] == profile.area]
    rows = []
    for rise in rises.to_dict("records"):
        here = table[table["offence"] == rise["offence"]]
        ends = (rise["percent_lower"], rise["percent_upper"])
        rows.append(
            {
                "offence": rise["offence"],
                "rise_interval": with_interval(
                    write_signed(rise["percent"], digits=1), write_interval(ends, digits=1)
                ),
                "highest": _say_season(here.loc[here["percent"].idxmax()], profile.freq),
                "lowest": _say_season(here.loc[here["percent"].idxmin()], profile.freq),
                "years": rise["years"],
            }
        )
    headers = {
        "rise_interval": (
            "October and November against August and September, per cent "
            f"({100 * profile.level:.0f} per cent interval)"
        ),
        "highest": "Highest, against its year",
        "lowest": "Lowest, against its year",
    }
    offences = [str(row["offence"]) for row in rows]
    return lay_card(
        title_of_profile(profile, offences),
        profile.notes,
        pd.DataFrame(rows),
        caption=f"The usual year in {profile.area}, {profile.measure}",
        headers=headers,
        snapshot=profile.snapshot,
        whole="autumn_rise",
    )


def _say_season(row: pd.Series[float], freq: str) -> str:
    """A season and how far it stands from its year."""
    season = str(row["season"]) if freq == "M" else f"week {row['season']}"
    return f"{season} ({write_signed(float(row['percent']), digits=1)} per cent)"


def show_forecast(forecast: Forecast) -> str:
    """Return a forecast: what is expected of each offence, all areas and periods together."""
    total = forecast.total()
    rows = []
    for place, name in enumerate(total.series["offence"].astype(str)):
        sums = total.draws[:, place].sum(axis=1)  # (draw,)
        low, high = (float(bound) for bound in interval(sums, LEVEL))
        rows.append(
            {
                "offence": name,
                "expected": float(median(sums)),
                "expected_range": write_range((low, high)),
            }
        )
    first = rows[0]
    title = (
        f"{capitalise(str(first['offence']))}: about {write_count(float(str(first['expected'])))} "
        f"expected {say_window(forecast.periods)}, very likely {first['expected_range']}"
    )
    areas = forecast.series["area"].nunique()
    return lay_card(
        title,
        [
            f"{capitalise(forecast.measure)} in {plural(areas, 'area')}, by {forecast.model}; "
            f"nothing was seen from {label(forecast.cutoff)} on."
        ],
        pd.DataFrame(rows),
        caption=f"Expected {say_window(forecast.periods)}, all areas together",
        headers={
            "expected": "Expected (middle)",
            "expected_range": f"{100 * LEVEL:.0f} per cent interval",
        },
        whole="summary()",
    )


def show_quantiles(forecast: QuantileForecast) -> str:
    """Return a forecast by quantiles: its middle and interval, series by series."""
    table = forecast.summary(level=LEVEL)
    shown = pd.DataFrame(
        {
            "series": table["offence"] + ", " + table["area"],
            "period": [label(p) for p in table["period"]],
            "expected": table["median"],
            "expected_range": [
                write_range((low, high))
                for low, high in zip(table["lower"], table["upper"], strict=True)
            ],
        }
    )
    return lay_card(
        f"What {forecast.model} expects {say_window(forecast.periods)}",
        [
            f"{plural(len(forecast.levels), 'quantile')} of {len(forecast.series):,} series; "
            f"nothing was seen from {label(forecast.cutoff)} on. They cannot be added up."
        ],
        shown,
        caption="Expected by series and period",
        headers={
            "expected": "Expected (middle)",
            "expected_range": f"{100 * LEVEL:.0f} per cent interval",
        },
        whole="summary()",
    )


def show_completeness(lag: Completeness) -> str:
    """Return a recording lag: what share is recorded, by time since the period."""
    known = lag.table[lag.table["share"].notna()]
    unit = UNIT_NAMES[lag.freq]
    table = pd.DataFrame(
        {
            "offence": known["offence"],
            "recorded_interval": [
                f"{100 * share:.1f} ({100 * low:.1f} to {100 * high:.1f})"
                for share, low, high in zip(
                    known["share"], known["lower"], known["upper"], strict=True
                )
            ],
            "when": [say_lag(int(one), unit) for one in known["lag"]],
            "cells": known["cells"],
        }
    )
    title = "Nothing is known of how complete counts are"
    if len(known):
        first = known.iloc[0]
        percent = 100 * float(first["share"])
        title = title_of_lag(str(first["offence"]), percent, int(first["lag"]), unit)
    return lay_card(
        title,
        lag.sentences()[len(lag.offences) :],  # those before say what the table says
        table,
        caption=f"Recorded, per cent of what is recorded within {plural(lag.longest, unit)}",
        headers={
            "recorded_interval": f"Recorded, per cent ({100 * lag.level:.0f} per cent interval)",
            "when": "When",
            "cells": f"{capitalise(unit)}s that told it",
        },
        whole="summary()",
    )


def show_diff(diff: VintageDiff) -> str:
    """Return what changed between two vintages."""
    table = diff.summary()
    shown = pd.DataFrame(
        {
            "what": table["offence"] + ", " + table["area"],
            **{
                name: table[name]
                for name in ("compared", "changed", "added", "removed", "net_change_percent")
            },
        }
    )
    return lay_card(
        title_of_diff(diff),
        diff.sentences()[2:],  # the first two are the sources
        shown,
        caption=f"Changes of {diff.measure}",
        headers={"what": "Offence and area"},
        whole="summary()",
    )


def show_tally(tally: Tally) -> str:
    """Return what became of the rows that were read."""
    table = pd.DataFrame(tally.reasons, columns=["reason", "rows"])
    return lay_card(
        f"{tally.read:,} rows read: {tally.counted:,} counted, {tally.quarantined:,} quarantined",
        [f"{tally.left_out:,} of the counted were not asked for."] if tally.left_out else [],
        table,
        caption="Why rows were quarantined",
        whole="to_dict()",
    )


def show_store(store: Store) -> str:
    """Return the snapshots of a store, the newest first; its folder is not told."""
    entries = sorted(store.entries(), key=lambda entry: entry.retrieved, reverse=True)
    table = pd.DataFrame(
        [
            {
                "dataset": entry.dataset,
                "retrieved": entry.retrieved,
                "files": len(entry.files),
                "what": entry.source,
            }
            for entry in entries
        ]
    )
    datasets = len({entry.dataset for entry in entries})
    return lay_card(
        f"{plural(len(entries), 'snapshot')} of {plural(datasets, 'dataset')}",
        [] if entries else ["Nothing is kept yet: keep files with keep(path, dataset=...)."],
        table,
        caption="Snapshots, the newest first",
        whole="entries()",
    )


def show_disruption(shock: Disruption) -> str:
    """Return a disruption: its days, its kind, its source."""
    days = name_days(shock.start, shock.end)
    length = plural((shock.end - shock.start).days + 1, "day")
    source = [f"Source: {shock.source}."] if shock.source else []
    return lay_card(
        f"{capitalise(shock.name)}: {days} ({length})",
        [f"{capitalise(shock.kind)}, order {shock.stringency} of 4.", *source],
    )
