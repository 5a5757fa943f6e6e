"""Ways to run and reach a real container: each gives figures, and a CPU limit reads as what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.model import Experiment, Image, Interval, Ratio
from harness.results import RunFolder
from loadtests import experiment_plan, experiments, questions
from loadtests.experiment_plan import Plan
from loadtests.load_profile import LoadProfile
from loadtests.ports import free_ports
from loadtests.setting import Cores
from tests.integration.tiny_target import TinySetting

PROFILE = LoadProfile(
    name="test", title="test", users=4, warmup_s=0.3, sample_share=0.1, ready_timeout_s=8, request_timeout_s=2,
    repeats=1, foreign_share_max=1.0,
)  # fmt: skip


class Counted:
    done = 0

    def step(self, what: str) -> None:
        print(what)

    def advance(self, steps: int = 1) -> None:
        self.done += steps


@pytest.fixture
def setting(generator_image: str, cores: Cores) -> TinySetting:
    profile = run_profiles.load("hardened").model_copy(update={"restart": "no"})
    return TinySetting(run_profile=profile, load_profile=PROFILE, generator_image=generator_image, cores=cores)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def run(plan: Plan, engine: Engine, generator_image: str, folder: RunFolder) -> Experiment:
    progress = Counted()
    found = experiments.run(plan, engine=engine, generator_image=generator_image, store=folder, progress=progress)
    assert progress.done == experiment_plan.steps(plan)
    assert folder.answers(Experiment) == (found,)
    return found


def test_every_way_to_a_container_works(
    engine: Engine,
    tiny_image: Image,
    generator_image: str,
    setting: TinySetting,
    folder: RunFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(experiments, "LEAST_MEASURED_S", 1.5)
    arms = questions.path(setting, *free_ports(engine, generator_image, 2))
    plan = Plan(question="path", image=tiny_image, arms=arms, seed=1, rounds=1, measure_s=1.5)
    found = run(plan, engine, generator_image, folder)
    for row in found.arms:
        assert isinstance(row.throughput_rps, Interval), row.throughput_rps
        assert row.throughput_rps.value > 50
        assert row.trials[-1].run_profile == "hardened"
    assert isinstance(found.arms[2].throughput_ratio, Ratio)
