"""Experiments: one thing changed at a time, in interleaved rounds or slices, kept as they go; rows of known answers."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime
from random import Random
from typing import Any, cast

import pytest

from harness import histograms
from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.model import (
    Experiment,
    Guard,
    Image,
    Interval,
    LoadTrial,
    NotMeasured,
    Percentiles,
    Ratio,
    SlicedComparison,
    StartTrial,
)
from loadtests import experiments, questions, slices
from loadtests.experiment_plan import DEFAULT_USERS, ArmOrder, Plan, steps
from loadtests.experiment_rows import ratio_of, throughput_of, throughput_ratio_of
from loadtests.judging import Measured, Order
from loadtests.load_profile import LoadProfile
from loadtests.questions import Arm
from loadtests.setting import Cores, Setting
from tests.made_records import image
from tests.made_trials import broke, rate_trial

HARDENED = run_profiles.load("hardened")
ARTICLE = run_profiles.load("article")
SETTING = Setting(
    run_profile=HARDENED,
    load_profile=LoadProfile(name="t", title="t", users=4, repeats=2),
    generator_image="generator",
    cores=Cores(target="0", generator="1"),
)
SPEEDS = {"a": 1000.0, "b": 800.0}


class Kept:
    """A store that keeps every state, and histograms by name."""

    def __init__(self) -> None:
        self.states: list[Experiment] = []
        self.files: dict[str, bytes] = {}
        self.comparisons: list[SlicedComparison] = []

    def write_answer(self, answer: Experiment) -> None:
        self.states.append(answer)

    def write_histogram(self, name: str, data: bytes) -> None:
        self.files[name] = data

    def write_log(self, name: str, text: str) -> None: ...

    def write_sliced(self, comparison: SlicedComparison) -> None: ...

    def sliced(self) -> list[SlicedComparison]:
        return self.comparisons

    def histogram(self, name: str) -> bytes:
        return self.files[name]


class Silent:
    done = 0

    def step(self, what: str) -> None: ...

    def advance(self, steps: int = 1) -> None:
        self.done += steps


class Simulated:
    """A machine that drifts from round to round, on which arms have speeds of their own."""

    def __init__(self, *, invalid: dict[str, int] | None = None, fails_after: float = math.inf) -> None:
        self.made: list[str] = []
        self.settings: list[Setting] = []
        self.invalid = dict(invalid or {})
        self.fails_after = fails_after

    def __call__(self, order: Order, setting: Setting, engine: Engine) -> Measured:
        assert isinstance(order, ArmOrder)
        if len(self.made) >= self.fails_after:
            raise InterruptedError
        self.made.append(order.arm)
        self.settings.append(setting)
        drift = Random(order.round).uniform(0.5, 1.5)
        speed = SPEEDS[order.arm] * drift * Random(f"{order.id}").uniform(0.99, 1.01)
        guards: dict[str, Any] = {}
        if self.invalid.get(order.arm, 0) > 0:
            self.invalid[order.arm] -= 1
            guards = broke(Guard.GENERATOR_SATURATED)
        latencies = histograms.new()
        histograms.record(latencies, 1e6 / speed)
        file = f"{order.id}.hdr"
        one = rate_trial(
            variant=order.image.variant, model="closed", round=order.round, attempt=order.attempt, users=4,
            offered_rps=None, throughput_rps=speed, histograms={"all": file}, name=order.id, **guards,
        )  # fmt: skip
        return Measured(trial=one, histograms={file: histograms.encode(latencies)}, log="")


def plan(*, known: Experiment | None = None, arms: tuple[Arm, ...] | None = None, rounds: int = 6) -> Plan:
    pair = (
        Arm(name="a", what="one way", setting=SETTING),
        Arm(name="b", what="another", setting=SETTING, baseline="a"),
    )
    return Plan(
        question="path", image=image("a1"), arms=arms or pair, seed=1, rounds=rounds, known=known
    )  # fmt: skip


def started(of: Image, index: int, setting: Setting, engine: Engine) -> StartTrial:
    seconds = (0.5 if setting.run_profile.cpus is None else 1.0) * Random(index).uniform(0.9, 1.1)
    return StartTrial(
        id=f"start-{index}", variant=of.variant, image_digest=of.digest, run_profile=setting.run_profile.name,
        index=index, started_at=datetime(2026, 1, 1, tzinfo=UTC), seconds_to_first_answer=seconds,
    )  # fmt: skip


def run(wanted: Plan, machine: Any, kept: Kept, progress: Silent | None = None, **how: Any) -> Experiment:
    return experiments.run(
        wanted, engine=cast("Engine", None), generator_image="g", store=kept, progress=progress or Silent(),
        run_trial=machine, run_start=started, **how,
    )  # fmt: skip


def test_rounds_take_out_what_moves_both_arms_of_a_round() -> None:
    kept, progress, machine = Kept(), Silent(), Simulated()
    found = run(plan(), machine, kept, progress)
    base, other = found.arms
    assert found.finished
    assert progress.done == steps(plan()) == 6
    assert machine.made.count("a") == machine.made.count("b") == 6
    assert len(set(zip(machine.made[::2], machine.made[1::2], strict=True))) == 2, "the order within rounds varies"
    assert isinstance(base.throughput_rps, Interval)
    assert base.throughput_rps.low is not None
    assert base.throughput_rps.low < 800 < 1000
    assert base.throughput_ratio is None
    assert isinstance(other.throughput_ratio, Ratio)
    assert other.throughput_ratio.value == pytest.approx(0.8, rel=0.02)
    assert other.throughput_ratio.significant
    assert "paired by round" in other.throughput_ratio.method
    assert isinstance(other.latency, Percentiles)
    assert isinstance(other.cpu_ratio, NotMeasured)


def test_a_trial_of_a_round_is_long_and_closed_whatever_the_load_profile() -> None:
    machine = Simulated()
    profile = LoadProfile(name="t", title="t", rate=50, measure_s=1)
    arms = (Arm(name="a", what="x", setting=dataclasses.replace(SETTING, load_profile=profile)),)
    run(plan(arms=arms, rounds=1), machine, Kept())
    used = machine.settings[0].load_profile
    assert used.models == ("closed",)
    assert used.measure_s >= 5
    assert used.users == DEFAULT_USERS


def test_invalid_trials_are_repeated_within_their_round_and_an_arm_without_hope_is_given_up() -> None:
    machine = Simulated(invalid={"a": 2, "b": 100})
    found = run(plan(), machine, Kept())
    base, other = found.arms
    assert [one.attempt for one in base.trials if one.round == 1] == [1, 2, 3]
    assert sum(one.valid for one in base.trials) == 6
    assert len(other.trials) == 3
    assert isinstance(other.throughput_rps, NotMeasured)
    assert other.throughput_rps.not_measured.startswith("at least")
    assert isinstance(other.throughput_ratio, NotMeasured)
    assert isinstance(other.latency, NotMeasured)


def test_a_stopped_experiment_goes_on() -> None:
    stopped = Kept()
    with pytest.raises(InterruptedError):
        run(plan(), Simulated(fails_after=7), stopped)
    assert sum(len(arm.trials) for arm in stopped.states[-1].arms) == 7
    machine = Simulated()
    found = run(plan(known=stopped.states[-1]), machine, stopped)
    assert len(machine.made) == 5
    assert found == run(plan(), Simulated(), Kept())
    other = run(plan(known=found, rounds=2), Simulated(), stopped)
    assert len(other.arms[0].trials) == 2


def comparison(order: slices.Plan) -> SlicedComparison:
    ratio = Ratio(value=0.98, low=0.97, high=0.99, significant=True, method="slices")
    side: dict[str, Any] = {
        "variant": "a1", "image_digest": "d", "run_profile": "p", "base": "b", "interpreter": "i", "workers": "w",
    }  # fmt: skip
    figures = dict.fromkeys(
        ("request_time", "throughput", "throughput_untrimmed", "latency_p99", "cpu_seconds_per_request"), ratio
    )
    return SlicedComparison.model_validate(
        {
            "id": order.id, "a": side, "b": side, "without_quota": True, "endpoints": {}, "connections": 1,
            "slice_seconds": 0.02, "seconds": 40, "seed": 1, "target_cpus": "0", "generator_cpus": "1", "pairs": (),
        }
        | figures
    )  # fmt: skip


def test_hardening_is_priced_flag_by_flag_in_slices_and_its_limit_by_rounds() -> None:
    arms = questions.hardening(SETTING, ARTICLE, HARDENED)
    SPEEDS.update({arm.name: 1000.0 for arm in arms} | {"CPU limit": 500.0})
    orders: list[slices.Plan] = []

    def slicer(order: slices.Plan, _: SlicedComparison | None) -> SlicedComparison:
        orders.append(order)
        return comparison(order)

    machine, progress = Simulated(), Silent()
    wanted = plan(arms=arms)
    found = run(wanted, machine, Kept(), progress, slicer=slicer)
    assert progress.done == steps(wanted)
    rows = {row.name: row for row in found.arms}
    assert {"+user", "+read-only", "+cap-drop", "+no-new-privileges", "+seccomp", "+memory", "hardened"} <= set(rows)
    assert all(order.a.run_profile.cpus is None and order.b.run_profile.cpus is None for order in orders)
    assert len({order.id for order in orders}) == len(orders)
    assert rows["hardened"].method == "slices"
    assert rows["hardened"].sliced == "path-a1-hardened"
    assert isinstance(rows["hardened"].throughput_ratio, Ratio)
    limit = rows["CPU limit"]
    assert (limit.method, limit.baseline) == ("rounds", "hardened, by rounds")
    assert isinstance(limit.throughput_ratio, Ratio)
    assert limit.throughput_ratio.value == pytest.approx(0.5, rel=0.03)
    assert isinstance(limit.startup_ratio, Ratio)
    assert limit.startup_ratio.value == pytest.approx(2.0)
    assert "paired by turn" in limit.startup_ratio.method
    whole = rows["hardened, by rounds"]
    assert whole.baseline == "article"
    assert isinstance(whole.startup_seconds, Interval)
    assert whole.startup_seconds.n == wanted.rounds
    assert isinstance(rows["hardened"].p99_ratio, Ratio)
    assert rows["hardened"].startup_seconds is None


def test_slices_that_are_kept_are_handed_on_where_the_experiment_goes_on_and_only_there() -> None:
    arms = questions.hardening(SETTING, ARTICLE, HARDENED)
    SPEEDS.update({arm.name: 1000.0 for arm in arms})
    had: list[str | None] = []

    def slicer(order: slices.Plan, known: SlicedComparison | None) -> SlicedComparison:
        had.append(known.id if known else None)
        store.comparisons.append(made := comparison(order))
        return made

    store = Kept()
    found = run(plan(arms=arms), Simulated(), store, slicer=slicer)
    assert set(had) == {None}
    had.clear()
    run(plan(arms=arms, known=found), Simulated(), store, slicer=slicer)
    assert None not in had
    had.clear()
    other = run(
        plan(arms=arms, known=found.model_copy(update={"conditions": "others"})), Simulated(), store, slicer=slicer
    )
    assert set(had) == {None}
    assert other.conditions == found.conditions


def closed(round_: int, rps: float, **changed: Any) -> LoadTrial:
    return rate_trial(model="closed", offered_rps=None, round=round_, throughput_rps=rps, **changed)


def test_rows_say_why_they_have_no_figure() -> None:
    assert throughput_of([]) == NotMeasured(not_measured="no trial was made")
    saturated = [closed(1, 900.0, **broke(Guard.GENERATOR_SATURATED))]
    assert throughput_of(saturated) == NotMeasured(
        not_measured="at least 900 requests a second: the generator was at its end before it was"
    )
    dead = throughput_of([closed(1, 0.0, **broke(Guard.EXITED))])
    assert dead == NotMeasured(not_measured="container exited: seen")
    apart = ratio_of([closed(1, 5.0)], [closed(2, 5.0)], lambda one: one.throughput_rps)
    assert isinstance(apart, NotMeasured)


def test_a_throughput_that_the_generator_limited_is_in_no_ratio() -> None:
    plain = [closed(1, 500.0), closed(2, 510.0)]
    assert isinstance(throughput_ratio_of(plain, plain), Ratio)
    limited = [*plain, closed(3, 900.0, **broke(Guard.GENERATOR_SATURATED))]
    for mine, other in ((limited, plain), (plain, limited)):
        found = throughput_ratio_of(mine, other)
        assert isinstance(found, NotMeasured)
        assert found.not_measured.startswith("at least 900 requests a second")
