"""Capacity: the highest rate at which p99 stays within the objective and no request fails, searched by open trials.

Searches of several variants go forward in turn, one trial each, so that a machine that drifts favours none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Protocol

from harness.engine.client import Engine
from harness.locks import measuring
from harness.model import (
    CapacityResult,
    Guard,
    Image,
    LoadTrial,
    NotMeasured,
    Progress,
    RateTrial,
    Trial,
)
from loadtests import journeys, trial
from loadtests.bracketing import Ask, Found, Goal, OtherSearch, Outcome, Purpose, Try, advise
from loadtests.judging import Measured, Order
from loadtests.load_profile import CapacityPlan, LoadProfile
from loadtests.setting import Setting, fingerprint

START_SHARE = 0.7
"""Of closed throughput: there the search begins, a little below where it is likely to end."""
LONGEST_WINDOW_S = 60.0
OVERHEAD_S = 6.0
TRIALS_EXPECTED = 15

_VOID = {Guard.CLOCK_STEPPED, Guard.CORE_SHARED, Guard.THROTTLED}
"""These say something of the machine and nothing of the rate."""


class CapacityStore(Protocol):
    """Where searches are kept as they go, and where those of an earlier attempt are."""

    def write_answer(self, answer: CapacityResult, /) -> None:
        """Keep one search as far as it is."""

    def write_histogram(self, name: str, data: bytes, /) -> None:
        """Keep one encoded histogram."""

    def write_log(self, name: str, text: str, /) -> None:
        """Keep what a container printed that was lost under its load."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One search: of what, in which setting, from which rate on."""

    image: Image
    setting: Setting
    """Its load profile is the run's; rate, window and the like are set for each trial."""
    start_rps: float
    known: CapacityResult | None = None
    """How far an earlier attempt came; taken up where it was the same search."""
    label: str = ""
    """Tells searches of one variant apart, in the names of their trials."""
    configuration: str = ""
    """What is kept with the result, where several configurations of one variant are searched."""


@dataclass(frozen=True, kw_only=True)
class RateOrder(Order):
    """A trial of a search, numbered within it."""

    label: str = ""

    @property
    def id(self) -> str:
        """The trial's name, unique in a run."""
        label = f"-{self.label}" if self.label else ""
        return f"capacity-{self.image.variant}{label}-{self.round}"


TrialRunner = Callable[[Order, Setting, Engine], Measured]


def run(
    subjects: Sequence[Subject],
    plan: CapacityPlan,
    *,
    seed: int,
    engine: Engine,
    store: CapacityStore,
    progress: Progress,
    run_trial: TrialRunner = trial.run,
) -> list[CapacityResult]:
    """Search every subject's capacity; each trial is kept the moment it ends.

    Args:
        subjects: what is searched, in any order.
        plan: objective, tolerance and limits.
        seed: orders the turns and varies the inputs.
        engine: where.
        store: takes each search after each of its trials.
        progress: one announced step a subject.
        run_trial: makes one trial.

    Returns:
        The searches, finished, in the order of the subjects.

    Raises:
        UsageError: the load profile names a journey that the contract has not.
        SeatrialError: the engine failed; the trials so far are kept.

    """
    for subject in subjects[:1]:
        journeys.check(engine, subject.setting.generator_image, subject.setting.load_profile)
    searches = [begun(subject, plan) for subject in subjects]
    turn = 0
    for one in searches:
        if one.finished:
            progress.advance()
    while open_ones := [number for number, one in enumerate(searches) if not one.finished]:
        turn += 1
        Random(f"{seed}/{turn}").shuffle(open_ones)  # noqa: S311 - an order, no secret
        for number in open_ones:
            subject, one = subjects[number], searches[number]
            step = advise(goal(plan, one.start_rps), tries(one))
            if isinstance(step, Ask):
                what = f"{step.rate_rps:.4g} requests a second ({step.purpose})"
                progress.step(f"{subject.image.variant}{' ' + subject.label if subject.label else ''}: {what}")
                with measuring(progress.step):
                    one = extended(one, _one(subject, one, step, plan, seed, engine, store, run_trial))
                step = advise(goal(plan, one.start_rps), tries(one))
            if isinstance(step, Found):
                one = ended(one, step)
                progress.advance()
            searches[number] = one
            store.write_answer(one)
    return searches


def goal(plan: CapacityPlan, start_rps: float) -> Goal:
    """Return what the search is told of a plan."""
    return Goal(
        tolerance=plan.tolerance, start_rps=start_rps, least_rps=plan.least_rps, most_trials=plan.most_trials
    )  # fmt: skip


def tries(search: CapacityResult) -> list[Try]:
    """Return a search's trials as its next step is told from them."""
    return [Try(rate_rps=one.trial.offered_rps or 0.0, outcome=Outcome(one.outcome)) for one in search.trials]


