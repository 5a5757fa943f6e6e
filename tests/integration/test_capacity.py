"""Capacity of a real server that takes 10 ms for each request, one at a time: under a hundred a second."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.model import CapacityResult, Image
from harness.results import RunFolder
from loadtests import capacity
from loadtests.load_profile import CapacityPlan, LoadProfile
from loadtests.setting import Cores
from tests.integration.tiny_target import TinySetting

PLAN = CapacityPlan(p99_ms=100, tolerance=0.5, start_rps=60, warmup_s=0.2, measure_s=1.5, least_requests=1)
PROFILE = LoadProfile(
    name="test", title="test", users=4, sample_share=0.3, ready_timeout_s=8, request_timeout_s=1.5,
    foreign_share_max=1.0,
)  # fmt: skip


class Counted:
    done = 0

    def step(self, what: str) -> None:
        print(what)

    def advance(self, steps: int = 1) -> None:
        self.done += steps


def test_the_capacity_of_a_server_of_known_capacity(
    engine: Engine,
    tiny_image: Image,
    generator_image: str,
    cores: Cores,
    tmp_path: Path,
) -> None:
    folder = RunFolder(tmp_path / "run")
    setting = TinySetting(
        run_profile=run_profiles.load("hardened"),
        load_profile=PROFILE,
        generator_image=generator_image,
        cores=cores,
        fault="queues",
    )
    subject = capacity.Subject(image=tiny_image, setting=setting, start_rps=PLAN.start_rps)
    progress = Counted()
    (found,) = capacity.run([subject], PLAN, seed=1, engine=engine, store=folder, progress=progress)
    assert progress.done == 1
    assert found.confirmed, found.remark
    assert isinstance(found.capacity_rps, float)
    assert 30 < found.capacity_rps < 100
    assert found.step_up_rps == pytest.approx(1.5 * found.capacity_rps)
    assert folder.answers(CapacityResult) == (found,)
    for one in found.trials:
        assert set(one.trial.histograms.values()) <= {path.name for path in folder.folder("histograms").iterdir()}
        assert one.trial.model == "open"
    held = [one.trial for one in found.trials if one.outcome == "held"]
    assert all(one.failures == 0 and one.valid for one in held)
    known = dataclasses.replace(subject, known=found)
    again = capacity.run([known], PLAN, seed=1, engine=engine, store=folder, progress=progress)
    assert again == [found]
