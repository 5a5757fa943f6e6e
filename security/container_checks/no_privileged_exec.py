"""No session is executed with --privileged."""

from __future__ import annotations

from harness.model import Outcome, Severity, Skipped
from security.check import Check, failed_or_passed
from security.running_container import ExecSession, RunningContainer

CHECK = Check(
    id="CIS-5.23",
    title="No session is executed with --privileged",
    severity=Severity.HIGH,
    rationale="It holds every capability, past all that the container was denied.",
    remediation="Use docker exec without --privileged.",
    good=[RunningContainer(sessions=(ExecSession(),))],
    bad=[RunningContainer(sessions=(ExecSession(privileged=True),))],
    unclear=[RunningContainer(), RunningContainer(sessions=())],
)


def test(container: RunningContainer) -> Outcome:
    """Look at the sessions that are open now."""
    if not container.sessions:
        return Skipped(reason="No session is open, and the engine keeps no record of those that ended.")
    return failed_or_passed(["exec: a privileged session is open" for one in container.sessions if one.privileged])
