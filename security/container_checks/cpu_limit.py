"""CPU time is limited."""

from __future__ import annotations

from harness.model import Failed, Outcome, Passed, Severity
from security.check import Check
from security.running_container import EngineFacts, RunningContainer

CHECK = Check(
    id="CIS-5.12",
    title="CPU time is limited",
    severity=Severity.MEDIUM,
    rationale="A busy container without a limit takes the cores of all others.",
    remediation="Start with --cpus, or with --cpuset-cpus where it is to have cores of its own.",
    good=[
        RunningContainer(cpus=1.0),
        RunningContainer(cpuset="0", engine=EngineFacts(cores=2)),
        RunningContainer(cpuset="0-1,3", engine=EngineFacts(cores=8)),
    ],
    bad=[
        RunningContainer(),
        RunningContainer(cpu_shares=512),
        RunningContainer(cpuset="0-1", engine=EngineFacts(cores=2)),
    ],
)


def test(container: RunningContainer) -> Outcome:
    """Accept a quota, or a set of cores that is not all of them; a weight alone is no limit."""
    if container.cpus is not None:
        return Passed()
    cores = _count(container.cpuset)
    if cores and cores < (container.engine.cores or cores + 1):
        return Passed()
    if cores:
        return Failed(evidence=(f"CpusetCpus: {container.cpuset} is every core of the machine",))
    weight = f"; CpuShares {container.cpu_shares} is a weight, no limit" if container.cpu_shares else ""
    return Failed(evidence=(f"NanoCpus, CpuQuota, CpusetCpus: none is set{weight}",))


def _count(cpuset: str) -> int:
    """Return how many cores a list such as 0-1,3 names."""
    total = 0
    for part in filter(None, cpuset.split(",")):
        first, _, last = part.partition("-")
        total += int(last or first) - int(first) + 1
    return total
