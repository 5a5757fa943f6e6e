"""No mount is shared back to the machine."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import Mount, RunningContainer

CHECK = Check(
    id="CIS-5.20",
    title="No mount is shared back to the machine",
    severity=Severity.MEDIUM,
    rationale="What the container mounts below it appears on the machine.",
    remediation="Leave a mount's propagation at rprivate.",
    good=[
        RunningContainer(),
        RunningContainer(mounts=(Mount(type="bind", source="/srv/data", destination="/data", propagation="rprivate"),)),
    ],
    bad=[
        RunningContainer(mounts=(Mount(type="bind", source="/srv/data", destination="/data", propagation="shared"),)),
        RunningContainer(mounts=(Mount(type="bind", source="/srv/data", destination="/data", propagation="rshared"),)),
    ],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    shared = [mount for mount in container.mounts if mount.propagation in ("shared", "rshared")]
    return failed_or_passed([f"{mount.destination}: propagation {mount.propagation}" for mount in shared])
