"""The rule on specifications, by hand at its edges, and what the noun says of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from forecast.errors import DataError
from forecast.impact.specifications import (
    COLUMNS,
    SAME_FIGURES,
    Specifications,
    judge,
    tabulate,
)


def row(percent: float, *, excludes: bool = True, **more: Any) -> dict[str, Any]:
    """A specification, as far as it matters here; its interval is five points either way."""
    facts = {
        "offence": "robbery",
        "area": "London",
        "is_total": True,
        "model": "Moon",
        "span": "all",
        "treatment": "mask",
        "window_days": 0,
        "year_left_out": "none",
        "is_main": False,
        "calibrated": True,
        "observed": 100.0 + percent,
        "expected": 100.0,
        "effect_percent": percent,
        "effect_percent_lower": percent - 5,
        "effect_percent_upper": percent + 5,
        "p": 0.01 if excludes else 0.5,
        "excludes_zero": excludes,
        "note": "",
    }
    return facts | more


def several(below: int, above: int, excluding: int) -> list[dict[str, Any]]:
    """Specifications of which so many lie below and above zero, the first so many clearly."""
    effects = [-10.0 - i / 100 for i in range(below)] + [2.0 + i / 100 for i in range(above)]
    rows = [row(effect, excludes=i < excluding) for i, effect in enumerate(effects)]
    rows[0]["is_main"] = True
    return rows


@pytest.mark.parametrize(
    ("below", "above", "excluding", "blocks"),
    [
        (38, 2, 40, False),  # 2 of 40 are exactly 5 per cent: not more
        (37, 3, 40, True),  # 7.5 per cent
        (57, 3, 60, False),  # 3 of 60 are exactly 5 per cent
        (56, 4, 60, True),
        (19, 1, 10, False),  # 1 of 20 is exactly 5 per cent, 10 of 20 exactly half
        (20, 0, 9, True),  # 45 per cent leave out zero
        (41, 0, 20, True),  # 20 of 41 are under half
        (41, 0, 21, False),
        (40, 0, 0, True),
    ],
)
def test_the_edges_of_the_rule(below: int, above: int, excluding: int, blocks: bool) -> None:
    rows = tabulate(several(below, above, excluding))
    assert judge(rows, main_excludes_zero=True, main_sign=-1)[0] is blocks
    # the same seen from the other side: what was above is now the other sign's mirror image
    mirrored = rows.assign(effect_percent=-rows["effect_percent"])
    assert judge(mirrored, main_excludes_zero=True, main_sign=1)[0] is blocks
    # without a finding there is nothing to forbid
    assert judge(rows, main_excludes_zero=False, main_sign=-1)[0] is False


def test_the_sentence_says_the_counts_beside_the_shares() -> None:
    rows = tabulate(several(36, 4, 18))
    assert judge(rows, main_excludes_zero=True, main_sign=-1)[1] == (
        "36 of 40 specifications put robbery in London below what was expected and 4 above; 18 of "
        "40 intervals leave out zero. So it rests on how it was made: 4 of 40 specifications (10 "
        "per cent, where 5 is the most) put it on the other side, and 18 of 40 intervals (45 per "
        "cent, where 50 is the least) leave out zero."
    )
    assert judge(rows, main_excludes_zero=False, main_sign=-1)[1].endswith(
        "The main interval holds zero, so that none of this changes it."
    )
    calm = judge(tabulate(several(40, 0, 40)), main_excludes_zero=True, main_sign=-1)[1]
    assert calm == (
        "40 of 40 specifications put robbery in London below what was expected and none above; "
        "40 of 40 intervals leave out zero. The result does not rest on one way of making it."
    )


def test_an_effect_of_zero_has_neither_sign() -> None:
    rows = several(10, 0, 10) + [row(0.0, excludes=False, model="Sun")]
    table = tabulate(rows)
    assert judge(table, main_excludes_zero=True, main_sign=-1) == (
        False,
        "10 of 11 specifications put robbery in London below what was expected and none above; 10 "
        "of 11 intervals leave out zero. The result does not rest on one way of making it.",
    )
    assert table["same_sign"].tolist() == [True] * 11


def test_the_same_figures_count_once_and_no_figures_never() -> None:
    twin = row(-10.0, span="last five years")
    other_model = row(-10.0, model="Sun")
    mute = {k: v for k, v in row(0.0).items() if k not in ("observed", "expected", "p")}
    mute = {k: v for k, v in mute.items() if not k.startswith(("effect", "excludes"))}
    table = tabulate([row(-10.0, is_main=True), twin, other_model, mute | {"note": "too short"}])
    assert {name: str(kind) for name, kind in table.dtypes.items()} == COLUMNS
    assert table["counted"].tolist() == [True, False, True, False]
    assert table["note"].tolist() == ["", SAME_FIGURES, "", "too short"]
    assert table["same_sign"].isna().tolist() == [False, False, False, True]
    _, sentence = judge(table, main_excludes_zero=True, main_sign=-1)
    assert sentence.startswith("2 of 2 specifications put")
    assert Specifications(table, 0.95).sentences()[1] == (
        "1 of 4 specifications of robbery in London gave no figures, the first because too short."
    )


def test_a_finding_is_checked_and_a_doubtful_one_blocked() -> None:
    called = Specifications(tabulate(several(20, 0, 20)), 0.95, "the campaign's 2 areas")
    assert "put robbery in the campaign's 2 areas below" in called.check().text
    assert "in the campaign's 2 areas below" in called.sentences()[0]
    firm, shaky = (Specifications(tabulate(several(*n)), 0.95) for n in ((20, 0, 20), (15, 5, 20)))
    assert (firm.check().status, firm.check().blocking) == ("passed", True)
    assert (shaky.check().status, shaky.check().blocks) == ("failed", True)
    # the evaluation's own interval decides whether there is a finding, where it is given
    calm = shaky.check(main_excludes_zero=False)
    assert (calm.status, calm.blocking) == ("passed", False)
    assert "15 of 20 specifications put robbery in London below" in calm.text
    assert shaky.judge(main_sign=1)[1].endswith("15 of 20 specifications (75 per cent, where 5 is "
        "the most) put it on the other side.")  # fmt: skip
    alone = Specifications(tabulate(several(1, 0, 1)), 0.95).check()
    assert (alone.status, alone.blocks) == ("not possible", False)


def test_a_main_interval_that_holds_zero_blocks_nothing() -> None:
    rows = several(5, 5, 0)
    found = Specifications(tabulate(rows), 0.95).check()
    assert (found.status, found.blocking) == ("passed", False)
    assert found.text.startswith("5 of 10 specifications put robbery in London below what was")


def test_agreement_by_area_and_plain_values() -> None:
    areas = [row(-8.0, area="Camden", is_total=False, is_main=True)]
    areas += [row(4.0, area="Camden", is_total=False, excludes=False, model="Sun")]
    found = Specifications(tabulate([*several(3, 1, 2), *areas]), 0.95)
    table = found.agreement().set_index("area")
    assert table.index.tolist() == ["London", "Camden"]
    london, camden = table.loc["London"], table.loc["Camden"]
    assert (london["specifications"], london["same_sign"], london["exclude_zero"]) == (4, 3, 2)
    assert (london["same_sign_share"], london["exclude_zero_share"]) == (0.75, 0.5)
    # -10.00, -10.01, -10.02 and 2.00: the middle of the two inner ones
    assert london["middle_percent"] == pytest.approx(-10.005)
    assert (london["lowest_percent"], london["highest_percent"]) == (-10.02, 2.0)
    assert (camden["specifications"], camden["same_sign"]) == (2, 1)
    assert repr(found) == "Specifications(robbery 4)"
    assert len(found.of("robbery", "Camden")) == 2
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert len(plain["specifications"]) == 6
    first = plain["specifications"][0]
    assert first["effect_percent_interval"] == [-15, -5]
    assert first["effect_in_window_percent_interval"] is None
    assert first["excludes_zero"] is True
    assert plain["agreement"][1]["area"] == "Camden"
    with pytest.raises(DataError, match="'robbery' in 'Brent' is not among them. Choose from"):
        found.of("robbery", "Brent")
    spoilt = found.summary()
    spoilt["model"] = "spoilt"
    assert found.summary()["model"].iloc[0] == "Moon"
