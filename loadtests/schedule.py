"""Makes a run's trials: starts, stops, and interleaved rounds of load in random order; goes on from what is on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from harness.engine.client import Engine
from harness.locks import measuring
from harness.model import (
    Calibration,
    Image,
    Progress,
    StopTrial,
    Trial,
)
from loadtests import journeys, loaded_stops, pending, start_split, starts, trial
from loadtests.judging import Order
from loadtests.pending import Plan, Slot
from loadtests.setting import Setting, calibrate, find_cores


class TrialStore(Protocol):
    """Where trials go as they end, and where those of an earlier attempt at the same run are."""

    def trials(self) -> Sequence[Trial]:
        """Return every trial so far."""

    def calibrations(self) -> Sequence[Calibration]:
        """Return every calibration so far."""

    def write_trial(self, trial: Trial, /) -> None:
        """Keep one trial."""

    def write_histogram(self, name: str, data: bytes, /) -> None:
        """Keep one encoded histogram."""

    def write_calibration(self, calibration: Calibration, /) -> None:
        """Keep one calibration."""

    def write_log(self, name: str, text: str, /) -> None:
        """Keep what the container of an invalid trial printed."""


def run(plan: Plan, *, engine: Engine, generator_image: str, store: TrialStore, progress: Progress) -> Setting:
    """Make every trial of a plan that is not on disk yet; each is kept the moment it ends.

    Returns:
        The setting that the trials were made in, the cores among it.

    Raises:
        UsageError: the load profile names a journey that the contract has not.
        SeatrialError: the engine failed. Invalid trials are kept as such, and are no error here.

    """
    journeys.check(engine, generator_image, plan.load_profile)
    setting = Setting(
        run_profile=plan.run_profile,
        load_profile=plan.load_profile,
        generator_image=generator_image,
        cores=find_cores(engine, generator_image),
        live=plan.live,
    )
    work = _Work(plan, setting, engine, store, progress, list(store.trials()))
    with measuring(progress.step):
        _starts(work)
    for image in plan.images:
        with measuring(progress.step):
            _splits(work, image)
    with measuring(progress.step):
        _stops(work)
    for image in plan.images:
        with measuring(progress.step):
            _loaded_stops(work, image)
    calibrated = {one.round for one in store.calibrations()}
    for round_ in range(1, plan.load_profile.rounds + 1):
        # Another run may take its turn between two rounds, but not within one, in which variants are compared.
        with measuring(progress.step):
            if round_ not in calibrated:
                store.write_calibration(calibrate(engine, generator_image, setting.cores, round_))
            _round(work, round_)
    return setting


@dataclass(frozen=True)
class _Work:
    """A run that goes on: what is to be done, where, and what has been done so far."""

    plan: Plan
    setting: Setting
    engine: Engine
    store: TrialStore
    progress: Progress
    done: list[Trial]
    """Every trial that the store holds; what is on disk is read once, at the beginning."""

    def keep(self, one: Trial) -> None:
        """Keep a trial that has just ended."""
        self.store.write_trial(one)
        self.done.append(one)


def _starts(work: _Work) -> None:
    missing = pending.start_order(work.plan, work.done)
    if not missing:
        return
    work.progress.step(f"{len(missing)} starts")
    for one in starts.start_trials(missing, work.setting, work.engine):
        work.keep(one)
        work.progress.advance()


def _splits(work: _Work, image: Image) -> None:
    missing = pending.missing_splits(work.plan, image, work.done)
    if not missing:
        return
    work.progress.step(f"{image.variant}: {len(missing)} starts, split")
    for one in start_split.splits(image, work.setting, work.engine, missing, work.plan.seed):
        work.keep(one)
        work.progress.advance()


def _stops(work: _Work) -> None:
    missing = pending.missing_stops(work.plan, work.done)
    if not missing:
        return
    work.progress.step(f"{len(missing)} graceful stops")

    def done(one: StopTrial | None) -> None:
        if one is not None:
            work.keep(one)
        work.progress.advance()

    starts.stop_trials(missing, work.setting, work.engine, done)


def _loaded_stops(work: _Work, image: Image) -> None:
    missing = pending.missing_loaded_stops(work.plan, image, work.done)
    if not missing:
        return
    work.progress.step(f"{image.variant}: {len(missing)} stops under load")
    for one in loaded_stops.loaded_stops(image, work.setting, work.engine, missing, work.plan.seed):
        if one is not None:
            work.keep(one)
        work.progress.advance()


def _round(work: _Work, round_: int) -> None:
    """Make one round. Repeats of invalid trials come at its end, in the same order, so that they stay interleaved."""
    plan, rounds, repeats = work.plan, work.plan.load_profile.rounds, work.plan.load_profile.repeats
    left = [slot for slot in pending.round_order(plan, round_) if not pending.settled(slot, round_, work.done, repeats)]
    first = True
    while left:
        for slot in left:
            if not pending.settled(slot, round_, work.done, repeats):
                attempt = len(pending.attempts(slot, round_, work.done)) + 1
                again = f", attempt {attempt}" if attempt > 1 else ""
                work.progress.step(f"{slot.image.variant}: {slot.model} load, round {round_} of {rounds}{again}")
                _one(Order(
                    image=slot.image, model=slot.model, round=round_, attempt=attempt,
                    seed=_seed(plan.seed, slot, round_, attempt),
                ), work)  # fmt: skip
            if first:
                work.progress.advance()
        first = False
        left = [slot for slot in left if not pending.settled(slot, round_, work.done, repeats)]


def _one(order: Order, work: _Work) -> None:
    measured = trial.run(order, work.setting, work.engine)
    files: Mapping[str, bytes] = measured.histograms
    for name, data in files.items():
        work.store.write_histogram(name, data)
    if not measured.trial.valid:
        work.store.write_log(f"{order.image.variant}-{order.id}.log", measured.log)
    # Last: a trial that is on disk has all that belongs to it.
    work.keep(measured.trial)


def _seed(seed: int, slot: Slot, round_: int, attempt: int) -> int:
    """Vary the inputs from trial to trial, the same way for all variants of a round, so that they get the same work."""
    return Random(f"{seed}/{slot.model}/{round_}/{attempt}").randrange(2**31)  # noqa: S311 - inputs, no secret
