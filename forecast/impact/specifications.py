"""The same evaluation made in many ways: how much of the result rests on how it was made.

The noun, and the one rule that turns it into a doubt about the verdict (`judge`). How the
specifications are made stands in `specifying`, which of them in `choices`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.errors import DataError, name_offenders
from forecast.impact.checks import Check
from forecast.impact.plain import records

COLUMNS = {
    "offence": "str",
    "area": "str",
    "is_total": "bool",
    "model": "str",
    "span": "str",
    "treatment": "str",
    "window_days": "int64",
    "year_left_out": "str",
    "is_main": "bool",
    "counted": "bool",
    "calibrated": "bool",
    "observed": "float64",
    "expected": "float64",
    "effect_percent": "float64",
    "effect_percent_lower": "float64",
    "effect_percent_upper": "float64",
    "effect_in_window_percent": "float64",
    "effect_in_window_percent_lower": "float64",
    "effect_in_window_percent_upper": "float64",
    "p": "float64",
    "excludes_zero": "boolean",
    "same_sign": "boolean",
    "note": "str",
}
"""Columns of `Specifications.summary` and their kinds."""

OTHER_SIGN = 0.05
"""Share of specifications with the other sign above which a finding is not believed."""

EXCLUDING = 0.5
"""Share of specifications that leave out zero below which a finding is not believed."""

SAME_FIGURES = "the same figures as another: not counted twice"
"""Note of a choice that changes nothing that the model sees."""

NAME = "sensitivity"


@dataclass(frozen=True, eq=False, repr=False)
class Specifications:
    """What the same campaign gives when it is evaluated in many ways.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a specification, offence and area; its columns are `COLUMNS`.
    level : float
    called : str or None
        What sentences call the area of the totals; as the table does without it.
    """

    table: pd.DataFrame
    level: float
    called: str | None = None

    def __repr__(self) -> str:
        counted = self.table[self.table["counted"] & self.table["is_total"]]
        many = counted.groupby("offence", sort=False).size()
        parts = ", ".join(f"{offence} {n}" for offence, n in many.items())
        return f"Specifications({parts or 'none that gave figures'})"

    def summary(self) -> pd.DataFrame:
        """Return one row a specification, offence and area; totals first.

        `model`, `span`, `treatment` ("mask": disrupted periods left out, "none": learnt from),
        `window_days` (the window moved by), `year_left_out` ("none" or the year), `is_main`,
        `counted` (in the rule: it gave figures, and not those of another), `calibrated`,
        `observed`, `expected`, `effect_percent` of the whole periods and
        `effect_in_window_percent` of the campaign's days, with their bounds in points, `p`,
        `excludes_zero`, `same_sign` (as the main one, zero among them), `note`.
        """
        return self.table.copy()

    def of(self, offence: str | None = None, area: str | None = None) -> pd.DataFrame:
        """Return the rows of one offence: of its total, or of one area.

        Parameters
        ----------
        offence : str, optional
            The first when left out.
        area : str, optional
            The total when left out.

        Raises
        ------
        DataError
            If it was not looked at.
        """
        table = self.table
        name = str(table["offence"].iloc[0]) if offence is None else offence
        rows = table[table["offence"] == name]
        rows = rows[rows["is_total"] if area is None else (rows["area"] == area)]
        if rows.empty:
            kinds = table[["offence", "area"]].drop_duplicates().to_numpy().tolist()
            known = [f"{o} in {a}" for o, a in kinds]
            raise DataError(
                f"Specifications must hold the offence and area asked for: {name!r} in "
                f"{'total' if area is None else repr(area)} is not among them. Choose from "
                f"{name_offenders(known, 6)}."
            )
        return rows.reset_index(drop=True)

    def agreement(self) -> pd.DataFrame:
        """Return how far the specifications agree, one row an offence and area, totals first.

        `specifications` (counted ones), `same_sign` and `exclude_zero` with their shares,
        `effect_percent` of the main one with its bounds, `lowest_percent`, `middle_percent` and
        `highest_percent` of all.
        """
        groups = self.table.groupby(["is_total", "offence", "area"], sort=False)
        return pd.DataFrame([_agree(rows) for _, rows in groups])

    def judge(
        self,
        offence: str | None = None,
        *,
        main_excludes_zero: bool | None = None,
        main_sign: int | None = None,
    ) -> tuple[bool, str]:
        """Apply the rule to an offence's total; see the function of this name.

        Whether the main interval leaves out zero, and its sign, are those of the evaluation when
        they are given, else those of the specification that was made as evaluations usually are.
        """
        excludes, sign = self._find_main(offence)
        return judge(
            self._name(self.of(offence)),
            main_excludes_zero=excludes if main_excludes_zero is None else main_excludes_zero,
            main_sign=sign if main_sign is None else main_sign,
        )

    def check(
        self,
        offence: str | None = None,
        *,
        main_excludes_zero: bool | None = None,
        main_sign: int | None = None,
    ) -> Check:
        """See whether an offence's total rests on how it was made; arguments as in `judge`.

        It blocks where there is a finding to forbid. It can never make one.
        """
        rows = self._name(self.of(offence))
        table = self.agreement()
        table = table[table["is_total"]].drop(columns="is_total")
        if int(rows["counted"].sum()) < 2:
            text = (
                f"{_subject(rows)} could be evaluated in no other way: whether the result rests "
                "on how it was made is not known."
            )
            return Check(NAME, "not possible", False, text, table=table)
        if main_excludes_zero is None:
            main_excludes_zero = self._find_main(offence)[0]
        blocks, text = self.judge(
            offence, main_excludes_zero=main_excludes_zero, main_sign=main_sign
        )
        return Check(NAME, "failed" if blocks else "passed", main_excludes_zero, text, table=table)

    def _name(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows of a total, its area as sentences call it."""
        return rows if self.called is None else rows.assign(area=self.called)

    def _find_main(self, offence: str | None) -> tuple[bool, int]:
        """Whether the main interval of a total leaves out zero, and the sign of its effect."""
        rows = self.of(offence)
        main = rows[rows["is_main"]]
        effect = float(main["effect_percent"].iloc[0])
        sign = int(np.sign(effect)) if np.isfinite(effect) else 0
        return bool(main["excludes_zero"].fillna(False).iloc[0]), sign

    def sentences(self) -> list[str]:
        """Return what is said of every offence's total, and of what gave no figures."""
        totals = self.table[self.table["is_total"]]
        said = []
        for offence in map(str, totals["offence"].unique()):
            said.append(self.check(offence).text)
            rows = self._name(self.of(offence))
            mute = rows[rows["expected"].isna()]
            if len(mute):
                said.append(
                    f"{len(mute)} of {len(rows)} specifications of {_subject(rows)} gave no "
                    f"figures, the first because {mute['note'].iloc[0].rstrip('.')}."
                )
        return said

    def to_dict(self) -> dict[str, Any]:
        """Return the specifications and their agreement as plain values."""
        return {
            "rule": {"other_sign": OTHER_SIGN, "excluding": EXCLUDING},
            "agreement": records(self.agreement(), "effect_percent"),
            "specifications": records(self.table, "effect_percent", "effect_in_window_percent"),
        }


