"""What all trials of one run have in common: how targets are started, how they are loaded, and on which cores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.engine.client import ContainerSpec, Engine
from harness.engine.labels import Role
from harness.errors import UnreadableOutput
from harness.model import Calibration, Image, RunProfile
from loadtests import cores
from loadtests.inside.orders import VARIABLE, Orders
from loadtests.load_profile import LoadProfile

PORT = 5000
NetworkPath = Literal["namespace", "host", "published"]
"""Target and generator in one namespace of their own; both on the host's network; or the target on the engine's bridge,
and the generator on the host's network, through a port that the engine publishes on 127.0.0.1."""
CALIBRATION_TIMEOUT_S = 120


@dataclass(frozen=True, kw_only=True)
class Cores:
    """CPU sets as the engine takes them: core numbers, with commas between; the same core where there is only one."""

    target: str
    generator: str
    processes: int | None = None
    """Of the generator; None: one a core."""

    @property
    def generator_processes(self) -> int:
        """Locust processes that make the load together."""
        return self.processes or len(self.generator.split(","))

    @property
    def shared(self) -> bool:
        """Whether target and generator take each other's time."""
        return bool(set(self.target.split(",")) & set(self.generator.split(",")))


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How every trial of a run is made."""

    run_profile: RunProfile
    load_profile: LoadProfile
    generator_image: str
    cores: Cores
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables of the target beside the image's own."""
    path: NetworkPath = "namespace"
    port: int = PORT
    """Where the generator finds the target on its loopback."""
    live: Callable[[float], None] | None = None
    """Told once a second, while a trial is measured, how many answers a second have just come."""

    @property
    def target_cores(self) -> float:
        """Cores that the target may use: its CPU limit, or the cores that it is pinned to."""
        pinned = float(len(self.cores.target.split(",")))
        return min(self.run_profile.cpus or pinned, pinned)

    @property
    def conditions(self) -> dict[str, object]:
        """What trials must have in common to be of one kind; a port is none of it, since any free one will do."""
        return {
            "run profile": self.run_profile.model_dump(mode="json"),
            "load profile": self.load_profile.model_dump(mode="json"),
            "generator": self.generator_image,
            "cores": [self.cores.target, self.cores.generator],
            "env": dict(self.env),
            "path": self.path,
        }

    def pause(self) -> ContainerSpec:
        """Return the container that owns the generator's namespace: it sleeps, and is never restarted."""
        network = "none" if self.path == "namespace" else "host"
        return ContainerSpec(image=self.generator_image, role=Role.PAUSE, network=network, cpuset=self.cores.generator)

    def target(self, image: Image, namespace: str) -> ContainerSpec:
        """Return the container under test, in the namespace of a pause container.

        The run profile is kept but for its network: a joiner publishes nothing. Its restart policy stays, since that is
        how the container would run; a restart makes the trial invalid.
        """
        published = self.path == "published"
        # On this machine's loopback only: a trial is nobody else's affair.
        ports = {"ports": {f"{PORT}/tcp": ("127.0.0.1", self.port)}} if published else {}
        return ContainerSpec(
            image=image.digest,
            role=Role.TARGET,
            variant=image.variant,
            profile=self.run_profile.model_copy(update={"publish": {}}),
            network="bridge" if published else namespace,
            cpuset=self.cores.target,
            env={"PORT": str(PORT if published else self.port), **self.env},
            overrides=ports,
        )

    def inside(self, role: Role, module: str, orders: Orders, namespace: str) -> ContainerSpec:
        """Return a container of the generator's image that runs one of `loadtests.inside`'s modules."""
        return ContainerSpec(
            image=self.generator_image,
            role=role,
            command=["-m", f"loadtests.inside.{module}"],
            network=namespace,
            cpuset=self.cores.generator,
            env={VARIABLE: orders.to_json()},
        )


def fingerprint(conditions: object) -> str:
    """Return the SHA-256 of what can be written as JSON."""
    return hashlib.sha256(json.dumps(conditions, sort_keys=True).encode()).hexdigest()


def all_cores(engine: Engine, generator_image: str) -> list[int]:
    """Ask, from inside a container, which cores there are.

    Raises:
        UnreadableOutput: the container could not tell.

    """
    return sorted(_siblings(engine, generator_image))


def find_cores(engine: Engine, generator_image: str) -> Cores:
    """Give the target a core and the generator one or more, of those that containers have; see `cores.choose`.

    Raises:
        UnreadableOutput: a container could not tell which there are.

    """
    target, generator = cores.choose(_siblings(engine, generator_image))
    return Cores(target=str(target), generator=",".join(map(str, generator)))


def _siblings(engine: Engine, generator_image: str) -> cores.Siblings:
    spec = ContainerSpec(image=generator_image, role=Role.INSPECTOR, command=["-c", cores.ASK])
    _, out, said = engine.run_to_end(spec, timeout_s=CALIBRATION_TIMEOUT_S)
    try:
        return cores.parse(out)
    except (ValueError, AttributeError) as error:
        raise UnreadableOutput(
            f"A container of {generator_image} could not tell its cores: {said.strip()[-200:]}"
        ) from error


def calibrate(engine: Engine, generator_image: str, cores: Cores, round_: int) -> Calibration:
    """Time a fixed pure-Python loop on the target's core."""
    spec = ContainerSpec(
        image=generator_image,
        role=Role.INSPECTOR,
        command=["-m", "loadtests.inside.calibration"],
        cpuset=cores.target,
    )
    code, out, said = engine.run_to_end(spec, timeout_s=CALIBRATION_TIMEOUT_S)
    try:
        return Calibration(round=round_, seconds=float(out))
    except ValueError as error:
        raise UnreadableOutput(
            f"The calibration loop ended with exit code {code} and no figure: {said.strip()[-200:]}"
        ) from error
