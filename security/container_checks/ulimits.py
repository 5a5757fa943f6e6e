"""Limits of a process's resources are set."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.19",
    title="Limits of a process's resources are set",
    severity=Severity.LOW,
    rationale="Without one the engine's own limits hold, which are often near endless.",
    remediation="Start with --ulimit nofile=1024:1024, or what the app needs.",
    good=[RunningContainer(ulimits=("nofile",))],
    bad=[RunningContainer(), RunningContainer(ulimits=("core",))],
)


def test(container: RunningContainer) -> Outcome:
    """Ask for a limit on open files or on processes."""
    wanted = {"nofile", "nproc"} & set(container.ulimits)
    return failed_or_passed([] if wanted else [f"Ulimits: {', '.join(container.ulimits) or 'none'}"])
