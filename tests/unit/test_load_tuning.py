"""Tuning: the race keeps the fast, the finals confirm them, and the gain is over gunicorn's own advice."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.asked import scaling
from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.model import NotMeasured, Ratio, Tuning
from harness.results import RunFolder
from loadtests import tuning
from loadtests.bracketing import OtherSearch, Outcome
from loadtests.configurations import configurations
from loadtests.judging import Measured, Order
from loadtests.load_profile import CapacityPlan, LoadProfile
from loadtests.racing import CHANCES, FINALISTS, STEP_UP, STRIDE, Finish, Heat, Run, next_heat
from loadtests.setting import Cores, Setting
from seatrial import tune
from seatrial.answers import of_table
from tests.made_records import image
from tests.made_trials import rate_trial

SETTING = Setting(
    run_profile=run_profiles.load("hardened"),
    load_profile=LoadProfile(name="t", title="t", users=4),
    generator_image="generator",
    cores=Cores(target="0", generator="1"),
)


def raced(
    capacities: dict[str, float], *, start: float = 100, noise: float = 0.0, seed: int = 0
) -> tuple[Finish, list[Run]]:
    random, runs = Random(seed), list[Run]()
    while isinstance(heat := next_heat(list(capacities), runs, start_rps=start, least_rps=1, seed=seed), Heat):
        limit = capacities[heat.name] * math.exp(random.gauss(0, noise))
        held = heat.rate_rps <= limit
        p99_ms = 100 * heat.rate_rps / limit if held else math.inf
        runs.append(Run(heat=heat, outcome=Outcome.HELD if held else Outcome.MISSED, p99_ms=p99_ms))
    return heat, runs


@given(limits=st.lists(st.floats(5, 5000), min_size=1, max_size=8), start=st.floats(1, 5000), seed=st.integers(0, 99))
def test_without_noise_the_best_is_among_the_last(limits: list[float], start: float, seed: int) -> None:
    capacities = {f"c{number}": limit for number, limit in enumerate(limits)}
    finish, runs = raced(capacities, start=start, seed=seed)
    assert 1 <= len(finish.names) <= FINALISTS
    assert finish.rate_rps is not None
    assert max(capacities[name] for name in finish.names) == max(limits)
    assert finish.rate_rps <= max(limits)
    assert len(runs) < 34 * CHANCES * len(limits)


def test_the_fast_are_seldom_lost_to_noise() -> None:
    capacities = {"a": 1000.0, "b": 900.0, "c": 700.0, "d": 500.0, "e": 300.0}
    kept = sum("a" in raced(capacities, start=200, noise=0.05, seed=seed)[0].names for seed in range(100))
    assert kept >= 95


def test_one_miss_is_forgiven_and_two_are_not() -> None:
    names, runs = ["a", "b", "c"], list[Run]()
    outcomes = {"a": [Outcome.MISSED, Outcome.HELD], "b": [Outcome.MISSED] * 2, "c": [Outcome.HELD]}
    for _ in range(5):
        heat = next_heat(names, runs, start_rps=100, least_rps=1, seed=1)
        assert isinstance(heat, Heat)
        assert heat.rate_rps == 100
        outcome = outcomes[heat.name].pop(0)
        runs.append(Run(heat=heat, outcome=outcome, p99_ms=10 if outcome is Outcome.HELD else math.inf))
    finish = next_heat(names, runs, start_rps=100, least_rps=1, seed=1)
    assert isinstance(finish, Finish)
    assert set(finish.names) == {"a", "c"}


def test_nobody_holds_anything() -> None:
    finish, _ = raced({"a": 0.1, "b": 0.2})
    assert finish == Finish(names=(), rate_rps=None)


def test_runs_of_another_race_are_not_taken() -> None:
    with pytest.raises(OtherSearch):
        next_heat(
            ["a"], [Run(heat=Heat(name="a", rate_rps=7), outcome=Outcome.HELD)], start_rps=100, least_rps=1, seed=1
        )


def test_the_ladder_goes_up_by_strides_and_then_by_steps() -> None:
    finish, runs = raced({"a": 1000.0, "b": 1000.0, "c": 1000.0}, start=100)
    rates = list(dict.fromkeys(run.heat.rate_rps for run in runs))
    last = rates.index(max(rates))
    assert all(two / one == pytest.approx(STRIDE) for one, two in pairwise(rates[: last + 1]))
    assert all(two / one == pytest.approx(STEP_UP) for one, two in pairwise([rates[last - 1], *rates[last + 1 :]]))
    assert finish.rate_rps is not None
    assert 1000 / STEP_UP < finish.rate_rps <= 1000


@pytest.mark.parametrize(
    ("cores", "host", "advice", "others"),
    [
        (1.0, 2, "3x1-sync", {"5x1-sync", "as built", "1x1-sync", "2x1-sync", "1x8-gthread", "2x4-gthread"}),
        (0.5, 1, "3x1-sync", {"as built", "1x1-sync", "1x16-gthread"}),
        (2.0, 2, "5x1-sync", {"as built", "2x1-sync", "4x1-sync", "4x8-gthread", "1x4-gthread"}),
    ],
)
def test_what_is_tried(cores: float, host: int, advice: str, others: set[str]) -> None:
    found = configurations(cores, host)
    names = [one.name for one in found]
    assert names[0] == advice
    assert "advice" in found[0].why
    assert others <= set(names)
    assert len(names) == len(set(names))
    assert all(one.arguments.startswith("--workers") for one in found if one.name != "as built")


def test_a_grid_of_ones_own() -> None:
    names = [one.name for one in configurations(1.0, 1, workers=(1, 3), threads=(1, 2))]
    assert names == ["3x1-sync", "as built", "1x1-sync", "1x2-gthread", "3x2-gthread"]
    assert [one.name for one in configurations(1.0, 1, threads=(4,))][2:] == ["1x4-gthread", "2x4-gthread"]


class Kept:
    def __init__(self) -> None:
        self.states: list[Tuning] = []

    def write_answer(self, answer: Tuning) -> None:
        self.states.append(answer)

    def write_histogram(self, name: str, data: bytes) -> None: ...

    def write_log(self, name: str, text: str) -> None: ...


class Silent:
    done = 0

    def step(self, what: str) -> None: ...

    def advance(self, steps: int = 1) -> None:
        self.done += steps


def served(arguments: str) -> float:
    """What a simulated gunicorn serves: threads help, workers beyond one hardly."""
    words = arguments.split()
    if not words:
        return 800.0
    workers, threads = int(words[1]), int(words[3])
    return 400.0 * float(min(workers, 2) ** 0.1) * (2.2 if threads == 8 else 1.8 if threads > 1 else 1.0)


class Simulated:
    def __init__(self, fails_after: float = math.inf) -> None:
        self.made = 0
        self.fails_after = fails_after
        self.ids: list[str] = []

    def __call__(self, order: Order, setting: Setting, engine: Engine) -> Measured:
        self.made += 1
        if self.made > self.fails_after:
            raise InterruptedError
        self.ids.append(order.id)
        rate = setting.load_profile.rate or 0.0
        limit = served(setting.env["GUNICORN_CMD_ARGS"])
        one = rate_trial(rate, 80 * rate / limit if rate <= limit else 900, name=order.id, variant="a1")
        return Measured(trial=one, histograms={}, log="")


def plan(known: Tuning | None = None) -> tuning.Plan:
    return tuning.Plan(
        image=image("a1"), setting=SETTING, capacity=CapacityPlan(p99_ms=100, start_rps=300), host_cores=2, seed=1,
        known=known,
    )  # fmt: skip


def run(wanted: tuning.Plan, machine: Any, kept: Kept) -> Tuning:
    progress = Silent()
    found = tuning.run(wanted, engine=cast("Engine", None), store=kept, progress=progress, run_trial=machine)
    assert progress.done == 2
    return found


def test_the_best_configuration_and_its_gain_over_the_advice() -> None:
    machine, kept = Simulated(), Kept()
    found = run(plan(), machine, kept)
    assert found.finished
    assert found.advice == "3x1-sync"
    assert found.best == "2x8-gthread"
    assert isinstance(found.gain, Ratio)
    assert found.gain.value == pytest.approx(2.2, rel=0.1)
    assert found.gain.significant
    assert found.advice in found.finals
    assert len(found.finals) <= 3
    assert len(set(machine.ids)) == len(machine.ids), "each trial has files of its own"
    lines = scaling.advice(found)
    assert lines[0] == 'Use: GUNICORN_CMD_ARGS="--workers 2 --threads 8 --worker-class gthread"'
    assert f"{found.gain.value:.2f}" in lines[1]
    assert found.gain.low is not None
    assert f"({found.gain.low:.2f}" in lines[1]
    assert found.gain.method in lines[1]
    assert of_table(scaling.tuned(found)).row_count == len(found.configurations)


@pytest.mark.parametrize("stopped_after", [5, 40])
def test_a_stopped_tuning_goes_on(stopped_after: int) -> None:
    whole, kept = Simulated(), Kept()
    expected = run(plan(), whole, Kept())
    with pytest.raises(InterruptedError):
        run(plan(), Simulated(stopped_after), kept)
    machine = Simulated()
    assert run(plan(kept.states[-1]), machine, Kept()) == expected
    assert machine.made == whole.made - stopped_after


def test_without_a_confirmed_capacity_nothing_is_named() -> None:
    found = tuning.judged(tuning.begun(plan()))
    assert found.best is None
    assert isinstance(found.gain, NotMeasured)
    assert scaling.advice(found) == ["a1: no configuration can be named: no configuration has a confirmed capacity."]


def test_a_tuning_is_kept_with_the_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.write_image(image("a1"))
    found = run(plan(), Simulated(), Kept())
    folder.write_answer(found)
    assert folder.answers(Tuning) == (found,)


@pytest.mark.parametrize(
    ("cpus", "there", "cores"),
    [
        (1.0, [0, 1], Cores(target="0", generator="1")),
        (None, [2, 3], Cores(target="2", generator="3")),
        (1.5, [0, 1, 2, 3], Cores(target="0,1", generator="3")),
        (2.0, [0, 1], Cores(target="0,1", generator="1")),
        (8.0, [0], Cores(target="0", generator="0")),
    ],
)
def test_a_target_gets_as_many_cores_as_its_limit_is_wide(cpus: float | None, there: list[int], cores: Cores) -> None:
    assert tune.cores_for(cpus, there) == cores
