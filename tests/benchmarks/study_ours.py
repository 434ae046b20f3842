"""Ours in the cells of the study: the public call on every seed, and what an oracle would say."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from multiprocessing import get_context

import numpy as np
import pandas as pd
from study_data import (
    CELLS,
    DAYS,
    EARLIER_YEARS,
    LENGTH,
    PHI,
    WINDOW,
    Simulated,
    StudyCell,
    draw_counts,
    simulate_cell,
    smooth_log_mean,
    walk,
)
from study_table import Answers, FloatArray

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.impact.effect import CANNOT_TELL, FEWER, MORE
from forecast.impact.evaluation import evaluate
from forecast.models.draws import interval, median
from forecast.models.glm import SeasonalGLM

LEVEL = 0.95
ORACLE_DRAWS = 20_000
Row = tuple[float, float, float, float, bool, bool]
"""Estimate, lower and upper bound in per cent, CPU seconds, found, cannot tell."""


def as_panel(simulated: Simulated) -> Panel:
    """The panel of one data set: one area, one offence."""
    series = pd.DataFrame({"area": ["City"], "offence": ["robbery"]})
    return Panel(simulated.counts[None], series, DAYS, measure="simulated offences")


def campaign_of(cell: StudyCell) -> Campaign:
    """The campaign of a cell; earlier runs are listed with their days where there were any."""
    years = EARLIER_YEARS if cell.earlier else ()
    runs = [{"start": f"{y}{WINDOW[0][4:]}", "end": f"{y}{WINDOW[1][4:]}"} for y in years]
    return Campaign(
        name="Study", start=WINDOW[0], end=WINDOW[1], offences=["robbery"], previous=runs
    )


def ask_ours(name: str, seed: int, *, previous: str = "mask", draws: int = 1000) -> Row:
    """The whole evaluation of one seed, all settings at their default unless said."""
    cell = CELLS[name]
    panel, campaign = as_panel(simulate_cell(cell, seed)), campaign_of(cell)
    began = time.process_time()
    result = evaluate(campaign, panel, previous=previous, draws=draws)
    seconds = time.process_time() - began
    lower, upper = result.main.percent_interval
    verdict = result.verdict
    return (
        result.main.percent,
        lower,
        upper,
        seconds,
        verdict in (FEWER, MORE),
        verdict == CANNOT_TELL,
    )


def ask_glm(name: str, seed: int) -> Row:
    """`SeasonalGLM` by itself, as many a notebook has it: its own draws, nothing calibrated."""
    panel = as_panel(simulate_cell(CELLS[name], seed))
    began = time.process_time()
    fitted = SeasonalGLM().fit(panel.before(WINDOW[0]))
    draws = fitted.forecast(LENGTH).draws.sum(axis=(1, 2))
    return _compare(panel.values[0], draws, time.process_time() - began)


def ask_oracle(name: str, seed: int, *, sees_path: bool) -> Row:
    """The interval of one who knows the mean of every day, and has only the noise against him.

    With a latent path he knows how it moves; and, when `sees_path`, where it was on the last day
    before the window. Nobody can know more: what no oracle finds is not there to be found.
    """
    cell = CELLS[name]
    simulated = simulate_cell(cell, seed)
    last = simulated.path[-LENGTH - 1] if sees_path else None
    return _compare(simulated.counts, _oracle_draws(cell.latent, last), 0.0)


@lru_cache
def _oracle_draws(latent: bool, last: float | None) -> FloatArray:
    """Totals of the window without a campaign, shape (draw,)."""
    level, added = _oracle_noise(latent, last is not None)
    shift = np.zeros(LENGTH) if last is None else last * PHI ** np.arange(1, LENGTH + 1)
    mean = np.exp(level + shift) * np.exp(added)  # (draw, day)
    return np.asarray(draw_counts(np.random.default_rng(1), mean).sum(axis=1))


@lru_cache
def _oracle_noise(latent: bool, known: bool) -> tuple[FloatArray, FloatArray]:
    """Log mean of the window's days (day,), and draws of the path about it (draw, day)."""
    rng = np.random.default_rng(0)
    start = 0.0 if known else None
    paths = [walk(rng, LENGTH, start=start) for _ in range(ORACLE_DRAWS if latent else 0)]
    none = np.zeros((ORACLE_DRAWS, LENGTH))
    return smooth_log_mean()[-LENGTH:], np.array(paths) if latent else none


def _compare(counts: FloatArray, draws: FloatArray, seconds: float) -> Row:
    """Change of the window in per cent of draws of its total."""
    seen = float(counts[-LENGTH:].sum())
    low, high = interval(draws.astype(float), LEVEL)
    estimate = 100 * (seen / float(median(draws)) - 1)
    lower, upper = 100 * (seen / float(high) - 1), 100 * (seen / float(low) - 1)
    return estimate, lower, upper, seconds, lower > 0 or upper < 0, False


Ask = Callable[[str, int], Row]
METHODS: dict[str, Ask] = {
    "ours, from before": ask_ours,
    "ours, 10,000 draws": partial(ask_ours, draws=10_000),
    "ours, earlier runs left in": partial(ask_ours, previous="keep"),
    "SeasonalGLM by itself": ask_glm,
    "oracle: the mean": partial(ask_oracle, sees_path=False),
    "oracle: the mean, and the path until the window": partial(ask_oracle, sees_path=True),
}


def own_answers(
    method: str, cell: str, seeds: int, *, processes: int = 2, first: int = 0
) -> Answers:
    """Answers of one of our methods on so many seeds of a cell, from `first` on.

    Processes are started afresh, so that no thread is forked; what is compiled and loaded first
    stays outside the clock, by one evaluation that is thrown away.
    """
    every = range(first, first + seeds)
    if processes == 1:
        rows = _ask_many((method, cell, every))
    else:
        tasks = [(method, cell, every[start::processes]) for start in range(processes)]
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            rows = [row for part in pool.map(_ask_many, tasks) for row in part]
    estimate, lower, upper, seconds, found, unsure = (np.array(c) for c in zip(*rows, strict=True))
    return Answers(method, estimate, lower, upper, seconds, found, unsure)


def _ask_many(task: tuple[str, str, range]) -> list[Row]:
    """Rows of one process."""
    method, cell, seeds = task
    ask = METHODS[method]
    ask(cell, seeds[0])
    return [ask(cell, seed) for seed in seeds]