def judge(rows: pd.DataFrame, *, main_excludes_zero: bool, main_sign: int) -> tuple[bool, str]:
    """Say whether specifications forbid the finding of the main one: the only rule.

    When the main interval leaves out zero, the finding is forbidden if more than 5 per cent of
    the specifications have the other sign, or fewer than half leave out zero. When it holds zero
    there is no finding to forbid: signs that differ are told and change nothing. An effect of
    exactly zero has neither sign.

    Parameters
    ----------
    rows : pandas.DataFrame
        Specifications of one offence and area, such as `Specifications.of` returns; those that
        are not `counted` are passed over.
    main_excludes_zero : bool
    main_sign : int
        -1 for fewer than expected, 1 for more.

    Returns
    -------
    blocks : bool
    sentence : str

    References
    ----------
    Simonsohn, Simmons & Nelson (2020), Specification curve analysis, Nature Human Behaviour 4,
    1208-1214: the curve. The two limits are this package's own.

    Examples
    --------
    >>> rows = pd.DataFrame({"offence": "robbery", "area": "Camden", "counted": True,
    ...     "effect_percent": [-9.0, -8.0, -7.0, 1.0], "excludes_zero": [True, True, False, False]})
    >>> blocks, sentence = judge(rows, main_excludes_zero=True, main_sign=-1)
    >>> blocks
    True
    >>> sentence.split("made: ")[1]
    '1 of 4 specifications (25 per cent, where 5 is the most) put it on the other side.'
    """
    used = rows[rows["counted"]]
    n, signs = len(used), np.sign(used["effect_percent"].to_numpy(dtype=float))
    below, above = int((signs < 0).sum()), int((signs > 0).sum())
    other = {-1: above, 1: below}.get(main_sign, 0)
    excluding = int(used["excludes_zero"].fillna(False).sum())
    told = (
        f"{below or 'None'} of {n} specifications put {_subject(rows)} below what was expected "
        f"and {above or 'none'} above; {excluding} of {n} intervals leave out zero."
    )
    if not main_excludes_zero:
        return False, f"{told} The main interval holds zero, so that none of this changes it."
    faults = []
    if other / n > OTHER_SIGN:
        faults.append(
            f"{other} of {n} specifications ({_share(other, n)} per cent, where "
            f"{100 * OTHER_SIGN:.0f} is the most) put it on the other side"
        )
    if excluding / n < EXCLUDING:
        faults.append(
            f"{excluding} of {n} intervals ({_share(excluding, n)} per cent, where "
            f"{100 * EXCLUDING:.0f} is the least) leave out zero"
        )
    if not faults:
        return False, f"{told} The result does not rest on one way of making it."
    return True, f"{told} So it rests on how it was made: {', and '.join(faults)}."


