"""The controls examined: weights, fit before the window, what each contributes, what moved them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.impact.baseline import Calibration, calibrate, fit_before, hide_shocks
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check, Status, days_in_window, join_words
from forecast.impact.controls import ControlledCounts, FittedControlled, find_controls
from forecast.impact.effect import SeriesEffect, format_points, measure_effect
from forecast.impact.guarding import Guard, describe_move, guard_controls
from forecast.impact.plain import clean, records
from forecast.impact.synthetic import Kind
from forecast.impact.windows import find_windows
from forecast.periods import UNIT_NAMES
from forecast.seasonality.disruptions import MAJOR_STRINGENCY, Disruption

NO_ONE = "none"
"""In `left_out`, the row with all controls."""


@dataclass(frozen=True, eq=False)
class ControlsReport:
    """What the controls are worth.

    Attributes
    ----------
    kind : {"synthetic", "augmented", "regressors"}
    weights : pandas.DataFrame
        As from `FittedControlled.weights`: of the window's own fit, by offence and control.
    left_out : pandas.DataFrame
        The effect with each control removed in turn: `offence, without, observed, expected,
        percent, percent_lower, percent_upper`; the row "none" has all controls.
    guard : Guard
        What the controls did themselves.
    disruptions : tuple of str
        Serious ones with days in the window.
    unit : str
        What a period is called.
    neighbours : tuple of str
        Areas that were named for comparison, but are no controls: next to the campaign's.
    """

    kind: Kind
    weights: pd.DataFrame
    left_out: pd.DataFrame
    guard: Guard
    disruptions: tuple[str, ...] = ()
    unit: str = "month"
    neighbours: tuple[str, ...] = ()

    def summary(self) -> pd.DataFrame:
        """Return one row an offence and control.

        The columns of `weights`, then what the effect is without the control (`without_percent`
        and bounds, in points), and what the control did itself (`own_observed, own_expected,
        own_percent` and bounds, `own_p, moved`).
        """
        removed = self.left_out.rename(
            columns={
                "without": "control",
                "percent": "without_percent",
                "percent_lower": "without_percent_lower",
                "percent_upper": "without_percent_upper",
            }
        ).drop(columns=["observed", "expected"])
        own = self.guard.moves.drop(columns="windows").add_prefix("own_")
        own = own.rename(columns={"own_control": "label", "own_moved": "moved"})
        table = self.weights.merge(removed, on=["offence", "control"], how="left")
        labels = [self._label(row) for row in table.to_dict("records")]
        return table.assign(label=labels).merge(own, on="label", how="left").drop(columns="label")

    def _label(self, row: dict[Any, Any]) -> str:
        """What the guard calls a control of an offence."""
        several = self.weights["offence"].nunique() > 1 and row["kind"] == "area"
        return f"{row['control']}, {row['offence']}" if several else str(row["control"])

    def sentences(self) -> list[str]:
        """Return what is to be said of the controls, in plain words."""
        return [
            *(self._say_fit(str(offence)) for offence in self.weights["offence"].unique()),
            *self._say_left_out(),
            self._say_moves(),
            *self._say_disruptions(),
            *self._say_neighbours(),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values: None where something is not known."""
        return {
            "kind": self.kind,
            "weights": records(self.weights),
            "left_out": records(self.left_out, "percent"),
            "own": records(self.guard.moves, "percent"),
            "moved_alike_p": clean(self.guard.alike),
            "disruptions": list(self.disruptions),
            "neighbours_left_out": list(self.neighbours),
        }

    def check(self) -> Check:
        """Say whether the controls can be trusted to show what would have happened."""
        name, table = "controls", self.summary()
        doubts = [
            *([self._say_moves()] if len(self.guard.moved) else []),
            *self._say_unlike(),
            *self._say_rests_on_one(),
        ]
        if doubts:
            return Check(name, "failed", False, " ".join(doubts), table=table)
        status: Status = "passed" if len(self.guard.judged) else "not possible"
        return Check(name, status, False, self._say_moves(), table=table)

    def _say_fit(self, offence: str) -> str:
        """How near the controls came to an offence before the window."""
        rows = self.weights[self.weights["offence"] == offence]
        first = rows.iloc[0]
        parts = [
            f"{row['control']} {row['weight']:.2f}"
            for _, row in rows.sort_values("weight", ascending=False).iterrows()
            if row["weight"] >= 0.005
        ]
        if self.kind == "regressors":
            named = f"{join_words(rows['control'].tolist())}, each a regressor of its own"
        else:
            named = f"weights {join_words(parts)}" if parts else "no control has any weight"
        if self.kind == "augmented":
            named += f" and an intercept of {first['intercept']:.2f}"
        near = 100 * (np.exp(float(first["rmse_before"])) - 1)
        return (
            f"Controls of {offence}: {named}. In the {int(first['periods'])} {self.unit}s before "
            f"the window that were fitted on, the target strayed from them by {near:.1f} per cent "
            "(root mean square); without season and slow level their "
            f"{_describe_correlation(float(first['correlation_before']))}."
        )

    def _say_unlike(self) -> list[str]:
        """Offences that did not move with their controls before the window."""
        firsts = self.weights.drop_duplicates("offence")
        # about twice the standard error of a correlation of nothing with nothing
        limit = 2 / np.sqrt(firsts["periods"].to_numpy(dtype=float))
        found = firsts["correlation_before"].to_numpy(dtype=float)
        unlike = firsts.loc[~(found > limit), "offence"].tolist()
        if not unlike:
            return []
        return [
            f"Before the window {join_words(unlike)} did not clearly move with the controls, which "
            "therefore say little of the window."
        ]

    def _say_left_out(self) -> list[str]:
        """The range of the effect with each control left out."""
        found = []
        for offence, rows in self.left_out.groupby("offence", sort=False):
            every = rows[rows["without"] == NO_ONE].iloc[0]
            rest = rows[rows["without"] != NO_ONE].sort_values("percent")
            if rest.empty:
                found.append(f"{offence} has one control, so none can be left out to see.")
                continue
            low, high = rest.iloc[0], rest.iloc[-1]
            found.append(
                f"With each control left out in turn, {offence} lies between "
                f"{format_points(low['percent'])} per cent (without {low['without']}; "
                f"{low['expected']:,.0f} expected) and {format_points(high['percent'])} per cent "
                f"(without {high['without']}; {high['expected']:,.0f} expected); with all "
                f"it is {format_points(every['percent'])} per cent ({every['observed']:,.0f} "
                f"counted, {every['expected']:,.0f} expected)."
            )
        return found

    def _say_rests_on_one(self) -> list[str]:
        """Offences whose interval leaves out zero only with, or only without, one control."""
        found = []
        for offence, rows in self.left_out.groupby("offence", sort=False):
            outside = (rows["percent_lower"] > 0) | (rows["percent_upper"] < 0)
            every = bool(outside[rows["without"] == NO_ONE].iloc[0])
            turning = rows.loc[(outside != every) & (rows["without"] != NO_ONE), "without"].tolist()
            if turning:
                word = "would no longer leave" if every else "would leave"
                found.append(
                    f"The result on {offence} rests on single controls: without "
                    f"{' or without '.join(turning)} its interval {word} out zero."
                )
        return found

    def _say_moves(self) -> str:
        """What the controls did in the window, and what that can and cannot mean."""
        judged, moved = self.guard.judged, self.guard.moved
        if judged.empty:
            return (
                "Whether the controls themselves were hit by something in the window cannot be "
                "told: there are too few placebo windows to judge them by."
            )
        if moved.empty:
            said = join_words([describe_move(row) for _, row in judged.iterrows()][:4])
            more = f" and {len(judged) - 4} more" if len(judged) > 4 else ""
            return f"No control clearly moved in the window: {said}{more}."
        said = join_words([describe_move(row) for _, row in moved.iterrows()])
        text = f"{len(moved)} of {len(judged)} controls clearly moved in the window: {said}."
        if len(judged) == 1:
            return (
                f"{text} It may carry the shock that hit the target, which is then rightly taken "
                "off, or what spilled over from the campaign, and then the effect is taken off "
                "too: these counts cannot tell which."
            )
        if self.guard.moved_alike:
            return (
                f"{text} All moved alike, as a shock that they share would have it, and it is "
                "taken off; a campaign that reached every control would look the same and be "
                "taken off too: these counts cannot tell which."
            )
        return (
            f"{text} They did not move alike, so that no one shock explains it: the controls may "
            "carry a shock that the target was spared, or what spilled over from the campaign."
        )

    def _say_disruptions(self) -> list[str]:
        """What can be said of disruptions that share the window."""
        if not self.disruptions:
            return []
        names = join_words(list(self.disruptions))
        if np.isnan(self.guard.alike):
            return [
                f"The window shares days with {names}: whether it hit all controls alike cannot be "
                "told, and whether it hit the target as it hit them not either."
            ]
        alike = (
            "The controls moved alike, as far as can be told"
            if self.guard.moved_alike
            else "The controls did not move alike"
        )
        return [
            f"The window shares days with {names}. {alike}; whether it hit the target as it hit "
            "them cannot be told from these counts."
        ]

    def _say_neighbours(self) -> list[str]:
        """Areas that were named for comparison and lie next to the campaign's: left out."""
        if not self.neighbours:
            return []
        many = len(self.neighbours) > 1
        return [
            f"{join_words(self.neighbours)} {'were' if many else 'was'} named for comparison and "
            f"{'lie' if many else 'lies'} next to the campaign's areas: left out, for what moved "
            "there from the campaign would be taken for what happens without it."
        ]


