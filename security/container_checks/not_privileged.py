"""The container is not privileged."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.5",
    title="The container is not privileged",
    severity=Severity.CRITICAL,
    rationale="A privileged container holds every capability and every device, without seccomp: it is the machine.",
    remediation="Start without --privileged; add the one capability or device that is needed.",
    good=[RunningContainer()],
    bad=[RunningContainer(privileged=True)],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    return failed_or_passed(["Privileged: true"] if container.privileged else [])
