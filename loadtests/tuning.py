"""Tuning: which workers, threads and worker class give gunicorn the highest capacity under given limits."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from harness.capacities import stepped_ratio
from harness.engine.client import Engine
from harness.locks import measuring
from harness.model import (
    CapacityResult,
    Image,
    NotMeasured,
    Percentiles,
    Progress,
    RaceTrial,
    Ratio,
    Tuning,
)
from loadtests import capacity, trial
from loadtests.bracketing import OtherSearch, Outcome
from loadtests.capacity import Subject, TrialRunner
from loadtests.configurations import configurations
from loadtests.judging import Order
from loadtests.load_profile import CapacityPlan
from loadtests.questions import with_arguments
from loadtests.racing import Finish, Heat, Run, next_heat
from loadtests.setting import Setting, fingerprint

HEATS_EXPECTED = 40


@dataclass(frozen=True, kw_only=True)
class RaceOrder(Order):
    """A heat of a race, numbered within it."""

    @property
    def id(self) -> str:
        """The trial's name, unique in a run."""
        return f"race-{self.image.variant}-{self.round}"


class TuningStore(Protocol):
    """Where a tuning is kept as it goes."""

    def write_answer(self, answer: Tuning, /) -> None:
        """Keep a tuning as far as it is."""

    def write_histogram(self, name: str, data: bytes, /) -> None:
        """Keep one encoded histogram."""

    def write_log(self, name: str, text: str, /) -> None:
        """Keep what a container printed that was lost under its load."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One tuning: of what, in which setting, to which objective."""

    image: Image
    setting: Setting
    """Its run profile holds the limits."""
    capacity: CapacityPlan
    host_cores: int
    """Cores of the engine's machine: what gunicorn's advice counts where nobody thinks of the limit."""
    seed: int
    workers: Sequence[int] = ()
    """Numbers of workers to try, where not the usual ones."""
    threads: Sequence[int] = ()
    known: Tuning | None = None
    remarks: tuple[str, ...] = ()


def run(
    plan: Plan, *, engine: Engine, store: TuningStore, progress: Progress, run_trial: TrialRunner = trial.run
) -> Tuning:
    """Race all configurations, then search the capacity of those that are left and of the advice, in turns.

    Args:
        plan: the tuning.
        engine: where.
        store: takes it after each trial.
        progress: announced are the race and the finals, a step each.
        run_trial: makes one trial.

    Raises:
        SeatrialError: the engine failed; what was measured is kept.

    """
    found = begun(plan)
    step = _next(found, plan)
    while isinstance(step, Heat):
        progress.step(f"{plan.image.variant}: {step.name} at {step.rate_rps:.4g} requests a second")
        with measuring(progress.step):
            heat = _heat(plan, found, step, engine, store, run_trial)
        found = found.model_copy(update={"race": (*found.race, heat)})
        store.write_answer(found)
        step = _next(found, plan)
    progress.advance()
    if step.rate_rps is not None:
        found = _finals(plan, found, step, engine, store, progress, run_trial)
    whole = judged(found)
    store.write_answer(whole)
    progress.advance()
    return whole


def estimate_s(plan: CapacityPlan) -> float:
    """Return about how many seconds one of the two steps takes, for the user's patience only."""
    race = HEATS_EXPECTED * (plan.warmup_s + plan.measure_s + capacity.OVERHEAD_S)
    return (race + 3 * capacity.estimate_s(plan)) / 2


def begun(plan: Plan) -> Tuning:
    """Return a new tuning, or the one that is there where it asks for the same."""
    how, cores = plan.setting.run_profile, plan.setting.target_cores
    tried = configurations(cores, plan.host_cores, plan.workers, plan.threads)
    new = Tuning(
        variant=plan.image.variant,
        image_digest=plan.image.digest,
        run_profile=how.name,
        conditions=fingerprint(plan.setting.conditions),
        finished=False,
        cpus=how.cpus,
        memory_bytes=how.memory_bytes,
        objective_p99_ms=plan.capacity.p99_ms,
        tolerance=plan.capacity.tolerance,
        start_rps=plan.capacity.start_rps,
        seed=plan.seed,
        configurations=tried,
        advice=tried[0].name,
        gain=NotMeasured(not_measured="the tuning has not ended"),
        remarks=plan.remarks,
    )
    known = plan.known
    apart = {"race", "finals", "best", "gain", "finished", "remarks"}
    if known is None or known.model_dump(exclude=apart) != new.model_dump(exclude=apart):
        return new
    try:
        _next(known, plan)
    except OtherSearch:
        return new
    return known


