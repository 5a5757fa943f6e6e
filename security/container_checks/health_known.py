"""The container's health is known at run time."""

from __future__ import annotations

from harness.model import Failed, Outcome, Passed, Severity, Skipped
from security.check import Check
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.27",
    title="The container's health is known at run time",
    severity=Severity.LOW,
    rationale="Without a check the engine takes a hung app for a good one.",
    remediation="Give the image a HEALTHCHECK, and do not switch it off.",
    good=[RunningContainer(healthcheck=("CMD", "python3"), health="healthy")],
    bad=[
        RunningContainer(),
        RunningContainer(healthcheck=("NONE",)),
        RunningContainer(healthcheck=("CMD", "x"), health="unhealthy"),
        RunningContainer(healthcheck=("NONE",), health="none"),
    ],
    unclear=[RunningContainer(healthcheck=("CMD", "x"), health="starting")],
)


def test(container: RunningContainer) -> Outcome:
    """Read what the engine's last check said."""
    if container.health in (None, "none", "") or container.healthcheck[:1] == ("NONE",):
        return Failed(evidence=("Health: there is no check",))
    if container.health == "starting":
        return Skipped(reason="The health check has not come to a result yet.")
    return Passed() if container.health == "healthy" else Failed(evidence=(f"Health: {container.health}",))
