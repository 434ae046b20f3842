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
    from forecast.backtesting import backtest
    from forecast.data.attaching import join_covariates
    from forecast.data.covariates import load_covariates
    from forecast.data.delays import read_lag
    from forecast.data.incidents import count
    from forecast.data.lag import Completeness, estimate_completeness
    from forecast.data.panel import Panel
    from forecast.data.rates import load_population, rate
    from forecast.data.reading import load
    from forecast.data.revisions import VintageDiff, compare_vintages
    from forecast.data.snapshots import Store
    from forecast.data.tallies import Tally
    from forecast.errors import CampaignError, DataError, FitError, ForecastError
    from forecast.impact.baseline import Baseline
    from forecast.impact.campaign import Campaign
    from forecast.impact.checks import Check
    from forecast.impact.darkness import relate_darkness
    from forecast.impact.effect import Effect
    from forecast.impact.evaluation import Evaluation, evaluate
    from forecast.impact.examination import Examination
    from forecast.impact.planning import Plan, plan
    from forecast.impact.registration import load_registration, register
    from forecast.impact.sensitivity import compare_models
    from forecast.incident_simulation import simulate_incidents
    from forecast.models.draws import Forecast
    from forecast.models.dynamic import DynamicCounts
    from forecast.models.ensemble import Ensemble
    from forecast.models.glm import SeasonalGLM
    from forecast.models.hub import read_hub, write_hub
    from forecast.models.naive import SeasonalNaive
    from forecast.models.prophet import SeasonalProphet
    from forecast.models.quantiles import QuantileForecast, score_quantiles
    from forecast.models.seasons import profile
    from forecast.models.storing import load_fitted, save_fitted
    from forecast.models.structural import StructuralTrend
    from forecast.nightly.pipeline import refresh
    from forecast.reporting.pages import report
    from forecast.reporting.plots import plot
    from forecast.scoreboard import Scores
    from forecast.seasonality.disruptions import Disruption
    from forecast.seasonality.profiles import Profile
    from forecast.simulation import simulate

_HOMES = {
    "Baseline": "impact.baseline",
    "Campaign": "impact.campaign",
    "CampaignError": "errors",
    "Check": "impact.checks",
    "Completeness": "data.lag",
    "DataError": "errors",
    "Disruption": "seasonality.disruptions",
    "DynamicCounts": "models.dynamic",
    "Effect": "impact.effect",
    "Ensemble": "models.ensemble",
    "Evaluation": "impact.evaluation",
    "Examination": "impact.examination",
    "FitError": "errors",
    "Forecast": "models.draws",
    "ForecastError": "errors",
    "Panel": "data.panel",
    "Plan": "impact.planning",
    "Profile": "seasonality.profiles",
    "QuantileForecast": "models.quantiles",
    "Scores": "scoreboard",
    "SeasonalGLM": "models.glm",
    "SeasonalNaive": "models.naive",
    "SeasonalProphet": "models.prophet",
    "Store": "data.snapshots",
    "StructuralTrend": "models.structural",
    "Tally": "data.tallies",
    "VintageDiff": "data.revisions",
    "backtest": "backtesting",
    "compare_models": "impact.sensitivity",
    "compare_vintages": "data.revisions",
    "count": "data.incidents",
    "estimate_completeness": "data.lag",
    "evaluate": "impact.evaluation",
    "join_covariates": "data.attaching",
    "load": "data.reading",
    "load_covariates": "data.covariates",
    "load_fitted": "models.storing",
    "load_population": "data.rates",
    "load_registration": "impact.registration",
    "plan": "impact.planning",
    "plot": "reporting.plots",
    "profile": "models.seasons",
    "rate": "data.rates",
    "read_hub": "models.hub",
    "read_lag": "data.delays",
    "refresh": "nightly.pipeline",
    "register": "impact.registration",
    "relate_darkness": "impact.darkness",
    "report": "reporting.pages",
    "save_fitted": "models.storing",
    "score_quantiles": "models.quantiles",
    "simulate": "simulation",
    "simulate_incidents": "incident_simulation",
    "write_hub": "models.hub",
}

__all__ = [
    "Baseline",
    "Campaign",
    "CampaignError",
    "Check",
    "Completeness",
    "DataError",
    "Disruption",
    "DynamicCounts",
    "Effect",
    "Ensemble",
    "Evaluation",
    "Examination",
    "FitError",
    "Forecast",
    "ForecastError",
    "Panel",
    "Plan",
    "Profile",
    "QuantileForecast",
    "Scores",
    "SeasonalGLM",
    "SeasonalNaive",
    "SeasonalProphet",
    "Store",
    "StructuralTrend",
    "Tally",
    "VintageDiff",
    "backtest",
    "compare_models",
    "compare_vintages",
    "count",
    "estimate_completeness",
    "evaluate",
    "join_covariates",
    "load",
    "load_covariates",
    "load_fitted",
    "load_population",
    "load_registration",
    "plan",
    "plot",
    "profile",
    "rate",
    "read_hub",
    "read_lag",
    "refresh",
    "register",
    "relate_darkness",
    "report",
    "save_fitted",
    "score_quantiles",
    "simulate",
    "simulate_incidents",
    "write_hub",
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