def begun(subject: Subject, plan: CapacityPlan) -> CapacityResult:
    """Return a new search, or the one that is there where it asks for the same."""
    new = CapacityResult(
        variant=subject.image.variant,
        image_digest=subject.image.digest,
        run_profile=subject.setting.run_profile.name,
        conditions=fingerprint(subject.setting.conditions),
        load_profile=subject.setting.load_profile.name,
        configuration=subject.configuration,
        objective_p99_ms=plan.p99_ms,
        tolerance=plan.tolerance,
        start_rps=subject.start_rps,
        finished=False,
        capacity_rps=NotMeasured(not_measured="the search has not ended"),
    )
    known = subject.known
    same = (
        "variant", "image_digest", "run_profile", "load_profile", "configuration", "objective_p99_ms", "tolerance",
    )  # fmt: skip
    if known is None or any(getattr(known, name) != getattr(new, name) for name in same):
        return new
    # An older record does not say under which conditions; its names have to do.
    if known.conditions not in ("", new.conditions):
        return new
    try:
        advise(goal(plan, known.start_rps), tries(known))
    except OtherSearch:
        return new
    return known


def extended(search: CapacityResult, one: RateTrial) -> CapacityResult:
    """Return a search with one more trial."""
    return search.model_copy(update={"trials": (*search.trials, one)})


def ended(search: CapacityResult, found: Found) -> CapacityResult:
    """Return a search with what it came to."""
    last = next((one.reason for one in reversed(search.trials) if one.reason), "")
    none = f"{found.reason}; the last trial: {last}" if last else found.reason
    return search.model_copy(
        update={
            "finished": True,
            "capacity_rps": NotMeasured(not_measured=none) if found.rate_rps is None else found.rate_rps,
            "step_up_rps": found.step_up_rps,
            "confirmed": found.confirmed,
            "at_least": found.at_least,
            "remark": found.reason,
        }
    )


def outcome_of(one: LoadTrial, objective_p99_ms: float) -> tuple[Outcome, str]:
    """Say what a trial tells of its rate, and why where it was not held."""
    broken = {guard.guard: guard.evidence for guard in one.broken_guards}
    if Guard.CONTRACT_BROKEN in broken:
        return Outcome.WRONG, broken[Guard.CONTRACT_BROKEN]
    for guard in _VOID:
        if guard in broken:
            return Outcome.VOID, f"{guard}: {broken[guard]}"
    if Guard.GENERATOR_SATURATED in broken:
        return Outcome.GENERATOR, broken[Guard.GENERATOR_SATURATED]
    # A generator that gave no result, though the target was there all the time, failed by itself.
    no_result = isinstance(one.generator, NotMeasured) and set(broken) == {Guard.TIMED_OUT}
    for guard, evidence in broken.items():
        return (Outcome.VOID if no_result else Outcome.MISSED), f"{guard}: {evidence}"
    if isinstance(one.latency, NotMeasured):
        return Outcome.VOID, one.latency.not_measured
    if one.failures:
        return Outcome.MISSED, f"{one.failures} of {one.requests} requests failed"
    if one.latency.p99_ms > objective_p99_ms:
        return Outcome.MISSED, f"p99 was {one.latency.p99_ms:.1f} ms"
    return Outcome.HELD, ""


def start_rate(plan: CapacityPlan, image: Image, done: Sequence[Trial]) -> float:
    """Return where a search begins: by the variant's own closed throughput where it was measured."""
    known = [
        one.throughput_rps
        for one in done
        if isinstance(one, LoadTrial) and one.valid and one.model == "closed" and one.throughput_rps > 0
        and (one.variant, one.image_digest) == (image.variant, image.digest)
    ]  # fmt: skip
    return median(known) * START_SHARE if known else plan.start_rps


def window_s(plan: CapacityPlan, rate: float) -> float:
    """Return the seconds that a trial measures: longer at a low rate."""
    return max(plan.measure_s, min(plan.least_requests / rate, LONGEST_WINDOW_S))


def profile_for(profile: LoadProfile, plan: CapacityPlan, rate: float) -> LoadProfile:
    """Return a load profile for one trial at a rate: open only, and without a failure forgiven."""
    return profile.model_copy(
        update={
            "users": None,
            "rate": rate,
            "warmup_s": plan.warmup_s,
            "measure_s": window_s(plan, rate),
            "failure_share_max": 0.0,
        }
    )


def estimate_s(plan: CapacityPlan) -> float:
    """Return about how many seconds one search takes, for the user's patience only."""
    return TRIALS_EXPECTED * (plan.warmup_s + plan.measure_s + OVERHEAD_S)


def _one(
    subject: Subject,
    search: CapacityResult,
    step: Ask,
    plan: CapacityPlan,
    seed: int,
    engine: Engine,
    store: CapacityStore,
    run_trial: TrialRunner,
) -> RateTrial:
    number = len(search.trials) + 1
    order = RateOrder(
        image=subject.image, model="open", round=number, attempt=1, label=subject.label,
        seed=Random(f"{seed}/capacity/{number}").randrange(2**31),  # noqa: S311 - inputs, no secret
    )  # fmt: skip
    profile = profile_for(subject.setting.load_profile, plan, step.rate_rps)
    measured = run_trial(order, dataclasses.replace(subject.setting, load_profile=profile), engine)
    found = judged(measured.trial, step.purpose, plan.p99_ms)
    for name, data in measured.histograms.items():
        store.write_histogram(name, data)
    if found.trial.broken_guards:
        store.write_log(f"{order.image.variant}-{order.id}.log", measured.log)
    return found


def judged(one: LoadTrial, purpose: Purpose, objective_p99_ms: float) -> RateTrial:
    """Return a trial of a search with what it says of its rate."""
    outcome, reason = outcome_of(one, objective_p99_ms)
    return RateTrial(purpose=purpose, outcome=outcome.value, reason=reason, trial=one)
