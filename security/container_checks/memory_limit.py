"""Memory is limited."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.11",
    title="Memory is limited",
    severity=Severity.HIGH,
    rationale="Without a limit one container makes the kernel kill processes of others.",
    remediation="Start with --memory.",
    good=[RunningContainer(memory_bytes=256 << 20)],
    bad=[RunningContainer()],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    return failed_or_passed([] if container.memory_bytes > 0 else ["Memory: no limit"])
