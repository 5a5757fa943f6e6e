"""One variant under one run profile: started as the profile says, checked by its flags, then attacked from inside."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime

from harness.engine.client import Container, ContainerSpec, Engine, EngineRefused
from harness.engine.inspection import exec_sessions, inspect, processes
from harness.engine.labels import Role
from harness.engine.run_profiles import seccomp_text
from harness.errors import NoValidMeasurement
from harness.model import Hardening, Image, RunProfile, Say
from security.attack import App, app_of, run_all
from security.container_scan import run_all as run_checks
from security.probe import Group, discover
from security.proving_ground import Ground, proving_ground

READY_WITHIN_S = 30.0
HEALTH_EVERY_S = 1
UNPRIVILEGED = 1024
PORT_TAKEN = ("port is already allocated", "address already in use")
"""What Docker and Podman say of a port of the machine that they cannot publish on."""
KNOCK = """
import socket, time
until = time.monotonic() + {seconds}
while True:
    try:
        socket.create_connection(("127.0.0.1", {port}), timeout=1).close()
        print("open")
        break
    except OSError:
        if time.monotonic() > until:
            break
        time.sleep(0.05)
"""


def examine(
    engine: Engine,
    image: Image,
    profile: RunProfile,
    *,
    app: App | None = None,
    ground: Ground | None = None,
    alone: AbstractContextManager[object] | None = None,
    say: Say | None = None,
) -> Hardening:
    """Start an image under a run profile, look at its flags and its log, and try every probe from inside.

    The container has its health check, asked every second so that its health is soon known; all else is the profile's.

    Args:
        engine: where the image is.
        image: the variant's image.
        profile: how it is started.
        app: port and paths for the app's probes; by default the image's own port, and `/`.
        ground: what network probes aim at; by default one of its own.
        alone: held while resources are used up, where several containers are examined at once.
        say: told one line for each probe.

    Raises:
        EngineRefused: the engine would not start it so.
        NoValidMeasurement: it ended, or did not open its port.

    """
    began, started = time.monotonic(), datetime.now(UTC).replace(microsecond=0)
    tag = engine.image(image.reference)
    moved = tag is None or tag["Id"] != image.digest
    spec = ContainerSpec(
        image=image.digest if moved else image.reference,
        role=Role.TARGET,
        variant=image.variant,
        profile=profile,
        network=profile.network,
        healthcheck=profile.healthcheck,
        # The image's test stays as it is where none is given here.
        overrides={"healthcheck": {"interval": HEALTH_EVERY_S * 10**9}} if profile.healthcheck else {},
    )
    with ExitStack() as stack:
        place = ground or stack.enter_context(proving_ground(engine, image.digest))
        container, remarks = stack.enter_context(published(engine, spec))
        known = app or app_of(inspect(engine, container))
        await_app(engine, container, known.port)
        # Before any probe: what they send leaves lines in the log.
        document = inspect(engine, container)
        checks = run_checks(
            document,
            processes(engine, container),
            engine.info(),
            sessions=exec_sessions(engine, document),
            log=engine.logs(container),
            tag_points_to=str(tag["Id"]) if tag else None,
            argued_capabilities=profile.cap_add if profile.cap_add_because else (),
        )
        hungry = [one.probe.id for one in discover() if one.probe.group is Group.RESOURCES]
        others = [one.probe.id for one in discover() if one.probe.id not in hungry]
        probes = run_all(engine, container, ground=place, app=known, only=others, say=say)
        with alone or nullcontext():
            probes += run_all(engine, container, ground=place, app=known, only=hungry, say=say)
    return Hardening(
        variant=image.variant,
        image_digest=image.digest,
        run_profile=profile.name,
        probed_at=started,
        seconds=round(time.monotonic() - began, 1),
        container_checks=checks,
        probes=probes,
        profile=profile,
        seccomp_profile=seccomp_text(profile),
        remarks=remarks,
    )


def not_examined(image: Image, profile: RunProfile, reason: str) -> Hardening:
    """Return the record of an image that would not start under a run profile: nothing passed, and why."""
    return Hardening(
        variant=image.variant,
        image_digest=image.digest,
        run_profile=profile.name,
        probed_at=datetime.now(UTC).replace(microsecond=0),
        seconds=0.0,
        container_checks=(),
        probes=(),
        profile=profile,
        seccomp_profile=seccomp_text(profile),
        failure=reason,
    )


@contextmanager
def published(engine: Engine, spec: ContainerSpec) -> Iterator[tuple[Container, tuple[str, ...]]]:
    """Start a container for the length of a block; yield it, and what is otherwise than its run profile says.

    Where another program has a port of the machine that the run profile publishes on, the engine chooses a free one:
    which number it is makes no difference to any check or probe. A port under 1024 does, so there the error stays.

    Raises:
        EngineRefused: the engine would not start it.

    """
    remarks: tuple[str, ...] = ()
    try:
        container = engine.start(spec)
    except EngineRefused as error:
        publish = spec.profile.publish if spec.profile else {}
        if not any(sign in error.message for sign in PORT_TAKEN) or not publish:
            raise
        if min(publish.values()) < UNPRIVILEGED:
            error.hint = "The run profile publishes on a port that another program has; stop that one first."
            raise
        container = engine.start(replace(spec, overrides={**spec.overrides, "ports": dict.fromkeys(publish)}))
        taken = ", ".join(f"{host} for {inside}" for inside, host in publish.items())
        remarks = (f"The run profile publishes on port {taken}, which was taken: the engine chose a free one instead.",)
    try:
        yield container, remarks
    finally:
        engine.remove(container)


def await_app(engine: Engine, container: Container, port: int) -> None:
    """Wait until the app's port is open inside the container, and its health, where it has a check, is known.

    Raises:
        NoValidMeasurement: it ended, or the port stayed closed.

    """
    opened = False
    if engine.state(container).running:
        _, said = engine.exec_python(container, KNOCK.format(port=port, seconds=READY_WITHIN_S))
        opened = "open" in said
    if not opened or not engine.state(container).running:
        last = engine.logs(container).strip().splitlines()[-1:] or ["(it printed nothing)"]
        raise NoValidMeasurement(f"The app did not open port {port} in {container.name}: {last[0]}")
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        health = (inspect(engine, container)["State"].get("Health") or {}).get("Status")
        if health != "starting":
            return
        time.sleep(0.1)
