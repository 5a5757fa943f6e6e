"""No session is executed as root."""

from __future__ import annotations

from harness.model import Outcome, Severity, Skipped
from security.check import Check, failed_or_passed
from security.running_container import ExecSession, RunningContainer

CHECK = Check(
    id="CIS-5.24",
    title="No session is executed as root",
    severity=Severity.MEDIUM,
    rationale="It acts as root in a container that was meant to have none.",
    remediation="Use docker exec without --user root.",
    good=[RunningContainer(sessions=(ExecSession(),)), RunningContainer(sessions=(ExecSession(user="65532"),))],
    bad=[
        RunningContainer(sessions=(ExecSession(user="root"),)),
        RunningContainer(sessions=(ExecSession(user="0:0"),)),
        RunningContainer(sessions=(ExecSession(user="00"),)),
    ],
    unclear=[RunningContainer(), RunningContainer(sessions=())],
)


def test(container: RunningContainer) -> Outcome:
    """Look at the sessions that are open now."""
    if not container.sessions:
        return Skipped(reason="No session is open, and the engine keeps no record of those that ended.")
    return failed_or_passed(
        [f"exec: a session as {one.user} is open" for one in container.sessions if _is_root(one.user)]
    )


def _is_root(user: str) -> bool:
    name = user.partition(":")[0]
    return name == "root" or (name.isdigit() and int(name) == 0)
