"""One night: its figures read and judged, its forecasts made, yesterday's scored, all kept."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pandas as pd

from forecast.data.panel import Panel
from forecast.errors import DataError, FitError, NotReadyError, join_problems
from forecast.models.quantiles import QuantileForecast
from forecast.nightly.configuration_parts import Source
from forecast.nightly.configuring import HORIZONS, Configuration, model_of
from forecast.nightly.drafting import Draft
from forecast.nightly.fitting import learn, leave_out_short
from forecast.nightly.journal import Journal
from forecast.nightly.judging import judge
from forecast.nightly.making import Made, make_forecasts
from forecast.nightly.recalling import (
    Promise,
    find_due,
    keep_nearest,
    last_facts,
    list_promises,
    list_scored,
    recall,
    recall_origins,
    recall_scores,
    write_labels,
)
from forecast.nightly.recording import Night, Run, TakenError
from forecast.nightly.scoring_nights import (
    find_drift,
    order_models,
    score_forecasts,
    sum_origins,
)
from forecast.nightly.seams import find_alert_finder
from forecast.nightly.sourcing import Reading, Sources
from forecast.nightly.store import Store
from forecast.nightly.summing_up import NightMade
from forecast.periods import as_period, label


@dataclass(eq=False)
class Maker:
    """Makes nights of a configuration.

    Attributes
    ----------
    config : Configuration
    store : Store or None
        None for a dry run where there is no store yet.
    journal : Journal
    today : date
    dry_run : bool
    """

    config: Configuration
    store: Store | None
    journal: Journal
    today: dt.date
    dry_run: bool = False

    def __post_init__(self) -> None:
        self._sources = Sources(self.config, not self.dry_run, self.today)
        self._began = time.perf_counter()
        self._last: tuple[str, list[Panel]] | None = None

    def make(self, as_of: dt.date) -> NightMade:
        """Make and publish one night, unless it was published before.

        Raises
        ------
        NotReadyError
            If its figures cannot be used.
        """
        self.journal.about["as_of"] = str(as_of)
        self._began = time.perf_counter()
        if self.dry_run or self.store is None:
            return self._draft(as_of).tell("dry run", None)
        run = self.store.begin_run(as_of, version("violence-forecast"), self.config.seed)
        if run.already is not None:
            self.journal.write("already published", night=run.already.run_id)
            return NightMade(str(as_of), "already published", run=run.already.run_id)
        try:
            with run:
                self.journal.step("run begun")
                draft = self._draft(as_of)
                night = self._publish(run, draft)
        except TakenError as error:  # another machine that shares the store was faster
            self.journal.write("already published", text=str(error))
            return NightMade(str(as_of), "already published")
        self._last = (str(as_of), [reading.panel for reading in draft.readings])
        return draft.tell("published", night)

    def counts_of(self, night: Night) -> list[Panel]:
        """Return what a night was made of, read again where it was made before."""
        if self._last is not None and self._last[0] == night.as_of:
            return self._last[1]
        panels = []
        for source in self.config.source:
            with suppress(DataError):  # the night is there, and its pages do without
                panels.append(self._sources.read(source, dt.date.fromisoformat(night.as_of)).panel)
        return panels

    def _draft(self, as_of: dt.date) -> Draft:
        """All of a night, in memory."""
        draft = Draft(as_of)
        nights = [] if self.store is None else self.store.nights()
        earlier = [night for night in nights if night.as_of < str(as_of)]
        self.journal.step("read")
        for source in self.config.source:
            self._read(source, draft, earlier)
        self.journal.step("kept")
        self.journal.step("check")
        self._check(draft, earlier)
        self._score(draft, earlier, nights)
        for reading in draft.readings:
            self._forecast(reading, draft)
        self._warn(draft)
        return draft

    def _read(self, source: Source, draft: Draft, earlier: Sequence[Night]) -> None:
        """Read a source, or say that the night goes without it."""
        try:
            draft.readings.append(self._sources.read(source, draft.as_of))
        except DataError as error:
            if not source.required:
                draft.left_out.append(f"Source {source.name!r} is left out: {error}")
                return
            if last_facts(earlier, source.name) is None:
                raise  # it never could be read: what is wrong is how it is named
            raise NotReadyError(
                f"Source {source.name!r} must be readable, as it was on earlier nights: {error}"
            ) from None

    def _check(self, draft: Draft, earlier: Sequence[Night]) -> None:
        """Judge all sources, and refuse the night for any reason, with all reasons together."""
        problems: list[str] = []
        good = []
        for reading in draft.readings:
            name, panel = reading.source.name, reading.panel
            promises = list_promises(earlier, name)
            main = _main_of(earlier, name)
            promise = next((p for p in promises if p.model == main), None)
            known = promised = None
            if promise is not None and self.store is not None:
                before = recall(self.store, promise)
                known = None if before is None else before.series
                promised = recall(self.store, promise, within=panel)
            found = judge(
                reading,
                as_of=draft.as_of,
                limits=self.config.limits,
                before=last_facts(earlier, name),
                known=known,
                promised=promised,
            )
            draft.notes += [*reading.notes, *found.notes]
            if found.problems and not reading.source.required:
                text = join_problems(found.problems)
                draft.left_out.append(f"Source {name!r} is left out: {text}")
                continue
            problems += found.problems
            good.append(reading)
        if problems:
            raise NotReadyError(join_problems(problems))
        if not good:
            raise NotReadyError(join_problems(draft.left_out))
        draft.readings = good

    def _forecast(self, reading: Reading, draft: Draft) -> None:
        """Forecast one source by all models; the first that can is the main one."""
        panel, told = leave_out_short(reading.panel)
        draft.left_out += told
        name, config = reading.source.name, self.config
        drawn = len(panel.series) <= config.limits.drawn_series
        problems = []
        names = [row["name"] for row in self._order(draft)]
        for model in names:
            if not drawn and model != "dynamic":
                draft.notes.append(
                    f"Model {model!r} is left out of {name!r}: {len(panel.series):,} series are "
                    f"more than the {config.limits.drawn_series:,} that are drawn."
                )
                continue
            try:
                made = self._make(model, panel, reading, draft, drawn=drawn)
            except FitError as error:
                problems.append(f"Model {model!r} could not be fitted to {name!r}: {error}")
                continue
            draft.main.setdefault(name, made.model)
            draft.made.append(made)
        if name not in draft.main:
            raise FitError(join_problems(problems or ["No model could be used."]))
        draft.notes += [f"{text} {draft.main[name]} stands in." for text in problems]

    def _make(
        self, model: str, panel: Panel, reading: Reading, draft: Draft, *, drawn: bool
    ) -> Made:
        """Forecasts of one source by one model."""
        config, name = self.config, reading.source.name
        self.journal.step("fit", source=name, model=model)
        engine = model_of(model, config)
        if model == "dynamic":
            fit = learn(
                engine,
                panel,
                as_of=draft.as_of,
                refit=config.refit,
                file=config.work_folder() / "fitted" / f"{name}.npz",
                save=not self.dry_run,
                said=self.journal.step,
            )
            draft.fits[name] = {"how": fit.how, "why": fit.why}
            fitted: Any = fit.fitted
        else:
            fitted = engine.fit(panel)
        self.journal.step("forecast", source=name, model=model)
        late = as_period(draft.as_of, panel.freq).ordinal - fitted.cutoff.ordinal
        return make_forecasts(
            fitted,
            name,
            horizon=(config.horizon or HORIZONS[panel.freq]) + max(late, 0),
            draws=config.draws,
            seed=config.seed,
            drawn=drawn,
        )

    def _order(self, draft: Draft) -> list[dict[str, Any]]:
        """Models as one stands in for another, with the names that the configuration has."""
        names = {model_of(name, self.config).name: name for name in self.config.models}
        return [told | {"name": names[told["model"]]} for told in draft.order]

    def _score(self, draft: Draft, earlier: Sequence[Night], nights: Sequence[Night]) -> None:
        """Score what has come true since; what another night scored is not scored again."""
        self.journal.step("score")
        for reading in draft.readings:
            name, panel = reading.source.name, reading.panel
            due = find_due(
                list_promises(earlier, name), list_scored(nights, name), panel.periods[-1]
            )
            found = [(p, self._recall(p, panel, periods)) for p, periods in due]
            usable = [(p, f) for p, f in found if f is not None]
            frame = score_forecasts([f for _, f in usable], panel, seed=self.config.seed)
            if len(frame):
                draft.scores.append((name, frame))
                draft.origins += [{"source": name, **row} for row in sum_origins(frame)]
            draft.scored += [
                {
                    "source": name,
                    "model": promise.model,
                    "origin": promise.cutoff,
                    "periods": [label(p) for p in periods],
                }
                for promise, periods in due
            ]
            main = _main_of(earlier, name)
            draft.come_true[name] = [f for p, f in usable if p.model == main]
        recent = self._recent(draft, earlier)
        declared = [model_of(name, self.config).name for name in self.config.models]
        least = self.config.limits.least_origins
        draft.order = order_models(recent, declared, least_origins=least)
        draft.drift = find_drift(recent, band=self.config.limits.drift, least_origins=least)

    def _recall(
        self, promise: Promise, panel: Panel, periods: pd.PeriodIndex
    ) -> QuantileForecast | None:
        """What was promised for some periods."""
        if self.store is None:
            return None
        return recall(self.store, promise, within=panel, periods=periods)

    def _recent(self, draft: Draft, earlier: Sequence[Night]) -> pd.DataFrame:
        """Scores by origin of the last days and of this night."""
        since = draft.as_of - dt.timedelta(days=self.config.limits.recent_days)
        parts = [recall_origins(earlier, str(since)), pd.DataFrame(draft.origins)]
        full = [part for part in parts if len(part)]
        return pd.concat(full, ignore_index=True) if full else pd.DataFrame()

    def _warn(self, draft: Draft) -> None:
        """Find what to warn of."""
        self.journal.step("alerts")
        finder = find_alert_finder()
        if finder is None:
            draft.notes.append("Alerts are not part of this installation: none were looked for.")
            return
        since = draft.as_of - dt.timedelta(days=self.config.alerts.remember_days)
        memory = pd.DataFrame() if self.store is None else self.store.alerts(since)
        if len(memory):
            memory = memory[memory["as_of"] < str(draft.as_of)]
        found = [
            finder(
                reading.panel,
                draft.come_true.get(reading.source.name, []),
                memory,
                as_of=draft.as_of,
                scores=self._nearest(reading, draft, since),
                config=self.config,
            )
            for reading in draft.readings
        ]
        full = [frame for frame in found if len(frame)]
        draft.alerts = pd.concat(full, ignore_index=True) if full else pd.DataFrame()

    def _nearest(self, reading: Reading, draft: Draft, since: dt.date) -> pd.DataFrame:
        """Of each series and period that came true lately the score of the nearest forecast."""
        name, panel = reading.source.name, reading.panel
        told = {"measure": panel.measure, "freq": panel.freq}
        model, as_of = draft.main[name], str(draft.as_of)
        parts = []
        if self.store is not None:
            parts.append(
                recall_scores(self.store, since=str(since), before=as_of, model=model, **told)
            )
        for own, frame in draft.scores:
            mine = frame[frame["model"] == model]
            if own == name and len(mine):
                text = {name: write_labels(mine[name]) for name in ("origin", "period")}
                parts.append(mine.assign(as_of=as_of, **told, **text))
        full = [part for part in parts if len(part)]
        return keep_nearest(pd.concat(full, ignore_index=True) if full else pd.DataFrame())

    def _publish(self, run: Run, draft: Draft) -> Night:
        """Put all of a night into the store in one transaction."""
        for reading in draft.readings:
            panel = reading.panel
            run.snapshot(
                reading.source.name,
                panel.snapshot,
                first=panel.periods[0],
                last=panel.periods[-1],
            )
        for made in draft.made:
            made.add_to(run)
        measures = {r.source.name: r.panel.measure for r in draft.readings}
        for source, frame in draft.scores:
            run.scores(frame, measure=measures[source])
        if len(draft.alerts):
            run.alerts(draft.alerts)
        self.journal.step("publish")
        night = run.publish(draft.describe(self.journal.run, time.perf_counter() - self._began))
        self.journal.step("published")
        return night


def _main_of(nights: Sequence[Night], source: str) -> str | None:
    """The main model of a source on the last night that had it."""
    for night in sorted(nights, key=lambda one: one.as_of, reverse=True):
        found = night.about.get("main", {}).get(source)
        if found is not None:
            return str(found)
    return None
