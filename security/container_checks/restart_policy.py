"""A failing container is started again at most five times."""

from __future__ import annotations

from harness.model import Failed, Outcome, Passed, Severity
from security.check import Check
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.15",
    title="A failing container is started again at most five times",
    severity=Severity.LOW,
    rationale="A container that fails and is started without end takes the machine's time and hides the fault.",
    remediation="Start with --restart on-failure:5, or with none.",
    good=[RunningContainer(restart="no"), RunningContainer(restart="on-failure", restart_at_most=5)],
    bad=[
        RunningContainer(restart="always"),
        RunningContainer(restart="unless-stopped"),
        RunningContainer(restart="on-failure"),
        RunningContainer(restart="on-failure", restart_at_most=6),
    ],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    if container.restart == "no" or (container.restart == "on-failure" and 0 < container.restart_at_most <= 5):
        return Passed()
    count = "without end" if container.restart_at_most == 0 else f"at most {container.restart_at_most} times"
    return Failed(evidence=(f"RestartPolicy: {container.restart}, {count}",))
