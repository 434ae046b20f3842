"""How often the whole evaluation is right, over many seeds and on London's quiet windows."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.impact.effect import CANNOT_TELL, FEWER, MORE
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.simulation import simulate

pytestmark = pytest.mark.slow

SEEDS = range(100)
WORKERS = 2


def try_seed(task: tuple[int, float]) -> tuple[str, bool, int, int]:
    """Evaluate the last October and November of a simulated panel, all settings at their default.

    Returns the verdict, whether the interval holds the truth, and of the areas how many were
    found to differ, and how many there are.
    """
    seed, effect = task
    campaign = Campaign(name="Test", start="2024-10-01", end="2024-11-30", offences=["robbery"])
    result = evaluate(campaign, simulate(seed=seed, effect=effect))
    lower, upper = result.main.percent_interval
    areas = [p for p in result.effect.parts if not p.is_total]
    alarms = sum(p.verdict in (FEWER, MORE) for p in areas)
    return result.verdict, lower <= 100 * effect <= upper, alarms, len(areas)


def try_seeds(effect: float) -> list[tuple[str, bool, int, int]]:
    """All seeds, in two processes; started afresh, so that no thread is forked."""
    began = time.perf_counter()
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(try_seed, [(seed, effect) for seed in SEEDS]))
    seconds = (time.perf_counter() - began) * WORKERS / len(SEEDS)
    verdicts = count(verdict for verdict, *_ in found)
    held = sum(holds for _, holds, *_ in found)
    print(
        f"effect {effect:+.0%}: {verdicts}; interval held {held}; {seconds:.2f} s a seed and core"
    )
    return found


def count(verdicts: Iterable[str]) -> dict[str, int]:
    return dict(Counter(verdicts))


def test_planted_fall_of_a_quarter_is_found() -> None:
    found = try_seeds(-0.25)
    verdicts = count(verdict for verdict, *_ in found)
    assert verdicts.get(FEWER, 0) >= 90
    assert verdicts.get(MORE, 0) == 0
    # 95 per cent intervals: fewer than 89 of 100 would have a probability of about 1 per cent
    assert sum(holds for _, holds, *_ in found) >= 89


def test_nothing_planted_is_not_found() -> None:
    found = try_seeds(0.0)
    verdicts = count(verdict for verdict, *_ in found)
    assert verdicts.get(FEWER, 0) + verdicts.get(MORE, 0) <= 8
    assert verdicts.get(CANNOT_TELL, 0) <= 10
    # areas as well, pooled: 13 areas of one panel share their good and bad months
    alarms, areas = sum(row[2] for row in found), sum(row[3] for row in found)
    print(f"areas: {alarms} alarms of {areas}")
    assert alarms / areas <= 0.08


def test_quiet_windows_of_london_raise_few_alarms(autumn_nights: Evaluation) -> None:
    # each window is judged by other years' windows only; the nominal rate is 5 per cent
    rows = autumn_nights.placebo.totals
    assert len(rows) == 11 * 15
    alarms = float((~rows["held"]).mean())
    spring = float((~rows.loc[~rows["same_season"], "held"]).mean())
    print(f"London, eleven offences: {alarms:.1%} alarms in all windows, {spring:.1%} in spring")
    assert alarms <= 0.08
    assert spring <= 0.08


def test_quiet_windows_of_london_can_be_evaluated_like_campaigns(london: Panel) -> None:
    """The same from outside: whole evaluations of autumns and springs with no disruption."""
    offences = ["robbery", "burglary", "violence with injury", "vehicle offences"]
    counts = london.select(offence=offences).total()
    verdicts = []
    for year in (2015, 2017, 2019, 2023):
        for first, last in (("04-01", "05-31"), ("10-01", "11-30")):
            campaign = Campaign(
                name="Nothing",
                start=f"{year}-{first}",
                end=f"{year}-{last}",
                offences=counts.offences,
            )
            result = evaluate(campaign, counts, draws=400)
            verdicts += [part.verdict for part in result.effect.parts]
    found = count(verdicts)
    print(f"London, quiet windows as campaigns: {found}")
    assert found.get(CANNOT_TELL, 0) <= 0.1 * len(verdicts)
    # 32 tests at 5 per cent: six or more alarms would have a probability of about 1 per cent
    assert found.get(FEWER, 0) + found.get(MORE, 0) <= 5
