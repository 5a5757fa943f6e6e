"""Experiments: one variant in several ways, by interleaved rounds or by slices, each trial kept the moment it ends."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from harness.engine.client import Engine
from harness.locks import measuring
from harness.model import (
    Experiment,
    Guard,
    Image,
    LoadTrial,
    Progress,
    SlicedComparison,
    StartTrial,
)
from loadtests import slices, starts, trial
from loadtests.experiment_plan import (
    DEFAULT_USERS,
    LEAST_MEASURED_S,
    TITLES,
    ArmOrder,
    Plan,
    TrialRunner,
    conditions,
    same,
)
from loadtests.experiment_rows import row, sliced_row
from loadtests.questions import Arm
from loadtests.setting import Setting
from loadtests.slicing_sides import Side

StartRunner = Callable[[Image, int, Setting, Engine], StartTrial]
Slicer = Callable[[slices.Plan, SlicedComparison | None], SlicedComparison]
"""Given what is compared, and how far an earlier attempt came."""


def one_start(image: Image, index: int, setting: Setting, engine: Engine) -> StartTrial:
    """Start one fresh container, and time it to its first correct answer."""
    (found,) = starts.start_trials([(image, index)], setting, engine)
    return found


class ExperimentStore(slices.SliceStore, Protocol):
    """Where an experiment is kept as it goes."""

    def write_answer(self, answer: Experiment, /) -> None:
        """Keep an experiment as far as it is."""

    def histogram(self, name: str, /) -> bytes:
        """Return a histogram that was kept."""

    def sliced(self) -> Sequence[SlicedComparison]:
        """Return the sliced comparisons that are kept."""


def run(
    plan: Plan,
    *,
    engine: Engine,
    generator_image: str,
    store: ExperimentStore,
    progress: Progress,
    run_trial: TrialRunner = trial.run,
    run_start: StartRunner = one_start,
    slicer: Slicer | None = None,
) -> Experiment:
    """Make every trial of an experiment that is not kept yet.

    Args:
        plan: the experiment.
        engine: where.
        generator_image: the load generator's image.
        store: takes trials, slices and the experiment as they come.
        progress: one announced step a round for all arms that go by rounds, and one a sliced arm.
        run_trial: makes one trial.
        run_start: makes one start.
        slicer: makes one sliced comparison; by default the real one.

    Raises:
        SeatrialError: the engine failed; what was measured is kept.

    """
    done = _Done({arm.name: [] for arm in plan.arms}, {arm.name: [] for arm in plan.arms}, {})
    earlier: dict[str, SlicedComparison] = {}
    if plan.known and same(plan, plan.known):
        done.trials.update({kept.name: list(kept.trials) for kept in plan.known.arms})
        done.starts.update({kept.name: list(kept.starts) for kept in plan.known.arms})
        earlier = {one.id: one for one in store.sliced()}
    by_rounds = [arm for arm in plan.arms if arm.method == "rounds"]
    for round_ in range(1, plan.rounds + 1) if by_rounds else ():
        # Another run may take its turn between two rounds, but not within one, in which arms are compared.
        with measuring(progress.step):
            _round(plan, by_rounds, round_, done, engine, store, progress, run_trial)
            _starts(plan, round_, done.starts, engine, progress, run_start)
        store.write_answer(assembled(plan, done, store.histogram))
        progress.advance()
    named = {arm.name: arm for arm in plan.arms}
    for arm in plan.arms:
        if arm.method == "slices" and arm.baseline is not None:
            order = _slices_of(plan, named[arm.baseline], arm)
            progress.step(f"{plan.image.variant}: {arm.what}, in slices")
            done.sliced[arm.name] = (
                slicer(order, earlier.get(order.id))
                if slicer
                else slices.compare(
                    order,
                    engine=engine,
                    generator_image=generator_image,
                    cores=arm.setting.cores,
                    store=store,
                    progress=_Quiet(progress),
                    known=earlier.get(order.id),
                )
            )
            store.write_answer(assembled(plan, done, store.histogram))
            progress.advance()
    whole = assembled(plan, done, store.histogram).model_copy(update={"finished": True})
    store.write_answer(whole)
    return whole


@dataclass(frozen=True)
class _Done:
    """What was measured so far, by arm."""

    trials: dict[str, list[LoadTrial]]
    starts: dict[str, list[StartTrial]]
    sliced: dict[str, SlicedComparison]


def assembled(plan: Plan, done: _Done, histogram: Callable[[str], bytes]) -> Experiment:
    """Return the experiment as far as it is."""
    profile = plan.arms[0].setting.load_profile
    return Experiment(
        variant=plan.image.variant,
        image_digest=plan.image.digest,
        run_profile=plan.arms[0].setting.run_profile.name,
        conditions=conditions(plan),
        finished=False,
        question=plan.question,
        title=TITLES[plan.question],
        load_profile=profile.name,
        users=profile.users or DEFAULT_USERS,
        rounds=plan.rounds,
        arms=tuple(
            sliced_row(arm, done.sliced.get(arm.name))
            if arm.method == "slices"
            else row(
                arm,
                done.trials[arm.name],
                done.trials.get(arm.baseline or "", ()),
                histogram,
                starts=done.starts[arm.name],
                base_starts=done.starts.get(arm.baseline or "", ()),
            )
            for arm in plan.arms
        ),
        remarks=plan.remarks,
    )


def _round(
    plan: Plan,
    arms: Sequence[Arm],
    round_: int,
    done: _Done,
    engine: Engine,
    store: ExperimentStore,
    progress: Progress,
    run_trial: TrialRunner,
) -> None:
    """Make one round in a random order; invalid trials are repeated at its end, so that they stay interleaved."""
    order = list(arms)
    Random(f"{plan.seed}/{plan.question}/{round_}").shuffle(order)  # noqa: S311 - an order, no secret
    for attempt in range(1, plan.arms[0].setting.load_profile.repeats + 2):
        for arm in order:
            mine = done.trials[arm.name]
            had = [one for one in mine if one.round == round_]
            if any(one.valid for one in had) or len(had) >= attempt or _hopeless(plan, mine):
                continue
            progress.step(f"{plan.image.variant}: {arm.what}, round {round_} of {plan.rounds}")
            mine.append(_trial(plan, arm, round_, attempt, plan.runners.get(arm.name, run_trial), engine, store))
            store.write_answer(assembled(plan, done, store.histogram))


def _starts(
    plan: Plan,
    turn: int,
    done: dict[str, list[StartTrial]],
    engine: Engine,
    progress: Progress,
    run_start: StartRunner,
) -> None:
    """Start each arm once whose start-up is asked for, in a random order."""
    order = [arm for arm in plan.arms if arm.starts and all(one.index != turn for one in done[arm.name])]
    Random(f"{plan.seed}/starts/{turn}").shuffle(order)  # noqa: S311 - an order, no secret
    for arm in order:
        progress.step(f"{plan.image.variant}: start of {arm.name}, turn {turn} of {plan.rounds}")
        done[arm.name].append(run_start(plan.image, turn, arm.setting, engine))


def _hopeless(plan: Plan, had: Sequence[LoadTrial]) -> bool:
    """Say whether more trials of an arm would be a waste: it answers wrongly, or a whole round of attempts failed."""
    if any(guard.guard is Guard.CONTRACT_BROKEN for one in had for guard in one.broken_guards):
        return True
    return len(had) > plan.arms[0].setting.load_profile.repeats and not any(one.valid for one in had)


def _trial(
    plan: Plan, arm: Arm, round_: int, attempt: int, run_trial: TrialRunner, engine: Engine, store: ExperimentStore
) -> LoadTrial:
    seed = Random(f"{plan.seed}/{plan.question}/{round_}/{attempt}").randrange(2**31)  # noqa: S311 - inputs, no secret
    order = ArmOrder(
        image=plan.image, model="closed", round=round_, attempt=attempt, seed=seed, question=plan.question,
        arm=arm.name,
    )  # fmt: skip
    profile = arm.setting.load_profile
    profile = profile.model_copy(
        update={
            "users": profile.users or DEFAULT_USERS,
            "rate": None,
            "measure_s": max(plan.measure_s, LEAST_MEASURED_S),
        }
    )
    measured = run_trial(order, dataclasses.replace(arm.setting, load_profile=profile), engine)
    for name, data in measured.histograms.items():
        store.write_histogram(name, data)
    if not measured.trial.valid:
        store.write_log(f"{order.image.variant}-{order.id}.log", measured.log)
    return measured.trial


def _slices_of(plan: Plan, base: Arm, arm: Arm) -> slices.Plan:
    profile = arm.setting.load_profile
    a, b = (
        Side(image=plan.image, run_profile=one.setting.run_profile, env=one.setting.env) for one in (base, arm)
    )  # fmt: skip
    name = re.sub(r"[^A-Za-z0-9]+", "-", arm.name).strip("-")
    return slices.Plan(
        id=f"{plan.question}-{plan.image.variant}-{name}",
        a=a,
        b=b,
        seed=plan.seed,
        pairs=plan.pairs,
        seconds=plan.sliced_s,
        ready_timeout_s=profile.ready_timeout_s,
        quota_taken_off=True,
    )


class _Quiet:
    """A sliced comparison's own steps, of which only the words are passed on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def step(self, what: str) -> None:
        """Pass on what is being done."""
        self._progress.step(what)

    def advance(self, steps: int = 1) -> None:
        """Count nothing: the experiment counts comparisons, and not their pairs."""
