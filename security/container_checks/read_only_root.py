"""The root file system is read-only."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.13",
    title="The root file system is read-only",
    severity=Severity.MEDIUM,
    rationale="An attacker can change the app, or leave something that runs at the next start.",
    remediation="Start with --read-only, and a tmpfs for what must be written.",
    good=[RunningContainer(read_only_root=True)],
    bad=[RunningContainer()],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    return failed_or_passed([] if container.read_only_root else ["ReadonlyRootfs: false"])
