"""A seccomp profile made of what a container calls: recorded, proved, and seen to break where a call is missing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.engine import run_profiles
from harness.engine.client import ContainerSpec, Engine
from harness.engine.labels import Role
from harness.errors import NoValidMeasurement, ToolMissing
from harness.model import Image, Recorder, RunProfile, SeccompProof
from images import recorder as recorders
from loadtests import load_profile
from loadtests.asking import Asking
from loadtests.setting import Cores, Setting
from seatrial.seccomp import Starting
from security import seccomp_kit as kit
from security.seccomp import Handed, Tight, tighten
from security.seccomp_proof import Proving
from security.seccomp_record import Recording
from security.seccomp_rude import Rude
from tests.integration.tiny_target import SERVER

HARDENED = run_profiles.load("hardened")
HEALTH = "import socket; socket.create_connection(('127.0.0.1', 5000), 5).close()"


def say(text: str) -> None:
    print(text, file=sys.stderr)


@pytest.fixture(scope="module")
def recorder(engine: Engine) -> Recorder:
    return recorders.fetch(engine, say=say)


@contextmanager
def made_of(engine: Engine, tiny: Image, name: str, *changes: str) -> Iterator[Image]:
    """An image like the tiny one whose own command and health check are what Dockerfile instructions say."""
    container = engine.create(ContainerSpec(image=tiny.digest, role=Role.TARGET))
    try:
        made = container.commit(f"seatrial-test/{name}", "latest", changes="\n".join(changes))
    finally:
        engine.remove(container)
    try:
        yield tiny.model_copy(update={"variant": name, "digest": str(made.id), "reference": str(made.id)})
    finally:
        engine.remove_image(f"seatrial-test/{name}:latest")


@pytest.fixture(scope="module")
def served(engine: Engine, tiny_image: Image) -> Iterator[Image]:
    command = json.dumps(["python3", "-c", SERVER, "drains", "0"])
    health = json.dumps(["python3", "-c", HEALTH])
    with made_of(engine, tiny_image, "served", f"ENTRYPOINT {command}", f"HEALTHCHECK CMD {health}") as image:
        yield image


@pytest.fixture(scope="module")
def setting(generator_image: str, cores: Cores) -> Setting:
    return Setting(
        run_profile=HARDENED, load_profile=load_profile.load("smoke"), generator_image=generator_image, cores=cores
    )


def handed(engine: Engine, setting: Setting, recorder: Recorder, image: Image) -> Handed:
    return Handed(
        recorder=recorder,
        ask=Asking(engine=engine, setting=setting, image=image, seed=1),
        starts=Starting(engine=engine, setting=setting),
        compare=None,
        port=5000,
    )


@pytest.fixture(scope="module")
def tight(engine: Engine, setting: Setting, recorder: Recorder, served: Image) -> Tight:
    kept: list[Tight] = []
    return tighten(
        engine, served, HARDENED, handed(engine, setting, recorder, served), starts=2, say=say, keep=kept.append
    )


def test_a_recorded_profile_is_proved_by_doing_it_all_again(tight: Tight) -> None:
    found = tight.found
    assert found.proved, found.proofs
    assert [one.name for one in found.proofs] == [
        "starts", "contract", "load", "health check", "exec", "error path", "stop",
    ]  # fmt: skip
    calls = {one.phase: set(one.calls) for one in found.phases}
    assert set(calls) == {"start", "contract", "load", "health check", "stop"}
    assert {"execve", "bind", "listen"} <= calls["start"]
    assert "connect" in calls["health check"]
    assert "exit_group" in calls["stop"]
    assert found.runtime.trials >= 1
    assert not set(found.runtime.calls) & set().union(*calls.values())


def test_it_closes_what_was_not_called(tight: Tight) -> None:
    found = tight.found
    assert {"ptrace", "process_vm_readv", "memfd_create"} <= set(found.closed)
    assert not set(found.closed) & set(found.allowed)
    assert len(found.closed) < found.default_calls
    allowed = {
        name for rule in tight.profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]
    }
    assert allowed == set(found.allowed)
    assert "clone3" not in allowed


def without(call: str, tight: Tight, folder: Path) -> RunProfile:
    """A run profile whose seccomp profile lacks one call."""
    rules = [{**rule, "names": [name for name in rule["names"] if name != call]} for rule in tight.profile["syscalls"]]
    path = folder / "lacking.json"
    path.write_text(json.dumps({**tight.profile, "syscalls": [rule for rule in rules if rule["names"]]}), "utf-8")
    return HARDENED.model_copy(update={"seccomp": str(path), "restart": "no"})


def test_a_profile_that_lacks_a_call_is_not_proved_and_says_so(
    engine: Engine, setting: Setting, recorder: Recorder, served: Image, tight: Tight, tmp_path: Path
) -> None:
    made = handed(engine, setting, recorder, served)
    proving = Proving(
        engine=engine, image=served, profile=without("listen", tight, tmp_path), ask=made.ask, starts=made.starts,
        count=1, port=5000, say=say,
    )  # fmt: skip
    rude = Rude(found={}, before="200", after="200")
    recording = Recording(phases=(), refused=frozenset(), loader=frozenset(), rude=rude, exit_code=0, log="")
    first, *rest = proving.prove(recording)
    assert (first.name, first.outcome) == ("starts", "broke")
    assert "Operation not permitted" in first.evidence
    assert {SeccompProof.model_validate(one).outcome for one in rest} == {"not tried"}


def test_an_image_that_fails_under_the_recorder_is_told_with_what_it_said(
    engine: Engine, setting: Setting, recorder: Recorder, tiny_image: Image
) -> None:
    command = json.dumps(["python3", "-c", "raise SystemExit('no such ship')"])
    with (
        made_of(engine, tiny_image, "failing", f"ENTRYPOINT {command}") as image,
        pytest.raises(NoValidMeasurement, match=r"exit code 1 .*no such ship"),
    ):
        tighten(engine, image, HARDENED, handed(engine, setting, recorder, image), say=say, keep=lambda _: None)


def test_where_no_process_may_watch_another_it_is_told(engine: Engine, recorder: Recorder, tiny_image: Image) -> None:
    # The hardened seccomp profile, under which nothing is ever recorded, forbids it as a kernel may.
    with kit.brought_in(engine, recorder, tiny_image.digest) as volumes:
        spec = ContainerSpec(
            image=tiny_image.digest, role=Role.TARGET, profile=HARDENED, volumes=volumes,
            entrypoint=kit.recorded(["python3", "-c", "pass"], "run", detached=True), command=[],
        )  # fmt: skip
        with engine.running(spec) as container:
            deadline = time.monotonic() + 20
            while not kit.forbidden(engine.logs(container)) and time.monotonic() < deadline:
                time.sleep(0.1)
            with pytest.raises(ToolMissing, match="Operation not permitted"):
                kit.refuse_forbidden(engine.logs(container))
