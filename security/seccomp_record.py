"""Recording: which system calls one image makes from its start to its end, by what it was doing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from harness.engine.client import Container, ContainerSpec, Engine
from harness.engine.labels import Role
from harness.errors import ContractBroken, NoValidMeasurement
from harness.model import Asked, Asks, Image, PhaseCalls, RunProfile, Say, SeccompPhase
from security import seccomp_kit as kit
from security import seccomp_log as logs
from security.seccomp_rude import Rude, send

STOP_TIMEOUT_S = 10
LOG_TAIL = 3
HEALTH_TRIES = 5
Volumes = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What was seen of one image."""

    phases: tuple[PhaseCalls, ...]
    refused: frozenset[str]
    """Calls that never came back with anything but EPERM or ENOSYS."""
    loader: frozenset[str]
    """Calls of the smallest program, which is no part of the image: it only shows that one was started."""
    rude: Rude
    """What came of the requests that no app can answer well."""
    exit_code: int
    """How the image's program ended when it was stopped."""
    log: str
    """What it printed."""

    @property
    def calls(self) -> frozenset[str]:
        """All that the image called."""
        return frozenset(name for phase in self.phases for name in phase.calls)


def record(
    engine: Engine, image: Image, profile: RunProfile, *, volumes: Volumes, ask: Asks, port: int,
    names: Mapping[int, str], say: Say,
) -> Recording:  # fmt: skip
    """Run an image under the recorder: started, examined, loaded, asked rudely, its health checked, stopped.

    The run profile is kept but for its network, its restarts and its seccomp profile: the engine's default one, without
    which nothing can be recorded.

    Args:
        engine: where the image is.
        image: the variant's image.
        profile: how it is started.
        volumes: the recorder, brought in.
        ask: asks it its contract, and loads it.
        port: where it listens, told by `PORT`.
        names: number -> name of the machine's calls.
        say: told in a line what is being done.

    Raises:
        ToolMissing: nothing can be recorded on this machine.
        ContractBroken: it answers wrongly under the recorder.
        NoValidMeasurement: it fails under the recorder.

    """
    config = (engine.image(image.digest) or {}).get("Config") or {}
    spec = ContainerSpec(
        image=image.digest,
        role=Role.TARGET,
        variant=image.variant,
        profile=profile.model_copy(update={"publish": {}, "restart": "no", "seccomp": "default"}),
        entrypoint=kit.recorded(kit.own_command(config), "run", detached=True),
        command=[],
        env={"PORT": str(port)},
        volumes=volumes,
    )
    say(f"Recording the system calls of {image.variant}")
    with engine.running(spec) as container:

        def alive() -> bool:
            # A program whose recorder may not watch it waits for it, and for ever.
            return engine.state(container).running and not kit.forbidden(engine.logs(container))

        asked = ask(f"container:{container.id}", port, alive)
        refuse_failed(engine, container, asked)
        rude = send(engine, container, image.digest, port)
        health = kit.health_command(config)
        if health is not None:
            check_health(engine, container, health)
        # Just before the stop: it marks the moment by the engine's own clock.
        kit.execute(engine, container, kit.recorded(kit.SAYS_ITS_VERSION, "loader"))
        engine.stop(container, timeout_s=STOP_TIMEOUT_S)
        state = engine.state(container)
        run = list(logs.parse(kit.log_of(engine, container, "run"), names))
        loader = list(logs.parse(kit.log_of(engine, container, "loader"), names))
        checked = list(logs.parse(kit.log_of(engine, container, "health"), names)) if health is not None else []
        log = engine.logs(container)
    if not loader:
        raise NoValidMeasurement("The recorder did not see the smallest program that there is.")
    return Recording(
        phases=phases(run, checked, asked.moments, stopped_at=loader[0].at),
        refused=logs.only_refused([*run, *checked]),
        loader=frozenset(one.name for one in loader),
        rude=rude,
        exit_code=state.exit_code,
        log=log,
    )


def check_health(engine: Engine, container: Container, health: list[str]) -> None:
    """Execute the health check under the recorder until it passes; its own time limit may be too short there.

    Raises:
        ToolMissing: nothing can be recorded on this machine.
        NoValidMeasurement: it failed each time.

    """
    for attempt in range(HEALTH_TRIES):
        time.sleep(attempt)
        code, said = kit.execute(engine, container, kit.recorded(health, "health"))
        kit.refuse_forbidden(said)
        if code == 0:
            return
    raise NoValidMeasurement(
        f"The health check fails under the recorder, {HEALTH_TRIES} times in a row: {_tail(said)}",
        "Where this machine is busy, try again when it is not.",
    )


def refuse_failed(engine: Engine, container: Container, asked: Asked) -> None:
    """Refuse a container that did not do what it should under the recorder.

    Raises:
        ToolMissing: nothing can be recorded on this machine.
        ContractBroken: it answered wrongly.
        NoValidMeasurement: it ended, or did not answer.

    """
    state, said = engine.state(container), engine.logs(container)
    kit.refuse_forbidden(said)
    if not state.running:
        raise NoValidMeasurement(
            f"The image's program ended with exit code {state.exit_code} under the recorder: {_tail(said)}"
        )
    if asked.faults:
        kind = NoValidMeasurement if not asked.verified else ContractBroken
        raise kind(f"Under the recorder, {asked.faults[0]}", "Does `seatrial load` find it right?")


def phases(
    run: list[logs.Seen], health: list[logs.Seen], moments: Mapping[str, float], *, stopped_at: float
) -> tuple[PhaseCalls, ...]:
    """Part what was seen by what the image was doing; the rude requests are counted with the contract. Pure."""
    ready, begun, over = (moments.get(name, stopped_at) for name in ("ready", "begun", "over"))
    contract = logs.calls(run, ready, begun) | logs.calls(run, over, stopped_at)
    found: list[tuple[SeccompPhase, frozenset[str]]] = [
        ("start", logs.calls(run, 0, ready)),
        ("contract", contract),
        ("load", logs.calls(run, begun, over)),
        ("health check", logs.calls(health, 0, inf)),
        ("stop", logs.calls(run, stopped_at, inf)),
    ]
    return tuple(PhaseCalls(phase=phase, calls=tuple(sorted(calls))) for phase, calls in found if calls)


def _tail(said: str) -> str:
    return " | ".join(said.strip().splitlines()[-LOG_TAIL:]) or "it said nothing"
