"""The machine's shared memory and semaphores are not shared."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.17",
    title="The machine's shared memory and semaphores are not shared",
    severity=Severity.HIGH,
    rationale="It reads and writes the shared memory of the machine's programs.",
    remediation="Start without --ipc host.",
    good=[RunningContainer(), RunningContainer(ipc_mode="private")],
    bad=[RunningContainer(ipc_mode="host")],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    return failed_or_passed(["IpcMode: host"] if container.ipc_mode == "host" else [])
