"""How often is a campaign found that never happened, and how wide is the interval?

London totals of eight offences; windows October-November and April-May of 2014-2019, 2023 and
2024 where the months exist; data up to the month before. An alarm is a 95 per cent interval of
the two months' total that excludes what happened. Each model is shown as it is, calibrated by the
placebo errors of other years, and by those of earlier years alone (windows with fewer than four
before them are left out there). `around` leaves the window out and lets later months be seen; the
others see nothing from the window on. The interval of the rate is a bootstrap over windows, whose
errors are correlated between offences. Run with `make bench`.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
from scipy import stats

from forecast.data.panel import Panel
from forecast.data.samples import load_sample
from forecast.impact.around import AroundModel
from forecast.impact.baseline import mask, shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.placebo import MIN_WINDOWS, Placebo, run_placebos
from forecast.impact.pooled_errors import t_limit
from forecast.impact.windows import Window
from forecast.models.base import Model
from forecast.models.dynamic import DynamicCounts
from forecast.models.ensemble import Ensemble
from forecast.models.glm import SeasonalGLM
from forecast.models.naive import SeasonalNaive
from forecast.models.prophet import SeasonalProphet
from forecast.models.structural import StructuralTrend
from forecast.seasonality.disruptions import Disruption, disrupted

VIOLENCE = ("violence with injury", "other violence against the person")
OTHERS = (
    "robbery",
    "burglary",
    "theft",
    "vehicle offences",
    "arson and criminal damage",
    "public order offences",
    "drug offences",
)
YEARS = (2014, 2015, 2016, 2017, 2018, 2019, 2023, 2024)
LEVEL = 0.95


def eight_offences() -> Panel:
    """London totals, violence against the person as one."""
    frame = load_sample("london").select(offence=[*VIOLENCE, *OTHERS]).total().to_frame()
    frame["offence"] = frame["offence"].replace(dict.fromkeys(VIOLENCE, "violence"))
    keys = ["area", "offence", "period"]
    return Panel.from_frame(frame.groupby(keys, as_index=False, sort=False)["count"].sum())


def protocol_windows(panel: Panel) -> list[Window]:
    """The windows of the protocol whose months the panel holds."""
    found = []
    for year in YEARS:
        for month in (4, 10):
            periods = pd.period_range(f"{year}-{month:02d}", periods=2, freq="M")
            if periods[-1] <= panel.periods[-1]:
                found.append(Window(periods, month == 10, "none known"))
    return found


def rate_interval(rows: pd.DataFrame, alarms: pd.Series, rng: np.random.Generator) -> str:
    """Alarm rate in per cent, with a bootstrap interval over windows."""
    by_window = alarms.groupby(rows["window"]).mean().to_numpy()
    means = rng.choice(by_window, size=(4000, len(by_window))).mean(axis=1)
    low, high = np.quantile(100 * means, [0.025, 0.975])
    return f"{100 * alarms.mean():.1f} ({low:.1f} to {high:.1f})"


def half_width_by_earlier_years(rows: pd.DataFrame) -> pd.Series:
    """Half width of each interval, of the log, when only earlier years may calibrate it.

    NaN where fewer than four windows came in earlier years: `evaluate` says nothing then.
    """
    limit = pd.Series(np.nan, index=rows.index)
    for year, group in rows.groupby("year"):
        earlier = rows[rows["year"] < year]
        if earlier["window"].nunique() >= MIN_WINDOWS:
            limit[group.index] = t_limit(earlier, LEVEL)
    return limit * rows["spread"]


def describe(name: str, placebo: Placebo, seconds: float) -> list[dict[str, object]]:
    """One row for the model as it is, one for the model calibrated by other years."""
    rng = np.random.default_rng(0)
    judged = placebo.totals
    normal = stats.norm.ppf((1 + LEVEL) / 2)
    out = []
    for kind, widths in (
        ("as it is", normal * judged["spread"]),
        ("by other years", judged["half_width"]),
        ("by earlier years", half_width_by_earlier_years(judged)),
    ):
        rows, half_width = judged[widths.notna()], widths.dropna()
        alarms = rows["error"].abs() > half_width
        autumn = rows["same_season"]
        width = 100 * (np.exp(half_width) - np.exp(-half_width))
        out.append(
            {
                "model": f"{name}, {kind}",
                "windows": len(rows),
                "alarms": int(alarms.sum()),
                "rate % (95 % interval)": rate_interval(rows, alarms, rng),
                "in autumn %": round(100 * float(alarms[autumn].mean()), 1),
                "width, points": round(float(width.mean()), 1),
                "CPU s": round(seconds, 1),
            }
        )
    return out


def asked_models(panel: Panel, shocks: list[Disruption], *, prophet: bool) -> dict[str, Model]:
    """The models by name; the default twice, from before the window and around it."""
    ahead: list[Model] = [DynamicCounts(), Ensemble(), StructuralTrend(), SeasonalGLM()]
    ahead += [SeasonalNaive(), *([SeasonalProphet()] if prophet else [])]
    around = AroundModel(DynamicCounts(), mask(panel, disrupted(panel.periods, shocks)))
    first, *others = ahead
    return {first.name: first, f"{first.name} around": around} | {m.name: m for m in others}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prophet", action="store_true", help="Prophet as well (slow).")
    options = parser.parse_args()
    panel = eight_offences()
    # The campaign only names the offences and the months that are hidden from later windows.
    campaign = Campaign(
        name="placebo", start="2020-10-01", end="2020-11-30", offences=panel.offences
    )
    windows, shocks = protocol_windows(panel), shocks_of(campaign, panel)
    table = []
    for name, model in asked_models(panel, shocks, prophet=options.prophet).items():
        began = time.process_time()
        placebo = run_placebos(
            model, panel, campaign, shocks, level=LEVEL, draws=2000, seed=0, windows=windows
        )
        table += describe(name, placebo, time.process_time() - began)
    print(f"{len(windows)} windows of two months, {len(panel.offences)} offences")
    print(pd.DataFrame(table).to_string(index=False))


if __name__ == "__main__":
    main()
