"""Registration: written once, verified by its hash, and every deviation listed."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast.data.panel import Panel
from forecast.errors import CampaignError, DataError
from forecast.impact.campaign import Campaign
from forecast.impact.planning import plan
from forecast.impact.registration import (
    Registration,
    compare_registration,
    list_deviations,
    load_registration,
    register,
)
from forecast.models.naive import SeasonalNaive
from forecast.simulation import simulate

FACTS: dict[str, Any] = {
    "name": "Night patrols", "start": "2022-10-01", "end": "2022-10-31",
    "offences": ["robbery"], "areas": ["Area 01", "Area 02"],
}  # fmt: skip


@pytest.fixture(scope="module")
def whole() -> Panel:
    """Counts to the end of 2022, after the campaign."""
    return simulate(areas=4, years=8)


@pytest.fixture(scope="module")
def known(whole: Panel) -> Panel:
    """Counts as they were known when it was registered."""
    return whole.before("2022-09")


@pytest.fixture
def written(known: Panel, tmp_path: Path) -> Registration:
    return register(Campaign(**FACTS), known, to=tmp_path / "plan.json", date="2022-09-15")


def campaign(**changed: Any) -> Campaign:
    return Campaign(**(FACTS | changed))


def test_what_is_read_is_what_was_written(written: Registration, tmp_path: Path) -> None:
    read = load_registration(tmp_path / "plan.json")
    assert read == written
    assert (read.name, read.date) == ("Night patrols", dt.date(2022, 9, 15))
    assert read.campaign == Campaign(**FACTS)
    assert [f.name for f in tmp_path.iterdir()] == ["plan.json"]


def test_hash_is_the_sha_256_of_the_canonical_text(written: Registration, tmp_path: Path) -> None:
    content = json.loads((tmp_path / "plan.json").read_text("utf-8"))
    said = content.pop("sha256")
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert said == written.sha256 == hashlib.sha256(text.encode("utf-8")).hexdigest()


def test_same_question_on_the_same_day_has_the_same_hash(known: Panel, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.json", "b.json")]
    one, two = (register(campaign(), known, to=f, date="2022-09-15") for f in files)
    assert files[0].read_bytes() == files[1].read_bytes()
    other = register(campaign(), known, to=tmp_path / "c.json", date="2022-09-16")
    assert one.sha256 == two.sha256 != other.sha256


def test_the_whole_question_is_kept(written: Registration) -> None:
    content = written.content
    assert content["question"]["primary_outcome"] == {"offence": "robbery", "area": "all areas"}
    assert content["question"]["model"].startswith("DynamicCounts(")
    assert content["question"]["counterfactual"] == "before"
    assert (content["question"]["level"], content["question"]["draws"]) == (0.95, 1000)
    assert content["data"]["last"] == "2022-08"
    assert content["data"]["areas"] == ["Area 01", "Area 02"]


@pytest.mark.parametrize(
    ("old", "new"), [('"seed": 0', '"seed": 1'), ("2022-09-15", "2022-08-15"), ("robbery", "theft")]
)
def test_a_file_that_was_changed_is_refused(
    written: Registration, tmp_path: Path, old: str, new: str
) -> None:
    file = tmp_path / "plan.json"
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(CampaignError, match=r"'plan.json' must be as it was written"):
        load_registration(file)


def test_files_that_are_no_registration_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="'none.json' was not found"):
        load_registration(tmp_path / "none.json")
    for text, words in (("{", "must be JSON"), ("[1]", "found 'list'"), ("{}", "found None")):
        (tmp_path / "bad.json").write_text(text, "utf-8")
        with pytest.raises(CampaignError, match=words):
            load_registration(tmp_path / "bad.json")


def test_a_registration_is_never_overwritten(
    written: Registration, known: Panel, tmp_path: Path
) -> None:
    before = (tmp_path / "plan.json").read_bytes()
    with pytest.raises(CampaignError, match="must not be there yet"):
        register(campaign(), known, to=tmp_path / "plan.json")
    assert (tmp_path / "plan.json").read_bytes() == before


def test_bad_days_and_folders_are_refused(known: Panel, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be a day written YYYY-MM-DD"):
        register(campaign(), known, to=tmp_path / "x.json", date="yesterday")
    with pytest.raises(DataError, match="'x.json' must be writable"):
        register(campaign(), known, to=tmp_path / "none" / "x.json")
    with pytest.raises(DataError, match="does not"):
        register(campaign(areas=["Nowhere"]), known, to=tmp_path / "x.json")
    with pytest.raises(CampaignError, match="must be one of before, around, controls: found 'aft"):
        register(campaign(), known, to=tmp_path / "x.json", counterfactual="after")
    assert list(tmp_path.iterdir()) == []


def test_today_is_taken_when_no_day_is_given(known: Panel, tmp_path: Path) -> None:
    today = dt.datetime.now(dt.UTC).date()
    found = register(campaign(), known, to=tmp_path / "x.json")
    assert found.date in (today, today + dt.timedelta(days=1))  # midnight may pass


def test_later_counts_outputs_and_claims_are_no_deviation(
    written: Registration, whole: Panel
) -> None:
    later = campaign(
        output=[{"kind": "arrests", "count": 12}],
        claim=[
            {"measure": "calls", "offence": "robbery", "period": "2022-10",
             "against": "2021-10", "change": -27.0}
        ],
    )  # fmt: skip
    assert list_deviations(written, later, whole) == []


# one change each, and the sentence that must be there for it, alone
@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"end": "2022-11-06"},
            "The window was moved: registered as 1 October 2022 to 31 October 2022, evaluated as "
            "1 October 2022 to 6 November 2022.",
        ),
        ({"offences": ["robbery", "theft"]}, "Added to the offences: theft."),
        ({"areas": ["Area 01"]}, "Removed from the areas of the campaign: Area 02."),
        (
            {"comparison": {"areas": ["Area 03"]}},
            "Added to the areas for comparison: Area 03.",
        ),
        (
            {"disruption": [{"name": "strike", "start": "2021-01-04", "end": "2021-01-30"}]},
            "Added to the disruptions that are left out: strike (2021-01-04 to 2021-01-30).",
        ),
        ({"previous": [{"year": 2019}]}, "Added to the other runs of the campaign: 2019."),
        ({"name": "Day patrols"}, "The name was changed: registered as Night patrols, evaluated "
         "as Day patrols."),
        ({"selection": "x" * 200}, "The account of how its places were chosen was changed after "
         "it was registered."),
    ],
)  # fmt: skip
def test_every_change_of_the_campaign_is_listed(
    written: Registration, whole: Panel, changed: dict[str, Any], sentence: str
) -> None:
    counts = with_theft(whole)
    first = list_deviations(written, campaign(**changed), counts)
    assert first == [sentence]


def with_theft(panel: Panel) -> Panel:
    """The panel with a second offence, of half the counts."""
    theft = panel.series.assign(offence="theft")
    series = type(panel.series)({c: [*panel.series[c], *theft[c]] for c in panel.series.columns})
    values = np.vstack([panel.values, np.floor(panel.values / 2)])
    return replace(panel, values=values, series=series)


def test_another_first_offence_is_another_primary_outcome(whole: Panel, tmp_path: Path) -> None:
    counts = with_theft(whole)
    both = campaign(offences=["robbery", "theft"])
    written = register(both, counts.before("2022-09"), to=tmp_path / "x.json", date="2022-09-01")
    turned = list_deviations(written, campaign(offences=["theft", "robbery"]), counts)
    assert turned == ["The primary outcome was changed: registered as robbery, evaluated as theft."]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model": SeasonalNaive()}, "The model was changed: registered as DynamicCounts("),
        ({"counterfactual": "around"}, "registered as before, evaluated as around."),
        ({"level": 0.9}, "The level of the intervals was changed: registered as 0.95, "),
        ({"seed": 7}, "The seed was changed: registered as 0, evaluated as 7."),
        ({"draws": 2000}, "The number of draws was changed: registered as 1000, "),
    ],
)
def test_every_change_of_the_settings_is_listed(
    written: Registration, whole: Panel, settings: dict[str, Any], words: str
) -> None:
    found = list_deviations(written, campaign(), whole, **settings)
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2022-10-01", "1 October 2022, the day the campaign began."),
        ("2022-10-02", "2 October 2022, 1 day after the campaign began."),
        ("2022-11-05", "5 November 2022, 5 days after the campaign ended."),
    ],
)
def test_too_late_a_registration_says_so(
    known: Panel, whole: Panel, tmp_path: Path, day: str, words: str
) -> None:
    late = register(campaign(), known, to=tmp_path / "late.json", date=day)
    assert list_deviations(late, campaign(), whole) == [f"It was registered on {words}"]


def test_counts_of_the_window_that_were_known_are_named(whole: Panel, tmp_path: Path) -> None:
    seen = register(campaign(), whole.before("2022-11"), to=tmp_path / "x.json", date="2022-09-15")
    assert list_deviations(seen, campaign(), whole) == [
        "Counts up to 2022-10, inside the window, were known when it was registered."
    ]


def test_a_plan_made_when_the_window_was_counted_registers_that_it_was(
    whole: Panel, known: Panel, tmp_path: Path
) -> None:
    """A plan looks at nothing of the window; that its counts held it must not be lost."""
    late = plan(campaign(), whole, draws=200)
    assert late.counts.periods[-1] < whole.periods[-1]
    assert "reach to 2022-12, so that some of the campaign's window is known" in late.sentences()[0]
    found = late.register(to=tmp_path / "late.json", date="2022-09-15")
    words = "Counts up to 2022-12, past the window, were known when it was registered."
    # in the file, read again, and in what an evaluation lists
    file = json.loads((tmp_path / "late.json").read_text("utf-8"))
    assert (file["counted_to"], file["after_the_fact"]) == ("2022-12", [words])
    assert load_registration(tmp_path / "late.json") == found
    assert list_deviations(found, campaign(), whole, draws=200) == [words]
    assert words in compare_registration(found, campaign(), whole, draws=200).sentences()
    # made in time, nothing is said
    early = plan(campaign(), known, draws=200)
    assert "known already" not in " ".join(early.sentences())
    fine = early.register(to=tmp_path / "early.json", date="2022-09-15")
    assert fine.after_the_fact == fine.content["after_the_fact"] == []


def test_revised_counts_are_noticed_to_the_last_offence(
    written: Registration, whole: Panel
) -> None:
    values = whole.values.copy()
    values[1, 10] += 1
    revised = replace(whole, values=values)
    assert list_deviations(written, campaign(), revised) == [
        "Counts from 2015-01 to 2022-08 were revised after it was registered."
    ]
    values = whole.values.copy()
    values[3, 10] += 1  # of an area that the campaign does not touch
    assert list_deviations(written, campaign(), replace(whole, values=values)) == []


def test_counts_that_are_gone_and_other_measures_are_named(
    written: Registration, whole: Panel
) -> None:
    short = replace(whole, values=whole.values[:, 12:], periods=whole.periods[12:])
    assert list_deviations(written, campaign(), short) == [
        "Counts from 2015-01 to 2022-08 that were known when it was registered are not all in "
        "the data."
    ]
    calls = replace(whole, measure="calls")
    assert list_deviations(written, campaign(), calls) == [
        "The measure was changed: registered as simulated offences, evaluated as calls."
    ]


def test_what_the_campaign_did_must_stay_once_registered(known: Panel, tmp_path: Path) -> None:
    done = campaign(output=[{"kind": "leaflets", "count": 100}])
    written = register(done, known, to=tmp_path / "x.json", date="2022-09-01")
    fewer = campaign(output=[{"kind": "leaflets", "count": 90}])
    assert list_deviations(written, fewer, known) == [
        "A registered output was altered or removed: leaflets."
    ]


def test_words_beside_an_evaluation(written: Registration, whole: Panel, tmp_path: Path) -> None:
    quoted = compare_registration(tmp_path / "plan.json", campaign(), whole)
    assert quoted.sentences() == [
        "The evaluation of Night patrols was registered on 15 September 2022 "
        f"(SHA-256 {written.sha256[:12]}).",
        "Deviations from what was registered: none.",
    ]
    assert quoted.check().status == "passed"
    assert quoted.to_dict() == {
        "name": "Night patrols",
        "date": "2022-09-15",
        "sha256": written.sha256,
        "deviations": [],
    }
    moved = compare_registration(written, campaign(), whole, seed=3)
    assert moved.check().status == "failed"
    assert not moved.check().blocks
    assert moved.sentences()[1] == "Deviations from what was registered: 1."
    assert moved.summary()["deviation"].tolist() == list(moved.deviations)
    nothing = compare_registration(None, campaign(), whole)
    assert nothing.to_dict() is None
    assert nothing.check().status == "not possible"
