"""What the doctor reads out of an engine's own documents, and what it says an absence costs."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.doctor import engine_facts
from seatrial.programs import version_of

# Docker 20.10.24 on Debian 12, cut down.
VERSION = {
    "Version": "20.10.24+dfsg1",
    "ApiVersion": "1.41",
    "Os": "linux",
    "Arch": "amd64",
    "KernelVersion": "6.1.0",
    "Components": [{"Name": "Engine"}, {"Name": "containerd"}],
}
INFO = {
    "NCPU": 2,
    "MemTotal": 25_236_054_016,
    "CgroupVersion": "1",
    "CgroupDriver": "cgroupfs",
    "Driver": "overlay2",
    "SecurityOptions": ["name=seccomp,profile=default", "name=cgroupns"],
}


def facts(**changes: Any) -> dict[str, Any]:
    return {fact.name: fact for fact in engine_facts(VERSION, INFO | changes, source="Docker", host="unix:///d")}


def test_an_engine_in_order_costs_nothing() -> None:
    found = facts()
    assert found["engine"].value == "Docker 20.10.24+dfsg1, API 1.41, linux/amd64, kernel 6.1.0"
    assert found["found by"].value == "Docker: unix:///d"
    assert found["memory"].value == "23.5 GiB for the engine"
    assert found["cgroups"].value == "version 1, driver cgroupfs"
    assert found["confinement"].value == "seccomp, cgroupns"
    assert all(fact.found and not fact.cost for fact in found.values())


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"NCPU": 1}, "cores"), ({"CgroupVersion": None}, "cgroups"), ({"SecurityOptions": None}, "confinement")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_an_absence_costs_is_said(changes: dict[str, Any], name: str) -> None:
    fact = facts(**changes)[name]
    assert not fact.found
    assert fact.cost


def test_podman_is_called_by_its_name() -> None:
    (engine, *_) = engine_facts(
        VERSION | {"Components": [{"Name": "Podman Engine"}]}, INFO, source="Podman", host="unix:///p"
    )
    assert engine.value.startswith("Podman ")


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("syft 1.18.1\n", "1.18.1"),
        ("Haskell Dockerfile Linter 2.15.1-no-git\n", "2.15.1-no-git"),
        ("Chromium 156.0.8078.73 built on Debian\n", "156.0.8078.73"),
        ("v1.19.1\n", "1.19.1"),
        ("unknown build\nmore\n", "unknown build"),
        ("", "no version"),
    ],
)
def test_the_version_is_taken_out_of_what_a_program_says(said: str, version: str) -> None:
    assert version_of(said) == version