def _share(number: int, of: int) -> str:
    """A share in per cent, with a decimal where a limit would hide behind rounding."""
    percent = 100 * number / of
    return f"{percent:.0f}" if percent == round(percent) else f"{percent:.1f}"


def _subject(rows: pd.DataFrame) -> str:
    """What the rows are of."""
    return f"{rows['offence'].iloc[0]} in {rows['area'].iloc[0]}"


def _agree(rows: pd.DataFrame) -> dict[str, Any]:
    """A row of `agreement`."""
    used, main = rows[rows["counted"]], rows[rows["is_main"]].iloc[0]
    n, effects = len(used), used["effect_percent"]
    same, excluding = (int(used[c].fillna(False).sum()) for c in ("same_sign", "excludes_zero"))
    return {
        "is_total": bool(main["is_total"]),
        "offence": main["offence"],
        "area": main["area"],
        "specifications": n,
        "same_sign": same,
        "same_sign_share": same / n if n else np.nan,
        "exclude_zero": excluding,
        "exclude_zero_share": excluding / n if n else np.nan,
        "effect_percent": main["effect_percent"],
        "effect_percent_lower": main["effect_percent_lower"],
        "effect_percent_upper": main["effect_percent_upper"],
        "lowest_percent": effects.min(),
        "middle_percent": effects.median(),
        "highest_percent": effects.max(),
    }


def tabulate(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the table of specifications from their rows: what counts, and who agrees.

    A choice that changes nothing for a model (a long span, when it learns from the last years
    alone) gives the same figures again, and is one specification, not two.
    """
    table = pd.DataFrame(list(rows), columns=list(COLUMNS))
    figures = ["observed", "expected", "effect_percent_lower", "effect_percent_upper", "p"]
    twice = table.duplicated(["offence", "area", "model", *figures])
    answered = table["expected"].notna()
    table["counted"] = answered & ~twice
    silent = answered & twice & (table["note"] == "")
    table.loc[silent, "note"] = SAME_FIGURES
    keys = ["offence", "area"]
    main = table.loc[table["is_main"], [*keys, "effect_percent"]]
    sign = np.sign(table[keys].merge(main, how="left", on=keys)["effect_percent"].to_numpy(float))
    own = np.sign(table["effect_percent"].to_numpy(float))
    table["same_sign"] = pd.array(own * sign >= 0, dtype="boolean")
    table.loc[~answered, "same_sign"] = pd.NA
    return table.astype(COLUMNS)
