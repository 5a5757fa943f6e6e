"""Capacity's searches: what a trial says of its rate, turns that interleave, and going on from what is kept."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from harness import capacities
from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.metrics import Measurements
from harness.model import (
    CapacityResult,
    Guard,
    Interval,
    LoadTrial,
    NotMeasured,
    RateTrial,
    Ratio,
)
from harness.results import RunFolder
from loadtests import capacity, load_profile
from loadtests.bracketing import Outcome
from loadtests.judging import Measured, Order
from loadtests.load_profile import CapacityPlan, LoadProfile
from loadtests.setting import Cores, Setting
from tests.made_records import image
from tests.made_trials import broke, rate_trial
from tests.results_factory import make

PLAN = CapacityPlan(p99_ms=50, tolerance=0.05)
SETTING = Setting(
    run_profile=run_profiles.load("hardened"),
    load_profile=LoadProfile(name="t", title="t", users=4),
    generator_image="generator",
    cores=Cores(target="0", generator="1"),
)
NO_RESULT: dict[str, Any] = {
    "generator": NotMeasured(not_measured="none"), "latency": NotMeasured(not_measured="none"), "requests": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("trial", "outcome", "said"),
    [
        (rate_trial(p99_ms=50), Outcome.HELD, ""),
        (rate_trial(p99_ms=50.1), Outcome.MISSED, "p99 was 50.1 ms"),
        (rate_trial(failures=1), Outcome.MISSED, "1 of 1000 requests failed"),
        (rate_trial(**broke(Guard.FAILURES)), Outcome.MISSED, "failures over the limit: seen"),
        (rate_trial(**broke(Guard.RATE_NOT_MET)), Outcome.MISSED, "offered rate not met"),
        (rate_trial(**broke(Guard.OUT_OF_MEMORY, Guard.EXITED)), Outcome.MISSED, "out of memory"),
        (rate_trial(**broke(Guard.TIMED_OUT)), Outcome.MISSED, "longer"),
        (rate_trial(**broke(Guard.TIMED_OUT), **NO_RESULT), Outcome.VOID, "longer"),
        (rate_trial(**broke(Guard.EXITED), **NO_RESULT), Outcome.MISSED, "exited"),
        (rate_trial(**broke(Guard.CLOCK_STEPPED)), Outcome.VOID, "clock"),
        (rate_trial(**broke(Guard.THROTTLED)), Outcome.VOID, "throttled"),
        (rate_trial(**broke(Guard.CORE_SHARED, Guard.RATE_NOT_MET)), Outcome.VOID, "shared"),
        (rate_trial(**broke(Guard.GENERATOR_SATURATED, Guard.RATE_NOT_MET)), Outcome.GENERATOR, "seen"),
        (rate_trial(**broke(Guard.RATE_NOT_MET, Guard.CONTRACT_BROKEN)), Outcome.WRONG, "seen"),
    ],
)
def test_what_a_trial_says_of_its_rate(trial: LoadTrial, outcome: Outcome, said: str) -> None:
    found, reason = capacity.outcome_of(trial, 50)
    assert found is outcome
    assert said in reason
    assert bool(reason) == bool(said)


class Kept:
    """A store that keeps every state of every search, and the order in which trials were made."""

    def __init__(self) -> None:
        self.states: list[CapacityResult] = []

    def write_answer(self, answer: CapacityResult) -> None:
        self.states.append(answer)

    def write_histogram(self, name: str, data: bytes) -> None: ...

    def write_log(self, name: str, text: str) -> None: ...


class Silent:
    done = 0

    def step(self, what: str) -> None: ...

    def advance(self, steps: int = 1) -> None:
        self.done += steps


def simulated(limits: dict[str, float], noise: float = 0.02, seed: int = 0, fails_after: float = math.inf) -> Any:
    random = Random(seed)
    made = 0

    def run_trial(order: Order, setting: Setting, engine: Engine) -> Measured:
        nonlocal made
        made += 1
        if made > fails_after:
            raise InterruptedError
        rate = setting.load_profile.rate or 0
        limit = limits[order.image.variant] * math.exp(random.gauss(0, noise))
        one = rate_trial(rate, 10 if rate <= limit else 400, name=order.id, variant=order.image.variant)
        return Measured(trial=one, histograms={}, log="")

    return run_trial


def search(subjects: list[capacity.Subject], run_trial: Any, kept: Kept, progress: Silent) -> list[CapacityResult]:
    nowhere = cast("Engine", None)
    return capacity.run(
        subjects, PLAN, seed=1, engine=nowhere, store=kept, progress=progress, run_trial=run_trial
    )  # fmt: skip


def subject(variant: str, known: CapacityResult | None = None) -> capacity.Subject:
    return capacity.Subject(image=image(variant), setting=SETTING, start_rps=200, known=known)


def test_searches_find_each_ones_capacity_and_take_turns() -> None:
    kept, progress = Kept(), Silent()
    limits = {"a1": 300.0, "b2": 2500.0}
    found = search([subject("a1"), subject("b2")], simulated(limits), kept, progress)
    assert progress.done == 2
    for one in found:
        assert one.confirmed
        assert isinstance(one.capacity_rps, float)
        assert one.capacity_rps == pytest.approx(limits[one.variant], rel=0.12)
        assert one.step_up_rps == pytest.approx(one.capacity_rps * 1.05)
        assert len({trial.trial.id for trial in one.trials}) == len(one.trials)
        assert one.remark == ""
    order = [state.variant for state in kept.states]
    both = order[: 2 * min(order.count("a1"), order.count("b2"))]
    assert all({*both[at : at + 2]} == {"a1", "b2"} for at in range(0, len(both), 2))


def test_a_stopped_search_goes_on_to_the_same_end() -> None:
    whole, progress = Kept(), Silent()
    (expected,) = search([subject("a1")], simulated({"a1": 700}, noise=0), whole, progress)
    stopped = Kept()
    with pytest.raises(InterruptedError):
        search([subject("a1")], simulated({"a1": 700}, noise=0, fails_after=5), stopped, progress)
    assert len(stopped.states) == 5
    (found,) = search([subject("a1", stopped.states[-1])], simulated({"a1": 700}, noise=0), Kept(), progress)
    assert found == expected
    (again,) = search([subject("a1", found)], simulated({}, fails_after=0), Kept(), progress)
    assert again == found


def test_a_search_for_something_else_is_begun_anew() -> None:
    (known,) = search([subject("a1")], simulated({"a1": 700}), Kept(), Silent())
    other = known.model_copy(update={"objective_p99_ms": 51.0})
    assert capacity.begun(subject("a1", other), PLAN).trials == ()
    odd = known.model_copy(update={"start_rps": 123.0})
    assert capacity.begun(subject("a1", odd), PLAN).trials == ()


def test_a_target_that_holds_nothing_says_why() -> None:
    (one,) = search([subject("a1")], simulated({"a1": 1}), Kept(), Silent())
    assert one.finished
    assert not one.confirmed
    assert isinstance(one.capacity_rps, NotMeasured)
    assert "not even 5" in one.capacity_rps.not_measured
    assert "p99 was 400.0 ms" in one.capacity_rps.not_measured


def test_a_trial_forgives_no_failure_and_is_long_enough_for_a_p99() -> None:
    profile = capacity.profile_for(SETTING.load_profile, PLAN, 20.0)
    assert (profile.models, profile.failure_share_max, profile.rate) == (("open",), 0.0, 20.0)
    assert profile.measure_s == 50
    assert capacity.window_s(PLAN, 5000) == PLAN.measure_s
    assert capacity.window_s(PLAN, 1) == capacity.LONGEST_WINDOW_S


def test_a_search_begins_by_what_the_closed_trials_gave() -> None:
    done = [rate_trial(model="closed", throughput_rps=rps, name=str(rps)) for rps in (900.0, 1000.0, 5000.0)]
    broken = rate_trial(model="closed", throughput_rps=9e9, **broke(Guard.FAILURES))
    assert capacity.start_rate(PLAN, image("a1"), [*done, broken]) == pytest.approx(700)
    assert capacity.start_rate(PLAN, image("b2"), done) == PLAN.start_rps


def test_only_the_full_profile_searches_for_capacity() -> None:
    assert [name for name in load_profile.names() if load_profile.load(name).capacity] == ["full"]


def result(variant: str, rate: float | None, **changed: Any) -> CapacityResult:
    kept = rate_trial(histograms={"all": "c.hdr"})
    fields: dict[str, Any] = {
        "variant": variant, "image_digest": "sha256:" + "1" * 64, "run_profile": "hardened", "load_profile": "full",
        "objective_p99_ms": 100, "tolerance": 0.05, "start_rps": 100, "finished": True, "confirmed": True,
        "capacity_rps": NotMeasured(not_measured="nothing held") if rate is None else rate,
        "trials": (RateTrial(purpose="search", outcome="held", reason="", trial=kept),),
    }  # fmt: skip
    return CapacityResult(**(fields | changed))


def test_the_metric_is_the_confirmed_rate_or_says_why_not() -> None:
    made = make()
    results = made.results.model_copy(
        update={
            "run_profile": "hardened",
            "capacities": (
                result("article", 1000.0),
                result("slim-dev", 1050.0),
                result("slim-gunicorn", 2000.0),
                result("alpine-dev", 900.0, confirmed=False, remark="not settled after 40 trials"),
                result("alpine-gunicorn", 900.0, confirmed=False, at_least=True, remark="the generator could not"),
                result("distroless-dev", None, confirmed=False),
                result("distroless-gunicorn", 5.0, finished=False),
            ),
        }
    )
    measured = Measurements(results, made.histogram)

    def reason(variant: str) -> str:
        found = measured.metric("capacity_rps", variant).value
        assert isinstance(found, NotMeasured)
        return found.not_measured

    value = measured.metric("capacity_rps", "article").value
    assert isinstance(value, Interval)
    assert value.value == pytest.approx(1000)
    assert value.low is None
    assert "not settled" in reason("alpine-dev")
    assert "at least 900" in reason("alpine-gunicorn")
    assert reason("distroless-dev") == "nothing held"
    assert "stopped" in reason("distroless-gunicorn")
    near = measured.ratio("capacity_rps", "slim-dev", "article")
    far = measured.ratio("capacity_rps", "slim-gunicorn", "article")
    assert isinstance(near, Ratio)
    assert isinstance(far, Ratio)
    assert (near.significant, far.significant, far.value) == (False, True, 2.0)
    assert "confirmed capacities" in far.method
    assert measured.better("capacity_rps", "slim-gunicorn", "article")
    none = capacities.capacity_of(make().results, "article")
    assert none == NotMeasured(not_measured=capacities.NOT_SEARCHED)


def test_two_searches_of_one_server_are_seldom_called_different() -> None:
    called = 0
    for pair in range(100):
        one, two = (
            search([subject("a1")], simulated({"a1": 1234.5}, noise=0.05, seed=2 * pair + side), Kept(), Silent())[0]
            for side in (0, 1)
        )
        if isinstance(one.capacity_rps, float) and isinstance(two.capacity_rps, float):
            called += capacities.stepped_ratio(one.capacity_rps, two.capacity_rps, 1.05).significant or False
    assert called <= 5


def test_the_folder_keeps_searches_and_drops_those_of_another_image(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.write_image(image("a1"))
    kept = result("a1", 100.0)
    folder.write_histogram("c.hdr", b"x")
    folder.write_answer(kept)
    assert folder.answers(CapacityResult) == (kept,)
    folder.write_image(image("a1"))
    assert folder.answers(CapacityResult) == (kept,)
    folder.write_image(image("a1", digest="sha256:" + "2" * 64))
    assert folder.answers(CapacityResult) == ()
    assert not (folder.path / "histograms" / "c.hdr").exists()