def _describe_correlation(value: float) -> str:
    """A correlation in words."""
    if np.isnan(value):
        return "correlation cannot be computed, for one of them does not move"
    return f"correlation is {value:.2f}"


def examine_controls(
    campaign: Campaign,
    counts: Panel,
    shocks: Sequence[Disruption],
    *,
    model: ControlledCounts | None = None,
    calibration: Calibration | None = None,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> ControlsReport:
    """Look at what the controls of a campaign are worth.

    Parameters
    ----------
    campaign : Campaign
    counts : Panel
        All areas, the campaign's and the others.
    shocks : sequence of Disruption
        Their periods are not learnt from.
    model : ControlledCounts, optional
        The model of the evaluation; synthetic controls unless given.
    calibration : Calibration, optional
        That of the model's placebo windows, for the intervals with each control left out; there
        are none without it.
    level, draws, seed
        As in `evaluate`.

    Returns
    -------
    ControlsReport

    Raises
    ------
    CampaignError
        As `find_controls`.

    References
    ----------
    Leaving out one control at a time: Abadie, Diamond & Hainmueller (2015), Comparative politics
    and the synthetic control method, American Journal of Political Science 59(2), section 4.
    Guards: Abadie (2021), Using synthetic controls, Journal of Economic Literature 59(2),
    sections 5 and 6.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> facts = {"name": "Test", "start": "2022-10-01", "end": "2022-11-30"}
    >>> facts |= {"offences": ["robbery"], "areas": ["Area 01"]}
    >>> campaign = Campaign(**facts, comparison={"areas": ["Area 02", "Area 03"]})
    >>> report = examine_controls(campaign, simulate(areas=3, years=8), [], draws=200)
    >>> report.left_out["without"].tolist()
    ['none', 'Area 02', 'Area 03']
    """
    chosen = model or ControlledCounts(find_controls(campaign, counts))
    panel = counts if campaign.areas is None else counts.select(area=campaign.areas)
    targets = panel.select(offence=campaign.offences).total()
    start = campaign.periods(counts.freq)[0]
    fitted = fit_before(chosen, hide_shocks(targets, shocks), start)
    assert isinstance(fitted, FittedControlled)
    weights = fitted.weights()
    left_out = _leave_out(
        campaign, targets, shocks, chosen, weights, calibration, level, draws, seed
    )
    guard = guard_controls(
        campaign,
        chosen.controls,
        shocks,
        chosen.controls.choose_windows(campaign, find_windows(campaign, counts, shocks)),
        base=chosen.base,
        level=level,
        draws=draws,
        seed=seed,
    )
    return ControlsReport(
        chosen.kind,
        weights,
        left_out,
        guard,
        tuple(
            shock.name
            for shock in shocks
            if shock.stringency >= MAJOR_STRINGENCY and days_in_window(shock, campaign) > 0
        ),
        UNIT_NAMES[counts.freq],
        chosen.controls.neighbours,
    )


def _leave_out(
    campaign: Campaign,
    targets: Panel,
    shocks: Sequence[Disruption],
    model: ControlledCounts,
    weights: pd.DataFrame,
    calibration: Calibration | None,
    level: float,
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """The effect with all controls, and with each left out in turn."""
    rows = []
    for offence in campaign.offences:
        one = targets.select(offence=offence)
        for name in (NO_ONE, *weights.loc[weights["offence"] == offence, "control"]):
            tried = model if name == NO_ONE else model.without(name)
            if tried.controls.rows(offence):
                part = _measure(campaign, one, shocks, tried, calibration, level, draws, seed)
                # without placebo windows an interval would promise what nobody has measured
                bounds = part.percent_interval if calibration is not None else (np.nan, np.nan)
                rows.append((offence, name, part.observed, part.expected, part.percent, *bounds))
    columns = ["offence", "without", "observed", "expected", "percent"]
    return pd.DataFrame(rows, columns=[*columns, "percent_lower", "percent_upper"])


def _measure(
    campaign: Campaign,
    one: Panel,
    shocks: Sequence[Disruption],
    model: ControlledCounts,
    calibration: Calibration | None,
    level: float,
    draws: int,
    seed: int,
) -> SeriesEffect:
    """The effect on one offence in total, by one set of controls."""
    window = campaign.periods(one.freq)
    fitted = fit_before(model, hide_shocks(one, shocks), window[0])
    found, raw = calibrate(fitted, window, calibration, draws=draws, seed=seed)
    return measure_effect(
        one.values[0, one.periods.get_indexer(window)],
        found.draws[:, 0].astype(float),
        expected=raw.draws[:, 0].mean(axis=0),
        offence=one.offences[0],
        area=one.areas[0],
        is_total=True,
        periods=window,
        exposure=campaign.exposure(one.freq),
        level=level,
        smallest_detectable=float("nan"),
    )
