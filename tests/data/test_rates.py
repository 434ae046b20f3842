"""Rates: straight lines between known years of one source, by hand and by the real figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.data.rates import Population, choose_source, load_population, rate
from forecast.data.samples import load_sample
from forecast.errors import DataError

PEOPLE = "data/covariates/borough_population.csv"


def people(**years: int) -> Population:
    """One area; years as y2011=100."""
    return Population(
        pd.DataFrame(
            {
                "area": "A",
                "year": [int(year[1:]) for year in years],
                "population": list(years.values()),
            }
        ),
        "census",
    )


def counts(periods: list[str], values: list[float], area: str = "A", freq: str = "M") -> Panel:
    frame = pd.DataFrame({"area": area, "offence": "robbery", "period": periods, "count": values})
    return Panel.from_frame(frame, freq)


def test_rates_by_hand() -> None:
    # the middle of 1 January 2016 to 1 January 2017 less half a year: 1 July 2016 is the middle of
    # 1 July 2011 and 1 July 2021 but for a day: 1,827 of 3,653 days
    found = rate(counts(["2016-07-01"], [3], freq="D"), people(y2011=100_000, y2021=200_000))
    expected = 100_000 + 100_000 * 1827.5 / 3653
    assert found["population"].tolist() == pytest.approx([expected], rel=1e-9)
    assert found["rate"].tolist() == pytest.approx([3 / expected * 100_000], rel=1e-9)
    per_thousand = rate(
        counts(["2016-07-01"], [3], freq="D"), people(y2011=100_000, y2021=200_000), per=1000
    )
    assert per_thousand["rate"].tolist() == pytest.approx([3 / expected * 1000])


def test_within_the_first_and_last_year_people_stay() -> None:
    found = people(y2011=100, y2021=200).of("A", pd.PeriodIndex(["2011-01", "2021-12"], freq="M"))
    assert found.tolist() == [100.0, 200.0]


def test_missing_counts_have_missing_rates() -> None:
    found = rate(counts(["2011-01", "2011-03"], [3, 6]), people(y2011=100_000))
    assert found["rate"].tolist() == pytest.approx([3.0, np.nan, 6.0], nan_ok=True)


def test_rates_of_a_borough_by_the_real_census(shared: Path) -> None:
    census = load_population(shared / PEOPLE, source="census")
    assert census.years == [2011, 2021]
    raw = pd.read_csv(shared / PEOPLE)
    known = raw[(raw["borough"] == "Barnet") & (raw["source"] == "census")]
    first, last = known.sort_values("year")["population"]
    found = rate(counts(["2016-07"], [100], "Barnet"), census)
    # the middle of July 2016 lies 1,842.5 days after 1 July 2011, of 3,653
    assert found["population"].iloc[0] == pytest.approx(first + (last - first) * 1842.5 / 3653)


def test_units_and_london_are_the_sums_of_their_boroughs(shared: Path) -> None:
    census = load_population(shared / PEOPLE, source="census")
    raw = pd.read_csv(shared / PEOPLE)
    own = raw[(raw["source"] == "census") & (raw["year"] == 2021)].set_index("borough")
    at = pd.PeriodIndex(["2021-12"], freq="M")
    east = own.loc[["Hackney", "Tower Hamlets"], "population"].sum()
    assert census.of("Central East", at).tolist() == [east]
    # the City has a police force of its own
    assert census.of("London", at).tolist() == [own["population"].drop("City of London").sum()]


def test_rates_of_the_panel_that_ships(shared: Path) -> None:
    census = load_population(shared / PEOPLE, source="census")
    london = load_sample("london").through("2021-12").select(offence="robbery")
    later = Panel(london.values[:, 9:], london.series, london.periods[9:])  # from 2011-01
    found = rate(later, census)
    assert found.loc[found["area"] == "Not allocated", "rate"].isna().all()
    year = found[(found["period"].dt.year == 2019) & (found["area"] != "Not allocated")]
    each_month = year.groupby("period")[["count", "population"]].sum()
    # about 39,000 robberies among 8.7 million Londoners in 2019: some 4.5 a thousand
    assert 4.0 < 1000 * (each_month["count"] / each_month["population"]).sum() < 5.0


def test_sources_are_never_mixed(shared: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_population(shared / PEOPLE)
    assert str(caught.value) == (
        "borough_population.csv must be taken from one source: found census, gla_projection, "
        "ons_mid_year, which do not agree (a projection may be far from the census). Choose one, "
        "such as source='census'."
    )
    with pytest.raises(DataError, match="must hold the source 'guess': it does not. Choose from"):
        load_population(shared / PEOPLE, source="guess")


def test_years_beyond_the_figures_are_refused() -> None:
    with pytest.raises(DataError, match="must reach from 2021 to 2022, as the counts do: it has"):
        rate(counts(["2021-12", "2022-01"], [1, 1]), people(y2011=1, y2021=2))
    with pytest.raises(DataError, match="must reach from 2010 to 2010"):
        rate(counts(["2010-12"], [1]), people(y2011=1, y2021=2))


def test_areas_without_people_are_refused_with_the_nearest_name(shared: Path) -> None:
    census = load_population(shared / PEOPLE, source="census")
    with pytest.raises(DataError, match=r"lacks 'Barnett' \(did you mean 'Barnet'\?\)"):
        rate(counts(["2016-07"], [1], "Barnett"), census)
    short = Population(
        pd.concat([people(y2011=1, y2021=2).figures, people(y2011=5).figures.assign(area="B")]),
        "census",
    )
    with pytest.raises(DataError, match="first and last year of every area: not of B"):
        rate(counts(["2016-07"], [1], "B"), short)
    with pytest.raises(DataError, match="per must be above zero: found 0"):
        rate(counts(["2011-07"], [1]), people(y2011=1), per=0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("area,year\nA,2011\n", "columns area .*: population not found among area, year"),
        ("year,population\n2011,5\n", "columns area .*: area not found"),
        ("area,year,population\nA,2011,\n", "a year and a population in every row: not in line 2"),
        ("area,year,population\nA,2011,5\nA,2011,6\n", "one figure an area and year: A 2011"),
    ],
)
def test_unusable_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=words):
        load_population(path)


def test_one_source_needs_no_choice() -> None:
    figures = people(y2011=1).figures.assign(source="census")
    assert choose_source(figures).source == "census"
