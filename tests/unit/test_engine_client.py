"""What an engine is asked once, and the names that it gives what a run makes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import docker
import docker.errors
import pytest

from harness.engine.client import ContainerSpec, Engine, EngineRefused, machine_name
from harness.engine.labels import Role


def engine(**said: Any) -> Engine:
    client = SimpleNamespace(info=lambda: said.get("info", {}), version=lambda: said.get("version", {}))
    return Engine(cast(docker.DockerClient, client), run_id="20260101-000000-0001", source="a test", host="unix:///x")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ({"Components": [{"Name": "Podman Engine", "Version": "4.3.1"}]}, True),
        ({"Components": [{"Name": "Engine"}, {"Name": "containerd"}]}, False),
        ({"Components": None}, False),
        ({}, False),
    ],
)
def test_podman_is_told_apart(version: dict[str, object], expected: bool) -> None:
    assert engine(version=version).is_podman is expected


@pytest.mark.parametrize(
    ("said", "machine"), [("x86_64", "x86_64"), ("amd64", "x86_64"), ("arm64", "aarch64"), ("riscv64", "riscv64")]
)
def test_the_machine_is_the_engines_in_the_words_of_uname(said: str, machine: str) -> None:
    assert machine_name(said) == machine
    assert engine(info={"Architecture": said}).machine == machine


def test_an_engine_that_does_not_say_its_machine_is_taken_for_this_one() -> None:
    assert engine(info={}).machine


def test_no_two_things_of_a_run_have_one_name() -> None:
    mine, other = engine(), engine()
    names = [mine.new_name(Role.TARGET), mine.new_name(Role.TARGET), mine.new_name(Role.TARGET, "net")]
    assert names == [
        "seatrial-20260101-000000-0001-target-0",
        "seatrial-20260101-000000-0001-target-1",
        "seatrial-20260101-000000-0001-target-net-2",
    ]
    assert other.new_name(Role.TARGET) == names[0], "one engine's names depend on no other"


def test_an_image_that_another_command_removed_meanwhile_is_an_answer_and_no_fault_of_the_folders() -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise docker.errors.ImageNotFound("No such image")

    mine = engine()
    cast(Any, mine.client).containers = SimpleNamespace(create=gone)
    with pytest.raises(EngineRefused, match="lacks what a container of it:1 needs"):
        mine.create(ContainerSpec(image="it:1", role=Role.TARGET))
