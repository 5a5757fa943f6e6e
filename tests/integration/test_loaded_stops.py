"""Stops under load of real containers: one that drains, one that drops all, one that does not care for SIGTERM."""

from __future__ import annotations

import pytest

from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.model import Image, NotMeasured, StopLoad, StopTrial
from loadtests import loaded_stops
from loadtests.load_profile import LoadProfile
from loadtests.setting import Cores
from tests.integration.tiny_target import TinySetting

USERS = 4
PROFILE = LoadProfile(name="test", title="test", users=USERS, stop_timeout_s=6, ready_timeout_s=8, request_timeout_s=6)


def stop(engine: Engine, tiny: Image, generator_image: str, cores: Cores, fault: str) -> StopTrial | None:
    setting = TinySetting(
        run_profile=run_profiles.load("hardened"),
        load_profile=PROFILE,
        generator_image=generator_image,
        cores=cores,
        fault=fault,
    )
    (one,) = loaded_stops.loaded_stops(tiny, setting, engine, [1], seed=1)
    return one


@pytest.mark.parametrize(
    ("fault", "exit_code", "killed", "least_lost", "most_lost"),
    [("drains", 0, False, 0, USERS), ("drops", 7, False, 1, 2 * USERS), ("none", 137, True, 1, 2 * USERS)],
)
def test_what_a_stop_costs(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores,
    fault: str, exit_code: int, killed: bool, least_lost: int, most_lost: int,
) -> None:  # fmt: skip
    one = stop(engine, tiny_image, generator_image, cores, fault)
    assert one is not None
    assert (one.exit_code, one.killed) == (exit_code, killed)
    assert isinstance(one.load, StopLoad), one.load
    assert one.load.answered > 20
    assert one.load.wrong == 0
    assert one.load.refused == USERS
    assert least_lost <= one.load.lost <= most_lost
    assert (one.seconds >= PROFILE.stop_timeout_s) is killed


def test_a_load_that_was_wrong_before_the_stop_gives_no_figure(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    one = stop(engine, tiny_image, generator_image, cores, "fails early")
    assert one is not None
    assert isinstance(one.load, NotMeasured)
    assert "before the stop" in one.load.not_measured


def test_a_container_that_never_answers_is_no_stop(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    assert stop(engine, tiny_image, generator_image, cores, "constant") is None
