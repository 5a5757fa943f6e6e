"""The number of processes is limited."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.29",
    title="The number of processes is limited",
    severity=Severity.HIGH,
    rationale="A fork bomb in one container without a limit takes every process slot of the machine.",
    remediation="Start with --pids-limit.",
    good=[RunningContainer(pids_limit=64)],
    bad=[RunningContainer(), RunningContainer(pids_limit=0), RunningContainer(pids_limit=-1)],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    return failed_or_passed([] if (container.pids_limit or 0) > 0 else ["PidsLimit: no limit"])
