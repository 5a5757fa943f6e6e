"""The machine's network is not shared."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.10",
    title="The machine's network is not shared",
    severity=Severity.HIGH,
    rationale="The container sees the machine's interfaces and reaches what listens on its loopback.",
    remediation="Start without --network host.",
    good=[RunningContainer(network_mode="bridge"), RunningContainer(network_mode="none")],
    bad=[RunningContainer(network_mode="host")],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    return failed_or_passed(["NetworkMode: host"] if container.network_mode == "host" else [])
