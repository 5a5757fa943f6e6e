"""Only ports that the image exposes are published."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import PublishedPort, RunningContainer

CHECK = Check(
    id="CIS-5.9",
    title="Only ports that the image exposes are published",
    severity=Severity.MEDIUM,
    rationale="Any other port is one that nobody meant to open.",
    remediation="Publish only what the image's EXPOSE names, each by -p, not all by -P.",
    good=[
        RunningContainer(),
        RunningContainer(
            exposed_ports=("5000/tcp",), published=(PublishedPort(container_port="5000/tcp", host_port=5000),)
        ),
    ],
    bad=[
        RunningContainer(
            published=(PublishedPort(container_port="22/tcp", host_port=2222),), exposed_ports=("5000/tcp",)
        ),
        RunningContainer(publish_all=True),
    ],
)


def test(container: RunningContainer) -> Outcome:
    """Compare what is published with the image's EXPOSE."""
    evidence = [
        f"{port.container_port}: published, not exposed"
        for port in container.published
        if port.container_port not in container.exposed_ports
    ]
    return failed_or_passed(evidence + (["PublishAllPorts: true"] if container.publish_all else []))
