"""The container is in the cgroup that is expected."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.25",
    title="The container is in the cgroup that is expected",
    severity=Severity.LOW,
    rationale="In another cgroup its limits may be those of something else, or none.",
    remediation="Start without --cgroup-parent, unless it is argued for.",
    good=[
        RunningContainer(),
        RunningContainer(cgroup_parent="/docker"),
        RunningContainer(cgroup_parent="system.slice"),
    ],
    bad=[RunningContainer(cgroup_parent="/"), RunningContainer(cgroup_parent="/other")],
)


def test(container: RunningContainer) -> Outcome:
    """Read the container's configuration."""
    expected = ("", "/docker", "docker", "system.slice", "machine.slice", "user.slice")
    return failed_or_passed([] if container.cgroup_parent in expected else [f"CgroupParent: {container.cgroup_parent}"])
