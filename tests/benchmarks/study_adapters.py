"""How each peer of the study is asked for the effect of the last three weeks.

An adapter takes counts (day,) and gives estimate, lower and upper bound of the change of the
window, in per cent. It runs in the peers' environment (.venv-study); packages are imported where
used, so that the list of peers can be read without them.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from study_data import DAYS, LENGTH

FloatArray = NDArray[np.float64]
Answer = tuple[float, float, float]
Method = Callable[[FloatArray], Answer]

HARMONICS = 3
NORMAL = 1.959964
SEED = 0


def design() -> pd.DataFrame:
    """Trend in years, three harmonics of the year, day of the week, by day."""
    days = DAYS.to_timestamp()
    angle = 2 * np.pi * days.day_of_year.to_numpy() / 365.25
    frame = pd.DataFrame({"t": np.arange(len(DAYS)) / 365.25}, index=days)
    for k in range(1, HARMONICS + 1):
        frame[f"c{k}"], frame[f"s{k}"] = np.cos(k * angle), np.sin(k * angle)
    frame["weekday"] = days.day_of_week.to_numpy()
    return frame


def bsts(*, fourier: bool, size: int | None = None) -> Method:
    """A CausalImpact port with a weekly season; the harmonics as covariates when asked."""

    def ask(counts: FloatArray) -> Answer:
        from causal_impact import CausalImpact  # type: ignore[import-not-found]

        frame = design()
        data = pd.DataFrame({"y": counts}, index=frame.index)
        if fourier:
            data = data.join(frame[[f"{f}{k}" for k in range(1, HARMONICS + 1) for f in "cs"]])
        settings: dict[str, int] = {"nseasons": 7, "seed": SEED}
        if size is not None:
            settings["expected_model_size"] = size
        last = len(data) - LENGTH
        pre, post = [data.index[0], data.index[last - 1]], [data.index[last], data.index[-1]]
        found = CausalImpact(data, pre, post, model_args=settings)._results
        low, high = found.cumulative_prediction_lower, found.cumulative_prediction_upper
        return percents(counts, low, high, found.predictions_mean.sum())

    return ask


def percents(counts: FloatArray, low: float, high: float, middle: float) -> Answer:
    """Change in per cent from bounds of the window's expected total."""
    seen = counts[-LENGTH:].sum()
    return tuple(float(100 * (seen / total - 1)) for total in (middle, high, low))  # type: ignore[return-value]


FORMULA = (
    "y ~ 1 + t + C(weekday) + "
    + " + ".join(f"c{k} + s{k}" for k in range(1, HARMONICS + 1))
)  # fmt: skip


def causalpy_ols(counts: FloatArray) -> Answer:
    """CausalPy with ordinary least squares: the interval of the average that it reports."""
    import causalpy  # type: ignore[import-not-found]
    from sklearn.linear_model import LinearRegression  # type: ignore[import-not-found]

    data = design().assign(y=counts)
    start = data.index[-LENGTH]
    found = causalpy.InterruptedTimeSeries(
        data, start, formula=FORMULA, model=LinearRegression(fit_intercept=False)
    )
    row = found.effect_summary().table.loc["average"]
    base = float(counts[-LENGTH:].mean() - row["mean"])
    return tuple(100 * float(row[c]) / base for c in ("mean", "ci_lower", "ci_upper"))  # type: ignore[return-value]


def causalpy_pymc(*, noise: bool) -> Method:
    """CausalPy with PyMC: from the mean `mu`, as it reports, or from `y_hat`, with the noise."""

    def ask(counts: FloatArray) -> Answer:
        import causalpy

        for name in ("pymc", "pymc.sampling.mcmc", "pymc.stats.convergence"):
            logging.getLogger(name).setLevel(logging.ERROR)
        data = design().assign(y=counts)
        settings = {"random_seed": SEED, "progressbar": False, "chains": 2, "cores": 1}
        settings |= {"draws": 500, "tune": 500}
        with contextlib.redirect_stdout(io.StringIO()):
            found = causalpy.InterruptedTimeSeries(
                data,
                data.index[-LENGTH],
                formula=FORMULA,
                model=causalpy.pymc_models.LinearRegression(sample_kwargs=settings),
            )
        drawn = found.model.predict(found.post_design["X"], out_of_sample=True)
        name = "y_hat" if noise else "mu"
        values = drawn["posterior_predictive"][name].isel(treated_units=0)
        totals = values.sum("obs_ind").to_numpy().ravel()  # (draw,)
        low, middle, high = np.quantile(totals, [0.025, 0.5, 0.975])
        return percents(counts, low, high, middle)

    return ask


def quasi_poisson(counts: FloatArray) -> Answer:
    """The text-book interrupted time series: quasi-Poisson, harmonics, weekday, linear trend.

    The interval of the window's total has the variance of the coefficients, shared by its days,
    and the over-dispersed noise of the days themselves, taken as independent.
    """
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    frame = design()
    weekday = (frame.pop("weekday").to_numpy()[:, None] == np.arange(6)).astype(float)
    columns = np.hstack([np.ones((len(frame), 1)), frame.to_numpy(), weekday])
    seen, ahead = columns[:-LENGTH], columns[-LENGTH:]
    fit = GLM(counts[:-LENGTH], seen, family=Poisson()).fit(scale="X2")
    mean = np.exp(ahead @ fit.params)
    slope = mean @ ahead  # of the total on each coefficient
    total = float(mean.sum())
    spread = np.sqrt(slope @ fit.cov_params() @ slope + fit.scale * total) / total
    low, high = (total * np.exp(sign * NORMAL * spread) for sign in (-1, 1))
    return percents(counts, float(low), float(high), total)
