"""Published ports are bound to one interface of the machine."""

from __future__ import annotations

import ipaddress

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import PublishedPort, RunningContainer

CHECK = Check(
    id="CIS-5.14",
    title="Published ports are bound to one interface of the machine",
    severity=Severity.MEDIUM,
    rationale="Without an address the port is open on every network that the machine is on.",
    remediation="Publish with an address: -p 127.0.0.1:5000:5000.",
    good=[
        RunningContainer(),
        RunningContainer(published=(PublishedPort(container_port="5000/tcp", host_ip="127.0.0.1", host_port=5000),)),
    ],
    bad=[
        RunningContainer(published=(PublishedPort(container_port="5000/tcp", host_port=5000),)),
        RunningContainer(published=(PublishedPort(container_port="5000/tcp", host_ip="0.0.0.0", host_port=5000),)),  # noqa: S104
        RunningContainer(published=(PublishedPort(container_port="5000/tcp", host_ip="::", host_port=5000),)),
        RunningContainer(published=(PublishedPort(container_port="5000/tcp", host_ip="[::]", host_port=5000),)),
    ],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    anywhere = [port for port in container.published if _everywhere(port.host_ip)]
    return failed_or_passed([f"{port.container_port}: bound to {port.host_ip or 'every address'}" for port in anywhere])


def _everywhere(address: str) -> bool:
    """Whether an address, in any of its forms, is the one that stands for all: 0.0.0.0, ::, [::], 0:0:0:0:0:0:0:0."""
    try:
        return not address or ipaddress.ip_address(address.strip("[]")).is_unspecified
    except ValueError:
        return True
