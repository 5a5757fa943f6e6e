"""No port under 1024 of the machine is published."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import PublishedPort, RunningContainer

CHECK = Check(
    id="CIS-5.8",
    title="No port under 1024 of the machine is published",
    severity=Severity.MEDIUM,
    rationale="Ports under 1024 are taken for services that an administrator started.",
    remediation="Publish a port of 1024 or more, and let a proxy hold the low one.",
    good=[
        RunningContainer(),
        RunningContainer(published=(PublishedPort(container_port="80/tcp", host_port=8080),)),
        RunningContainer(published=(PublishedPort(container_port="80/tcp"),)),
    ],
    bad=[
        RunningContainer(published=(PublishedPort(container_port="5000/tcp", host_port=80),)),
        RunningContainer(published=(PublishedPort(container_port="53/udp", host_port=53),)),
    ],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    low = [port for port in container.published if 0 < port.host_port < 1024]
    return failed_or_passed([f"{port.container_port}: published at {port.host_port}" for port in low])
