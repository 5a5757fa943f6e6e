"""The order of trials: interleaved, the same for a seed, going on from what was done."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.model import (
    BrokenGuard,
    Calibration,
    Guard,
    Image,
    LoadTrial,
    NotMeasured,
    StartSplit,
    StartTrial,
    StopTrial,
    Trial,
)
from loadtests import pending, schedule, trial
from loadtests.judging import Measured, Order
from loadtests.load_profile import LoadProfile
from loadtests.pending import Plan, Slot
from loadtests.setting import Cores, Setting
from tests import made_records

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
NONE = NotMeasured(not_measured="a test")


def image(variant: str, digest: str = "sha256:1") -> Image:
    return made_records.image(variant, digest=digest)


def plan(*variants: str, seed: int = 1, rate: float | None = None) -> Plan:
    return Plan(
        images=[image(name) for name in variants],
        run_profile=run_profiles.load("hardened"),
        load_profile=LoadProfile(name="t", title="t", rounds=3, users=4, rate=rate, starts=2, stops=1, repeats=2),
        seed=seed,
    )


def load_trial(
    variant: str, round_: int, attempt: int = 1, guard: Guard | None = None, digest: str = "sha256:1"
) -> LoadTrial:
    return LoadTrial(
        id=f"load-{variant}-{round_}-{attempt}", variant=variant, image_digest=digest, round=round_, attempt=attempt,
        load_profile="t", run_profile="hardened", model="closed", started_at=WHEN, warmup_seconds=1,
        measured_seconds=5, users=4, requests=1, failures=0, throughput_rps=1, latency=NONE, endpoints={},
        histograms={}, resources=NONE, generator=NONE, answers_verified=1,
        broken_guards=(BrokenGuard(guard=guard, evidence="x"),) if guard else (), target_cpus="0", generator_cpus="1",
    )  # fmt: skip


def start_trial(variant: str, index: int) -> StartTrial:
    return StartTrial(
        id=f"start-{variant}-{index}", variant=variant, image_digest="sha256:1", run_profile="hardened", index=index,
        started_at=WHEN, seconds_to_first_answer=0.5,
    )  # fmt: skip


def stop_trial(variant: str) -> StopTrial:
    return StopTrial(
        id=f"stop-{variant}-1", variant=variant, image_digest="sha256:1", run_profile="hardened", index=1,
        started_at=WHEN, timeout_s=10, seconds=0.3, exit_code=0, killed=False,
    )  # fmt: skip


SLOT = Slot(image("slim"), "closed")


@given(seed=st.integers(), round_=st.integers(min_value=1, max_value=50))
def test_a_round_has_each_variant_once_in_an_order_that_the_seed_gives(seed: int, round_: int) -> None:
    wanted = plan("a1", "b2", "c3", "d4", seed=seed, rate=10)
    order = pending.round_order(wanted, round_)
    assert sorted((slot.image.variant, slot.model) for slot in order) == [
        (name, model) for name in ("a1", "b2", "c3", "d4") for model in ("closed", "open")
    ]
    assert order == pending.round_order(wanted, round_)


def test_orders_differ_from_round_to_round_and_put_each_variant_everywhere() -> None:
    wanted = plan("a1", "b2", "c3")
    firsts = Counter(pending.round_order(wanted, round_)[0].image.variant for round_ in range(1, 301))
    assert all(70 < firsts[name] < 130 for name in ("a1", "b2", "c3"))


def test_a_valid_trial_settles_its_slot_and_no_other() -> None:
    done = [load_trial("slim", 1)]
    assert pending.settled(SLOT, 1, done, repeats=2)
    assert not pending.settled(SLOT, 2, done, repeats=2)
    assert not pending.settled(Slot(image("slim"), "open"), 1, done, repeats=2)
    assert not pending.settled(Slot(image("slim", "sha256:2"), "closed"), 1, done, repeats=2)


def test_an_invalid_trial_is_repeated_up_to_the_limit() -> None:
    done: list[Trial] = [load_trial("slim", 1)]
    for attempt in (1, 2, 3):
        assert not pending.settled(SLOT, 2, done, repeats=2)
        done.append(load_trial("slim", 2, attempt, Guard.FAILURES))
    assert pending.settled(SLOT, 2, done, repeats=2)
    assert not pending.settled(SLOT, 3, done, repeats=2)


def test_a_variant_that_answers_wrongly_is_not_tried_again() -> None:
    done = [load_trial("slim", 1), load_trial("slim", 2, guard=Guard.CONTRACT_BROKEN)]
    assert pending.settled(SLOT, 3, done, repeats=2)
    assert pending.settled(Slot(image("slim"), "open"), 1, done, repeats=2)
    assert not pending.settled(Slot(image("other"), "closed"), 3, done, repeats=2)


def test_a_variant_that_never_gave_a_valid_trial_is_given_up_after_one_round() -> None:
    done = [load_trial("slim", 1, attempt, Guard.EXITED) for attempt in (1, 2, 3)]
    assert pending.settled(SLOT, 2, done, repeats=2)


def test_steps_left_count_down_to_nothing() -> None:
    wanted = plan("slim", "other")
    done: list[Trial] = []
    assert pending.steps_left(wanted, done) == 2 * (2 + 1 + 3)
    done += [start_trial("slim", 1), start_trial("slim", 2), stop_trial("slim"), load_trial("slim", 1)]
    assert pending.steps_left(wanted, done) == 2 + 6
    assert pending.missing_starts(wanted, wanted.images[0], done) == []
    assert pending.missing_starts(wanted, wanted.images[1], done) == [1, 2]
    assert [one.variant for one, _ in pending.missing_stops(wanted, done)] == ["other"]
    assert pending.estimate_s(wanted, done) > 5 * 8


def test_stops_under_load_are_counted_apart_from_idle_ones() -> None:
    wanted = plan("slim", "other")
    profile = wanted.load_profile.model_copy(update={"loaded_stops": 1})
    asks = Plan(images=wanted.images, run_profile=wanted.run_profile, load_profile=profile, seed=1)
    loaded = stop_trial("slim").model_copy(update={"load": NONE})
    assert pending.missing_loaded_stops(asks, asks.images[0], [stop_trial("slim")]) == [1]
    assert pending.missing_loaded_stops(asks, asks.images[0], [loaded]) == []
    assert [one.variant for one, _ in pending.missing_stops(asks, [loaded])] == ["slim", "other"]
    assert pending.steps_left(asks, [loaded]) == pending.steps_left(wanted, []) + 1


def test_starts_are_interleaved_and_their_order_is_the_seeds() -> None:
    wanted = plan("slim", "other", "third")
    order = [(image.variant, index) for image, index in pending.start_order(wanted, [start_trial("slim", 1)])]
    assert ("slim", 1) not in order
    assert [index for _, index in order] == [1, 1, 2, 2, 2]
    assert sorted(order[2:]) == [("other", 2), ("slim", 2), ("third", 2)]
    assert order == [(image.variant, index) for image, index in pending.start_order(wanted, [start_trial("slim", 1)])]


def test_splits_of_starts_are_counted_where_the_load_profile_asks_for_them() -> None:
    wanted = plan("slim", "other")
    profile = wanted.load_profile.model_copy(update={"splits": 2})
    asks = Plan(images=wanted.images, run_profile=wanted.run_profile, load_profile=profile, seed=1)
    assert pending.steps_left(asks, []) == pending.steps_left(wanted, []) + 4
    one = StartSplit(
        id="split-slim-2", variant="slim", image_digest="sha256:1", run_profile="hardened", index=2, started_at=WHEN,
        imported=(), interpreter_seconds=0.1, import_seconds=0.2, interpreter_seconds_without_bytecode=NONE,
        import_seconds_without_bytecode=NONE,
    )  # fmt: skip
    assert pending.missing_splits(asks, asks.images[0], [one]) == [1]
    assert pending.missing_splits(asks, asks.images[1], [one]) == [1, 2]


class Memory:
    """A store that counts how often it is asked for all of its trials, as reading them from disk takes its time."""

    def __init__(self, *there: Trial) -> None:
        self.kept = list(there)
        self.reads = 0

    def trials(self) -> list[Trial]:
        self.reads += 1
        return list(self.kept)

    def calibrations(self) -> list[Calibration]:
        return []

    def write_trial(self, trial: Trial) -> None:
        self.kept.append(trial)

    def write_histogram(self, name: str, data: bytes) -> None: ...

    def write_calibration(self, calibration: Calibration) -> None: ...

    def write_log(self, name: str, text: str) -> None: ...


class Silent:
    def step(self, what: str) -> None: ...

    def advance(self, steps: int = 1) -> None: ...


def test_a_run_goes_on_from_what_is_there_and_reads_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_trial(order: Order, setting: Setting, engine: Engine) -> Measured:
        broken = Guard.FAILURES if (order.image.variant, order.round, order.attempt) == ("other", 2, 1) else None
        return Measured(
            trial=load_trial(order.image.variant, order.round, order.attempt, broken), histograms={}, log=""
        )

    wanted = plan("slim", "other")
    profile = wanted.load_profile.model_copy(update={"starts": 0, "stops": 0})
    monkeypatch.setattr(schedule, "find_cores", lambda *_: Cores(target="0", generator="1"))
    monkeypatch.setattr(schedule, "calibrate", lambda *_: Calibration(round=1, seconds=1.0))
    monkeypatch.setattr(trial, "run", run_trial)
    store = Memory(load_trial("slim", 1))
    asked = Plan(images=wanted.images, run_profile=wanted.run_profile, load_profile=profile, seed=1)
    schedule.run(asked, engine=cast(Engine, None), generator_image="g", store=store, progress=Silent())
    made = [(one.variant, one.round, one.attempt) for one in store.kept if isinstance(one, LoadTrial)]
    assert store.reads == 1
    assert made[0] == ("slim", 1, 1)
    assert sorted(made) == [
        ("other", 1, 1), ("other", 2, 1), ("other", 2, 2), ("other", 3, 1), ("slim", 1, 1), ("slim", 2, 1),
        ("slim", 3, 1),
    ]  # fmt: skip
