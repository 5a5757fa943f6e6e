"""The machine's host name is not shared."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.21",
    title="The machine's host name is not shared",
    severity=Severity.MEDIUM,
    rationale="It may change the machine's host name.",
    remediation="Start without --uts host.",
    good=[RunningContainer(), RunningContainer(uts_mode="private")],
    bad=[RunningContainer(uts_mode="host")],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    return failed_or_passed(["UTSMode: host"] if container.uts_mode == "host" else [])
