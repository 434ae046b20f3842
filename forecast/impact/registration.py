"""Registration: what will be asked and how, written down before the campaign, with a hash.

An evaluation that was declared beforehand cannot choose its window, offence or model by what
they give. The file holds the whole question; what was done otherwise later is listed.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.data.panel import Panel
from forecast.data.writing import replacing
from forecast.errors import CampaignError
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check, Status
from forecast.impact.deviations import find_deviations, find_timing, say_day
from forecast.impact.questions import canonical, describe_question, hash_content, hash_counts
from forecast.models.base import Model
from forecast.models.draws import Forecast
from forecast.periods import as_date, as_period, label

SCHEMA = "forecast.registration/1"

COUNTERFACTUALS = ("before", "around", "controls")
"""What the expected counts may be learnt from."""


@dataclass(frozen=True)
class Registration:
    """What was registered, as it stands in the file.

    The hash shows that the file is as it was written. It proves the day only when the hash was
    also left where it cannot be changed: sent to somebody, or published.

    Attributes
    ----------
    content : dict
        Plain values: campaign, settings, primary outcome, exclusions, data, date.
    sha256 : str
        Of the content in its canonical form.
    """

    content: dict[str, Any]
    sha256: str

    @property
    def name(self) -> str:
        """Name of the campaign."""
        return str(self.content["campaign"]["name"])

    @property
    def date(self) -> dt.date:
        """Day of the registration."""
        return dt.date.fromisoformat(self.content["registered"])

    @property
    def after_the_fact(self) -> list[str]:
        """What shows that it was made too late to be one, each in a sentence; empty when nothing.

        It came when the campaign had begun, or when counts of its window were known.
        """
        declared, data = self.campaign, self.content["data"]
        # files of earlier versions know the last count of what was planned with alone
        known = _find_known(self.content.get("counted_to", data["last"]), data["freq"], declared)
        return [*find_timing(self.date, declared.start, declared.end), *known]

    @property
    def campaign(self) -> Campaign:
        """The campaign as it was declared."""
        return Campaign(**self.content["campaign"])

    def __repr__(self) -> str:
        return f"Registration({self.name!r}, {self.date}, SHA-256 {self.sha256[:12]})"


@dataclass(frozen=True)
class Registered:
    """An evaluation beside its registration.

    Attributes
    ----------
    registration : Registration or None
        None when nothing was registered.
    deviations : tuple of str
        All that was done otherwise, each in a sentence.
    """

    registration: Registration | None
    deviations: tuple[str, ...] = ()

    def summary(self) -> pd.DataFrame:
        """Return one row a deviation: `deviation`."""
        return pd.DataFrame({"deviation": list(self.deviations)}, dtype="str")

    def sentences(self) -> list[str]:
        """Return when it was registered, under which hash, and every deviation."""
        if self.registration is None:
            return [
                "This evaluation was not registered beforehand: what was asked may have been "
                "chosen by what it gives."
            ]
        found = self.registration
        first = (
            f"The evaluation of {found.name} was registered on {say_day(found.date)} "
            f"(SHA-256 {found.sha256[:12]})."
        )
        if not self.deviations:
            return [first, "Deviations from what was registered: none."]
        return [first, f"Deviations from what was registered: {len(self.deviations)}.",
                *self.deviations]  # fmt: skip

    def to_dict(self) -> dict[str, object] | None:
        """Return it as plain values, None when nothing was registered."""
        if self.registration is None:
            return None
        return {
            "name": self.registration.name,
            "date": self.registration.date.isoformat(),
            "sha256": self.registration.sha256,
            "deviations": list(self.deviations),
        }

    def check(self) -> Check:
        """Say whether the evaluation is the one that was registered; it bars no verdict."""
        name, text = "registration", " ".join(self.sentences())
        if self.registration is None:
            return Check(name, "not possible", False, text)
        status: Status = "failed" if self.deviations else "passed"
        return Check(name, status, False, text, table=self.summary())


def register(
    campaign: Campaign,
    counts: Panel,
    *,
    to: str | Path,
    model: Model | Forecast | None = None,
    counterfactual: str = "before",
    level: float = 0.95,
    seed: int = 0,
    draws: int = 1000,
    date: dt.date | str | None = None,
    plan: Mapping[str, object] | None = None,
    counted_to: pd.Period | None = None,
) -> Registration:
    """Write down what will be asked and how, before the campaign, and return it.

    One that comes too late says so, in its file and in every evaluation that quotes it.

    Parameters
    ----------
    campaign : Campaign
        It is kept whole, as declared.
    counts : Panel
        What is known on the day: its snapshot and the last period.
    to : path
        A JSON file that is not there yet: a registration is never overwritten.
    model, counterfactual, level, seed, draws
        As they will be given to `evaluate`.
    date : date or ISO text, optional
        The day; today in universal time unless given.
    plan : mapping, optional
        `Plan.to_dict()`, to keep what could be seen beside it.
    counted_to : pandas.Period, optional
        The last period that was counted on the day, when `counts` are less than was known; the
        last of `counts` unless given.

    Returns
    -------
    Registration

    Raises
    ------
    CampaignError
        If the file is there already, or there is no such counterfactual.
    DataError
        If the day is none, the file cannot be written, or the campaign names what the counts
        do not hold.

    Examples
    --------
    >>> import tempfile
    >>> from forecast.simulation import simulate
    >>> counts = simulate(areas=2, years=8)
    >>> ahead = Campaign(name="Test", start="2023-02-01", end="2023-02-28", offences=["robbery"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "test.json"
    ...     written = register(ahead, counts, to=file, date="2023-01-15")
    ...     load_registration(file) == written
    True
    >>> written.date, list_deviations(written, ahead, counts)
    (datetime.date(2023, 1, 15), [])
    """
    path = Path(to)
    if path.exists():
        raise CampaignError(
            f"Registration file {path.name!r} must not be there yet: it is, and a registration is "
            "never overwritten. Choose another name; the evaluation will list what changed."
        )
    if counterfactual not in COUNTERFACTUALS:
        raise CampaignError(
            f"Argument counterfactual must be one of {', '.join(COUNTERFACTUALS)}: found "
            f"{counterfactual!r}. Choose what evaluate(...) will be given."
        )
    day = dt.datetime.now(dt.UTC).date() if date is None else as_date(date, subject="Date")
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "registered": day.isoformat(),
        **describe_question(campaign, counts, model, counterfactual, level, seed, draws),
        "plan": None if plan is None else dict(plan),
        "counted_to": label(counts.periods[-1] if counted_to is None else counted_to),
    }
    late = Registration(json.loads(canonical(content)), "").after_the_fact
    content["after_the_fact"] = late
    found = Registration(json.loads(canonical(content)), hash_content(content))
    whole = {**found.content, "sha256": found.sha256}
    with replacing(path) as half:
        half.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return found


def load_registration(path: str | Path) -> Registration:
    """Read a registration and see that it is as it was written.

    Raises
    ------
    CampaignError
        If the file is not there, is no registration, or was changed.
    """
    file = Path(path)
    try:
        whole = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise CampaignError(
            f"Registration file must exist: {file.name!r} was not found. Check the path, or write "
            "one with register(...)."
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError, IsADirectoryError) as error:
        raise CampaignError(
            f"Registration file {file.name!r} must be JSON in UTF-8: {error}. Take the file that "
            "register(...) wrote."
        ) from None
    if not isinstance(whole, dict) or whole.get("schema") != SCHEMA:
        seen = whole.get("schema") if isinstance(whole, dict) else type(whole).__name__
        raise CampaignError(
            f"Registration file {file.name!r} must have the schema {SCHEMA!r}: found {seen!r}. "
            "Take the file that register(...) wrote."
        )
    said = whole.pop("sha256", None)
    true = hash_content(whole)
    if said != true:
        raise CampaignError(
            f"Registration file {file.name!r} must be as it was written: its content has SHA-256 "
            f"{true[:12]}, and it says {str(said)[:12]}. Take the file as it was registered: what "
            "is done otherwise belongs in the evaluation, which lists it."
        )
    return Registration(whole, said)


def list_deviations(
    registration: Registration,
    campaign: Campaign,
    counts: Panel,
    *,
    model: Model | Forecast | None = None,
    counterfactual: str = "before",
    level: float = 0.95,
    seed: int = 0,
    draws: int = 1000,
) -> list[str]:
    """List all that an evaluation does otherwise than was registered, each in a sentence.

    What the campaign did (`output`) and what was claimed of it (`claim`) become known later:
    those that were added are no deviation, those that were altered or removed are.

    Parameters
    ----------
    registration : Registration
    campaign, counts, model, counterfactual, level, seed, draws
        As given to `evaluate`.

    Returns
    -------
    list of str
        Empty when nothing was done otherwise.
    """
    now = describe_question(campaign, counts, model, counterfactual, level, seed, draws)
    return [
        *registration.after_the_fact,
        *find_deviations(registration.content, now),
        *_find_revised(registration.content["data"], counts),
    ]


def compare_registration(
    registration: Registration | str | Path | None,
    campaign: Campaign,
    counts: Panel,
    *,
    model: Model | Forecast | None = None,
    counterfactual: str = "before",
    level: float = 0.95,
    seed: int = 0,
    draws: int = 1000,
) -> Registered:
    """Return an evaluation beside its registration: an object, a file, or None for none.

    Raises
    ------
    CampaignError
        If the file is not there, is no registration, or was changed.
    """
    if registration is None:
        return Registered(None)
    found = (
        registration if isinstance(registration, Registration) else load_registration(registration)
    )
    deviations = list_deviations(
        found, campaign, counts, model=model, counterfactual=counterfactual, level=level,
        seed=seed, draws=draws,
    )  # fmt: skip
    return Registered(found, tuple(deviations))


def _find_known(last: str, freq: str, declared: Campaign) -> list[str]:
    """Whether counts of the window were known already when it was registered."""
    window = declared.periods(freq)
    if as_period(last, freq) < window[0]:
        return []
    where = "past" if as_period(last, freq) > window[-1] else "inside"
    return [f"Counts up to {last}, {where} the window, were known when it was registered."]


def _find_revised(then: Mapping[str, Any], counts: Panel) -> list[str]:
    """What changed in the counts that were known when it was registered."""
    for key, word in (("measure", "measure"), ("freq", "frequency")):
        now = counts.measure if key == "measure" else counts.freq
        if then[key] != now:
            return [f"The {word} was changed: registered as {then[key]}, evaluated as {now}."]
    first, last = (as_period(then[end], counts.freq) for end in ("first", "last"))
    span = f"from {then['first']} to {then['last']}"
    gone = [name for name in then["areas"] if name not in counts.areas]
    gone += [name for name in then["offences"] if name not in counts.offences]
    if gone or counts.periods[0] > first or counts.periods[-1] < last:
        return [f"Counts {span} that were known when it was registered are not all in the data."]
    kept = counts.select(area=then["areas"], offence=then["offences"]).through(last)
    begin = int((kept.periods < first).sum())
    kept = replace(kept, values=kept.values[:, begin:], periods=kept.periods[begin:])
    if hash_counts(kept) == then["counts_sha256"]:
        return []
    return [f"Counts {span} were revised after it was registered."]
