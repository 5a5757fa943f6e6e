"""A leak of a real server shows within seconds, and a server without one is not accused."""

from __future__ import annotations

import pytest

from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.model import Image, Interval
from loadtests import soak
from loadtests.load_profile import LoadProfile
from loadtests.setting import Cores
from tests.integration.tiny_target import TinySetting

PROFILE = LoadProfile(
    name="test", title="test", users=1, sample_share=0.1, ready_timeout_s=8, request_timeout_s=2,
    foreign_share_max=1.0,
)  # fmt: skip


@pytest.mark.parametrize(("fault", "leaks"), [("leaks", True), ("none", False)])
def test_growth_for_a_thousand_requests(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores, fault: str, leaks: bool
) -> None:
    setting = TinySetting(
        run_profile=run_profiles.load("hardened"),
        load_profile=PROFILE,
        generator_image=generator_image,
        cores=cores,
        fault=fault,
    )
    found, measured = soak.run(tiny_image, setting, engine, rate_rps=100, share=None, seconds=32, seed=1)
    assert found.trial.valid, found.trial.broken_guards
    assert found.leaks is leaks, (len(found.samples), found.bytes_per_thousand_requests_later)
    assert set(found.histogram_files) == set(measured.histograms)
    assert len(found.samples) >= 20
    growth = found.bytes_per_thousand_requests
    assert isinstance(growth, Interval)
    if leaks:
        # Each request leaves 4 to 16 kB behind.
        assert 4e6 < growth.value < 20e6
