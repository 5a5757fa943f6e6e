"""Experiments, races and finals hold the right to measure while they measure: two at once would measure each other."""

from __future__ import annotations

from typing import cast

from harness.engine.client import Engine
from harness.locks import locked_if_free
from harness.model import Image, StartTrial
from harness.paths import state_dir
from loadtests import experiments, questions
from loadtests.judging import Measured, Order
from loadtests.setting import Setting
from tests.unit import test_load_experiments, test_load_tuning


def free() -> bool:
    with locked_if_free(state_dir() / "measuring.lock") as taken:
        return taken


class Watched:
    """Makes trials of others, and sees who may measure meanwhile."""

    def __init__(self, machine: test_load_experiments.Simulated | test_load_tuning.Simulated) -> None:
        self.machine = machine
        self.free: list[bool] = []

    def __call__(self, order: Order, setting: Setting, engine: Engine) -> Measured:
        self.free.append(free())
        return self.machine(order, setting, engine)


def test_a_round_of_an_experiment_with_its_starts() -> None:
    machine = Watched(test_load_experiments.Simulated())
    starts: list[bool] = []

    def started(of: Image, index: int, setting: Setting, engine: Engine) -> StartTrial:
        starts.append(free())
        return test_load_experiments.started(of, index, setting, engine)

    arms = questions.hardening(
        test_load_experiments.SETTING, test_load_experiments.ARTICLE, test_load_experiments.HARDENED
    )
    test_load_experiments.SPEEDS.update({arm.name: 1000.0 for arm in arms})
    experiments.run(
        test_load_experiments.plan(arms=arms, rounds=1),
        engine=cast("Engine", None),
        generator_image="g",
        store=test_load_experiments.Kept(),
        progress=test_load_experiments.Silent(),
        run_trial=machine,
        run_start=started,
        slicer=lambda order, _: test_load_experiments.comparison(order),
    )
    assert machine.free == [False] * 3
    assert starts == [False] * 3
    assert free()


def test_the_heats_and_finals_of_a_tuning() -> None:
    machine = Watched(test_load_tuning.Simulated())
    test_load_tuning.run(test_load_tuning.plan(), machine, test_load_tuning.Kept())
    assert len(machine.free) > 20
    assert not any(machine.free)
    assert free()
