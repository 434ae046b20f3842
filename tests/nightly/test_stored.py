"""A night's forecast as draws again, and as the baseline of an evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import DataError, ForecastError
from forecast.impact.campaign import Campaign
from forecast.impact.evaluation import evaluate
from forecast.models.draws import Forecast, interval
from forecast.models.dynamic import DynamicCounts
from forecast.nightly.dependence import find_joint
from forecast.nightly.store import Store, open_store
from forecast.nightly.stored import stored_forecast
from forecast.scoring import HUB_LEVELS
from forecast.simulation import simulate
from tests.nightly.nights import write_night


def keep(store: Store, forecast: Forecast, as_of: str) -> None:
    """Publish a night that holds one forecast."""
    with store.begin_run(as_of, "0.1.0", 0) as run:
        run.forecasts(
            forecast.series, forecast.periods, forecast.quantile(HUB_LEVELS),
            joint=find_joint(forecast), cutoff=forecast.cutoff, model=forecast.model,
            measure=forecast.measure,
        )  # fmt: skip
        run.publish()


def width(draws: np.ndarray) -> np.ndarray:
    lower, upper = interval(draws, 0.95)
    return upper - lower


@pytest.fixture(scope="module")
def figures() -> Panel:
    return simulate(areas=4, years=8, effect=-0.4)


@pytest.fixture(scope="module")
def ahead(figures: Panel) -> Forecast:
    return DynamicCounts().fit(figures.before("2022-10")).forecast(4)


def test_a_stored_night_keeps_totals_areas_and_cutoff(store: Store, ahead: Forecast) -> None:
    keep(store, ahead, "2022-10-01")
    found = stored_forecast(store, "2022-10-15")
    assert found.series[["area", "offence"]].equals(ahead.series[["area", "offence"]])
    assert found.periods.equals(ahead.periods)
    assert (found.cutoff, found.model, found.measure, found.total_name) == (
        ahead.cutoff, ahead.model, ahead.measure, ahead.total_name,
    )  # fmt: skip
    for mine, theirs in ((found, ahead), (found.total(), ahead.total())):
        ratio = width(mine.draws) / width(theirs.draws)
        assert ratio.mean() == pytest.approx(1, abs=0.015)
        sums = [width(f.draws.sum(axis=2)) for f in (mine, theirs)]
        assert np.mean(sums[0] / sums[1]) == pytest.approx(1, abs=0.05)


def test_the_same_seed_gives_the_same_draws(store: Store, ahead: Forecast) -> None:
    keep(store, ahead, "2022-10-01")
    asked = {"draws": 200, "seed": 3}
    first = stored_forecast(store, **asked)
    assert np.array_equal(first.draws, stored_forecast(store, **asked).draws)
    assert not np.array_equal(first.draws, stored_forecast(store, draws=200).draws)
    # a part is a part of the whole
    area, offence = ahead.series.loc[len(ahead.series) - 1, ["area", "offence"]]
    part = stored_forecast(store, None, ["2022-11"], offence=offence, area=area, **asked)
    assert part.periods[0] == ahead.periods[1]
    assert np.array_equal(part.draws[:, 0, 0], first.draws[:, -1, 1])


def test_a_campaign_is_evaluated_on_a_vintage_from_before_it(
    tmp_path: Path, figures: Panel, ahead: Forecast
) -> None:
    campaign = Campaign(
        name="Night patrols", start="2022-10-01", end="2022-11-30", offences=["robbery"]
    )
    with open_store(tmp_path / "nightly.db") as store:
        keep(store, ahead, "2022-10-01")
        stored = stored_forecast(store, campaign.start, offence="robbery")
        result = evaluate(campaign, figures, model=stored, draws=300)
        direct = evaluate(campaign, figures, model=ahead, draws=300)
        store.keep_evaluation(result.to_dict(), campaign.start)
        assert store.evaluations()[0]["as_of"] == "2022-10-01"
    rows = [r.effect.summary().set_index("area") for r in (result, direct)]
    for column in ("observed", "expected", "effect_percent", "effect_percent_lower"):
        assert rows[0][column].to_numpy() == pytest.approx(rows[1][column].to_numpy(), rel=0.04)


def test_daily_counts_of_23_districts_keep_their_spread(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "us_daily"
    tidy = pd.read_csv(
        folder / "chicago_aggravated_assault_daily_by_district_2010_2019.csv.gz", dtype={1: str}
    ).rename(columns={"date": "period", "district": "area"})
    panel = Panel.from_frame(tidy.assign(offence="assault"), "D").before("2019-06-01")
    ahead = DynamicCounts().fit(panel).forecast(28, draws=4000)
    with open_store(tmp_path / "nightly.db") as store:
        keep(store, ahead, "2019-06-01")
        found = stored_forecast(store, draws=4000)
    for mine, theirs in ((found, ahead), (found.total(), ahead.total())):
        assert width(mine.draws).mean() == pytest.approx(width(theirs.draws).mean(), rel=0.015)
    for days in (slice(0, 7), slice(5, 26), slice(0, 28)):
        sums = [float(width(f.draws[:, :, days].sum(axis=(1, 2)))) for f in (found, ahead)]
        assert sums[0] == pytest.approx(sums[1], rel=0.05)


def test_what_was_not_kept_is_not_made_up(store: Store, ahead: Forecast) -> None:
    write_night(store, "2022-09-01")
    with pytest.raises(DataError, match="of O1 only quantiles were kept"):
        stored_forecast(store, "2022-09-02")
    keep(store, ahead, "2022-10-01")
    with pytest.raises(DataError, match="from 2022-10 to 2023-01, not 2023-02"):
        stored_forecast(store, periods=["2023-01", "2023-02"])
    with pytest.raises(DataError, match="areas that are asked for: Nowhere is not in it"):
        stored_forecast(store, area="Nowhere")
    with pytest.raises(ForecastError, match="Draws must be a whole number"):
        stored_forecast(store, draws=0)


def test_dependence_of_another_forecast_is_refused(store: Store, ahead: Forecast) -> None:
    run = store.begin_run("2022-10-01", "1", 0)
    with pytest.raises(DataError, match="joint must be of the same series and periods"):
        run.forecasts(ahead.series.iloc[:2], ahead.periods, ahead.quantile(HUB_LEVELS)[:, :2],
                      joint=find_joint(ahead), measure=ahead.measure)  # fmt: skip


def test_totals_are_kept_beside_their_areas(store: Store, ahead: Forecast) -> None:
    keep(store, ahead, "2022-10-01")
    totals = store.forecasts(totals=True)
    assert np.array_equal(totals.values, ahead.total().quantile(HUB_LEVELS))
    assert np.array_equal(store.forecasts().values, ahead.quantile(HUB_LEVELS))
