"""How targets are started: on which cores, with which variables, and by which way the generator reaches them."""

from __future__ import annotations

import dataclasses

import pytest

from harness.engine import run_profiles
from loadtests.load_profile import LoadProfile
from loadtests.setting import PORT, Cores, Setting
from tests.made_records import image

SETTING = Setting(
    run_profile=run_profiles.load("article"),
    load_profile=LoadProfile(name="t", title="t", users=1),
    generator_image="generator",
    cores=Cores(target="0", generator="1"),
)
SLIM = image("slim")


@pytest.mark.parametrize(
    ("target", "generator", "shared"), [("0", "1", False), ("0", "0", True), ("0,1", "1", True), ("0,1", "2,3", False)]
)
def test_cores_are_shared_where_they_overlap(target: str, generator: str, shared: bool) -> None:
    assert Cores(target=target, generator=generator).shared is shared


@pytest.mark.parametrize(
    ("target", "cpus", "may_use"),
    [("0", None, 1.0), ("0", 0.5, 0.5), ("0,1", None, 2.0), ("0,1", 1.5, 1.5), ("0", 4, 1)],
)
def test_a_target_may_use_its_limit_or_its_cores(target: str, cpus: float | None, may_use: float) -> None:
    how = run_profiles.load("hardened").model_copy(update={"cpus": cpus})
    cores = Cores(target=target, generator="3")
    assert dataclasses.replace(SETTING, run_profile=how, cores=cores).target_cores == may_use


def test_in_its_namespace_a_target_publishes_nothing() -> None:
    spec = SETTING.target(SLIM, "container:x")
    assert (spec.network, dict(spec.env), dict(spec.overrides)) == ("container:x", {"PORT": "5000"}, {})
    assert spec.profile is not None
    assert spec.profile.publish == {}
    assert SETTING.pause().network == "none"


def test_a_published_port_is_on_this_machines_loopback_only() -> None:
    setting = dataclasses.replace(SETTING, path="published", port=40123)
    spec = setting.target(SLIM, "container:x")
    assert spec.network == "bridge"
    assert spec.overrides == {"ports": {f"{PORT}/tcp": ("127.0.0.1", 40123)}}
    assert spec.env["PORT"] == str(PORT)
    assert setting.pause().network == "host"


def test_on_the_hosts_network_the_target_listens_where_it_is_told() -> None:
    setting = dataclasses.replace(SETTING, path="host", port=40123, env={"THREADS": "2"})
    spec = setting.target(SLIM, "container:x")
    assert (spec.network, dict(spec.env)) == ("container:x", {"PORT": "40123", "THREADS": "2"})
    assert setting.pause().network == "host"
