"""The container is not on the engine's default bridge."""

from __future__ import annotations

from harness.model import Failed, Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.30",
    title="The container is not on the engine's default bridge",
    severity=Severity.LOW,
    rationale="All containers on it reach each other.",
    remediation="Give the container a network of its own: docker network create, then --network.",
    good=[RunningContainer(network_mode="none"), RunningContainer(network_mode="shop", networks=("shop",))],
    bad=[
        RunningContainer(network_mode="default"),
        RunningContainer(network_mode="bridge"),
        RunningContainer(network_mode="shop", networks=("bridge", "shop")),
    ],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    if container.network_mode in ("default", "bridge"):
        return Failed(evidence=(f"NetworkMode: {container.network_mode}",))
    return failed_or_passed(["Networks: bridge"] if "bridge" in container.networks else [])
