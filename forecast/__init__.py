"""Honest evaluation of police campaigns, and forecasts of violence and robbery.

    import forecast as fc

    counts = fc.load("london")
    result = fc.evaluate(fc.Campaign.load("autumn-nights-2020"), counts)
    result.verdict

The public names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecast.backtesting import Scores, backtest
    from forecast.data.panel import Panel
    from forecast.data.reading import load
    from forecast.errors import CampaignError, DataError, FitError, ForecastError
    from forecast.impact.baseline import Baseline
    from forecast.impact.campaign import Campaign
    from forecast.impact.checks import Check
    from forecast.impact.effect import Effect
    from forecast.impact.evaluation import Evaluation, evaluate
    from forecast.models.draws import Forecast
    from forecast.models.dynamic import DynamicCounts
    from forecast.models.glm import SeasonalGLM
    from forecast.models.naive import SeasonalNaive
    from forecast.models.prophet import SeasonalProphet
    from forecast.models.structural import StructuralTrend
    from forecast.reporting.pages import report
    from forecast.reporting.plots import plot
    from forecast.seasonality.profiles import Profile, profile
    from forecast.simulation import simulate

_HOMES = {
    "Baseline": "impact.baseline",
    "Campaign": "impact.campaign",
    "CampaignError": "errors",
    "Check": "impact.checks",
    "DataError": "errors",
    "DynamicCounts": "models.dynamic",
    "Effect": "impact.effect",
    "Evaluation": "impact.evaluation",
    "FitError": "errors",
    "Forecast": "models.draws",
    "ForecastError": "errors",
    "Panel": "data.panel",
    "Profile": "seasonality.profiles",
    "Scores": "backtesting",
    "SeasonalGLM": "models.glm",
    "SeasonalNaive": "models.naive",
    "SeasonalProphet": "models.prophet",
    "StructuralTrend": "models.structural",
    "backtest": "backtesting",
    "evaluate": "impact.evaluation",
    "load": "data.reading",
    "plot": "reporting.plots",
    "profile": "seasonality.profiles",
    "report": "reporting.pages",
    "simulate": "simulation",
}

__all__ = [
    "Baseline",
    "Campaign",
    "CampaignError",
    "Check",
    "DataError",
    "DynamicCounts",
    "Effect",
    "Evaluation",
    "FitError",
    "Forecast",
    "ForecastError",
    "Panel",
    "Profile",
    "Scores",
    "SeasonalGLM",
    "SeasonalNaive",
    "SeasonalProphet",
    "StructuralTrend",
    "backtest",
    "evaluate",
    "load",
    "plot",
    "profile",
    "report",
    "simulate",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'forecast' has no attribute {name!r}")
    value = getattr(import_module(f"forecast.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