def judged(found: Tuning) -> Tuning:
    """Return a tuning with its best configuration, and the gain over the advice. Pure."""
    rates = {
        name: one.capacity_rps
        for name, one in found.finals.items()
        if one.confirmed and isinstance(one.capacity_rps, float)
    }
    best = max(rates, key=lambda name: rates[name], default=None)
    gain: Ratio | NotMeasured
    if best is None:
        gain = NotMeasured(not_measured="no configuration has a confirmed capacity")
    elif found.advice not in rates:
        why = _remark(found.finals.get(found.advice))
        gain = NotMeasured(not_measured=f"the advice {found.advice} has no confirmed capacity: {why}")
    else:
        gain = stepped_ratio(rates[best], rates[found.advice], 1 + found.tolerance)
    return found.model_copy(update={"best": best, "gain": gain, "finished": True})


class _Finals:
    """Keeps the finals' searches in their tuning, and that in the run's folder."""

    def __init__(self, found: Tuning, store: TuningStore) -> None:
        self.found = found
        self._store = store
        self.write_histogram = store.write_histogram
        self.write_log = store.write_log

    def write_answer(self, answer: CapacityResult) -> None:
        """Keep one search as far as it is."""
        finals = {**self.found.finals, answer.configuration: answer}
        self.found = self.found.model_copy(update={"finals": finals})
        self._store.write_answer(self.found)


class _Within:
    """The finals' progress: their words only, since they are one step of the tuning."""

    def __init__(self, progress: Progress) -> None:
        self.step = progress.step

    def advance(self, steps: int = 1) -> None:
        """Count nothing."""


def _finals(
    plan: Plan,
    found: Tuning,
    finish: Finish,
    engine: Engine,
    store: TuningStore,
    progress: Progress,
    run_trial: TrialRunner,
) -> Tuning:
    kept = _Finals(found, store)
    named = {one.name: one for one in found.configurations}
    capacity.run(
        [
            Subject(
                image=plan.image,
                setting=with_arguments(plan.setting, named[name].arguments),
                start_rps=_highest(found, name) or finish.rate_rps or plan.capacity.start_rps,
                known=found.finals.get(name),
                label=name.replace(" ", "-"),
                configuration=name,
            )
            for name in dict.fromkeys((*finish.names, found.advice))
        ],
        plan.capacity,
        seed=plan.seed,
        engine=engine,
        store=kept,
        progress=_Within(progress),
        run_trial=run_trial,
    )
    return kept.found


def _next(found: Tuning, plan: Plan) -> Heat | Finish:
    runs = [
        Run(
            heat=Heat(name=one.configuration, rate_rps=one.trial.offered_rps or 0.0),
            outcome=Outcome(one.outcome),
            p99_ms=one.trial.latency.p99_ms if isinstance(one.trial.latency, Percentiles) else math.inf,
        )
        for one in found.race
    ]
    names = [one.name for one in found.configurations]
    return next_heat(names, runs, start_rps=found.start_rps, least_rps=plan.capacity.least_rps, seed=found.seed)


def _heat(
    plan: Plan, found: Tuning, heat: Heat, engine: Engine, store: TuningStore, run_trial: TrialRunner
) -> RaceTrial:
    number = len(found.race) + 1
    order = RaceOrder(
        image=plan.image, model="open", round=number, attempt=1,
        seed=Random(f"{plan.seed}/race/{number}").randrange(2**31),  # noqa: S311 - inputs, no secret
    )  # fmt: skip
    arguments = next(one.arguments for one in found.configurations if one.name == heat.name)
    setting = with_arguments(plan.setting, arguments)
    profile = capacity.profile_for(setting.load_profile, plan.capacity, heat.rate_rps)
    measured = run_trial(order, dataclasses.replace(setting, load_profile=profile), engine)
    for name, data in measured.histograms.items():
        store.write_histogram(name, data)
    if not measured.trial.valid:
        store.write_log(f"{order.image.variant}-{order.id}.log", measured.log)
    outcome, reason = capacity.outcome_of(measured.trial, plan.capacity.p99_ms)
    return RaceTrial(configuration=heat.name, outcome=outcome.value, reason=reason, trial=measured.trial)


def _highest(found: Tuning, name: str) -> float | None:
    """Return the highest rate that a configuration held in the race."""
    held = [one.trial.offered_rps or 0.0 for one in found.race if (one.configuration, one.outcome) == (name, "held")]
    return max(held, default=None)


def _remark(search: CapacityResult | None) -> str:
    if search is None:
        return "it was not searched"
    return search.capacity_rps.not_measured if isinstance(search.capacity_rps, NotMeasured) else search.remark
