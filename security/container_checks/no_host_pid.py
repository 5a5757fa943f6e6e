"""The machine's process list is not shared."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.16",
    title="The machine's process list is not shared",
    severity=Severity.HIGH,
    rationale="It sees the machine's processes, their environment, and may send them signals.",
    remediation="Start without --pid host.",
    good=[RunningContainer(), RunningContainer(pid_mode="private")],
    bad=[RunningContainer(pid_mode="host")],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    return failed_or_passed(["PidMode: host"] if container.pid_mode == "host" else [])
