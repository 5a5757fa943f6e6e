"""The machine's user namespace is not shared."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.31",
    title="The machine's user namespace is not shared",
    severity=Severity.HIGH,
    rationale="Root inside is then root outside, also where the engine maps users.",
    remediation="Start without --userns host.",
    good=[RunningContainer(), RunningContainer(userns_mode="private")],
    bad=[RunningContainer(userns_mode="host")],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    return failed_or_passed(["UsernsMode: host"] if container.userns_mode == "host" else [])
